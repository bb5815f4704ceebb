/* Messages of made-up domains: written, signed with the engine's signer, some of them forged. */
#include "bench/load_mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/draw.h"
#include "bench/load.h"
#include "bench/mail_text.h"
#include "sign/sign.h"

enum
{
    KEYS = 4,
    LINE = 76,
    TEXT_MAX = 4 * 1024 * 1024,
};

static struct private_key *keys[KEYS];
static char publics[KEYS][MAIL_TEXT_PUBLIC_MAX]; /* p=, base64 */

static void make_keys(void)
{
    for (unsigned i = 0; i < KEYS; i++) {
        keys[i] = private_key_generate(KEY_RSA, i ? 2048 : 1024);
        if (!keys[i] || !mail_text_public(keys[i], publics[i]))
            load_stop("cannot make a key");
    }
}

/* 31 % have the short key. */
static unsigned key_of(unsigned domain)
{
    unsigned n = domain * 2654435761u >> 8;
    return n % 100 < 31 ? 0 : 1 + n % (KEYS - 1);
}

static void write_zone(struct buffer *zone, const struct load_mail_options *options)
{
    for (unsigned i = 0; i < options->domains; i++) {
        unsigned d = options->first_domain + i;
        const char *public = publics[key_of(d)];
        buffer_printf(zone, "d%u.example. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n", d);
        buffer_printf(zone, "_dmarc.d%u.example. TXT \"v=DMARC1; p=reject\"\n", d);
        buffer_printf(zone, "s1._domainkey.d%u.example. TXT \"v=DKIM1; k=rsa; p=%.*s\" \"%s\"\n", d,
                      MAIL_TEXT_STRING, public, public + MAIL_TEXT_STRING);
    }
}

static uint64_t random_state = 88172645463325252;

/* Sizes of real mail (p10 12.8 KB, p50 21 KB, p75 30 KB, p90 63 KB, p95 105 KB, p99 289 KB, p99.9
 * 1.6 MB), straight lines between them. */
static size_t draw_size(void)
{
    static const struct draw_point points[] = {{0, 3000},      {0.10, 12800},    {0.50, 21000},
                                               {0.75, 30000},  {0.90, 63000},    {0.95, 105000},
                                               {0.99, 289000}, {0.999, 1600000}, {1, 1600000}};
    return (size_t)draw_between(points, draw_share(draw_next(&random_state)));
}

static void write_body(struct buffer *text, size_t bytes)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789  <>=";
    while (text->n < bytes) {
        char line[LINE + 2];
        for (unsigned i = 0; i < LINE; i++)
            line[i] = letters[draw_next(&random_state) % (sizeof letters - 1)];
        line[LINE] = '\r';
        line[LINE + 1] = '\n';
        buffer_append(text, span_of(line, sizeof line));
    }
}

static void sign(struct buffer *text, unsigned domain, struct arena *arena)
{
    char name[32];
    snprintf(name, sizeof name, "d%u.example", domain);
    struct sign_options options = {
        .domain = span_from_string(name),
        .selector = SPAN("s1"),
        .key = keys[key_of(domain)],
        .header_canon = CANON_RELAXED,
        .body_canon = CANON_RELAXED,
    };
    struct sign_message message;
    struct buffer signed_text;
    buffer_init(&signed_text, TEXT_MAX);
    arena_reset(arena);
    const char *fault = sign_message_read(&message, buffer_span(text), arena);
    if (!fault)
        fault = sign_dkim(&message, &options, &signed_text);
    if (fault)
        load_stop("cannot sign: %s", fault);
    buffer_append(&signed_text, buffer_span(text));
    buffer_fini(text);
    *text = signed_text;
}

static enum load_kind kind_of(const struct load_mail_options *options, unsigned number)
{
    unsigned share = number * 37 % 100; /* every kind all along the pool */
    unsigned sum = 0;
    for (enum load_kind kind = LOAD_SIGNED; kind < LOAD_KINDS - 1; kind++)
        if (share < (sum += options->percent[kind]))
            return kind;
    return LOAD_FORGED;
}

static void make_message(struct load_message *message, const struct load_mail_options *options,
                         unsigned number, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    message->domain = options->first_domain + number % options->domains;
    message->kind = kind_of(options, number);
    snprintf(message->mail_from, sizeof message->mail_from, "sender@d%u.example", message->domain);
    mail_text_header(&text, message->domain, number);
    size_t unsigned_header = text.n;
    write_body(&text, options->bytes ? options->bytes : draw_size());
    size_t before = text.n;
    if (message->kind != LOAD_PLAIN)
        for (unsigned i = 0; i < (options->signatures ? options->signatures : 1); i++)
            sign(&text, message->domain, arena);
    message->header_bytes = unsigned_header + text.n - before;
    if (text.failed)
        load_stop("no memory");
    if (message->kind == LOAD_FORGED)
        text.p[text.n - 10] ^= 1; /* one bit of the body */
    message->text = text.p;
    message->bytes = text.n;
}

void load_mail_make(struct load_mail *mail, const struct load_mail_options *options)
{
    struct arena arena;
    arena_init(&arena, MAX_ARENA_BYTES);
    if (!keys[0])
        make_keys();
    *mail = (struct load_mail){.count = options->messages};
    mail->messages = calloc(options->messages, sizeof *mail->messages);
    if (!mail->messages)
        load_stop("no memory");
    buffer_init(&mail->zone, (size_t)options->domains * 1024 + 4096);
    write_zone(&mail->zone, options);
    for (unsigned i = 0; i < options->messages; i++) {
        make_message(&mail->messages[i], options, i, &arena);
        mail->bytes += mail->messages[i].bytes;
        mail->header_bytes += mail->messages[i].header_bytes;
    }
    if (mail->zone.failed)
        load_stop("no memory");
    arena_fini(&arena);
}

void load_mail_free(struct load_mail *mail)
{
    for (unsigned i = 0; i < mail->count; i++)
        free(mail->messages[i].text);
    free(mail->messages);
    buffer_fini(&mail->zone);
    *mail = (struct load_mail){0};
}

const struct load_expectation *load_expected(enum load_kind kind)
{
    static const struct load_expectation expected[LOAD_KINDS] = {
        [LOAD_SIGNED] = {ASSAY_CLIENT_PASS, ASSAY_CLIENT_PASS, ASSAY_CLIENT_NONE, ASSAY_CLIENT_PASS,
                         ASSAY_CLIENT_DISPOSE_NONE},
        [LOAD_PLAIN] = {ASSAY_CLIENT_PASS, ASSAY_CLIENT_NONE, ASSAY_CLIENT_NONE, ASSAY_CLIENT_PASS,
                        ASSAY_CLIENT_DISPOSE_NONE},
        [LOAD_FORGED] = {ASSAY_CLIENT_FAIL, ASSAY_CLIENT_FAIL, ASSAY_CLIENT_NONE, ASSAY_CLIENT_FAIL,
                         ASSAY_CLIENT_DISPOSE_QUARANTINE},
    };
    return &expected[kind];
}

const char *load_client_ip(enum load_kind kind)
{
    return kind == LOAD_FORGED ? "198.51.100.66" : "192.0.2.25";
}
