#include "reference.h"

#include <string.h>

static bool is_wsp(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool crlf_at(const uint8_t *in, size_t n, size_t at)
{
    return at + 1 < n && in[at] == '\r' && in[at + 1] == '\n';
}

size_t reference_relax_body(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t written = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_wsp(in[i]) && (is_wsp(in[i + 1]) || crlf_at(in, n + 2, i + 1)))
            continue;
        out[written++] = is_wsp(in[i]) ? ' ' : in[i];
    }
    return written;
}

bool reference_unusual(const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (in[i] == 0 || (in[i] == '\r') != (in[i + 1] == '\n'))
            return true;
    return false;
}

size_t reference_relax_field(const uint8_t *in, size_t n, size_t head, uint8_t *out)
{
    size_t written = 0, i = 0;
    for (; i < head; i++)
        out[written++] = in[i] >= 'A' && in[i] <= 'Z' ? (uint8_t)(in[i] + 'a' - 'A') : in[i];
    bool due = false; /* a gap, if text follows */
    for (size_t begin = written; i < n; i++) {
        if (in[i] == '\r' || in[i] == '\n') {
            if (!crlf_at(in, n, i) || (i + 2 < n && !is_wsp(in[i + 2])))
                return SIZE_MAX;
            i++;
        } else if (!is_wsp(in[i])) {
            if (due && written > begin)
                out[written++] = ' ';
            out[written++] = in[i];
            due = false;
            continue;
        }
        due = true;
    }
    return written;
}

void reference_count(struct simd_octets *octets, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        octets->nul += in[i] == 0;
        octets->cr += in[i] == '\r';
        octets->lf += in[i] == '\n';
        octets->crlf += in[i] == '\n' && octets->after_cr;
        octets->high += in[i] > 127;
        octets->after_cr = in[i] == '\r';
    }
}

size_t reference_header_end(struct simd_header *header, const uint8_t *in, size_t n,
                            struct simd_piece *pieces, size_t *count)
{
    size_t at = 0;
    *header = SIMD_HEADER_BEGIN;
    *count = 0;
    while (at < n && !header->ended) {
        size_t end = at;
        while (end < n && !crlf_at(in, n, end))
            end++;
        if (!is_wsp(in[at]))
            pieces[(*count)++].end = (uint32_t)at;
        header->ended = end == at;
        at = end < n ? end + 2 : n;
    }
    header->taken = at;
    reference_count(&header->octets, in, at);
    return at;
}

uint32_t reference_name(const uint8_t *in, size_t n)
{
    for (uint32_t i = 0; i < n && i < 64; i++) {
        if (in[i] == ':')
            return i;
        if (in[i] < 33 || in[i] > 126)
            return 0;
    }
    return 0;
}

static int sextet(uint8_t c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *hit = c ? strchr(alphabet, c) : NULL;
    return hit ? (int)(hit - alphabet) : -1;
}

bool reference_base64(const uint8_t *in, size_t n, uint8_t *out, size_t capacity, size_t *written)
{
    uint32_t bits = 0;
    unsigned filled = 0, padding = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_wsp(in[i]) || in[i] == '\r' || in[i] == '\n')
            continue;
        if (in[i] == '=') {
            padding++;
            continue;
        }
        if (sextet(in[i]) < 0 || padding)
            return false;
        bits = bits << 6 | (uint32_t)sextet(in[i]);
        if (++filled < 4)
            continue;
        if (capacity - count < 3)
            return false;
        for (int k = 16; k >= 0; k -= 8)
            out[count++] = (uint8_t)(bits >> k);
        bits = 0;
        filled = 0;
    }
    if (padding && (filled < 2 || filled + padding != 4))
        return false;
    if (filled && padding == 0)
        return false;
    for (unsigned i = 0; i + 1 < filled; i++) {
        if (count == capacity)
            return false;
        out[count++] = (uint8_t)(bits >> (6 * filled - 8 * (i + 1)));
    }
    if (filled && (bits & ((1u << 2 * padding) - 1)))
        return false;
    *written = count;
    return true;
}
