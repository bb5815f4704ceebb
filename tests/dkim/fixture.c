#include "dkim/fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct buffer zone;
struct buffer text;
const struct dkim_options strict = {.now = NOW, .testing_as_unsigned = true};

void fixture_setup(void)
{
    buffer_init(&zone, 1 << 20);
    buffer_init(&text, 1 << 22);
    zone_add_key(&zone, "example.com", "ed", "", KEY_ED25519, 0);
    zone_add_key(&zone, "example.com", "rsa", "", KEY_RSA, 1024);
    zone_add_key(&zone, "example.com", "test", "t=y; ", KEY_ED25519, 0);
    zone_add_key(&zone, "example.com", "equal", "t=s; ", KEY_ED25519, 0);
}

void fixture_teardown(void)
{
    buffer_fini(&zone);
    buffer_fini(&text);
}

struct span sign(const char *tags, const char *message)
{
    buffer_reset(&text);
    sign_message(&text, "DKIM-Signature", tags, signing_key(KEY_ED25519, 0),
                 span_from_string(message));
    return buffer_span(&text);
}

struct judging *make(void)
{
    struct judging *j = malloc(sizeof *j);
    cr_assert(j);
    return j;
}

struct judging *judge(struct span message, const struct dkim_options *options)
{
    struct judging *j = make();
    judging_run(j, message, 0, buffer_span(&zone), options);
    return j;
}

void done(struct judging *j)
{
    judging_fini(j);
    free(j);
}

void expect_word(const char *name, const struct judging *j, uint32_t i, const char *want)
{
    const char *got = judging_word(j, i);
    cr_expect(strcmp(got, want) == 0, "%s: signature %u: got %s, want %s", name, i, got, want);
}

void expect_one(const char *name, struct span message, const struct dkim_options *options,
                const char *want)
{
    struct judging *j = judge(message, options);
    expect_word(name, j, 0, want);
    done(j);
}

struct span changed(struct span message, const char *from, const char *to)
{
    static struct buffer out;
    uint8_t *at = memmem(message.p, message.n, from, strlen(from));
    cr_assert(at, "no %s in the message", from);
    buffer_fini(&out);
    buffer_init(&out, 1 << 22);
    buffer_append(&out, span_slice(message, 0, (size_t)(at - message.p)));
    buffer_append_string(&out, to);
    buffer_append(&out, span_skip(message, (size_t)(at - message.p) + strlen(from)));
    cr_assert(!out.failed);
    return buffer_span(&out);
}
