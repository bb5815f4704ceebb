/* The same tests built for ARM64 (tests/simd/stub/), run by qemu-user: NEON without an ARM host. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum
{
    PATH_MAX_HERE = 512,
    OUTPUT_MAX = 16 * 1024,
};

static size_t run(const char *command, char *output, int *status)
{
    FILE *pipe = popen(command, "r");
    cr_assert(pipe != NULL);
    size_t n = fread(output, 1, OUTPUT_MAX - 1, pipe);
    output[n] = 0;
    *status = pclose(pipe);
    return n;
}

Test(arm64, neon_under_qemu)
{
    static char output[OUTPUT_MAX];
    char program[PATH_MAX_HERE], command[PATH_MAX_HERE + 64];
    const char *tool = getenv("ASSAY");
    int status;
    cr_assert(tool != NULL && strrchr(tool, '/') != NULL, "ASSAY is the tool's path");
    snprintf(program, sizeof program, "%.*s/simd-arm64", (int)(strrchr(tool, '/') - tool), tool);
    if (access(program, X_OK) != 0)
        cr_skip_test("no compiler for ARM64: tools/deps arm64");
    if (system("command -v qemu-aarch64 >/dev/null") != 0)
        cr_skip_test("no qemu-aarch64: tools/deps arm64");
    snprintf(command, sizeof command, "timeout 200 qemu-aarch64 '%s' 2>&1", program);
    run(command, output, &status);
    cr_expect(status == 0, "%s", output);
    cr_expect(strstr(output, "suite simd/text: level neon\n") != NULL, "%s", output);
    cr_expect(strstr(output, "passed body/all_rooms_and_splits\n") != NULL, "%s", output);
}
