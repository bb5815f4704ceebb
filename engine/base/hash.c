#include "base/hash.h"

uint64_t hash_bytes(struct span bytes, uint64_t seed)
{
    static const uint64_t begin = 0x243f6a8885a308d3, end = 0x13198a2e03707344;
    uint64_t hash = seed ^ begin ^ bytes.n, word = 0;
    size_t i = 0;
    for (; bytes.n - i > sizeof word; i += sizeof word) {
        memcpy(&word, bytes.p + i, sizeof word);
        hash = hash_word(hash, word);
    }
    word = 0;
    if (i) /* the last eight bytes, some of them a second time */
        memcpy(&word, bytes.p + bytes.n - sizeof word, sizeof word);
    else if (bytes.n)
        memcpy(&word, bytes.p, bytes.n);
    return hash_word(hash, word ^ end);
}
