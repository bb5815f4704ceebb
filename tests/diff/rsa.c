/*
 * diff-rsa: the RSA kernels against OpenSSL's arithmetic, as long as one likes, over many runs.
 *
 *   diff-rsa [--kernel NAME|all] [--bits N|all] [--cases N] [--seconds S] [--state FILE] [--seed N]
 *
 * Counts cases for every kernel (ifma8, ifma4, avx2) and size, until each has --cases (100,000,000)
 * or
 * --seconds (10) are over. With --state the counts are read at the start, and written every few
 * seconds and at the end, so that a run goes on where the last one stopped; the seed is part of the
 * state. Kernels that are at the same round share its cases. Status 1 when a kernel was wrong
 * anywhere, now or in an earlier run of the state, 64 usage, 66 a state that cannot be read, 74 one
 * that cannot be written.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "diff/rsa_cases.h"
#include "simd/kernel.h"

enum
{
    KERNELS = 3,
    SLICE_MS = 500,
    SAVE_MS = 5000,
    PATH_BYTES = 4096,
};

struct row
{
    uint64_t round, cases, wrong; /* the next round; what was done before it */
    uint64_t new_cases;           /* of this run */
    double seconds;               /* CPU, in this run: this kernel and its share of making cases */
    bool selected;
};

struct progress
{
    uint64_t seed, target;
    struct row rows[RSA_CLASSES][KERNELS];
    const char *path; /* NULL: no state */
};

static const struct rsa_family *const families[KERNELS] = {&rsa_family_ifma, &rsa_family_ifma,
                                                           &rsa_family_avx2};
static struct rsa_work work;

static const struct rsa_kernel *kernel_at(unsigned k)
{
    const struct rsa_kernel *const kernels[KERNELS] = {rsa_kernel_ifma8, rsa_kernel_ifma4,
                                                       rsa_kernel_avx2};
    bool runs = k < 2 ? kernel_has(KERNEL_HAS_IFMA) && kernel_has(KERNEL_HAS_AVX512VL)
                      : kernel_has(KERNEL_HAS_AVX2);
    return runs ? kernels[k] : NULL;
}

static unsigned class_bits(unsigned class)
{
    return rsa_family_ifma.shapes[class].bits;
}

static double read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Rates are by processor time: others may use the machine. */
static double cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* State: "seed N", then lines "kernel bits round cases wrong". */

static struct row *row_find(struct progress *progress, const char *kernel, unsigned bits)
{
    static const char *const names[KERNELS] = {"ifma8", "ifma4", "avx2"};
    for (unsigned class = 0; class < RSA_CLASSES; class ++)
        for (unsigned k = 0; k < KERNELS; k++)
            if (class_bits(class) == bits && strcmp(names[k], kernel) == 0)
                return &progress->rows[class][k];
    return NULL;
}

static void state_broken(const struct progress *progress)
{
    fprintf(stderr, "diff-rsa: %s is no state file\n", progress->path);
    exit(66);
}

static void state_read(struct progress *progress)
{
    FILE *file = progress->path ? fopen(progress->path, "r") : NULL;
    char kernel[16];
    unsigned bits;
    struct row row = {.cases = 0};
    if (!file && progress->path && errno != ENOENT)
        state_broken(progress);
    if (!file)
        return;
    if (fscanf(file, "seed %" SCNu64 "\n", &progress->seed) != 1)
        state_broken(progress);
    while (fscanf(file, "%15s %u %" SCNu64 " %" SCNu64 " %" SCNu64 "\n", kernel, &bits, &row.round,
                  &row.cases, &row.wrong) == 5) {
        struct row *found = row_find(progress, kernel, bits);
        if (!found)
            state_broken(progress);
        *found = row;
    }
    if (!feof(file))
        state_broken(progress);
    fclose(file);
}

static void state_write(const struct progress *progress)
{
    static const char *const names[KERNELS] = {"ifma8", "ifma4", "avx2"};
    char temporary[PATH_BYTES];
    if (!progress->path)
        return;
    snprintf(temporary, sizeof temporary, "%s.new", progress->path);
    FILE *file = fopen(temporary, "w");
    bool written = file && fprintf(file, "seed %" PRIu64 "\n", progress->seed) > 0;
    for (unsigned i = 0; written && i < RSA_CLASSES * KERNELS; i++) {
        const struct row *row = &progress->rows[i / KERNELS][i % KERNELS];
        written = fprintf(file, "%s %u %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", names[i % KERNELS],
                          class_bits(i / KERNELS), row->round, row->cases, row->wrong) > 0;
    }
    if (file && fclose(file) != 0)
        written = false;
    if (written && rename(temporary, progress->path) == 0)
        return;
    fprintf(stderr, "diff-rsa: cannot write %s\n", progress->path);
    exit(74);
}

/* Work */

static bool row_is_open(const struct progress *progress, const struct row *row)
{
    return row->selected && row->cases < progress->target;
}

/* One step of a round through the kernels that take part. */
static void run_step(struct progress *progress, unsigned class, const bool *takes_part,
                     const struct rsa_round_keys *keys, const struct rsa_case *step, uint64_t salt)
{
    for (unsigned k = 0; k < KERNELS; k++) {
        if (!takes_part[k])
            continue;
        struct row *row = &progress->rows[class][k];
        double begin = cpu();
        row->wrong += rsa_cases_run(kernel_at(k), class, &keys[k / 2], step, salt, &work);
        row->seconds += cpu() - begin;
    }
}

static void run_round(struct progress *progress, unsigned class, struct rsa_cases *cases,
                      uint64_t round)
{
    struct row *rows = progress->rows[class];
    struct rsa_round_keys keys[2];
    struct rsa_case step[RSA_LANES_MAX];
    bool takes_part[KERNELS];
    unsigned parts = 0;
    double making = 0;
    for (unsigned k = 0; k < KERNELS; k++) {
        takes_part[k] = row_is_open(progress, &rows[k]) && rows[k].round == round;
        parts += takes_part[k];
    }
    double begin = cpu();
    rsa_cases_round(cases, round);
    rsa_round_keys_make(&keys[0], families[0], cases);
    rsa_round_keys_make(&keys[1], families[2], cases);
    for (unsigned i = 0; i < RSA_ROUND_STEPS; i++) {
        rsa_cases_step(cases, step);
        making += cpu() - begin;
        run_step(progress, class, takes_part, keys, step, round ^ (uint64_t)i << 32);
        begin = cpu();
    }
    rsa_round_keys_free(&keys[0]);
    rsa_round_keys_free(&keys[1]);
    for (unsigned k = 0; k < KERNELS; k++) {
        if (!takes_part[k])
            continue;
        rows[k].round++;
        rows[k].cases += RSA_ROUND_CASES;
        rows[k].new_cases += RSA_ROUND_CASES;
        rows[k].seconds += making / parts;
    }
}

/* The rounds that are furthest behind first. False: this size is done. */
static bool run_slice(struct progress *progress, unsigned class, struct rsa_cases *cases,
                      double until)
{
    do {
        uint64_t round = UINT64_MAX;
        for (unsigned k = 0; k < KERNELS; k++) {
            const struct row *row = &progress->rows[class][k];
            if (row_is_open(progress, row) && row->round < round)
                round = row->round;
        }
        if (round == UINT64_MAX)
            return false;
        run_round(progress, class, cases, round);
    } while (now() < until);
    return true;
}

static void run(struct progress *progress, double seconds)
{
    struct rsa_cases *cases[RSA_CLASSES];
    double end = now() + seconds, saved = now();
    for (unsigned class = 0; class < RSA_CLASSES; class ++)
        cases[class] = rsa_cases_new(class_bits(class), progress->seed);
    for (bool more = true; more && now() < end;) {
        more = false;
        for (unsigned class = 0; class < RSA_CLASSES && now() < end; class ++)
            more |= run_slice(progress, class, cases[class], now() + SLICE_MS / 1e3);
        if (now() - saved > SAVE_MS / 1e3) {
            state_write(progress);
            saved = now();
        }
    }
    for (unsigned class = 0; class < RSA_CLASSES; class ++)
        rsa_cases_free(&cases[class]);
    state_write(progress);
}

static uint64_t print(const struct progress *progress)
{
    static const char *const names[KERNELS] = {"ifma8", "ifma4", "avx2"};
    uint64_t wrong = 0;
    printf("%-6s %5s %14s %14s %12s %6s\n", "kernel", "bits", "cases", "of this run", "cases/CPU s",
           "wrong");
    for (unsigned k = 0; k < KERNELS; k++) {
        for (unsigned class = 0; class < RSA_CLASSES; class ++) {
            const struct row *row = &progress->rows[class][k];
            wrong += row->wrong;
            if (row->selected)
                printf("%-6s %5u %14" PRIu64 " %14" PRIu64 " %12.0f %6" PRIu64 "\n", names[k],
                       class_bits(class), row->cases, row->new_cases,
                       row->seconds > 0 ? (double)row->new_cases / row->seconds : 0, row->wrong);
        }
    }
    return wrong;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: diff-rsa [--kernel ifma8|ifma4|avx2|all] [--bits 1024|2048|3072|4096|all] "
            "[--cases N] [--seconds S] [--state FILE] [--seed N]\n");
    return 64;
}

static bool number(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

/* Marks the rows that the words name and this machine can run. */
static bool select_rows(struct progress *progress, const char *kernel, const char *bits)
{
    static const char *const names[KERNELS] = {"ifma8", "ifma4", "avx2"};
    bool all_kernels = strcmp(kernel, "all") == 0, all_bits = strcmp(bits, "all") == 0;
    unsigned named = 0;
    for (unsigned k = 0; k < KERNELS; k++) {
        for (unsigned class = 0; class < RSA_CLASSES; class ++) {
            char text[16];
            snprintf(text, sizeof text, "%u", class_bits(class));
            if (!(all_kernels || strcmp(kernel, names[k]) == 0) ||
                !(all_bits || strcmp(bits, text) == 0))
                continue;
            named++;
            progress->rows[class][k].selected = kernel_at(k) != NULL;
            if (!kernel_at(k))
                fprintf(stderr, "diff-rsa: no %s at this kernel level\n", names[k]);
        }
    }
    return named > 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"kernel", required_argument, NULL, 'k'},
        {"bits", required_argument, NULL, 'b'},
        {"cases", required_argument, NULL, 'c'},
        {"state", required_argument, NULL, 'f'},
        {"seconds", required_argument, NULL, 's'},
        {"seed", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    struct progress progress = {.seed = 1, .target = 100000000};
    const char *kernel = "all", *bits = "all";
    uint64_t seconds = 10;
    bool good = true;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'k':
            kernel = optarg;
            break;
        case 'b':
            bits = optarg;
            break;
        case 'c':
            good &= number(optarg, &progress.target);
            break;
        case 'f':
            progress.path = optarg;
            break;
        case 's':
            good &= number(optarg, &seconds);
            break;
        case 'r':
            good &= number(optarg, &progress.seed);
            break;
        default:
            return usage();
        }
    }
    if (!good || optind != argc)
        return usage();
    state_read(&progress);
    if (!select_rows(&progress, kernel, bits))
        return usage();
    run(&progress, (double)seconds);
    return print(&progress) ? 1 : 0;
}
