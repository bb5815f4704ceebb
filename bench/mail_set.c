/* Deterministic sets of signed messages: written, signed and sealed with the engine's signer. */
#include "bench/mail_set.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limit.h"
#include "bench/draw.h"
#include "bench/load.h"
#include "bench/mail_text.h"
#include "sign/sign.h"

enum
{
    TEXT_MAX = 4 * 1024 * 1024,
    SEALER = 1000, /* domains of sealers begin there */
};

/* About as many as a busy worker has at hand at once: two rounds, most of what its cache holds. */
const struct mail_set_kind mail_set_kinds[] = {
    {.name = "2k", .body_bytes = 2048, .messages = 128, .signatures = 1},
    {.name = "10k", .body_bytes = 10240, .messages = 64, .signatures = 1},
    {.name = "75k", .body_bytes = 76800, .messages = 16, .signatures = 1},
    {.name = "1m", .body_bytes = 1048576, .messages = 8, .signatures = 1},
    {.name = "10k_2sig", .body_bytes = 10240, .messages = 64, .signatures = 2},
    {.name = "10k_arc3", .body_bytes = 10240, .messages = 64, .signatures = 1, .arc_sets = 3},
    {.name = "10k_ed25519", .body_bytes = 10240, .messages = 64, .signatures = 1, .ed25519 = true},
    {.name = "10k_rsa1024", .body_bytes = 10240, .messages = 64, .signatures = 1, .rsa1024 = 100},
    {.name = "10k_bad", .body_bytes = 10240, .messages = 64, .signatures = 1, .bad = 25},
    {.name = "traffic", .messages = 256, .signatures = 1, .rsa1024 = 31, .bad = 25, .mixed = true},
};
const unsigned mail_set_kind_count = sizeof mail_set_kinds / sizeof *mail_set_kinds;

const struct mail_set_kind *mail_set_find(const char *name)
{
    for (unsigned i = 0; i < mail_set_kind_count; i++)
        if (strcmp(mail_set_kinds[i].name, name) == 0)
            return &mail_set_kinds[i];
    return NULL;
}

/* --- keys: read once --- */

enum key_kind
{
    RSA2048,
    RSA1024,
    ED25519,
    KEY_KINDS,
};

static const struct
{
    const char *name; /* of the files, and the selector */
    const char *k;    /* of the record */
    unsigned count;
} key_kinds[KEY_KINDS] = {
    [RSA2048] = {"rsa2048", "rsa", MAIL_SET_RSA2048_KEYS},
    [RSA1024] = {"rsa1024", "rsa", MAIL_SET_RSA1024_KEYS},
    [ED25519] = {"ed25519", "ed25519", MAIL_SET_ED25519_KEYS},
};

struct key
{
    struct private_key *key;
    char public[MAIL_TEXT_PUBLIC_MAX]; /* p=, base64 */
};
static struct key keys[KEY_KINDS][MAIL_SET_RSA2048_KEYS];

static void read_key(struct key *key, const char *path)
{
    uint8_t pem[4096];
    const char *fault = "unreadable";
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(pem, 1, sizeof pem, file) : 0;
    key->key = n ? private_key_from_pem(span_of(pem, n), NULL, &fault) : NULL;
    if (!key->key)
        load_stop("%s: %s (run it from the project's folder)", path, fault);
    fclose(file);
    if (!mail_text_public(key->key, key->public))
        load_stop("%s: no public key", path);
}

static void read_keys(const char *folder)
{
    char path[512];
    if (keys[0][0].key)
        return;
    for (unsigned kind = 0; kind < KEY_KINDS; kind++)
        for (unsigned i = 0; i < key_kinds[kind].count; i++) {
            snprintf(path, sizeof path, "%s/%s-%02u.pem", folder, key_kinds[kind].name, i + 1);
            read_key(&keys[kind][i], path);
        }
}

static const struct key *key_of(enum key_kind kind, unsigned domain)
{
    return &keys[kind][domain % key_kinds[kind].count];
}

const struct private_key *mail_set_key(const struct mail_set_kind *kind, unsigned n,
                                       const char *folder)
{
    read_keys(folder);
    return key_of(kind->ed25519 ? ED25519 : kind->rsa1024 > 50 ? RSA1024 : RSA2048, n)->key;
}

/* --- the zone --- */

static void write_key_record(struct buffer *zone, unsigned domain, enum key_kind kind)
{
    const char *public = key_of(kind, domain)->public;
    buffer_printf(zone, "%s._domainkey.d%u.example. 3600 IN TXT \"v=DKIM1; k=%s; p=%.*s\"",
                  key_kinds[kind].name, domain, key_kinds[kind].k, MAIL_TEXT_STRING, public);
    if (strlen(public) > MAIL_TEXT_STRING)
        buffer_printf(zone, " \"%s\"", public + MAIL_TEXT_STRING);
    buffer_append_byte(zone, '\n');
}

static void write_domain(struct buffer *zone, unsigned domain)
{
    buffer_printf(zone,
                  "d%u.example. 3600 IN TXT \"v=spf1 include:_spf.d%u.example -all\"\n"
                  "d%u.example. 3600 IN MX 10 mx.d%u.example.\n"
                  "_spf.d%u.example. 3600 IN TXT \"v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.7 "
                  "ip6:2001:db8:%u::/48 ip4:192.0.2.0/24 ~all\"\n"
                  "_dmarc.d%u.example. 3600 IN TXT \"v=DMARC1; p=reject; sp=quarantine; "
                  "rua=mailto:dmarc@d%u.example\"\n",
                  domain, domain, domain, domain, domain, domain, domain, domain);
    for (enum key_kind kind = 0; kind < KEY_KINDS; kind++)
        write_key_record(zone, domain, kind);
}

void mail_set_zone(struct buffer *out, const char *folder)
{
    read_keys(folder);
    for (unsigned d = 0; d < MAIL_SET_DOMAINS; d++)
        write_domain(out, d);
    for (unsigned d = 0; d < MAIL_SET_ARC_MAX; d++)
        write_domain(out, SEALER + d);
}

/* --- text --- */

static uint64_t seed;

static unsigned draw(unsigned below)
{
    return (unsigned)((draw_next(&seed) >> 11) % below);
}

static void append_word(struct buffer *line)
{
    static const char *const words[] = {
        "your", "order",  "has",      "left",     "our",       "house",   "today",   "and",
        "will", "arrive", "on",       "Thursday", "between",   "nine",    "o'clock", "please",
        "see",  "the",    "attached", "invoice",  "for",       "details", "we",      "thank",
        "you",  "very",   "much",     "yours",    "sincerely",
    };
    buffer_append_string(line, words[draw(sizeof words / sizeof *words)]);
}

/* About 70 columns; `sloppy`: 3 % double blanks, 5 % trailing ones, a tab here and there. */
static void append_prose_line(struct buffer *line, bool sloppy)
{
    for (size_t begin = line->n; line->n - begin < 62;) {
        if (line->n > begin)
            buffer_append_string(line, !sloppy || draw(33) ? " " : draw(3) ? "  " : "\t");
        append_word(line);
    }
    if (sloppy && draw(20) == 0)
        buffer_append_string(line, draw(2) ? " " : " \t ");
}

static void append_html_line(struct buffer *line)
{
    buffer_printf(line, "%*s<td class=\"c%u\" style=\"padding: 0 8px\">", (int)(4 + 2 * draw(9)),
                  "", draw(100));
    append_word(line);
    buffer_append_byte(line, ' ');
    append_word(line);
    buffer_append_string(line, "</td>");
}

static void append_base64_line(struct buffer *line)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (unsigned i = 0; i < 76; i++)
        buffer_append_byte(line, (uint8_t)digits[draw(64)]);
}

static void write_body(struct buffer *text, size_t bytes, unsigned kind)
{
    for (size_t begin = text->n; text->n - begin < bytes && !text->failed;) {
        if (kind == 2)
            append_html_line(text);
        else if (kind == 3)
            append_base64_line(text);
        else
            append_prose_line(text, kind == 1);
        buffer_append_string(text, "\r\n");
    }
}

static void write_header(struct buffer *text, unsigned domain, unsigned number)
{
    for (unsigned i = 0; i < 2; i++)
        buffer_printf(text,
                      "Received: from out%u.d%u.example (out%u.d%u.example [192.0.2.25])\r\n"
                      "\tby mx%u.d%u.example with ESMTPS id %08x\r\n"
                      "\tfor <" MAIL_SET_RECIPIENT ">; Thu, 01 Jan 2026 00:00:%02u +0000 (UTC)\r\n",
                      i, domain, i, domain, i, domain, number * 7919 + i, i);
    buffer_printf(text,
                  "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
                  "From: Sender of News <news@d%u.example>\r\n"
                  "To: Ada <" MAIL_SET_RECIPIENT ">\r\n"
                  "Subject: Your order %u has left our house today\r\n"
                  "Message-ID: <%u.%u@d%u.example>\r\n"
                  "MIME-Version: 1.0\r\n"
                  "Content-Type: text/html; charset=utf-8\r\n\r\n",
                  domain, number, number, domain, domain);
}

/* --- signatures --- */

static void must_sign(const char *fault)
{
    if (fault)
        load_stop("cannot sign: %s", fault);
}

static struct sign_options options_of(char domain_text[32], unsigned domain, enum key_kind kind)
{
    snprintf(domain_text, 32, "d%u.example", domain);
    return (struct sign_options){
        .domain = span_from_string(domain_text),
        .selector = span_from_string(key_kinds[kind].name),
        .key = key_of(kind, domain)->key,
        .header_canon = CANON_RELAXED,
        .body_canon = CANON_RELAXED,
        .t = MAIL_SET_NOW - 60,
    };
}

/* Puts a signature, or the set of fields of a seal, above the message. */
static void prepend(struct buffer *text, unsigned domain, enum key_kind kind,
                    const struct seal_options *seal, struct arena *arena)
{
    char name[32];
    struct sign_options options = options_of(name, domain, kind);
    struct sign_message message;
    struct buffer out;
    buffer_init(&out, TEXT_MAX);
    arena_reset(arena);
    must_sign(sign_message_read(&message, buffer_span(text), arena));
    if (seal) {
        struct seal_options with_key = *seal;
        with_key.sign = options;
        must_sign(sign_arc(&message, &with_key, &out));
    } else
        must_sign(sign_dkim(&message, &options, &out));
    buffer_append(&out, buffer_span(text));
    buffer_fini(text);
    *text = out;
}

static void seal(struct buffer *text, unsigned sets, struct arena *arena)
{
    for (unsigned i = 0; i < sets; i++) {
        struct seal_options options = {
            .cv = i ? SEAL_CV_PASS : SEAL_CV_NONE,
            .results = SPAN("relay.example; spf=pass smtp.mailfrom=d1.example; dkim=pass "
                            "header.d=d1.example; dmarc=pass header.from=d1.example"),
        };
        prepend(text, SEALER + i, RSA2048, &options, arena);
    }
}

/* Changes what the fault says, after signing. */
static void damage(struct buffer *text, enum mail_set_fault fault)
{
    if (fault == MAIL_SET_BODY_CHANGED)
        text->p[text->n - 10] ^= 1;
    if (fault != MAIL_SET_SIGNATURE_CHANGED)
        return;
    uint8_t *b = memmem(text->p, text->n, "b=", 2); /* of the topmost field, or "bh=" before it */
    for (; b && b[-1] != ' ' && b[-1] != '\t' && b[-1] != ';';)
        b = memmem(b + 1, text->n - (size_t)(b + 1 - text->p), "b=", 2);
    if (!b)
        load_stop("a signature without b=");
    b += 10;
    while (!(*b >= 'A' && *b <= 'Z'))
        b++;
    *b = *b == 'A' ? 'B' : 'A';
}

/* --- a message --- */

/* Sizes of real mail (p10 12.8 KB, p50 21 KB, p75 30 KB, p90 63 KB, p95 105 KB, p99 289 KB),
 * straight lines between them. */
static size_t draw_size(void)
{
    static const struct draw_point points[] = {{0, 3000},      {0.10, 12800}, {0.50, 21000},
                                               {0.75, 30000},  {0.90, 63000}, {0.95, 105000},
                                               {0.99, 289000}, {1, 900000}};
    return (size_t)draw_between(points, draw(1 << 20) / (double)(1 << 20));
}

struct plan
{
    size_t body_bytes;
    unsigned signatures, arc_sets;
    enum key_kind key;
    enum mail_set_fault fault;
};

/* A share of signers and sets as in real mail: the top domains have most signatures. */
static struct plan plan_of(const struct mail_set_kind *kind, unsigned number)
{
    struct plan plan = {
        .body_bytes = kind->body_bytes,
        .signatures = kind->signatures,
        .arc_sets = kind->arc_sets,
        .key = kind->ed25519               ? ED25519
               : draw(100) < kind->rsa1024 ? RSA1024
                                           : RSA2048,
    };
    if (draw(100) < kind->bad)
        plan.fault = number % 2 ? MAIL_SET_BODY_CHANGED : MAIL_SET_SIGNATURE_CHANGED;
    if (!kind->mixed)
        return plan;
    unsigned arc = draw(1000);
    plan.body_bytes = draw_size();
    plan.signatures = draw(10) ? 1 : 2;
    plan.arc_sets = arc < 790 ? 0 : arc < 970 ? 2 : arc < 990 ? 3 : 1;
    return plan;
}

static unsigned domain_of(const struct mail_set_kind *kind, unsigned number)
{
    if (!kind->mixed)
        return number % MAIL_SET_DOMAINS;
    unsigned a = draw(MAIL_SET_DOMAINS), b = draw(MAIL_SET_DOMAINS);
    return a * b / MAIL_SET_DOMAINS;
}

static void make_message(struct mail_set_message *message, const struct mail_set_kind *kind,
                         unsigned number, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    struct plan plan = plan_of(kind, number);
    unsigned domain = domain_of(kind, number);
    write_header(&text, domain, number);
    size_t unsigned_header = text.n;
    write_body(&text, plan.body_bytes, number % 4);
    size_t before = text.n;
    if (plan.signatures == 2) /* the list's or service's own, in front of the author's */
        prepend(&text, (domain + 1) % MAIL_SET_DOMAINS, plan.key, NULL, arena);
    prepend(&text, domain, plan.key, NULL, arena);
    if (plan.fault == MAIL_SET_SIGNATURE_CHANGED)
        damage(&text, plan.fault);
    seal(&text, plan.arc_sets, arena);
    if (plan.fault == MAIL_SET_BODY_CHANGED)
        damage(&text, plan.fault);
    if (text.failed)
        load_stop("no memory");
    *message = (struct mail_set_message){
        .text = text.p,
        .bytes = text.n,
        .header_bytes = unsigned_header + text.n - before,
        .domain = domain,
        .fault = plan.fault,
        .signatures = plan.signatures,
        .arc_sets = plan.arc_sets,
        .dkim = plan.fault == MAIL_SET_INTACT ||
                        (plan.fault == MAIL_SET_SIGNATURE_CHANGED && plan.signatures == 2)
                    ? RESULT_PASS
                    : RESULT_FAIL,
        .arc = !plan.arc_sets                        ? RESULT_NONE
               : plan.fault == MAIL_SET_BODY_CHANGED ? RESULT_FAIL
                                                     : RESULT_PASS,
    };
    snprintf(message->mail_from, sizeof message->mail_from, "news@d%u.example", domain);
}

void mail_set_make(struct mail_set *set, const struct mail_set_kind *kind, const char *folder)
{
    struct arena arena;
    read_keys(folder);
    seed = 88172645463325252u;
    arena_init(&arena, MAX_ARENA_BYTES);
    *set = (struct mail_set){.kind = kind, .count = kind->messages};
    set->messages = calloc(set->count, sizeof *set->messages);
    if (!set->messages)
        load_stop("no memory");
    for (unsigned i = 0; i < set->count; i++) {
        make_message(&set->messages[i], kind, i, &arena);
        set->bytes += set->messages[i].bytes;
    }
    arena_fini(&arena);
}

void mail_set_free(struct mail_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        free(set->messages[i].text);
    free(set->messages);
    *set = (struct mail_set){0};
}

static FILE *create(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    if (!file)
        load_stop("cannot write %s", path);
    return file;
}

static void write_file(const char *folder, const char *name, struct span text)
{
    FILE *file = create(folder, name);
    if (fwrite(text.p, 1, text.n, file) != text.n || fclose(file) != 0)
        load_stop("cannot write %s/%s", folder, name);
}

void mail_set_write(const struct mail_set *set, const char *folder, const char *keys_folder)
{
    struct buffer zone;
    FILE *index = create(folder, "index.tsv");
    for (unsigned i = 0; i < set->count; i++) {
        const struct mail_set_message *message = &set->messages[i];
        char name[16];
        snprintf(name, sizeof name, "%04u.eml", i);
        write_file(folder, name, span_of(message->text, message->bytes));
        fprintf(index, "%s\t%s\t%s\n", name, message->mail_from, result_word(message->dkim));
    }
    if (fclose(index) != 0)
        load_stop("cannot write %s/index.tsv", folder);
    buffer_init(&zone, TEXT_MAX);
    mail_set_zone(&zone, keys_folder);
    write_file(folder, "zone.txt", buffer_span(&zone));
    buffer_fini(&zone);
}
