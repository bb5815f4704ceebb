/* mbox folders: where messages begin, what is unquoted, every split of the input. */
#include <criterion/criterion.h>

#include "base/buffer.h"
#include "mail/mbox.h"
#include "support/guard.h"

struct mbox_case
{
    const char *name;
    const char *folder;
    const char *messages; /* each in "[" and "]" */
};

static const struct mbox_case cases[] = {
    {"one", "From a Mon\nX: 1\n\nbody\n\n", "[X: 1\n\nbody\n]"},
    {"two", "From a\nX: 1\n\none\n\nFrom b\nX: 2\n\ntwo\n\n", "[X: 1\n\none\n][X: 2\n\ntwo\n]"},
    {"CRLF", "From a\r\nX: 1\r\n\r\none\r\n\r\nFrom b\r\nX: 2\r\n\r\n",
     "[X: 1\r\n\r\none\r\n][X: 2\r\n]"},
    {"no empty line before From_", "From a\nX: 1\n\none\nFrom b\nX: 2\n\n",
     "[X: 1\n\none\n][X: 2\n]"},
    {"one empty line is the folder's", "From a\nX: 1\n\none\n\n\n\nFrom b\nX: 2\n",
     "[X: 1\n\none\n\n\n][X: 2\n]"},
    {"quoted", "From a\n\n>From x\n>>From y\n>>>From z\n\n", "[\nFrom x\n>From y\n>>From z\n]"},
    {"quoted behind an empty line", "From a\n\n\n>From x\n", "[\n\nFrom x\n]"},
    {"not quoted", "From a\n\n>from x\n>Fro\n> From y\n>>Fromage\n>\n>>\n",
     "[\n>from x\n>Fro\n> From y\n>>Fromage\n>\n>>\n]"},
    {"no From_ line", "From a\n\nFromage\nfrom x\n From y\nFrom\n",
     "[\nFromage\nfrom x\n From y\nFrom\n]"},
    {"bare CR at a line's start", "From a\n\n\rFrom x\n\r\r\n", "[\n\rFrom x\n\r\r\n]"},
    {"CR behind a quote mark", "From a\n\n>\r\n>\rFrom \n", "[\n>\r\n>\rFrom \n]"},
    {"empty messages", "From a\nFrom b\n\nFrom c", "[][][]"},
    {"without a final line end", "From a\nX: 1\n\nbody", "[X: 1\n\nbody]"},
    {"ends in the middle of a mark", "From a\nX: 1\n\nFro", "[X: 1\n\nFro]"},
    {"ends in a quote mark", "From a\nX: 1\n\n>", "[X: 1\n\n>]"},
    {"ends in a bare CR", "From a\nX: 1\n\nx\n\r", "[X: 1\n\nx\n\r]"},
    {"octets before the first From_ line", "junk\n\nFrom a\nX: 1\n", "[X: 1\n]"},
    {"a NUL is an octet", "From a\nX: \x01\n", "[X: \x01\n]"},
    {"nothing", "", ""},
};

static void on_begin(void *context)
{
    buffer_append_byte(context, '[');
}

static void on_bytes(void *context, struct span bytes)
{
    cr_assert(bytes.n > 0);
    buffer_append(context, bytes);
}

static void on_end(void *context)
{
    buffer_append_byte(context, ']');
}

static const struct mbox_events events = {on_begin, on_bytes, on_end};

/* Feeds pieces of `step` octets, the first of `first`. */
static void split(struct span folder, size_t first, size_t step, struct buffer *out)
{
    struct mbox mbox;
    size_t n = first;
    buffer_reset(out);
    mbox_init(&mbox, &events, out);
    while (folder.n) {
        n = n < folder.n ? n : folder.n;
        mbox_feed(&mbox, span_slice(folder, 0, n));
        folder = span_skip(folder, n);
        n = step;
    }
    mbox_end(&mbox);
}

static bool is(const struct buffer *got, const char *want)
{
    return span_equal(buffer_span(got), span_from_string(want));
}

Test(mbox, cases_whole_in_two_and_byte_by_byte)
{
    struct buffer got;
    buffer_init(&got, 4096);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct span folder = guard_copy(span_from_string(cases[i].folder));
        for (size_t at = 0; at <= folder.n; at++) {
            split(folder, at, folder.n, &got);
            cr_expect(is(&got, cases[i].messages), "%s, split at %zu: got %.*s, want %s",
                      cases[i].name, at, (int)got.n, (const char *)got.p, cases[i].messages);
        }
        split(folder, 1, 1, &got);
        cr_expect(is(&got, cases[i].messages), "%s, byte by byte: got %.*s, want %s", cases[i].name,
                  (int)got.n, (const char *)got.p, cases[i].messages);
    }
    buffer_fini(&got);
}

/* Text of the octets that matter: any split gives what the whole gives, and quoting what a writer
 * has quoted gives the text back. */
Test(mbox, soup_in_any_split)
{
    static const char *const words[] = {"From ", ">", ">>From ", "\n", "\r\n",
                                        "\r",    "F", "Fro",     "x",  "From a\n"};
    struct buffer whole, parts, soup;
    uint64_t random = 0x9e3779b97f4a7c15;
    buffer_init(&whole, 65536);
    buffer_init(&parts, 65536);
    buffer_init(&soup, 65536);
    for (int round = 0; round < 3000; round++) {
        buffer_reset(&soup);
        buffer_append_string(&soup, "From \n");
        for (int i = 0; i < 24; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            buffer_append_string(&soup, words[(random >> 33) % COUNT_OF(words)]);
        }
        split(buffer_span(&soup), soup.n, 1, &whole);
        for (size_t step = 1; step < 8; step++) {
            split(buffer_span(&soup), (size_t)(random >> 60), step, &parts);
            cr_assert(span_equal(buffer_span(&whole), buffer_span(&parts)), "round %d, step %zu",
                      round, step);
        }
    }
    buffer_fini(&whole);
    buffer_fini(&parts);
    buffer_fini(&soup);
}

Test(mbox, what_begins_like_a_folder)
{
    cr_expect(mbox_is_folder(SPAN("From ")));
    cr_expect(mbox_is_folder(SPAN("From x\n")));
    cr_expect(!mbox_is_folder(SPAN("From")));
    cr_expect(!mbox_is_folder(SPAN("From: x\n")));
    cr_expect(!mbox_is_folder(SPAN(">From x\n")));
    cr_expect(!mbox_is_folder(SPAN("")));
}
