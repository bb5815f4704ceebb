#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

enum
{
    TESTS_MAX = 100,
};

static struct
{
    const char *name;
    void (*run)(void);
} tests[TESTS_MAX];
static int count;

void stub_add(const char *name, void (*run)(void))
{
    if (count == TESTS_MAX)
        abort();
    tests[count].name = name;
    tests[count++].run = run;
}

void stub_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    printf("%s:%d: ", file, line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    exit(1);
}

int main(void)
{
    for (int i = 0; i < count; i++) {
        tests[i].run();
        printf("passed %s\n", tests[i].name);
    }
    printf("%d passed\n", count);
    return 0;
}
