/*
 * The header in other people's programs: C99 and C++11 with all warnings; make install, pkg-config,
 * shared and static library; nothing but assay_client_* seen, nothing but libc needed.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/tool.h"

static const char program[] =
    "#include <assay_client.h>\n"
    "#include <stdio.h>\n"
    "static void done(void *context, const struct assay_client_answer *answer)\n"
    "{ (void)context; (void)answer; }\n"
    "int main(void) {\n"
    "  char error[ASSAY_CLIENT_ERROR_MAX];\n"
    "  struct assay_client_options options;\n"
    "  struct assay_client *client;\n"
    "  unsigned char *byte = (unsigned char *)&options;\n"
    "  unsigned long i;\n"
    "  for (i = 0; i < sizeof options; i++) byte[i] = 0;\n"
    "  options.size = sizeof options; options.done = done; options.no_reconnect = 1;\n"
    "  client = assay_client_open(\"/nonexistent\", &options, error);\n"
    "  puts(client ? \"connected\" : error);\n"
    "  puts(assay_client_result_word(ASSAY_CLIENT_PASS));\n"
    "  assay_client_close(&client);\n"
    "  return 0;\n"
    "}\n";
static const char output[] = "/nonexistent: No such file or directory\npass";

static void run(const char *command)
{
    int status = system(command);
    cr_assert(status == 0, "status %d of: %s", status, command);
}

Test(header, compiles_as_c99_c11_and_cxx)
{
    char command[1024];
    const char *c = temporary_file("p.c", span_from_string(program));
    const char *cxx = temporary_file("p.cc", span_from_string(program));
    static const char *const modes[] = {"cc -std=c99", "cc -std=c11"};
    for (int i = 0; i < 2; i++) {
        snprintf(
            command, sizeof command,
            "%s -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror -Iclient -fsyntax-only %s",
            modes[i], c);
        run(command);
    }
    if (system("c++ --version >/dev/null 2>&1") != 0)
        cr_skip_test("no C++ compiler");
    snprintf(command, sizeof command,
             "c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -Iclient -fsyntax-only %s", cxx);
    run(command);
}

/* A program may use both libraries: their headers do not clash. */
Test(header, stands_beside_assay_h)
{
    char command[512];
    const char *file =
        temporary_file("both.c", SPAN("#include <assay.h>\n#include <assay_client.h>\n"
                                      "_Static_assert((int)ASSAY_RESULT_PASS == "
                                      "(int)ASSAY_CLIENT_PASS && (int)ASSAY_RESULT_FAIL == "
                                      "(int)ASSAY_CLIENT_FAIL, \"\");\n"));
    snprintf(command, sizeof command,
             "cc -std=c11 -Wall -Werror -Iclient -Iengine -fsyntax-only %s", file);
    run(command);
}

Test(install, a_program_finds_and_uses_the_client_library)
{
    const char *tool = getenv("ASSAY");
    if (tool && strcmp(tool, "build/assay") != 0)
        cr_skip_test("another build folder (%s): sanitizers want their own runtime", tool);
    char command[2048];
    const char *source = temporary_file("p.c", span_from_string(program));
    const char *folder = temporary_folder();
    snprintf(command, sizeof command,
             "MAKEFLAGS= make -s install PREFIX=/usr DESTDIR=%s/root >/dev/null", folder);
    run(command);
    snprintf(command, sizeof command,
             "export PKG_CONFIG_PATH=%s/root/usr/lib/pkgconfig && pkg-config --exists assay-client "
             "&& cc %s -o %s/shared -I%s/root/usr/include $(pkg-config --cflags assay-client) "
             "-L%s/root/usr/lib $(pkg-config --libs assay-client) && "
             "test \"$(LD_LIBRARY_PATH=%s/root/usr/lib %s/shared)\" = '%s'",
             folder, source, folder, folder, folder, folder, folder, output);
    run(command);
    snprintf(command, sizeof command,
             "cc %s -o %s/static -I%s/root/usr/include %s/root/usr/lib/libassay-client.a && "
             "test \"$(%s/static)\" = '%s'",
             source, folder, folder, folder, folder, output);
    run(command);
    snprintf(command, sizeof command,
             "cd %s/root/usr/lib && ! nm -D --defined-only libassay-client.so | grep -v ' "
             "assay_client_' && ! nm --defined-only --extern-only libassay-client.a | grep ' [A-Z] "
             "' | grep -v ' assay_client_' && test \"$(readelf -d libassay-client.so | grep -c "
             "NEEDED)\" = 1 && readelf -d libassay-client.so | grep -q 'NEEDED.*libc.so.6'",
             folder);
    run(command);
    snprintf(command, sizeof command, "rm -rf %s/root %s/shared %s/static", folder, folder, folder);
    run(command);
}
