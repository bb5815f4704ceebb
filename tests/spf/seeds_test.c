/* blitiri's fuzz seeds: records with no expectation. Nothing crashes, a rerun says the same (R3).
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/chars.h"
#include "harness.h"
#include "support/corpora.h"
#include "support/fake_dns.h"
#include "support/guard.h"

/* The Go string literal of a corpus file: go test fuzz v1 LF string("..."). */
static struct span seed_text(struct span file)
{
    uint8_t *text = malloc(file.n);
    size_t n = 0;
    size_t i = span_find(file, '"') + 1;
    cr_assert(text != NULL);
    for (; i < file.n && file.p[i] != '"'; i++) {
        if (file.p[i] != '\\') {
            text[n++] = file.p[i];
            continue;
        }
        uint8_t escape = file.p[++i];
        if (escape == 'x') {
            text[n++] =
                (uint8_t)(char_hex_value(file.p[i + 1]) << 4 | char_hex_value(file.p[i + 2]));
            i += 2;
            continue;
        }
        text[n++] = escape == 'n' ? '\n' : escape == 't' ? '\t' : escape;
    }
    return span_of(text, n);
}

static void parse_all_prefixes(struct span text)
{
    for (size_t n = 0; n <= text.n; n++) {
        struct limit_hits hits = {.set = 0};
        struct spf_record record;
        struct spf_syntax_error error;
        bool ok = spf_record_parse(guard_copy(span_slice(text, 0, n)), &hits, &record, &error);
        cr_expect(ok || error.at <= n);
    }
}

static void judge_seed(struct span text)
{
    static const char *const ips[] = {"192.0.2.1", "2001:db8::1"};
    struct dns_record txt = {.text = text};
    struct dns_record address = {.preference = 0};
    struct dns_record host = {.preference = 1};
    struct dns_source *source = fake_dns_new();
    cr_assert(ip_parse_v4(SPAN("192.0.2.1"), &address.address));
    cr_assert(dns_name_from_raw(&host.name, SPAN("a.example")) == DNS_NAME_OK);
    fake_dns_add(source, SPAN("a.example"), DNS_TXT, &txt);
    fake_dns_add(source, SPAN("a.example"), DNS_A, &address);
    fake_dns_add(source, SPAN("a.example"), DNS_MX, &host);
    fake_dns_add(source, SPAN("1.2.0.192.in-addr.arpa"), DNS_PTR, &host);
    for (size_t i = 0; i < COUNT_OF(ips); i++) {
        struct spf_trial trial;
        spf_trial_run(&trial, spf_request_of(ips[i], text, SPAN("joe@a.example")), source);
        cr_expect(trial.judgement.checked.result != RESULT_UNSET);
        spf_trial_end(&trial);
    }
    dns_source_free(&source);
}

/* The seed as a sender: local part and domain are strangers' bytes. */
static void judge_as_sender(struct span text)
{
    struct dns_source *source =
        spf_zone("a.example TXT \"v=spf1 exists:%{l1r-}.%{L}.x.example ?exists:%{s} -all\"\n");
    struct buffer sender;
    struct spf_trial trial;
    buffer_init(&sender, 4096);
    buffer_append(&sender, text);
    buffer_append_string(&sender, "@a.example");
    spf_trial_run(&trial, spf_request_of("192.0.2.1", SPAN("one"), buffer_span(&sender)), source);
    cr_expect(trial.judgement.checked.result == RESULT_FAIL ||
              trial.judgement.checked.result == RESULT_PERMERROR);
    spf_trial_end(&trial);
    buffer_reset(&sender);
    buffer_append_string(&sender, "joe@");
    buffer_append(&sender, text);
    spf_trial_run(&trial, spf_request_of("192.0.2.1", SPAN("one"), buffer_span(&sender)), source);
    cr_expect(trial.judgement.checked.result == RESULT_NONE);
    spf_trial_end(&trial);
    buffer_fini(&sender);
    dns_source_free(&source);
}

Test(spf_seeds, blitiri)
{
    static char folder[4096];
    static char path[8192];
    size_t seeds = 0;
    snprintf(folder, sizeof folder, "%s", corpora_require("spf/blitiri/fuzz-seeds"));
    DIR *entries = opendir(folder);
    cr_assert(entries != NULL);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct span text = seed_text(file_read(path));
        parse_all_prefixes(text);
        judge_seed(text);
        judge_as_sender(text);
        /* Many seeds end in LF, which is a syntax error; look at what stands before it, too. */
        if (text.n && text.p[text.n - 1] == '\n')
            judge_seed(span_slice(text, 0, text.n - 1));
        seeds++;
    }
    closedir(entries);
    cr_expect(seeds == 240, "got %zu seeds", seeds);
    suite_report("blitiri-seeds", seeds, seeds, 0);
}
