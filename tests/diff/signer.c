/*
 * diff-signer: the engine's own signer (engine/sign) behind a pipe, for the differential tests.
 *
 * A request is one line of fields between HTABs, then the mail; the answer is a length in decimal,
 * a newline and the signature field, or "0" where there is none.
 *
 *   dkim  domain  selector  identity  key-file  canon/canon  l  h  bytes
 *   arc   domain  selector  -         key-file  canon/canon  cv results  bytes
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "sign/sign.h"
#include "requests.h"

enum
{
    FIELDS = 9,
    FIELD_BYTES = 64 * 1024,
    PEM_BYTES = 16 * 1024,
};

static struct private_key *read_key(const char *path)
{
    uint8_t pem[PEM_BYTES];
    const char *error = NULL;
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(pem, 1, sizeof pem, file) : 0;
    struct private_key *key = n ? private_key_from_pem(span_of(pem, n), NULL, &error) : NULL;
    if (!key)
        requests_stop(path);
    fclose(file);
    return key;
}

static enum canon canon_of(const char *word)
{
    return word[0] == 'r' ? CANON_RELAXED : CANON_SIMPLE;
}

static enum seal_cv cv_of(const char *word)
{
    if (strcmp(word, "none") == 0)
        return SEAL_CV_NONE;
    return strcmp(word, "pass") == 0 ? SEAL_CV_PASS : SEAL_CV_FAIL;
}

static const char *sign(char *const fields[FIELDS], struct sign_message *message,
                        struct private_key *key, struct buffer *out)
{
    bool arc = strcmp(fields[0], "arc") == 0;
    struct sign_options options = {
        .domain = span_from_string(fields[1]),
        .selector = span_from_string(fields[2]),
        .identity = span_from_string(arc ? "" : fields[3]),
        .key = key,
        .header_canon = canon_of(fields[5]),
        .body_canon = canon_of(strchr(fields[5], '/') + 1),
        .names = span_from_string(arc ? "" : fields[7]),
    };
    if (!arc && fields[6][0]) {
        options.has_l = true;
        options.l = strtoull(fields[6], NULL, 10);
    }
    if (!arc)
        return sign_dkim(message, &options, out);
    struct seal_options seal = {
        .sign = options,
        .cv = cv_of(fields[6]),
        .results = span_from_string(fields[7]),
    };
    return sign_arc(message, &seal, out);
}

static void answer(char *const *fields, struct span mail)
{
    struct arena arena;
    struct buffer out;
    struct sign_message message;
    arena_init(&arena, MAX_ARENA_BYTES);
    buffer_init(&out, 3 * FIELD_BYTES);
    struct private_key *key = read_key(fields[4]);
    if (sign_message_read(&message, mail, &arena) || sign(fields, &message, key, &out))
        buffer_reset(&out); /* it says why; here that only means: not this case */
    printf("%zu\n", out.n);
    fwrite(out.p, 1, out.n, stdout);
    fflush(stdout);
    private_key_free(&key);
    buffer_fini(&out);
    arena_fini(&arena);
}

int main(void)
{
    requests_answer(FIELDS, answer);
    return 0;
}
