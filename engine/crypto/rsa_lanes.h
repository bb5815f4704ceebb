/*
 * RSA with e = 65537, several signatures at once: one in each lane of vector registers, each with
 * its own key. Only for this folder, its tests and benches.
 *
 * A number is cut into digits (52 bits where the processor multiplies 52-bit integers, 27 or 28
 * with AVX2); digit i of all lanes makes one vector. Four sizes of moduli have a kernel; a modulus
 * of another size takes the next larger one. How the arithmetic goes stands in rsa_template.h.
 */
#ifndef CRYPTO_RSA_LANES_H
#define CRYPTO_RSA_LANES_H

#include "base/attributes.h"
#include "base/span.h"

enum
{
    RSA_CLASSES = 4,
    RSA_LANES_MAX = 8,
    RSA_LANES_EXPONENT = 65537,
    /* 64-bit limbs of the longest number, the last one read beyond its digits among them */
    RSA_LIMBS_MAX = 66,
};

/* How the numbers of one class are cut; the same for all kernels of a family. */
struct rsa_shape
{
    unsigned bits;       /* moduli up to this size */
    unsigned digit_bits; /* */
    unsigned digits;     /* a multiple of `block` */
    unsigned block;      /* digits that one step of a reduction takes away */
};

/* class, digit_bits, digits, block; 2 * digits products of two digits fit into 64 bits */
#define RSA_IFMA_SHAPES(X)                                                                         \
    X(1024, 52, 20, 4) X(2048, 52, 40, 4) X(3072, 52, 60, 4) X(4096, 52, 80, 4)
#define RSA_AVX2_SHAPES(X)                                                                         \
    X(1024, 28, 40, 5) X(2048, 28, 75, 5) X(3072, 28, 110, 5) X(4096, 27, 155, 5)

/* Limbs of a number of this shape: all its digits, each readable as eight bytes from its first. */
static inline unsigned rsa_shape_limbs(const struct rsa_shape *shape)
{
    return (shape->digit_bits * shape->digits + 63) / 64 + 1;
}

/*
 * What a kernel needs to know of a modulus n. With R = 2^(digit_bits * digits):
 * `numbers` holds n, 2^-(digit_bits * block) mod n and R^2 mod n, each of rsa_shape_limbs() limbs,
 * least first.
 */
struct rsa_constants
{
    const struct rsa_shape *shape; /* static */
    uint64_t inverse;              /* -1/n mod 2^64 */
    uint64_t numbers[];
};

enum rsa_number
{
    RSA_MODULUS,
    RSA_SHIFT_DOWN,
    RSA_SQUARE,
    RSA_NUMBERS,
};

size_t rsa_constants_bytes(const struct rsa_shape *shape);
/* Of an odd modulus of at least 1024 bits that fits the shape. `made` has rsa_constants_bytes(). */
void rsa_constants_make(const struct rsa_shape *shape, struct span modulus,
                        struct rsa_constants *made);

static inline const uint64_t *rsa_number(const struct rsa_constants *constants,
                                         enum rsa_number which)
{
    return constants->numbers + which * rsa_shape_limbs(constants->shape);
}

/* One signature for a kernel. Both numbers are limbs, least first, as many as the shape says, and
 * below the modulus. */
struct rsa_lane
{
    const struct rsa_constants *constants; /* borrowed */
    uint64_t signature[RSA_LIMBS_MAX];
    uint64_t block[RSA_LIMBS_MAX]; /* what the signature must open to */
};

enum
{
    RSA_WORK_WORDS = (7 * 80 + 2 * 4) * RSA_LANES_MAX,
};

/* What a call works on and in. 64-byte aligned. */
struct rsa_work
{
    _Alignas(64) uint64_t vectors[RSA_WORK_WORDS]; /* scratch */
    const struct rsa_lane *lanes[RSA_LANES_MAX];   /* all of one shape; to `storage` as a rule */
    struct rsa_lane storage[RSA_LANES_MAX];
};

/*
 * Bit i is set where signature^65537 mod n of lanes[i] is its block. As many lanes as the kernel
 * has are looked at: who has fewer signatures repeats one.
 */
typedef uint32_t rsa_match(struct rsa_work *work);

struct rsa_kernel
{
    const char *name;
    unsigned lanes;
    rsa_match *match[RSA_CLASSES];
};

/* NULL where this build has it not. */
extern const struct rsa_kernel *const rsa_kernel_ifma8, *const rsa_kernel_ifma4,
                                                            *const rsa_kernel_avx2;

/* Kernels that share the form of numbers. */
struct rsa_family
{
    const char *name;
    struct rsa_shape shapes[RSA_CLASSES];
    const struct rsa_kernel *const *wide, *const *narrow; /* wide: NULL where there is one width */
    unsigned least; /* signatures from which a narrow call beats OpenSSL one by one */
};

extern const struct rsa_family rsa_family_ifma, rsa_family_avx2;

/* The smallest class for a modulus of so many bits; RSA_CLASSES above the largest. */
unsigned rsa_class_of(const struct rsa_family *family, unsigned bits);
/* The number's bytes as limbs, zero above. It has at most 8 * count bytes. */
void rsa_limbs_read(struct span big_endian, uint64_t *limbs, unsigned count);

/*
 * The family that the level in use (simd/kernel.h) allows; NULL: OpenSSL does all. Its kernels have
 * passed their test in this process and have not been turned off. Any thread.
 */
const struct rsa_family *rsa_family_active(void);
/* From now on nobody gets this family. Any thread. */
void rsa_family_turn_off(const struct rsa_family *family);
bool rsa_family_is_off(const struct rsa_family *family);
/* Known answers, by OpenSSL's arithmetic, through every class of a kernel: under 1 ms a family. */
bool rsa_family_test(const struct rsa_family *family) MUST_CHECK;

#endif
