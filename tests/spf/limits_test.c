/* Every limit of an evaluation one below, at and one above it; security.md E01 to E04, E14, F09. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/buffer.h"
#include "harness.h"

static struct buffer zone;

static void zone_begin(void)
{
    buffer_init(&zone, 4 * 1024 * 1024);
}

static struct dns_source *zone_end(void)
{
    buffer_append_byte(&zone, '\0');
    cr_assert(!zone.failed);
    struct dns_source *source = spf_zone((const char *)zone.p);
    buffer_fini(&zone);
    return source;
}

struct want
{
    enum result result;
    const char *reason;
    enum limit limit; /* counted once where the reason is its word; LIMIT_COUNT: none */
};

static void expect(const struct want *want, struct dns_source *source, const char *ip,
                   const char *what, uint32_t n)
{
    struct spf_trial trial;
    spf_trial_run(&trial, spf_request_text(ip, "one", "joe@a.example"), source);
    const struct spf_check *check = &trial.judgement.checked;
    const char *reason = check->reason ? check->reason : "";
    cr_expect(check->result == want->result && strcmp(reason, want->reason) == 0,
              "%s, %u: got %s (%s), want %s (%s)", what, n, result_word(check->result), reason,
              result_word(want->result), want->reason);
    bool hit = want->limit != LIMIT_COUNT && strcmp(want->reason, limit_word(want->limit)) == 0;
    cr_expect(!hit || trial.hits.n[want->limit] == 1, "%s, %u: %u hits", what, n,
              trial.hits.n[want->limit]);
    cr_expect(check->lookups <= MAX_SPF_LOOKUPS);
    spf_trial_end(&trial);
}

static const struct want pass = {RESULT_PASS, "", LIMIT_COUNT};
static const struct want neutral = {RESULT_NEUTRAL, "no_match", LIMIT_COUNT};
static const struct want too_many_lookups = {RESULT_PERMERROR, "too_many_lookups",
                                             LIMIT_SPF_LOOKUPS};
static const struct want too_many_voids = {RESULT_PERMERROR, "too_many_void_lookups",
                                           LIMIT_SPF_VOID_LOOKUPS};

static const char *const counted_terms[] = {
    "a:h.example", "mx:h.example", "exists:h.example", "ptr:h.example", "include:i.example",
};

/* E01, SP-24: 9, 10 and 11 terms that ask, of each kind; "all", "ip4", "exp" are free. */
Test(spf_limits, E01_terms)
{
    for (size_t kind = 0; kind < COUNT_OF(counted_terms); kind++) {
        for (uint32_t n = MAX_SPF_LOOKUPS - 1; n <= MAX_SPF_LOOKUPS + 1; n++) {
            zone_begin();
            buffer_append_string(&zone, "a.example TXT \"v=spf1 ip4:203.0.113.1 exp=%{l}.example");
            for (uint32_t i = 0; i < n; i++)
                buffer_printf(&zone, " -%s", i % 2 ? "a:h.example" : counted_terms[kind]);
            buffer_append_string(&zone, " all\"\n"
                                        "h.example A 203.0.113.1\nh.example MX 1 h.example\n"
                                        "h.example A 203.0.113.2\n"
                                        "i.example TXT \"v=spf1 ?all\"\n"
                                        "1.2.0.192.in-addr.arpa PTR x.h.example\n"
                                        "x.h.example A 203.0.113.1\n");
            /* exists matches at once, whatever follows: -exists is a fail at the first term */
            struct dns_source *source = zone_end();
            static const struct want fail = {RESULT_FAIL, "", LIMIT_COUNT};
            const struct want *want = kind == 2             ? &fail
                                      : n > MAX_SPF_LOOKUPS ? &too_many_lookups
                                                            : &pass;
            expect(want, source, "192.0.2.1", counted_terms[kind], n);
            dns_source_free(&source);
        }
    }
}

/* E01: terms of included records count together: a, an include of 8, then mx at 10 and 11. */
Test(spf_limits, E01_terms_are_counted_through_includes)
{
    static const char *const ends[] = {"", " mx:h.example", " mx:h.example a:h.example"};
    static const struct want *const wants[] = {&pass, &too_many_lookups, &too_many_lookups};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        zone_begin();
        buffer_printf(&zone,
                      "a.example TXT \"v=spf1 -a:h.example include:i.example%s all\"\n"
                      "i.example TXT \"v=spf1 -a:h.example -a:h.example -a:h.example "
                      "-a:h.example -a:h.example -a:h.example -a:h.example -a:h.example\"\n"
                      "h.example A 203.0.113.1\nh.example MX 1 h.example\n",
                      ends[i]);
        struct dns_source *source = zone_end();
        expect(wants[i], source, "192.0.2.1", ends[i], (uint32_t)i);
        dns_source_free(&source);
    }
}

/* A chain of `n` includes or redirects, the last record passes. */
static struct dns_source *chain(uint32_t n, const char *term)
{
    zone_begin();
    buffer_printf(&zone, "a.example TXT \"v=spf1 %sd1.example\"\n", term);
    for (uint32_t i = 1; i < n; i++)
        buffer_printf(&zone, "d%u.example TXT \"v=spf1 %sd%u.example\"\n", i, term, i + 1);
    buffer_printf(&zone, "d%u.example TXT \"v=spf1 all\"\n", n);
    return zone_end();
}

/* E04: depth 9, 10, 11. The eleventh descent is the eleventh term, so that limit speaks first. */
Test(spf_limits, E04_depth)
{
    static const char *const terms[] = {"include:", "redirect="};
    for (size_t kind = 0; kind < COUNT_OF(terms); kind++) {
        for (uint32_t n = MAX_SPF_DEPTH - 1; n <= MAX_SPF_DEPTH + 1; n++) {
            struct dns_source *source = chain(n, terms[kind]);
            expect(n > MAX_SPF_DEPTH ? &too_many_lookups : &pass, source, "192.0.2.1", terms[kind],
                   n);
            dns_source_free(&source);
        }
    }
}

static const char *const loops[] = {
    "a.example TXT \"v=spf1 redirect=a.example\"\n",
    "a.example TXT \"v=spf1 include:a.example all\"\n",
    "a.example TXT \"v=spf1 include:b.example all\"\nb.example TXT \"v=spf1 include:a.example\"\n",
    "a.example TXT \"v=spf1 include:b.example all\"\nb.example TXT \"v=spf1 redirect=a.example\"\n",
    "a.example TXT \"v=spf1 include:%{d} all\"\n",
};

/* E04, SP-27: loops end, and never as "no match" before an "all" (E14). */
Test(spf_limits, E04_loops)
{
    for (size_t i = 0; i < COUNT_OF(loops); i++) {
        struct dns_source *source = spf_zone(loops[i]);
        expect(&too_many_lookups, source, "192.0.2.1", loops[i], 0);
        dns_source_free(&source);
    }
}

static const char *const void_terms[] = {
    "a:nx%u.example",    "a:empty.example",     "mx:nx%u.example",
    "mx:deadmx.example", "exists:nx%u.example",
};

/* E02, SP-25: 1, 2 and 3 void terms; NXDOMAIN and empty answers alike. */
Test(spf_limits, E02_void_lookups)
{
    for (size_t kind = 0; kind < COUNT_OF(void_terms); kind++) {
        for (uint32_t n = MAX_SPF_VOID_LOOKUPS - 1; n <= MAX_SPF_VOID_LOOKUPS + 1; n++) {
            zone_begin();
            buffer_append_string(&zone, "a.example TXT \"v=spf1 exp=nx.example");
            for (uint32_t i = 0; i < n; i++) {
                buffer_append_string(&zone, " -");
                for (const char *p = void_terms[kind]; *p; p++) {
                    if (*p == '%')
                        buffer_printf(&zone, "%u", i), p++;
                    else
                        buffer_append_byte(&zone, (uint8_t)*p);
                }
            }
            buffer_append_string(&zone, " all\"\nempty.example AAAA 2001:db8::1\n"
                                        "deadmx.example MX 1 m1.nx.example\n"
                                        "deadmx.example MX 2 m2.nx.example\n"
                                        "deadmx.example MX 3 m3.nx.example\n");
            struct dns_source *source = zone_end();
            expect(n > MAX_SPF_VOID_LOOKUPS ? &too_many_voids : &pass, source, "192.0.2.1",
                   void_terms[kind], n);
            dns_source_free(&source);
        }
    }
}

/* Void terms are counted, not hosts: three IPv4-only mail servers are one for an IPv6 client. */
Test(spf_limits, E02_hosts_of_an_mx_are_one_term)
{
    struct dns_source *source =
        spf_zone("a.example TXT \"v=spf1 mx a:h1.example ip6:2001:db8::/32 -all\"\n"
                 "a.example MX 1 h1.example\na.example MX 2 h2.example\na.example MX 3 h3.example\n"
                 "h1.example A 192.0.2.1\nh2.example A 192.0.2.2\nh3.example A 192.0.2.3\n");
    struct spf_trial trial;
    spf_trial_run(&trial, spf_request_text("2001:db8::9", "one", "joe@a.example"), source);
    cr_expect(trial.judgement.checked.result == RESULT_PASS);
    cr_expect(trial.judgement.checked.voids == 2, "got %u", trial.judgement.checked.voids);
    spf_trial_end(&trial);
    dns_source_free(&source);
}

/* The void limit is the caller's: 0, 1 and more. */
Test(spf_limits, void_limit_is_configurable)
{
    struct dns_source *source =
        spf_zone("a.example TXT \"v=spf1 a:nx1.example a:nx2.example all\"\n");
    for (uint32_t limit = 0; limit <= 3; limit++) {
        struct spf_request request = *spf_request_text("192.0.2.1", "one", "joe@a.example");
        struct spf_trial trial;
        request.void_limit = limit;
        spf_trial_run(&trial, &request, source);
        cr_expect(trial.judgement.checked.result == (limit < 2 ? RESULT_PERMERROR : RESULT_PASS),
                  "limit %u", limit);
        spf_trial_end(&trial);
    }
    dns_source_free(&source);
}

/* E03, SP-20: 9, 10 and 11 MX names; the addresses of all are asked for together, in one family. */
Test(spf_limits, E03_mx_names)
{
    static const struct want too_many = {RESULT_PERMERROR, "too_many_mx_names", LIMIT_SPF_MX_NAMES};
    static const uint32_t counts[] = {MAX_SPF_MX_NAMES - 1, MAX_SPF_MX_NAMES, MAX_SPF_MX_NAMES + 1,
                                      50, 1000};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        uint32_t n = counts[i];
        zone_begin();
        buffer_append_string(&zone, "a.example TXT \"v=spf1 mx -all\"\n");
        for (uint32_t host = 1; host <= n; host++)
            buffer_printf(&zone, "a.example MX %u m%u.example\nm%u.example A 192.0.2.%u\n", host,
                          host, host, host % 250 + 1);
        struct dns_source *source = zone_end();
        char last[32];
        snprintf(last, sizeof last, "192.0.2.%u", n % 250 + 1);
        expect(n > MAX_SPF_MX_NAMES ? &too_many : &pass, source, last, "mx", n);

        struct spf_trial trial;
        spf_trial_run(&trial, spf_request_text(last, "one", "joe@a.example"), source);
        uint32_t questions = n > MAX_SPF_MX_NAMES ? 2 : 2 + n;
        cr_expect(trial.answers.count == questions, "%u names: %u questions", n,
                  trial.answers.count);
        cr_expect(trial.rounds <= 3);
        spf_trial_end(&trial);
        dns_source_free(&source);
    }
}

/* E03, SP-21: the tenth PTR name counts, the eleventh is ignored; never an error. */
Test(spf_limits, E03_ptr_names)
{
    for (uint32_t place = MAX_SPF_PTR_NAMES - 1; place <= MAX_SPF_PTR_NAMES + 1; place++) {
        zone_begin();
        buffer_append_string(&zone, "a.example TXT \"v=spf1 ptr\"\nh.a.example A 192.0.2.1\n");
        for (uint32_t i = 1; i <= 1000; i++) {
            if (i == place)
                buffer_append_string(&zone, "1.2.0.192.in-addr.arpa PTR h.a.example\n");
            else
                buffer_printf(&zone, "1.2.0.192.in-addr.arpa PTR p%u.example\n", i);
        }
        struct dns_source *source = zone_end();
        expect(place > MAX_SPF_PTR_NAMES ? &neutral : &pass, source, "192.0.2.1", "ptr", place);

        struct spf_trial trial;
        spf_trial_run(&trial, spf_request_text("192.0.2.1", "one", "joe@a.example"), source);
        cr_expect(trial.hits.n[LIMIT_SPF_PTR_NAMES] == 1);
        cr_expect(trial.answers.count <= 3, "only names below the target: %u questions",
                  trial.answers.count);
        spf_trial_end(&trial);
        dns_source_free(&source);
    }
}

/* %{p} has the same bound, and is no term (13.27). */
Test(spf_limits, E03_ptr_names_of_the_p_macro)
{
    zone_begin();
    buffer_append_string(&zone, "a.example TXT \"v=spf1 exists:%{p}.y.example\"\n"
                                "unknown.y.example A 127.0.0.2\n");
    for (uint32_t i = 1; i <= 60; i++)
        buffer_printf(&zone, "1.2.0.192.in-addr.arpa PTR p%u.example\n", i);
    buffer_append_string(&zone, "p11.example A 192.0.2.1\n");
    struct dns_source *source = zone_end();
    struct spf_trial trial;
    spf_trial_run(&trial, spf_request_text("192.0.2.1", "one", "joe@a.example"), source);
    cr_expect(trial.judgement.checked.result == RESULT_PASS);
    cr_expect(trial.judgement.checked.lookups == 1 && trial.judgement.checked.voids == 0);
    cr_expect(trial.answers.count == 13, "TXT, PTR, 10 names, exists: got %u", trial.answers.count);
    spf_trial_end(&trial);
    dns_source_free(&source);
}

struct ending_case
{
    const char *name, *zone;
    enum result result;
    const char *reason;
};

/* Each limit or error stands inside an include before "-all" and "?all": neither may speak. */
static const struct ending_case ending_cases[] = {
    {"terms",
     "b.example TXT \"v=spf1 a:h.x a:h.x a:h.x a:h.x a:h.x a:h.x a:h.x a:h.x a:h.x a:h.x\"\n"
     "h.x A 203.0.113.1\n",
     RESULT_PERMERROR, "too_many_lookups"},
    {"voids", "b.example TXT \"v=spf1 a:n1.x a:n2.x a:n3.x\"\n", RESULT_PERMERROR,
     "too_many_void_lookups"},
    {"loop", "b.example TXT \"v=spf1 include:b.example\"\n", RESULT_PERMERROR, "too_many_lookups"},
    {"syntax", "b.example TXT \"v=spf1 foo\"\n", RESULT_PERMERROR, "unknown_mechanism"},
    {"records", "b.example TXT \"v=spf1\"\nb.example TXT \"v=spf1\"\n", RESULT_PERMERROR,
     "multiple_records"},
    {"none", "b.example TXT \"v=spf2\"\n", RESULT_PERMERROR, "include_no_record"},
    {"txt timeout", "b.example TXT !timeout\n", RESULT_TEMPERROR, "dns_timeout"},
    {"txt refused", "b.example TXT !refused\n", RESULT_TEMPERROR, "dns_refused"},
    {"a servfail", "b.example TXT \"v=spf1 a\"\nb.example A !servfail\n", RESULT_TEMPERROR,
     "dns_servfail"},
    {"mx servfail", "b.example TXT \"v=spf1 mx\"\nb.example MX !servfail\n", RESULT_TEMPERROR,
     "dns_servfail"},
    {"mx host timeout", "b.example TXT \"v=spf1 mx\"\nb.example MX 1 h.x\nh.x A !timeout\n",
     RESULT_TEMPERROR, "dns_timeout"},
    {"exists refused", "b.example TXT \"v=spf1 exists:h.x\"\nh.x A !refused\n", RESULT_TEMPERROR,
     "dns_refused"},
};

Test(spf_limits, E14_limits_and_errors_end_the_evaluation)
{
    static const char *const ends[] = {"-all", "?all", "+all"};
    for (size_t i = 0; i < COUNT_OF(ending_cases); i++) {
        for (size_t end = 0; end < COUNT_OF(ends); end++) {
            const struct ending_case *c = &ending_cases[i];
            zone_begin();
            buffer_printf(&zone, "a.example TXT \"v=spf1 include:b.example %s\"\n", ends[end]);
            buffer_append_string(&zone, c->zone);
            struct dns_source *source = zone_end();
            expect(&(struct want){c->result, c->reason, LIMIT_COUNT}, source, "192.0.2.1", c->name,
                   (uint32_t)end);
            dns_source_free(&source);
        }
    }
}

/* E08: a record over MAX_SPF_RECORD_BYTES, in one TXT record of many strings. */
Test(spf_limits, E08_record_bytes)
{
    static const struct want too_long = {RESULT_PERMERROR, "spf_record_too_long",
                                         LIMIT_SPF_RECORD_BYTES};
    for (uint32_t n = MAX_SPF_RECORD_BYTES - 1; n <= MAX_SPF_RECORD_BYTES + 1; n++) {
        zone_begin();
        buffer_append_string(&zone, "a.example TXT \"v=spf1 all");
        for (uint32_t i = 10; i < n; i++) {
            if (i % 250 == 0)
                buffer_append_string(&zone, "\" \"");
            buffer_append_byte(&zone, ' ');
        }
        buffer_append_string(&zone, "\"\n");
        struct dns_source *source = zone_end();
        expect(n > MAX_SPF_RECORD_BYTES ? &too_long : &pass, source, "192.0.2.1", "bytes", n);
        dns_source_free(&source);
    }
}

/* F09: of a cut answer, what was left out might be a second record or a matching address. */
Test(spf_limits, F09_cut_answers)
{
    static const struct want cut = {RESULT_PERMERROR, "dns_answer_too_large", LIMIT_COUNT};
    for (uint32_t n = MAX_DNS_RECORDS - 1; n <= MAX_DNS_RECORDS + 1; n++) {
        zone_begin();
        buffer_append_string(&zone, "a.example TXT \"v=spf1 a:h.example -all\"\n"
                                    "h.example A 192.0.2.1\n");
        for (uint32_t i = 1; i < n; i++)
            buffer_printf(&zone, "a.example TXT \"text %u\"\n", i);
        struct dns_source *source = zone_end();
        expect(n > MAX_DNS_RECORDS ? &cut : &pass, source, "192.0.2.1", "texts", n);
        dns_source_free(&source);

        static const struct want fail = {RESULT_FAIL, "", LIMIT_COUNT};
        zone_begin();
        buffer_append_string(&zone, "a.example TXT \"v=spf1 a:h.example -all\"\n");
        for (uint32_t i = 1; i <= n; i++)
            buffer_printf(&zone, "h.example A 192.0.2.%u\n", i);
        source = zone_end();
        expect(&pass, source, "192.0.2.1", "addresses", n);
        expect(n > MAX_DNS_RECORDS ? &cut : &fail, source, "203.0.113.1", "addresses", n);
        dns_source_free(&source);
    }
}

/* F07: a record behind 7, 8 and 9 CNAMEs; a chain that ends nowhere; all for the asked name. */
Test(spf_limits, F07_cnames)
{
    static const struct want too_long = {RESULT_TEMPERROR, "cname_chain_too_long",
                                         LIMIT_DNS_CNAMES};
    static const struct want none = {RESULT_NONE, "no_such_domain", LIMIT_COUNT};
    for (uint32_t n = MAX_DNS_CNAMES - 1; n <= MAX_DNS_CNAMES + 1; n++) {
        for (int ends = 0; ends <= 1; ends++) {
            zone_begin();
            buffer_append_string(&zone, "a.example CNAME c1.example\n");
            for (uint32_t i = 1; i < n; i++)
                buffer_printf(&zone, "c%u.example CNAME c%u.example\n", i, i + 1);
            if (ends)
                buffer_printf(&zone, "c%u.example TXT \"v=spf1 exists:%%{d}.y -all\"\n", n);
            buffer_append_string(&zone, "a.example.y A 127.0.0.2\n");
            struct dns_source *source = zone_end();
            expect(n > MAX_DNS_CNAMES ? &too_long
                   : ends             ? &pass
                                      : &none,
                   source, "192.0.2.1", "links", n);
            dns_source_free(&source);
        }
    }
}

/* E07: a record with ten MX names in each of ten terms runs out of questions: temperror (E14). */
Test(spf_limits, questions_of_a_message)
{
    static const struct want want = {RESULT_TEMPERROR, "too_many_questions", LIMIT_DNS_QUESTIONS};
    zone_begin();
    buffer_append_string(&zone, "a.example TXT \"v=spf1");
    for (uint32_t i = 0; i < 10; i++)
        buffer_printf(&zone, " mx:m%u.example", i);
    buffer_append_string(&zone, " +all\"\n");
    for (uint32_t i = 0; i < 100; i++)
        buffer_printf(&zone, "m%u.example MX 1 h%u.example\nh%u.example A 203.0.113.1\n", i / 10, i,
                      i);
    struct dns_source *source = zone_end();
    expect(&want, source, "192.0.2.1", "questions", 0);
    dns_source_free(&source);
}

/* The HELO check has its own budget, and MAIL FROM its whole own counts. */
Test(spf_limits, helo_does_not_eat_what_mail_from_needs)
{
    for (uint32_t extra = 0; extra < 3; extra++) {
        zone_begin();
        /* HELO: its record, the MX question, then as many hosts as fit: 19, 20, 21 questions. */
        uint32_t second = MAX_SPF_HELO_QUESTIONS - 14 + extra;
        buffer_append_string(&zone,
                             "helo.example TXT \"v=spf1 mx:m0.example mx:m1.example all\"\n");
        for (uint32_t i = 0; i < 10 + second; i++)
            buffer_printf(&zone, "m%u.example MX 1 h%u.example\nh%u.example A 203.0.113.1\n",
                          i / 10, i, i);
        buffer_append_string(&zone, "a.example TXT \"v=spf1");
        for (uint32_t i = 0; i < 10; i++)
            buffer_printf(&zone, " a:a%u.example", i);
        buffer_append_string(&zone, "\"\na9.example A 192.0.2.1\n");
        for (uint32_t i = 0; i < 9; i++)
            buffer_printf(&zone, "a%u.example A 203.0.113.1\n", i);
        struct dns_source *source = zone_end();
        struct spf_trial trial;
        spf_trial_run(&trial, spf_request_text("192.0.2.1", "helo.example", "joe@a.example"),
                      source);
        uint32_t questions = 3 + 10 + second; /* TXT, two MX, hosts */
        bool over = questions > MAX_SPF_HELO_QUESTIONS;
        const struct spf_check *helo = &trial.judgement.helo;
        cr_expect(trial.judgement.checked.result == RESULT_PASS);
        cr_expect(trial.judgement.checked.lookups == 10);
        cr_expect(helo->result == (over ? RESULT_TEMPERROR : RESULT_PASS), "%u questions: %s (%s)",
                  questions, result_word(helo->result), helo->reason);
        cr_expect(trial.hits.n[LIMIT_SPF_HELO_QUESTIONS] == over, "%u hits",
                  trial.hits.n[LIMIT_SPF_HELO_QUESTIONS]);
        spf_trial_end(&trial);
        dns_source_free(&source);
    }
}

/* Without memory the result is temperror, whatever the record says (arena.h). */
Test(spf_limits, no_memory_is_temperror)
{
    struct dns_source *source = spf_zone("a.example TXT \"v=spf1 exists:%{s}.x.example +all\"\n");
    bool passed = false;
    for (size_t ceiling = 0; ceiling <= 65536; ceiling += 512) {
        struct arena arena;
        struct limit_hits hits = {.set = 0};
        struct dns_answers answers;
        struct spf_judgement judgement;
        const struct spf_request *request = spf_request_text("192.0.2.1", "one", "joe@a.example");
        arena_init(&arena, ceiling);
        dns_answers_init(&answers, &arena, &hits);
        while (spf_judge(request, &answers, &arena, &hits, &judgement) == JUDGE_WAITING)
            dns_source_resolve(source, &answers, INT64_MAX);
        passed = judgement.checked.result == RESULT_PASS;
        cr_expect(passed || judgement.checked.result == RESULT_TEMPERROR, "ceiling %zu: %s (%s)",
                  ceiling, result_word(judgement.checked.result), judgement.checked.reason);
        cr_expect(passed || strcmp(judgement.checked.reason, "no_memory") == 0);
        arena_fini(&arena);
    }
    cr_expect(passed);
    dns_source_free(&source);
}
