#include "support/guard.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

struct span guard_copy(struct span s)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (s.n + page - 1) / page * page;
    uint8_t *memory =
        mmap(NULL, mapped + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(memory != MAP_FAILED);
    cr_assert(mprotect(memory + mapped, page, PROT_NONE) == 0);
    uint8_t *begin = memory + mapped - s.n;
    if (s.n)
        memcpy(begin, s.p, s.n);
    return span_of(begin, s.n);
}
