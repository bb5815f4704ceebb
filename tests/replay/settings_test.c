/* Every setting that bears on a verdict goes into the capsule: each is set, and is needed. */
#include <stdio.h>

#include "base/attributes.h"
#include "recording.h"

static const char zone[] =
    "a.example TXT \"v=spf1 ip4:192.0.2.0/24 exists:v1.example exists:v2.example exists:v3.example "
    "-all exp=why.a.example\"\n"
    "why.a.example TXT \"%{i} is not welcome at %{r} at %{t}\"\n"
    "_dmarc.a.example TXT \"v=DMARC1; p=reject\"\n"
    "_dmarc.psd.example TXT \"v=DMARC1; p=none\"\n"
    "sub.a.example A 192.0.2.9\n"
    "deep.sub.a.example A 192.0.2.9\n"
    "fails.example TXT !servfail\n"
    "many.example TXT \"v=spf1 mx -all\"\n"
    "*.wild.example TXT \"v=spf1 ip4:192.0.2.7 -all\"\n"
    "alias.example CNAME a.example\n"
    "bin.example TXT \"v=spf1 -all \\000\\255\\\"\\\\\"\n";

static const struct
{
    const char *name;
    const char *from, *arguments[12];
} cases[] = {
    {"no envelope", "x@a.example", {NULL}},
    {"explanation with time, address and receiver",
     "x@a.example",
     {"--ip", "203.0.113.7", "--helo", "a.example", "--mail-from", "x@a.example", NULL}},
    {"reject", "x@a.example", {"--ip", "203.0.113.7", "--helo", "h", "--reject", NULL}},
    {"authserv-id", "x@a.example", {"--authserv-id", "mx.example.net", NULL}},
    {"psl", "x@deep.sub.a.example", {"--dmarc-mode", "psl", "--psl", "LIST", NULL}},
    {"psl that is built in", "x@sub.a.example", {"--dmarc-mode", "psl", NULL}},
    {"compare", "x@deep.sub.a.example", {"--dmarc-mode", "compare", "--psl", "LIST", NULL}},
    {"psl and spf's domain",
     "x@deep.sub.a.example",
     {"--dmarc-mode", "psl", "--psl", "LIST", "--ip", "192.0.2.7", "--mail-from", "x@a.example",
      NULL}},
    {"psd", "x@b.psd.example", {"--psd", "psd.example", NULL}},
    {"trusted sealer", "x@a.example", {"--trusted-sealer", "lists.example", NULL}},
    {"recipients", "x@a.example", {"--rcpt-to", "a@b.example", "--rcpt-to", "c@d.example", NULL}},
    {"servfail",
     "x@fails.example",
     {"--ip", "192.0.2.7", "--mail-from", "<>", "--helo", "fails.example", NULL}},
    {"empty answer",
     "x@many.example",
     {"--ip", "192.0.2.7", "--mail-from", "x@many.example", NULL}},
    {"wildcard",
     "x@y.wild.example",
     {"--ip", "192.0.2.7", "--mail-from", "x@*.wild.example", NULL}},
    {"alias", "x@alias.example", {"--ip", "192.0.2.7", "--mail-from", "x@alias.example", NULL}},
    {"octets in a record",
     "x@bin.example",
     {"--ip", "192.0.2.7", "--mail-from", "x@bin.example", NULL}},
    {"octets in the envelope",
     "x@a.example",
     {"--ip", "2001:db8::7", "--mail-from", "\xff\x01@\xc3\xa4", "--helo", "\xc2\x9b[2J", NULL}},
    {"mapped address", "x@a.example", {"--ip", "::ffff:192.0.2.7", "--mail-from", "", NULL}},
    {"ill-formed header", "\xff\x80 x@a.example\n", {NULL}},
};

Test(replay_settings, each_is_recorded)
{
    char zone_path[128], list[128]; /* temporary_file's own do not last */
    snprintf(zone_path, sizeof zone_path, "%s", temporary_file("zone.txt", span_from_string(zone)));
    snprintf(list, sizeof list, "%s",
             temporary_file("list.dat", SPAN("example\na.example\nsub.a.example\n")));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char mail[256];
        int n = snprintf(mail, sizeof mail, "From: %s\nSubject: hello\n\nbody\n", cases[i].from);
        const char *file = temporary_file("m.eml", span_of(mail, (size_t)n));
        struct call call = {.n = 0};
        CALL(&call, "check", "--dns", zone_path, file);
        for (const char *const *argument = cases[i].arguments; *argument; argument++)
            call_add(&call, strcmp(*argument, "LIST") == 0 ? list : *argument);
        expect_same(&call, temporary_path("capsule.json"));
    }
}

/* Without --now the clock's time is recorded. */
Test(replay_settings, receive_time_is_the_clocks)
{
    const char *path = temporary_path("capsule.json");
    const char *file = temporary_file("m.eml", SPAN("From: x@a.example\n\n"));
    struct outcome o = ASSAY("check", "--dns", "/dev/null", "--record", path, file);
    json_t *capsule = capsule_load(path);
    cr_expect(o.status == 0 &&
              json_integer_value(json_at(capsule, "settings.received_at")) > INT64_C(1700000000));
    json_decref(capsule);
}

/* A PSL that is there at replay is not asked: the recorded answers are (nothing else is opened). */
Test(replay_settings, replay_needs_no_list)
{
    const char *path = temporary_path("capsule.json");
    const char *list = temporary_file("gone.dat", SPAN("example\na.example\nsub.a.example\n"));
    const char *zone_path = temporary_file("zone.txt", span_from_string(zone));
    const char *file = temporary_file("m.eml", SPAN("From: x@deep.sub.a.example\n\n"));
    struct outcome o = ASSAY("check", "--json", "--dns", zone_path, "--dmarc-mode", "psl", "--psl",
                             list, "--record", path, file);
    json_t *verdict = json_line(o.out, 0);
    cr_expect_str_eq(json_text(verdict, "dmarc.org_domain"), "deep.sub.a.example");
    cr_assert(remove(list) == 0 && remove(zone_path) == 0 && remove(file) == 0);
    struct outcome replayed = ASSAY("replay", "--json", path);
    cr_expect(replayed.status == 0);
    cr_expect_str_eq(replayed.out, o.out);
    json_decref(verdict);
}
