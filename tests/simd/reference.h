/* What the kernels compute, octet by octet and with no thought of speed. */
#ifndef TESTS_SIMD_REFERENCE_H
#define TESTS_SIMD_REFERENCE_H

#include "simd/text.h"

size_t reference_relax_body(const uint8_t *in, size_t n, uint8_t *out);
/* What relax_body says besides; reads in[n]. */
bool reference_unusual(const uint8_t *in, size_t n);
size_t reference_relax_field(const uint8_t *in, size_t n, size_t head, uint8_t *out);
void reference_count(struct simd_octets *octets, const uint8_t *in, size_t n);
/* Of a whole header, from its first octet. */
size_t reference_header_end(struct simd_header *header, const uint8_t *in, size_t n,
                            struct simd_piece *pieces, size_t *count);
/* Octets in front of the colon, or 0. */
uint32_t reference_name(const uint8_t *in, size_t n);
bool reference_base64(const uint8_t *in, size_t n, uint8_t *out, size_t capacity, size_t *written);

#endif
