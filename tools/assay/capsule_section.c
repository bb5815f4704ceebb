/* Names of a capsule's sections and words, and the digest of a section. */
#include <stdio.h>

#include "capsule.h"

const char *const capsule_mode_words[CAPSULE_MODES] = {
    [DMARC_TREE_WALK] = "treewalk",
    [DMARC_PSL] = "psl",
    [DMARC_COMPARE] = "compare",
};
const char *const capsule_canon_words[BODY_CANONS] = {
    [CANON_SIMPLE] = "simple",
    [CANON_RELAXED] = "relaxed",
};

const char *capsule_section_word(enum capsule_section section)
{
    static const char *const words[] = {
#define CAPSULE_SECTION_WORD(name, word) [CAPSULE_##name] = word,
        CAPSULE_SECTION_TABLE(CAPSULE_SECTION_WORD)
#undef CAPSULE_SECTION_WORD
    };
    return words[section];
}

static int hash_piece(const char *text, size_t n, void *state)
{
    sha256_update(state, span_of(text, n));
    return 0;
}

bool capsule_digest(const json_t *section, char hex[2 * SHA256_BYTES + 1])
{
    uint8_t sha256[SHA256_BYTES];
    struct sha256 state;
    sha256_init(&state);
    bool ok = json_dump_callback(section, hash_piece, &state, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
    sha256_peek(&state, sha256);
    for (size_t i = 0; ok && i < SHA256_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", sha256[i]);
    return ok;
}
