/*
 * make install, and a program of somebody else's: found by pkg-config, built against the shared and
 * the static library, run. Only the public header is there, and only assay_* symbols are seen.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char program[] =
    "#include <assay.h>\n"
    "#include <stdio.h>\n"
    "int main(void) {\n"
    "  struct assay_config config = {.size = sizeof config, .zone_file = "
    "\"share/samples/zone.txt\"};\n"
    "  char error[ASSAY_ERROR_MAX] = \"\";\n"
    "  struct assay_engine *engine = assay_engine_open(&config, error);\n"
    "  if (!engine) { puts(error); return 1; }\n"
    "  struct assay_message *message = assay_message_begin(engine, NULL, error);\n"
    "  if (!message || assay_message_feed(message, \"From: a@b.example\\r\\n\\r\\n\", 21) != "
    "ASSAY_OK ||\n"
    "      assay_message_end(message) != ASSAY_OK) return 2;\n"
    "  puts(assay_result_word(assay_message_dmarc(message)));\n"
    "  assay_message_free(&message); assay_engine_close(&engine);\n"
    "  return 0;\n"
    "}\n";

static void run(const char *command)
{
    int status = system(command);
    cr_assert(status == 0, "status %d of: %s", status, command);
}

Test(install, a_program_finds_and_uses_the_library)
{
    const char *tool = getenv("ASSAY");
    if (tool && strcmp(tool, "build/assay") != 0)
        cr_skip_test("another build folder (%s): sanitizers want their own runtime", tool);
    char folder[] = "/tmp/assay-install-XXXXXX";
    char command[2048];
    cr_assert(mkdtemp(folder) != NULL);
    char source[128];
    snprintf(source, sizeof source, "%s/p.c", folder);
    FILE *file = fopen(source, "w");
    cr_assert(file != NULL && fputs(program, file) >= 0 && fclose(file) == 0);
    snprintf(command, sizeof command,
             "MAKEFLAGS= make -s install PREFIX=/usr DESTDIR=%s/root >/dev/null", folder);
    run(command);
    snprintf(command, sizeof command,
             "cd . && export PKG_CONFIG_SYSROOT_DIR=%s/root "
             "PKG_CONFIG_PATH=%s/root/usr/lib/pkgconfig && "
             "cc %s/p.c -o %s/shared -I%s/root/usr/include $(pkg-config --cflags assay) "
             "-L%s/root/usr/lib -lassay && "
             "test \"$(LD_LIBRARY_PATH=%s/root/usr/lib %s/shared)\" = none",
             folder, folder, folder, folder, folder, folder, folder, folder);
    run(command);
    snprintf(command, sizeof command,
             "cc %s/p.c -o %s/static -I%s/root/usr/include %s/root/usr/lib/libassay.a "
             "$(PKG_CONFIG_PATH=%s/root/usr/lib/pkgconfig pkg-config --libs --static assay | "
             "sed 's/-lassay//') && test \"$(%s/static)\" = none",
             folder, folder, folder, folder, folder, folder);
    run(command);
    snprintf(command, sizeof command,
             "! nm -D --defined-only %s/root/usr/lib/libassay.so | grep -v ' assay_' && "
             "! nm --defined-only --extern-only %s/root/usr/lib/libassay.a | grep ' [A-Z] ' | grep "
             "-v ' assay_'",
             folder, folder);
    run(command);
    snprintf(command, sizeof command,
             "cd %s/root/usr/share/assay/profiles && test -r gmail.conf && test -r yahoo.conf && "
             "test -r outlook.conf",
             folder);
    run(command);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    run(command);
}
