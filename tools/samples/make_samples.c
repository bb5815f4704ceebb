/*
 * make-samples FOLDER: writes the sample messages, their zone file and the table of their
 * envelopes.
 *
 * Each sample is a row: what it is about, its envelope, and a function that builds the message with
 * the signer of the engine (sign/sign.h). Keys are made anew at every run and thrown away; only
 * their public halves go into the zone. Run by `make samples`; the result is committed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "sign/sign.h"

enum
{
    SIGNED_AT = 1792972800, /* 2026-10-26 00:00 UTC */
    RECEIVED_AT = SIGNED_AT + 60,
    MESSAGE_BYTES = 256 * 1024,
};

struct signer
{
    const char *domain, *selector;
    enum key_type type;
    unsigned bits;
    const char *note; /* further tags of the key record; "" for none */
    struct private_key *key;
};

enum signer_id
{
    SHOP,
    SHOP_ED25519,
    SHOP_TESTING,
    LIST,
    RELAY,
    MAILER,
    ATTACKER,
    SIGNER_COUNT,
};

static struct signer signers[SIGNER_COUNT] = {
    [SHOP] = {"shop.example", "s2026", KEY_RSA, 2048, "", NULL},
    [SHOP_ED25519] = {"shop.example", "e2026", KEY_ED25519, 0, "", NULL},
    [SHOP_TESTING] = {"shop.example", "testing", KEY_RSA, 2048, "t=y; ", NULL},
    [LIST] = {"lists.example", "arc", KEY_RSA, 2048, "", NULL},
    [RELAY] = {"relay.example", "arc", KEY_RSA, 2048, "", NULL},
    [MAILER] = {"mailer.example", "m1", KEY_RSA, 2048, "", NULL},
    [ATTACKER] = {"attacker.example", "a", KEY_RSA, 2048, "", NULL},
};

static const char zone_head[] =
    "; The DNS of the sample messages: `assay check --dns share/samples/zone.txt ...`\n"
    "; Made by `make samples`; the format is that of a zone file with absolute names.\n"
    "shop.example. A 192.0.2.10\n"
    "shop.example. MX 10 mx.shop.example.\n"
    "mx.shop.example. A 192.0.2.10\n"
    "shop.example. TXT \"v=spf1 ip4:192.0.2.0/28 include:_spf.mailer.example -all\"\n"
    "_dmarc.shop.example. TXT \"v=DMARC1; p=reject; sp=quarantine; "
    "rua=mailto:dmarc@shop.example\"\n"
    "news.shop.example. A 192.0.2.11\n"
    "news.shop.example. TXT \"v=spf1 a -all\"\n"
    "_spf.mailer.example. TXT \"v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:51::/48 -all\"\n"
    "out.mailer.example. A 198.51.100.7\n"
    "out.mailer.example. TXT \"v=spf1 a -all\"\n"
    "mailer.example. TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n"
    "_dmarc.mailer.example. TXT \"v=DMARC1; p=none\"\n"
    "bank.example. A 192.0.2.200\n"
    "bank.example. TXT \"v=spf1 ip4:192.0.2.200 -all\"\n"
    "_dmarc.bank.example. TXT \"v=DMARC1; p=reject; adkim=s; aspf=s\"\n"
    "careful.example. TXT \"v=spf1 ip4:192.0.2.33 ~all\"\n"
    "_dmarc.careful.example. TXT \"v=DMARC1; p=reject; t=y\"\n"
    "attacker.example. TXT \"v=spf1 ip4:203.0.113.0/24 -all\"\n"
    "lists.example. TXT \"v=spf1 ip4:192.0.2.80 -all\"\n"
    "relay.example. TXT \"v=spf1 ip4:192.0.2.90 -all\"\n"
    "plain.example. A 192.0.2.60\n"
    "slow.example. TXT !timeout\n"
    "_dmarc.slow.example. TXT !timeout\n"
    "slow.example. A 192.0.2.70\n"
    "deep.example. TXT \"v=spf1 include:d1.deep.example -all\"\n"
    "revoked._domainkey.shop.example. TXT \"v=DKIM1; k=rsa; p=\"\n";

static void stop(const char *what)
{
    fprintf(stderr, "make-samples: %s\n", what);
    exit(1);
}

/* Building messages --------------------------------------------------------------------------- */

struct sample
{
    struct buffer text;
    struct arena arena;
};

static void write_text(struct sample *sample, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            buffer_append_byte(&sample->text, '\r');
        buffer_append_byte(&sample->text, (uint8_t)*text);
    }
}

static void write_mail(struct sample *sample, const char *from, const char *subject,
                       const char *body)
{
    write_text(sample,
               "Received: from client by mx.receiver.example; Mon, 26 Oct 2026 00:01:00 +0000\n");
    write_text(sample, "Date: Mon, 26 Oct 2026 00:00:00 +0000\nFrom: ");
    write_text(sample, from);
    write_text(sample, "\nTo: Ada <ada@receiver.example>\nSubject: ");
    write_text(sample, subject);
    write_text(sample, "\nMessage-ID: <20261026.1@mail.example>\nMIME-Version: 1.0\n"
                       "Content-Type: text/plain; charset=utf-8\n\n");
    write_text(sample, body);
}

static void put_on_top(struct sample *sample, struct span field)
{
    struct buffer joined;
    buffer_init(&joined, MESSAGE_BYTES);
    buffer_append(&joined, field);
    buffer_append(&joined, buffer_span(&sample->text));
    buffer_fini(&sample->text);
    sample->text = joined;
}

static struct sign_options options_of(enum signer_id id)
{
    return (struct sign_options){
        .domain = span_from_string(signers[id].domain),
        .selector = span_from_string(signers[id].selector),
        .key = signers[id].key,
        .header_canon = CANON_RELAXED,
        .body_canon = CANON_RELAXED,
        .t = SIGNED_AT,
    };
}

static void sign_with(struct sample *sample, const struct sign_options *options)
{
    struct sign_message message;
    struct buffer field;
    buffer_init(&field, MESSAGE_BYTES);
    const char *fault = sign_message_read(&message, buffer_span(&sample->text), &sample->arena);
    if (!fault)
        fault = sign_dkim(&message, options, &field);
    if (fault)
        stop(sign_reason_text(fault));
    put_on_top(sample, buffer_span(&field));
    buffer_fini(&field);
}

static void sign_as(struct sample *sample, enum signer_id id)
{
    struct sign_options options = options_of(id);
    sign_with(sample, &options);
}

static void seal_as(struct sample *sample, enum signer_id id, enum seal_cv cv, const char *results)
{
    struct seal_options options = {
        .sign = options_of(id),
        .cv = cv,
        .results = span_from_string(results),
    };
    struct sign_message message;
    struct buffer fields;
    buffer_init(&fields, MESSAGE_BYTES);
    const char *fault = sign_message_read(&message, buffer_span(&sample->text), &sample->arena);
    if (!fault)
        fault = sign_arc(&message, &options, &fields);
    if (fault)
        stop(sign_reason_text(fault));
    put_on_top(sample, buffer_span(&fields));
    buffer_fini(&fields);
}

/* Replaces the first `from` by `to`. */
static void alter(struct sample *sample, const char *from, const char *to)
{
    struct span text = buffer_span(&sample->text);
    const uint8_t *at = memmem(text.p, text.n, from, strlen(from));
    if (!at)
        stop("nothing to alter");
    size_t offset = (size_t)(at - text.p);
    struct buffer altered;
    buffer_init(&altered, MESSAGE_BYTES);
    buffer_append(&altered, span_slice(text, 0, offset));
    buffer_append_string(&altered, to);
    buffer_append(&altered, span_skip(text, offset + strlen(from)));
    buffer_fini(&sample->text);
    sample->text = altered;
}

/* The samples ---------------------------------------------------------------------------------- */

static const char order[] = "Dear Ada,\n\nyour order 4711 has left our house today.\n\nThe shop\n";

static void shop_mail(struct sample *sample)
{
    write_mail(sample, "The Shop <orders@shop.example>", "Your order 4711", order);
}

static void make_pass(struct sample *sample)
{
    shop_mail(sample);
    sign_as(sample, SHOP);
}

static void make_pass_two_signatures(struct sample *sample)
{
    shop_mail(sample);
    sign_as(sample, SHOP);
    sign_as(sample, SHOP_ED25519);
}

static void make_pass_service(struct sample *sample)
{
    shop_mail(sample);
    sign_as(sample, SHOP);
    sign_as(sample, MAILER);
}

static void make_pass_subdomain(struct sample *sample)
{
    write_mail(sample, "News <news@news.shop.example>", "Autumn", "New coats.\n");
}

static void make_bounce(struct sample *sample)
{
    write_mail(sample, "Mail Delivery <postmaster@out.mailer.example>", "Undelivered",
               "Your message could not be delivered.\n");
}

static void make_list_footer(struct sample *sample)
{
    shop_mail(sample);
    sign_as(sample, SHOP);
    alter(sample, "Subject: ", "Subject: [list] ");
    write_text(sample, "-- \nlist footer\n");
    seal_as(
        sample, LIST, SEAL_CV_NONE,
        "lists.example; spf=pass smtp.mailfrom=shop.example; dkim=pass header.d=shop.example;\r\n\t"
        "dmarc=pass header.from=shop.example");
}

static void make_arc_two_sets(struct sample *sample)
{
    make_list_footer(sample);
    seal_as(sample, RELAY, SEAL_CV_PASS,
            "relay.example; arc=pass; dmarc=fail header.from=shop.example");
}

static void make_arc_broken(struct sample *sample)
{
    make_list_footer(sample);
    alter(sample, "order 4711 has", "order 4712 has");
}

static void make_fail_body(struct sample *sample)
{
    make_pass(sample);
    alter(sample, "left our house", "left our mouse");
}

static void make_fail_subject(struct sample *sample)
{
    make_pass(sample);
    alter(sample, "Subject: Your order", "Subject: [EXTERNAL] Your order");
}

static void make_added_from(struct sample *sample)
{
    make_pass(sample);
    put_on_top(sample, SPAN("From: CEO <ceo@bank.example>\r\n"));
}

static void make_forged(struct sample *sample)
{
    write_mail(sample, "Your Bank <service@bank.example>", "Confirm your account",
               "Click here: http://attacker.example/\n");
    sign_as(sample, ATTACKER);
}

static void make_forged_display(struct sample *sample)
{
    write_mail(sample, "\"service@bank.example\" <x@attacker.example>", "Confirm your account",
               "Click here: http://attacker.example/\n");
    sign_as(sample, ATTACKER);
}

static void make_forged_two_addresses(struct sample *sample)
{
    write_mail(sample, "x@attacker.example, service@bank.example", "Confirm your account",
               "Click.\n");
    sign_as(sample, ATTACKER);
}

static void make_expired(struct sample *sample)
{
    struct sign_options options = options_of(SHOP);
    options.t = SIGNED_AT - 864000;
    options.x = SIGNED_AT - 259200;
    shop_mail(sample);
    sign_with(sample, &options);
}

static void make_revoked(struct sample *sample)
{
    make_pass(sample);
    alter(sample, "s=s2026", "s=revoked");
}

static void make_sha1(struct sample *sample)
{
    make_pass(sample);
    alter(sample, "a=rsa-sha256", "a=rsa-sha1");
}

static void make_appended(struct sample *sample)
{
    struct sign_options options = options_of(SHOP);
    shop_mail(sample);
    options.has_l = true;
    options.l = 40;
    sign_with(sample, &options);
    write_text(sample, "\nPay here instead: http://attacker.example/\n");
}

static void make_testing_key(struct sample *sample)
{
    shop_mail(sample);
    sign_as(sample, SHOP_TESTING);
}

static void make_policy_test(struct sample *sample)
{
    write_mail(sample, "Careful <a@careful.example>", "Hello", "No signature here.\n");
}

static void make_no_policy(struct sample *sample)
{
    write_mail(sample, "Plain <a@plain.example>", "Hello", "Neither SPF nor DKIM nor DMARC.\n");
}

static void make_slow(struct sample *sample)
{
    write_mail(sample, "Slow <a@slow.example>", "Hello", "My name server sleeps.\n");
}

static void make_deep(struct sample *sample)
{
    write_mail(sample, "Deep <a@deep.example>", "Hello", "Eleven includes.\n");
}

static void make_bare_lf(struct sample *sample)
{
    make_pass(sample);
    alter(sample, "Subject: Your", "X-Note: a\nFrom: ceo@bank.example\r\nSubject: Your");
}

static void make_nul(struct sample *sample)
{
    make_pass(sample);
    alter(sample, "orders@shop.example", "orders@shop.example@bank.example");
    uint8_t *at = memmem(sample->text.p, sample->text.n, "example@bank", 12);
    if (at)
        at[7] = '\0';
}

static void make_no_from(struct sample *sample)
{
    shop_mail(sample);
    alter(sample, "From: The Shop", "Sender: The Shop");
}

struct row
{
    const char *file, *ip, *helo, *mail_from, *about;
    void (*make)(struct sample *);
};

#define SHOP_CLIENT "192.0.2.10", "mx.shop.example", "orders@shop.example"
#define FORGER "203.0.113.5", "mail.attacker.example"

static const struct row rows[] = {
    {"pass.eml", SHOP_CLIENT, "signed by its own domain, sent by its own host", make_pass},
    {"pass-two-signatures.eml", SHOP_CLIENT, "RSA and Ed25519 side by side",
     make_pass_two_signatures},
    {"pass-service.eml", "198.51.100.7", "out.mailer.example", "b-17@mailer.example",
     "sent by a mailing service, DKIM aligns", make_pass_service},
    {"pass-subdomain.eml", "192.0.2.11", "news.shop.example", "news@news.shop.example",
     "no signature; SPF aligns, policy found by the tree walk", make_pass_subdomain},
    {"pass-bounce.eml", "198.51.100.7", "out.mailer.example", "<>",
     "null reverse-path: the HELO name counts", make_bounce},
    {"forwarded.eml", "192.0.2.90", "relay.example", "orders@shop.example",
     "forwarded unchanged: SPF fails, DKIM holds", make_pass},
    {"list-arc.eml", "192.0.2.80", "lists.example", "bounce@lists.example",
     "a list changed it and sealed what it had seen", make_list_footer},
    {"list-arc-two-sets.eml", "192.0.2.90", "relay.example", "bounce@lists.example",
     "and a relay sealed it again", make_arc_two_sets},
    {"arc-broken.eml", "192.0.2.80", "lists.example", "bounce@lists.example",
     "changed after it was sealed", make_arc_broken},
    {"fail-body.eml", SHOP_CLIENT, "one word of the body changed", make_fail_body},
    {"fail-subject.eml", "192.0.2.90", "relay.example", "a@relay.example",
     "a gateway tagged the subject", make_fail_subject},
    {"fail-expired.eml", "192.0.2.90", "relay.example", "a@relay.example",
     "x= lies three days back", make_expired},
    {"fail-revoked.eml", "192.0.2.90", "relay.example", "a@relay.example",
     "the key was withdrawn (empty p=)", make_revoked},
    {"fail-sha1.eml", "192.0.2.90", "relay.example", "a@relay.example", "rsa-sha1 never passes",
     make_sha1},
    {"fail-appended.eml", "192.0.2.90", "relay.example", "a@relay.example",
     "text appended behind l=", make_appended},
    {"testing-key.eml", "192.0.2.90", "relay.example", "a@relay.example",
     "key with t=y: DMARC does not use it", make_testing_key},
    {"testing-policy.eml", "203.0.113.5", "mail.attacker.example", "a@careful.example",
     "p=reject with t=y: one step milder", make_policy_test},
    {"forged.eml", FORGER, "x@attacker.example", "signed, but not by the bank", make_forged},
    {"forged-display-name.eml", FORGER, "x@attacker.example",
     "an address in the display name; the domain is the forger's own", make_forged_display},
    {"forged-two-addresses.eml", FORGER, "x@attacker.example", "two domains in one From",
     make_forged_two_addresses},
    {"forged-two-from.eml", SHOP_CLIENT, "a second From above the signed one", make_added_from},
    {"malformed-bare-lf.eml", SHOP_CLIENT, "a bare LF hides a second From", make_bare_lf},
    {"malformed-nul.eml", SHOP_CLIENT, "a NUL in the From field", make_nul},
    {"malformed-no-from.eml", SHOP_CLIENT, "Sender, but no From", make_no_from},
    {"none.eml", "192.0.2.60", "plain.example", "a@plain.example",
     "a domain that publishes nothing", make_no_policy},
    {"dns-timeout.eml", "192.0.2.70", "slow.example", "a@slow.example",
     "the name server does not answer", make_slow},
    {"spf-too-many-lookups.eml", "192.0.2.80", "deep.example", "a@deep.example",
     "eleven includes in a row", make_deep},
};

/* Output --------------------------------------------------------------------------------------- */

static void write_file(const char *folder, const char *name, struct span text)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(text.p, 1, text.n, file) != text.n || fclose(file) != 0)
        stop("cannot write");
}

static void append_key_record(struct buffer *zone, const struct signer *signer)
{
    struct buffer public;
    char text[BASE64_ENCODED_LENGTH(2048) + 1];
    buffer_init(&public, 2048);
    if (!private_key_public(signer->key, &public))
        stop("no public key");
    base64_encode(buffer_span(&public), text);
    int n = (int)BASE64_ENCODED_LENGTH(public.n);
    buffer_printf(zone, "%s._domainkey.%s. TXT \"v=DKIM1; k=%s; %sp=%.*s\"", signer->selector,
                  signer->domain, signer->type == KEY_RSA ? "rsa" : "ed25519", signer->note,
                  n < 200 ? n : 200, text);
    if (n > 200)
        buffer_printf(zone, " \"%.*s\"", n - 200, text + 200);
    buffer_append_byte(zone, '\n');
    buffer_fini(&public);
}

static void write_zone(const char *folder)
{
    struct buffer zone;
    buffer_init(&zone, MESSAGE_BYTES);
    buffer_append_string(&zone, zone_head);
    for (int i = 1; i <= 10; i++)
        buffer_printf(&zone, "d%d.deep.example. TXT \"v=spf1 include:d%d.deep.example -all\"\n", i,
                      i + 1);
    buffer_append_string(&zone, "d11.deep.example. TXT \"v=spf1 ip4:192.0.2.80 -all\"\n");
    for (int i = 0; i < SIGNER_COUNT; i++)
        append_key_record(&zone, &signers[i]);
    if (zone.failed)
        stop("no memory");
    write_file(folder, "zone.txt", buffer_span(&zone));
    buffer_fini(&zone);
}

static void write_samples(const char *folder)
{
    struct buffer table;
    buffer_init(&table, MESSAGE_BYTES);
    buffer_printf(&table, "# file\tclient address\tHELO\tMAIL FROM\treceived at\twhat it shows\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sample sample;
        buffer_init(&sample.text, MESSAGE_BYTES);
        arena_init(&sample.arena, 8 * 1024 * 1024);
        rows[i].make(&sample);
        if (sample.text.failed)
            stop("a sample is too large");
        write_file(folder, rows[i].file, buffer_span(&sample.text));
        buffer_printf(&table, "%s\t%s\t%s\t%s\t%d\t%s\n", rows[i].file, rows[i].ip, rows[i].helo,
                      rows[i].mail_from, RECEIVED_AT, rows[i].about);
        buffer_fini(&sample.text);
        arena_fini(&sample.arena);
    }
    write_file(folder, "samples.tsv", buffer_span(&table));
    buffer_fini(&table);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: make-samples FOLDER\n", stderr);
        return 64;
    }
    for (int i = 0; i < SIGNER_COUNT; i++) {
        signers[i].key = private_key_generate(signers[i].type, signers[i].bits);
        if (!signers[i].key)
            stop("cannot make a key");
    }
    write_zone(argv[1]);
    write_samples(argv[1]);
    for (int i = 0; i < SIGNER_COUNT; i++)
        private_key_free(&signers[i].key);
    return 0;
}
