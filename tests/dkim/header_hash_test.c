/* The header hash: DV-20 to DV-24, AV-16, security.md B11, C03, C15. */
#include "dkim/header_hash.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "mail/header.h"

#define BH "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define TAGS(h, c) "v=1; a=rsa-sha256; d=a.test; s=s; h=" h "; c=" c "; " BH "; b="

struct hash_case
{
    const char *name;
    const char *header;
    unsigned field; /* position of the signature that is verified */
    const char *want;
};

static const struct hash_case hash_cases[] = {
    {"relaxed DV-24",
     "DKIM-Signature: " TAGS("from:subject", "relaxed") "QUJD\r\n"
                                                        "FROM \t:  A\t \tb  \r\n"
                                                        "Subject:\r\n \t folded\r\n\ttwice \t\r\n",
     0,
     "from:A b\r\nsubject:folded twice\r\n"
     "dkim-signature:" TAGS("from:subject", "relaxed")},
    {"simple keeps every byte DV-23",
     "DKIM-Signature: " TAGS("from:subject", "simple") "QUJD\r\n"
                                                       "FROM \t:  A\t \tb  \r\n"
                                                       "Subject:\r\n \t folded\r\n\ttwice \t\r\n",
     0,
     "FROM \t:  A\t \tb  \r\nSubject:\r\n \t folded\r\n\ttwice \t\r\n"
     "DKIM-Signature: " TAGS("from:subject", "simple")},
    {"relaxed empty value DV-24",
     "DKIM-Signature: " TAGS("from:subject", "relaxed") "QUJD\r\nFrom: a\r\nSubject:\r\n", 0,
     "from:a\r\nsubject:\r\ndkim-signature:" TAGS("from:subject", "relaxed")},
    {"VT and FF are no WSP DV-24",
     "DKIM-Signature: " TAGS("from", "relaxed") "QUJD\r\nFrom: a\v\f b\r\n", 0,
     "from:a\v\f b\r\ndkim-signature:" TAGS("from", "relaxed")},
    {"bottom up DV-20 C03",
     "DKIM-Signature: " TAGS("to:from:To", "relaxed") "QUJD\r\n"
                                                      "To: 1\r\nTO: 2\r\nFrom: a\r\nto: 3\r\n",
     0, "to:3\r\nfrom:a\r\nto:2\r\ndkim-signature:" TAGS("to:from:To", "relaxed")},
    {"a name without instances adds nothing DV-20",
     "DKIM-Signature: " TAGS("from:from:cc:from", "relaxed") "QUJD\r\nFrom: a\r\n", 0,
     "from:a\r\ndkim-signature:" TAGS("from:from:cc:from", "relaxed")},
    {"an added From is in the second from DV-20",
     "From: b\r\nDKIM-Signature: " TAGS("from:from", "relaxed") "QUJD\r\nFrom: a\r\n", 1,
     "from:a\r\nfrom:b\r\ndkim-signature:" TAGS("from:from", "relaxed")},
    {"itself is no candidate, at the top DV-21",
     "DKIM-Signature: " TAGS("from:dkim-signature:dkim-signature",
                             "relaxed") "QUJD\r\n"
                                        "From: a\r\nDKIM-Signature: x; b=QQ\r\n",
     0,
     "from:a\r\ndkim-signature:x; b=QQ\r\n"
     "dkim-signature:" TAGS("from:dkim-signature:dkim-signature", "relaxed")},
    {"itself is no candidate, at the bottom DV-21",
     "DKIM-Signature: y; b=QQ\r\nFrom: a\r\n"
     "DKIM-Signature: " TAGS("from:dkim-signature:dkim-signature", "relaxed") "QUJD\r\n",
     2,
     "from:a\r\ndkim-signature:y; b=QQ\r\n"
     "dkim-signature:" TAGS("from:dkim-signature:dkim-signature", "relaxed")},
    {"itself is no candidate, in the middle DV-21",
     "DKIM-Signature: y\r\nFrom: a\r\n"
     "DKIM-Signature: " TAGS("from:dkim-signature:dkim-signature",
                             "relaxed") "QUJD\r\n"
                                        "DKIM-Signature: z\r\n",
     2,
     "from:a\r\ndkim-signature:z\r\ndkim-signature:y\r\n"
     "dkim-signature:" TAGS("from:dkim-signature:dkim-signature", "relaxed")},
    {"only the value of b is cut DV-22 C15",
     "DKIM-Signature: z=b=keep; " TAGS("from", "relaxed") "\r\n QUJ\r\n\tD \r\n ; bb=keep;"
                                                          " i=b=3D@a.test\r\nFrom: a\r\n",
     0, "from:a\r\ndkim-signature:z=b=keep; " TAGS("from", "relaxed") "; bb=keep; i=b=3D@a.test"},
    {"b in the middle, simple DV-22",
     "DKIM-Signature: b= \r\n QUJD\t; v=1; a=rsa-sha256; d=a.test; s=s; h=from; " BH "\r\n"
     "From: a\r\n",
     0, "From: a\r\nDKIM-Signature: b=; v=1; a=rsa-sha256; d=a.test; s=s; h=from; " BH},
};

static struct dkim_signature read_signature(struct mail_reader *reader, const char *text,
                                            unsigned position, enum dkim_kind kind)
{
    struct dkim_signature signature;
    mail_reader_feed(reader, span_from_string(text));
    mail_reader_end(reader);
    cr_assert(!reader->refused && position < reader->header.count, "%s", text);
    dkim_signature_parse(&reader->header.fields[position], kind, reader->arena, reader->hits, NULL,
                         &signature);
    cr_assert(signature.result == RESULT_UNSET, "%s: %s", text, signature.reason);
    return signature;
}

static void check_hash(const struct hash_case *c, enum dkim_kind kind)
{
    struct arena arena;
    struct limit_hits hits = {0};
    struct mail_anomalies anomalies = {0};
    struct mail_reader reader;
    struct buffer scratch;
    uint8_t got[SHA256_BYTES];
    uint8_t want[SHA256_BYTES];
    arena_init(&arena, MAX_ARENA_BYTES);
    buffer_init(&scratch, MAX_HEADER_BYTES + 2);
    mail_reader_init(&reader, &arena, &hits, &anomalies);
    struct dkim_signature signature = read_signature(&reader, c->header, c->field, kind);
    cr_assert(dkim_header_hash(&reader.header, &signature, &arena, &scratch, got));
    sha256_of(span_from_string(c->want), want);
    cr_expect(memcmp(got, want, sizeof got) == 0, "%s: hashed \"%.*s\", want \"%s\"", c->name,
              (int)scratch.n, (const char *)scratch.p, c->want);
    struct hash_queue queue;
    hash_queue_init(&queue);
    cr_assert(dkim_header_hash_queue(&reader.header, &signature, &arena, &queue, got));
    hash_queue_run(&queue);
    cr_expect(memcmp(got, want, sizeof got) == 0, "%s: queued", c->name);
    hash_queue_fini(&queue);
    buffer_fini(&scratch);
    arena_fini(&arena);
}

Test(header_hash, what_is_hashed)
{
    for (size_t i = 0; i < COUNT_OF(hash_cases); i++)
        check_hash(&hash_cases[i], DKIM_SIGNATURE);
}

#define AMS_TAGS(h) "i=1; a=rsa-sha256; d=a.test; s=s; h=" h "; c=relaxed; " BH "; b="

static const struct hash_case ams_cases[] = {
    {"the AMS itself is no candidate AV-16, 13.30",
     "ARC-Message-Signature: " AMS_TAGS("from:arc-message-signature") "QUJD\r\nFrom: a\r\n", 0,
     "from:a\r\narc-message-signature:" AMS_TAGS("from:arc-message-signature")},
    {"DKIM-Signature is an ordinary field for an AMS",
     "ARC-Message-Signature: " AMS_TAGS(
         "from:dkim-signature") "QUJD\r\n"
                                "From: a\r\nDKIM-Signature: b=QQ\r\n",
     0, "from:a\r\ndkim-signature:b=QQ\r\narc-message-signature:" AMS_TAGS("from:dkim-signature")},
};

Test(header_hash, what_an_ams_hashes)
{
    for (size_t i = 0; i < COUNT_OF(ams_cases); i++)
        check_hash(&ams_cases[i], DKIM_ARC_MESSAGE_SIGNATURE);
}

/* B11: 990 fields of one name, 256 items of that name: each item takes the next one up. */
Test(header_hash, many_items_over_many_duplicates)
{
    struct buffer header;
    struct buffer want;
    buffer_init(&header, MAX_HEADER_BYTES);
    buffer_init(&want, MAX_HEADER_BYTES);
    buffer_append_string(&header,
                         "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; c=relaxed; h=from");
    for (unsigned i = 1; i < MAX_H_ITEMS; i++)
        buffer_append_string(&header, ":x");
    buffer_append_string(&header, "; " BH "; b=\r\n");
    struct span tags = span_slice(buffer_span(&header), 16, header.n - 2);
    buffer_append_string(&want, "from:a\r\n");
    for (unsigned i = 1; i < MAX_H_ITEMS; i++)
        buffer_printf(&want, "x:%u\r\n", 990 - i);
    buffer_append_string(&want, "dkim-signature:");
    buffer_append(&want, tags);
    buffer_append_byte(&want, '\0');
    /* now with a signature in it */
    header.n -= 2;
    buffer_append_string(&header, "QUJD\r\nFrom: a\r\n");
    for (unsigned i = 0; i < 990; i++)
        buffer_printf(&header, "X: %u\r\n", i);
    buffer_append_byte(&header, '\0');
    cr_assert(!header.failed && !want.failed);
    struct hash_case c = {"B11", (const char *)header.p, 0, (const char *)want.p};
    check_hash(&c, DKIM_SIGNATURE);
    buffer_fini(&header);
    buffer_fini(&want);
}

/* RFC 6376 5.4.2, as it is written: of each item the last instance of its name that is not the
 * signature and that no item before has taken. */
static void write_plainly(const struct mail_header *header, const struct dkim_signature *signature,
                          struct buffer *text)
{
    bool taken[MAX_FIELD_COUNT] = {[0] = false};
    taken[signature->field->position] = true;
    for (uint32_t i = 0; i < signature->item_count; i++) {
        uint32_t at = header->count;
        while (at > 0 && (taken[at - 1] ||
                          !span_equal_fold(header->fields[at - 1].name, signature->items[i])))
            at--;
        if (at == 0)
            continue;
        taken[at - 1] = true;
        canon_field(CANON_RELAXED, &header->fields[at - 1], (struct span){NULL, 0}, text);
    }
    canon_field(CANON_RELAXED, signature->field, signature->b_value, text);
    text->n -= 2;
}

/* Known names and others, listed and there more or less often than the other way round. */
Test(header_hash, any_list_over_any_header)
{
    static const char *const names[] = {"From", "to",  "CC",     "dkim-signature",
                                        "X",    "x-y", "List-Id"};
    uint64_t state = 0x9e3779b97f4a7c15;
    for (unsigned round = 0; round < 2000; round++) {
        struct arena arena;
        struct limit_hits hits = {0};
        struct mail_anomalies anomalies = {0};
        struct mail_reader reader;
        struct buffer header, want, got;
        uint8_t hash[SHA256_BYTES];
        unsigned fields = 1 + round % 9, self = round / 9 % fields;
        arena_init(&arena, MAX_ARENA_BYTES);
        buffer_init(&header, MAX_HEADER_BYTES);
        buffer_init(&want, MAX_HEADER_BYTES);
        buffer_init(&got, MAX_HEADER_BYTES);
        mail_reader_init(&reader, &arena, &hits, &anomalies);
        for (unsigned i = 0; i < fields; i++) {
            state = state * 6364136223846793005 + 1442695040888963407;
            if (i != self) {
                buffer_printf(&header, "%s: %u\r\n", names[(state >> 33) % COUNT_OF(names)], i);
                continue;
            }
            buffer_append_string(&header, "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; "
                                          "c=relaxed; " BH "; b=QUJD; h=from");
            for (unsigned k = 0; k < round % 13; k++)
                buffer_printf(&header, ":%s", names[(state >> (20 + k)) % COUNT_OF(names)]);
            buffer_append_string(&header, "\r\n");
        }
        buffer_append_byte(&header, '\0');
        cr_assert(!header.failed);
        struct dkim_signature signature =
            read_signature(&reader, (const char *)header.p, self, DKIM_SIGNATURE);
        write_plainly(&reader.header, &signature, &want);
        cr_assert(dkim_header_hash(&reader.header, &signature, &arena, &got, hash));
        cr_assert(span_equal(buffer_span(&got), buffer_span(&want)), "%s:\n%.*s\nwant\n%.*s",
                  (const char *)header.p, (int)got.n, (const char *)got.p, (int)want.n,
                  (const char *)want.p);
        buffer_fini(&header);
        buffer_fini(&want);
        buffer_fini(&got);
        arena_fini(&arena);
    }
}

/* Over the ceiling of the scratch buffer, or without memory, there is no hash at all. */
Test(header_hash, failures_give_no_hash)
{
    struct arena arena;
    struct arena full;
    struct limit_hits hits = {0};
    struct mail_anomalies anomalies = {0};
    struct mail_reader reader;
    struct buffer scratch;
    uint8_t out[SHA256_BYTES];
    arena_init(&arena, MAX_ARENA_BYTES);
    arena_init(&full, 0);
    buffer_init(&scratch, 16);
    mail_reader_init(&reader, &arena, &hits, &anomalies);
    struct dkim_signature signature = read_signature(
        &reader, "DKIM-Signature: " TAGS("from:x", "relaxed") "QUJD\r\nFrom: a\r\nX: b\r\n", 0,
        DKIM_SIGNATURE);
    cr_expect(!dkim_header_hash(&reader.header, &signature, &arena, &scratch, out), "ceiling");
    buffer_fini(&scratch);
    buffer_init(&scratch, MAX_HEADER_BYTES);
    cr_expect(!dkim_header_hash(&reader.header, &signature, &full, &scratch, out), "no memory");
    buffer_fini(&scratch);
    arena_fini(&arena);
}

/* A header as long as the queue's room for texts is hashed by itself, a shorter one in it, also
 * where others take the room first. */
Test(header_hash, long_headers_and_the_queue)
{
    static struct hash_queue queue;
    hash_queue_init(&queue);
    for (unsigned kilobytes = 50; kilobytes <= 150; kilobytes += 10) {
        struct arena arena;
        struct limit_hits hits = {0};
        struct mail_anomalies anomalies = {0};
        struct mail_reader reader;
        struct buffer header, scratch;
        uint8_t first[SHA256_BYTES], got[SHA256_BYTES], want[SHA256_BYTES];
        arena_init(&arena, MAX_ARENA_BYTES);
        buffer_init(&header, MAX_HEADER_BYTES);
        buffer_init(&scratch, MAX_HEADER_BYTES + 2);
        mail_reader_init(&reader, &arena, &hits, &anomalies);
        buffer_append_string(&header, "DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; "
                                      "c=simple; h=from:x:x; " BH "; b=QUJD\r\nFrom: a\r\n");
        for (unsigned i = 0; i < kilobytes; i++)
            buffer_printf(&header, "%s%01000u\r\n %021u",
                          i % 75 ? ""
                          : i    ? "\r\nX: "
                                 : "X: ",
                          i, i);
        buffer_append_string(&header, "\r\n\r\n");
        buffer_append_byte(&header, '\0');
        cr_assert(!header.failed);
        struct dkim_signature signature =
            read_signature(&reader, (const char *)header.p, 0, DKIM_SIGNATURE);
        cr_assert(dkim_header_hash(&reader.header, &signature, &arena, &scratch, want));
        bool fits = scratch.n + SHA256_PADDING_MAX <= HASH_TEXT_BYTES;
        cr_assert(fits == (kilobytes <= 120), "%u KB", kilobytes);
        for (unsigned i = 0; i < 2; i++) {
            uint8_t *out = i ? got : first;
            cr_expect(dkim_header_hash_queue(&reader.header, &signature, &arena, &queue, out) ==
                          fits,
                      "%u KB", kilobytes);
        }
        hash_queue_run(&queue);
        cr_expect(!fits || memcmp(first, want, sizeof want) == 0, "%u KB", kilobytes);
        cr_expect(!fits || memcmp(got, want, sizeof want) == 0, "%u KB", kilobytes);
        buffer_fini(&header);
        buffer_fini(&scratch);
        arena_fini(&arena);
    }
    hash_queue_fini(&queue);
}
