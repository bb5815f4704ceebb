/*
 * SipHash-c-d after the paper, section 2. Differs in nothing; the number of rounds is a constant
 * of each public function, so that the compiler unrolls them.
 */
#include "cache/siphash.h"

#include <endian.h>

static uint64_t load_le64(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

/* The last 0 to 7 bytes of the input as a number. */
static uint64_t load_tail(struct span s)
{
    uint64_t word = 0;
    for (size_t i = 0; i < s.n; i++)
        word |= (uint64_t)s.p[i] << (8 * i);
    return word;
}

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_rounds(uint64_t v[4], int rounds)
{
    for (int i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static inline void sip_init(uint64_t v[4], const struct siphash_key *key)
{
    v[0] = key->k0 ^ 0x736f6d6570736575; /* "somepseudorandomlygeneratedbytes" */
    v[1] = key->k1 ^ 0x646f72616e646f6d;
    v[2] = key->k0 ^ 0x6c7967656e657261;
    v[3] = key->k1 ^ 0x7465646279746573;
}

static inline void sip_compress(uint64_t v[4], uint64_t word, int rounds)
{
    v[3] ^= word;
    sip_rounds(v, rounds);
    v[0] ^= word;
}

static inline uint64_t sip_finish(uint64_t v[4], uint64_t last, int c, int d)
{
    sip_compress(v, last, c);
    v[2] ^= 0xff;
    sip_rounds(v, d);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Inlined by force: shared by two callers, its rounds would be counted at run time. */
__attribute__((always_inline)) static inline uint64_t sip_whole(const struct siphash_key *key,
                                                                struct span s, int c, int d)
{
    uint64_t v[4];
    size_t whole = s.n & ~(size_t)7, rest = s.n & 7;
    uint64_t tail = 0;
    sip_init(v, key);
    for (size_t i = 0; i < whole; i += 8)
        sip_compress(v, load_le64(s.p + i), c);
    if (rest && whole) /* the last eight bytes without those of the last word */
        tail = load_le64(s.p + s.n - 8) >> (64 - 8 * rest);
    else if (rest)
        tail = load_tail(s);
    return sip_finish(v, tail | (uint64_t)s.n << 56, c, d);
}

struct siphash_key siphash_key_from(const uint8_t bytes[SIPHASH_KEY_BYTES])
{
    return (struct siphash_key){load_le64(bytes), load_le64(bytes + 8)};
}

uint64_t siphash13(const struct siphash_key *key, struct span s)
{
    return sip_whole(key, s, 1, 3);
}

uint64_t siphash24(const struct siphash_key *key, struct span s)
{
    return sip_whole(key, s, 2, 4);
}

void siphash_stream_init(struct siphash_stream *stream, const struct siphash_key *key)
{
    sip_init(stream->v, key);
    stream->tail = 0;
    stream->total = 0;
}

/* Moves bytes into the tail until it is a full word or `s` is used up; returns the rest of `s`. */
static struct span stream_fill(struct siphash_stream *stream, struct span s)
{
    while (s.n && stream->total % 8) {
        stream->tail |= (uint64_t)s.p[0] << (8 * (stream->total % 8));
        stream->total++;
        s = span_skip(s, 1);
        if (stream->total % 8)
            continue;
        sip_compress(stream->v, stream->tail, 2);
        stream->tail = 0;
    }
    return s;
}

void siphash_stream_add(struct siphash_stream *stream, struct span s)
{
    s = stream_fill(stream, s);
    if (s.n == 0)
        return;
    size_t whole = s.n & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        sip_compress(stream->v, load_le64(s.p + i), 2);
    stream->tail = load_tail(span_skip(s, whole));
    stream->total += s.n;
}

uint64_t siphash_stream_value(const struct siphash_stream *stream)
{
    uint64_t v[4];
    memcpy(v, stream->v, sizeof v);
    return sip_finish(v, stream->tail | stream->total << 56, 2, 4);
}
