/*
 * The DKIM judge: a signature field, a header hash and a whole message, and how they grow with h=
 * items and with the number of signatures (security.md B11, C04, C05).
 *
 * The whole message has one signature (RSA-2048, relaxed/relaxed) and a body of 10 KB; its key
 * record is parsed anew each time, as without a cache.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "bench/bench.h"
#include "crypto/sign.h"
#include "dkim/dkim.h"

enum
{
    BODY_BYTES = 10 * 1024,
    FIELDS = 40,
};

static const char zeros[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

struct message
{
    struct buffer text;
    struct buffer record; /* the key's TXT record */
    struct arena arena;   /* of the header */
    struct arena work;    /* of the measured call */
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_reader reader;
    struct dkim_signature signature;
    struct buffer scratch;
    enum result result; /* of the last whole run */
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "dkim_bench: %s\n", what);
    exit(1);
}

static struct span body(void)
{
    static uint8_t bytes[BODY_BYTES];
    static const char line[] =
        "The quick brown fox jumps over the lazy dog, and does so again.\r\n";
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)line[i % (sizeof line - 1)];
    memcpy(bytes + sizeof bytes - 2, "\r\n", 2);
    return span_of(bytes, sizeof bytes);
}

/* Reads the header of m->text and parses its top field, which is the signature. */
static size_t read_header(struct message *m)
{
    arena_reset(&m->arena);
    mail_reader_init(&m->reader, &m->arena, &m->hits, &m->anomalies);
    size_t used = mail_reader_feed(&m->reader, buffer_span(&m->text));
    mail_reader_end(&m->reader);
    must(!m->reader.refused, "the header is refused");
    dkim_signature_parse(&m->reader.header.fields[0], DKIM_SIGNATURE, &m->arena, &m->hits, NULL,
                         &m->signature);
    return used;
}

struct shape
{
    unsigned items;      /* of h= */
    unsigned duplicates; /* fields "X:" */
    unsigned signatures; /* of other domains, above */
};

static void write_signature(struct buffer *out, const struct shape *shape, const char *domain,
                            const char *bh, const char *b)
{
    static const char *const names[] = {"from", "to", "subject", "date", "message-id"};
    buffer_printf(out,
                  "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s;\r\n s=s1; "
                  "t=1700000000; i=@%s; q=dns/txt;\r\n h=",
                  domain, domain);
    for (unsigned i = 0; i < shape->items; i++)
        buffer_printf(out, "%s%s", i ? ":" : "", i < COUNT_OF(names) ? names[i] : "x");
    buffer_printf(out, ";\r\n bh=%s;\r\n b=%s\r\n", bh, b);
}

static void write_message(struct buffer *out, const struct shape *shape, const char *bh,
                          const char *b)
{
    char domain[32];
    buffer_reset(out);
    write_signature(out, shape, "example.com", bh, b);
    for (unsigned i = 0; i < shape->signatures; i++) {
        snprintf(domain, sizeof domain, "d%u.test", i);
        write_signature(out, shape, domain, zeros, "QUJDREVG");
    }
    for (unsigned i = 0; i < FIELDS; i++)
        buffer_printf(out, "X-Field-%u: some words that stand in a field\r\n", i);
    for (unsigned i = 0; i < shape->duplicates; i++)
        buffer_printf(out, "X: %u\r\n", i);
    buffer_append_string(out, "From: A <a@example.com>\r\nTo: b@example.net\r\nSubject: hello\r\n"
                              "Date: Fri, 11 Jul 2003 21:00:37 -0700\r\nMessage-ID: <1@x>\r\n\r\n");
    buffer_append(out, body());
    must(!out->failed, "the message is too long");
}

static char *base64_text(struct span bytes)
{
    size_t n = BASE64_ENCODED_LENGTH(bytes.n);
    char *text = calloc(1, n + 1);
    must(text, "no memory");
    base64_encode(bytes, text);
    return text;
}

static char *body_hash(struct message *m)
{
    struct body_hasher hasher;
    body_hasher_init(&hasher, &m->anomalies, &m->hits);
    must(body_hasher_want(&hasher, CANON_RELAXED, BODY_WHOLE) == 0, "no body hash");
    body_hasher_feed(&hasher, body());
    body_hasher_end(&hasher);
    char *text = base64_text(span_of(hasher.hashes[0].sha256, SHA256_BYTES));
    body_hasher_fini(&hasher);
    return text;
}

static void message_make(struct message *m, const struct private_key *key,
                         const struct shape *shape)
{
    struct buffer bytes;
    uint8_t digest[SHA256_BYTES];
    buffer_init(&bytes, 4096);
    char *bh = body_hash(m);
    write_message(&m->text, shape, bh, zeros);
    read_header(m);
    must(dkim_header_hash(&m->reader.header, &m->signature, &m->work, &m->scratch, digest),
         "no header hash");
    must(private_key_sign(key, digest, &bytes), "no signature");
    char *b = base64_text(buffer_span(&bytes));
    write_message(&m->text, shape, bh, b);
    read_header(m);
    must(m->signature.result == RESULT_UNSET, "the signature does not parse");
    free(bh);
    free(b);
    buffer_fini(&bytes);
}

static void message_init(struct message *m, const struct private_key *key)
{
    struct buffer bytes;
    memset(m, 0, sizeof *m);
    arena_init(&m->arena, MAX_ARENA_BYTES);
    arena_init(&m->work, MAX_ARENA_BYTES);
    buffer_init(&m->text, 1 << 22);
    buffer_init(&m->record, 1 << 16);
    buffer_init(&m->scratch, MAX_HEADER_BYTES + 2);
    buffer_init(&bytes, 4096);
    must(private_key_public(key, &bytes), "no public key");
    char *p = base64_text(buffer_span(&bytes));
    buffer_printf(&m->record, "v=DKIM1; k=rsa; p=%s", p);
    free(p);
    buffer_fini(&bytes);
}

static void message_fini(struct message *m)
{
    buffer_fini(&m->text);
    buffer_fini(&m->record);
    buffer_fini(&m->scratch);
    arena_fini(&m->arena);
    arena_fini(&m->work);
}

static void parse_once(void *context)
{
    struct message *m = context;
    struct dkim_signature signature;
    arena_reset(&m->work);
    dkim_signature_parse(&m->reader.header.fields[0], DKIM_SIGNATURE, &m->work, &m->hits, NULL,
                         &signature);
    bench_keep(&signature);
}

static void hash_once(void *context)
{
    struct message *m = context;
    uint8_t digest[SHA256_BYTES];
    arena_reset(&m->work);
    must(dkim_header_hash(&m->reader.header, &m->signature, &m->work, &m->scratch, digest),
         "no header hash");
    bench_keep(digest);
}

static void key_once(void *context)
{
    struct message *m = context;
    struct dkim_key_record record;
    dkim_key_record_parse(buffer_span(&m->record), &m->hits, &record);
    bench_keep(&record);
    dkim_key_record_fini(&record);
}

/* Every question gets the same key. */
static void answer(struct dns_answers *answers, struct span text)
{
    struct dns_record record = {.text = text};
    struct dns_answer given = {.outcome = DNS_ANSWER, .ttl = 3600, .count = 1, .records = &record};
    for (struct dns_question *q = answers->first; q; q = q->next)
        dns_answers_put(answers, q, &given);
}

static void judge(struct message *m, bool verify)
{
    struct dkim_options options = {.now = 1700000000, .testing_as_unsigned = true};
    struct mail_reader reader;
    struct body_hasher hasher;
    struct dns_answers answers;
    struct dkim_judgement judgement;
    struct verify_list list = {0};
    arena_reset(&m->work);
    mail_reader_init(&reader, &m->work, &m->hits, &m->anomalies);
    size_t used = mail_reader_feed(&reader, buffer_span(&m->text));
    mail_reader_end(&reader);
    body_hasher_init(&hasher, &m->anomalies, &m->hits);
    dns_answers_init(&answers, &m->work, &m->hits);
    must(dkim_begin(&judgement, &reader.header, reader.refused, &options, &hasher, &m->work,
                    &m->hits),
         "no memory");
    body_hasher_feed(&hasher, span_skip(buffer_span(&m->text), used));
    body_hasher_end(&hasher);
    while (dkim_fetch(&judgement, &answers) == JUDGE_WAITING)
        answer(&answers, buffer_span(&m->record));
    list.capacity = dkim_job_ceiling(&judgement);
    list.jobs = ARENA_ARRAY(&m->work, list.capacity, struct verify_job);
    must(list.jobs, "no memory");
    dkim_jobs(&judgement, &reader.header, &hasher, &options, &m->scratch, &list);
    if (verify)
        verify_many(list.jobs, list.count);
    dkim_finish(&judgement, &options, false);
    m->result = judgement.verified[0].result;
    dkim_fini(&judgement);
    body_hasher_fini(&hasher);
}

static void judge_once(void *context)
{
    struct message *m = context;
    judge(m, true);
    must(m->result == RESULT_PASS, "the signature does not pass");
}

static void judge_without_crypto(void *context)
{
    judge(context, false);
}

struct growing
{
    struct message *message;
    const struct private_key *key;
    struct shape one; /* at factor 1; what is over 0 grows */
};

static void grow(void *context, unsigned factor)
{
    struct growing *g = context;
    struct shape shape = {.items = 5,
                          .duplicates = g->one.duplicates * factor,
                          .signatures = g->one.signatures * factor};
    if (g->one.items)
        shape.items = g->one.items * factor;
    message_make(g->message, g->key, &shape);
}

static void parse_grown(void *context)
{
    parse_once(((struct growing *)context)->message);
}

static void hash_grown(void *context)
{
    hash_once(((struct growing *)context)->message);
}

static void judge_grown(void *context)
{
    judge_without_crypto(((struct growing *)context)->message);
}

int main(void)
{
    static struct message m;
    struct private_key *key = private_key_generate(KEY_RSA, 2048);
    struct shape usual = {.items = 12};
    must(key, "no key");
    message_init(&m, key);
    message_make(&m, key, &usual);
    size_t field = m.reader.header.fields[0].raw.n;
    size_t whole = m.text.n;
    bench_title("dkim: one signature of 12 fields, RSA-2048, relaxed/relaxed, body of 10 KB");
    bench_run("parse signature", parse_once, &m, (struct bench_work){1, field});
    bench_run("header hash", hash_once, &m, (struct bench_work){1, m.scratch.n});
    bench_run("key record", key_once, &m, (struct bench_work){1, m.record.n});
    bench_run("message without verify", judge_without_crypto, &m, (struct bench_work){1, whole});
    bench_run("message", judge_once, &m, (struct bench_work){1, whole});
    bench_title("dkim: growth");
    struct growing items = {&m, key, {.items = 32, .duplicates = 100}};
    bench_scale("parse, 32 h= items", grow, parse_grown, &items);
    bench_scale("hash, 32 items x 100 fields", grow, hash_grown, &items);
    struct growing signatures = {&m, key, {.signatures = 100}};
    bench_scale("message, 100 signatures", grow, judge_grown, &signatures);
    message_fini(&m);
    private_key_free(&key);
    return 0;
}
