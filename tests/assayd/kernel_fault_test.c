/*
 * A signature kernel that is wrong (security.md D14): assayd-kernel-fault is assayd with kernels
 * that say "matches" to everything. What OpenSSL looks at again must come out as an error, with a
 * line in the log and a count; the kernels are then off.
 */
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon.h"
#include "simd/kernel.h"

TestSuite(kernel_fault, .fini = daemon_end_all);

/* One DKIM result of a message whose subject was changed after it was signed. */
static void dkim_result(const struct daemon *server, char out[32])
{
    struct buffer in, line;
    char path[4096], head[512];
    struct span mail;
    cr_assert(realpath("share/samples/fail-subject.eml", path) != NULL);
    mail = file_bytes(path);
    int n = snprintf(head, sizeof head,
                     "{\"ip\":\"192.0.2.90\",\"helo\":\"relay.example\",\"mail_from\":\"a@relay."
                     "example\",\"now\":1792972860,\"lf\":true,\"size\":%zu}\n",
                     mail.n);
    buffer_init(&in, 1 << 20);
    buffer_init(&line, 1 << 20);
    buffer_append(&line, span_of(head, (size_t)n));
    buffer_append(&line, mail);
    talk_lines(server, buffer_span(&line), &in);
    json_t *verdict = json_loadb((const char *)in.p, in.n, 0, NULL);
    const json_t *dkim = json_array_get(json_object_get(verdict, "dkim"), 0);
    const char *result = json_string_value(json_object_get(dkim, "result"));
    cr_assert(result != NULL, "%.*s", (int)in.n, (const char *)in.p);
    snprintf(out, 32, "%s", result);
    json_decref(verdict);
    buffer_fini(&line);
    buffer_fini(&in);
}

/* Beside the daemon under test. False where it was not built. */
static bool choose_faulty(void)
{
    char path[4096];
    const char *program = getenv("ASSAYD");
    snprintf(path, sizeof path, "%s-kernel-fault", program ? program : "build/assayd");
    return access(path, X_OK) == 0 && setenv("ASSAYD", path, 1) == 0;
}

Test(kernel_fault, D14_a_mismatch_is_an_error_an_alarm_and_the_end_of_the_kernels)
{
    static struct daemon server;
    char result[32];
    if (!kernel_has(KERNEL_HAS_IFMA)) /* one signature alone goes to no other kernel */
        cr_skip_test("no kernel that takes one signature alone at this level");
    cr_assert(choose_faulty(), "assayd-kernel-fault was not built");
    DAEMON(&server, "--workers", "1", "--check-signatures", "1");
    cr_expect(talk_stat(&server, "signatures.mismatches") == 0);
    dkim_result(&server, result);
    cr_expect_str_eq(result, "temperror");
    cr_expect(talk_stat(&server, "signatures.mismatches") == 1);
    cr_expect(talk_stat(&server, "signatures.by_kernel") == 1);
    cr_expect(strstr(daemon_log(&server), "level=error") != NULL, "%s", daemon_log(&server));
    cr_expect(strstr(daemon_log(&server), "signature_kernel_off") != NULL, "%s",
              daemon_log(&server));
    dkim_result(&server, result); /* by OpenSSL */
    cr_expect_str_eq(result, "fail");
    cr_expect(talk_stat(&server, "signatures.by_kernel") == 1);
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}

/* Without the second look the fault would be a pass: what the test above is worth. */
Test(kernel_fault, unchecked_it_would_pass)
{
    static struct daemon server;
    char result[32];
    if (!kernel_has(KERNEL_HAS_IFMA))
        cr_skip_test("no kernel that takes one signature alone at this level");
    cr_assert(choose_faulty(), "assayd-kernel-fault was not built");
    DAEMON(&server, "--workers", "1", "--check-signatures", "1000");
    dkim_result(&server, result);
    cr_expect_str_eq(result, "pass");
    cr_expect(daemon_stop(&server, SIGTERM) == 0);
}
