/*
 * All shipped samples: recorded, with the body and without, and replayed byte for byte; from the
 * zone file, and live from nsd which is then stopped.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "client/samples.h"
#include "recording.h"
#include "support/corpora.h"
#include "support/name_server.h"

static struct sample samples[SAMPLES_MAX];

static void call_sample(struct call *call, const struct sample *sample)
{
    CALL(call, "check", "--ip", sample->ip, "--helo", sample->helo, "--mail-from",
         sample->mail_from, "--now", sample->now, sample->path);
}

Test(replay_samples, zone_file)
{
    const char *path = temporary_path("capsule.json");
    size_t count = samples_read(samples);
    for (size_t i = 0; i < count; i++) {
        struct call call = {.n = 0};
        call_sample(&call, &samples[i]);
        CALL(&call, "--dns", "share/samples/zone.txt");
        expect_same(&call, path);
    }
}

/* The samples' zone as nsd reads it: without the lines that make questions fail. */
static void write_zone(struct buffer *zone)
{
    struct span rest = file_read("share/samples/zone.txt"), line;
    buffer_init(zone, 1 << 20);
    buffer_append_string(zone, "example. 60 SOA ns.example. root.example. 1 3600 600 86400 60\n"
                               "example. 60 NS ns.example.\nns.example. 60 A 127.0.0.1\n");
    while (line_next(&rest, &line)) {
        struct span rdata = span_slice(line, 0, line.n < 200 ? line.n : 200);
        if (line.n == 0 || line.p[0] == ';' || memmem(rdata.p, rdata.n, " !", 2))
            continue;
        size_t name = span_find(line, ' ');
        buffer_append(zone, span_slice(line, 0, name));
        buffer_append_string(zone, " 300 IN");
        buffer_append(zone, span_skip(line, name));
        buffer_append_byte(zone, '\n');
    }
    buffer_append_byte(zone, '\0');
    cr_assert(!zone->failed);
}

static const char *sample_capsule(size_t i, const char *form)
{
    char name[64];
    snprintf(name, sizeof name, "%zu%s.json", i, form ? form : "");
    return temporary_path(name);
}

static struct outcome record_live(const struct sample *sample, const struct nsd *nsd,
                                  const char *form, const char *path)
{
    struct call call = {.n = 0};
    call_sample(&call, sample);
    CALL(&call, "--resolver", nsd->resolver, "--json", "--record", path);
    if (form)
        call_add(&call, form);
    return call_run(&call);
}

Test(replay_samples, live_and_then_offline)
{
    static struct outcome recorded[SAMPLES_MAX][2];
    static const char *const forms[2] = {NULL, "--with-body"};
    struct buffer zone;
    struct nsd nsd;
    size_t count = samples_read(samples), passes = 0;
    write_zone(&zone);
    nsd_start_zone(&nsd, "example", (const char *)zone.p);
    for (size_t i = 0; i < count; i++)
        for (size_t form = 0; form < 2; form++)
            recorded[i][form] =
                record_live(&samples[i], &nsd, forms[form], sample_capsule(i, forms[form]));
    nsd_stop(&nsd);
    for (size_t i = 0; i < count; i++)
        for (size_t form = 0; form < 2; form++) {
            const struct outcome *was = &recorded[i][form];
            struct outcome is = ASSAY("replay", "--json", sample_capsule(i, forms[form]));
            cr_assert(was->status == 0, "%s: %d %s", samples[i].path, was->status, was->err);
            cr_expect(is.status == 0 && *is.err == '\0', "%s: %d %s", samples[i].path, is.status,
                      is.err);
            cr_expect_str_eq(is.out, was->out, "%s", samples[i].path);
            passes += strstr(was->out, "\"dmarc\":{\"result\":\"pass\"") != NULL;
        }
    cr_expect(passes > 8, "nsd has served the zone: %zu passes", passes);
    buffer_fini(&zone);
}

Test(replay_samples, several_messages_in_one_file)
{
    const char *path = temporary_path("capsules.json");
    struct call call = {.n = 0};
    CALL(&call, "check", "--dns", "share/samples/zone.txt", "--ip", "192.0.2.10", "--now",
         "1792972860", "share/samples/pass.eml", "share/samples/fail-body.eml",
         "share/samples/malformed-nul.eml");
    expect_same(&call, path);
    struct outcome twice = ASSAY("replay", "--json", path, path);
    cr_expect(twice.status == 0 && count_lines(twice.out) == 6, "%d %s", twice.status, twice.out);
    struct span text = file_read(path);
    struct outcome piped = ASSAY_INPUT(text, "replay", "--brief");
    cr_expect(piped.status == 0 && count_lines(piped.out) == 4, "%d %s", piped.status, piped.out);
}

Test(replay_samples, file_is_its_owners_alone_and_holds_no_body)
{
    const char *path = temporary_path("capsule.json");
    struct stat facts;
    record_sample(path, NULL);
    cr_assert(stat(path, &facts) == 0);
    cr_expect((facts.st_mode & 0777) == 0600, "%o", facts.st_mode & 0777);
    struct span text = file_read(path);
    cr_expect(memmem(text.p, text.n, "Subject: Your order 4711", 24) != NULL);
    cr_expect(memmem(text.p, text.n, "has left our house", 18) == NULL, "the body is in it");
    cr_expect(memmem(text.p, text.n, "Dear Ada", 8) == NULL, "the body is in it");
    record_sample(path, "--with-body");
    text = file_read(path);
    cr_expect(memmem(text.p, text.n, "has left our house", 18) != NULL);
}
