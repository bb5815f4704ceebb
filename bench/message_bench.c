/*
 * Whole messages, judged on one thread as a worker of the pool judges them (run/batch.h): DKIM,
 * SPF, DMARC and ARC, everything the DNS says in the cache.
 *
 *   message_bench                 all sets, timed
 *   message_bench SET COUNT [JUDGED|RESULTS|JSON]     COUNT messages once, for instruction counts:
 *
 *   valgrind --tool=callgrind --toggle-collect=judge_counted build/bench/message_bench 10k 320
 *   callgrind_annotate --inclusive=yes callgrind.out.PID
 *
 * Sets: 2k, 10k, 75k (one RSA-2048 signature, relaxed/relaxed, 15 header fields of 2.5 KB besides),
 * 10k_2sig (a second one of another domain), 10k_arc3 (one, and three ARC sets). 64 messages of 16
 * domains each. Every verdict is checked: SPF, DKIM, DMARC pass, ARC as the set has it.
 *
 * Under valgrind OpenSSL and assay find no AVX-512 and no SHA-NI: counts of hashing and of RSA are
 * those of other kernels, all others are what the processor does.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/mail_text.h"
#include "cache/tsan.h"
#include "engine.h"
#include "run/batch.h"
#include "sign/sign.h"

enum
{
    MESSAGES = 64,
    DOMAINS = 16,
    NOW = 1792972860,
    TEXT_MAX = 4 * 1024 * 1024,
};

static const struct set
{
    const char *name;
    size_t bytes;
    unsigned signatures, arc_sets;
} sets[] = {
    {"2k", 2048, 1, 0},
    {"10k", 10 * 1024, 1, 0},
    {"75k", 75 * 1024, 1, 0},
    {"10k_2sig", 10 * 1024, 2, 0},
    {"10k_arc3", 10 * 1024, 1, 3},
};

struct mail /* the messages of one set */
{
    const struct set *set;
    struct buffer texts[MESSAGES];
    char senders[MESSAGES][48];
    struct batch_item items[MESSAGES];
    size_t bytes;
    unsigned left; /* not yet judged, of those that are handed over at once */
};

/* What is asked of each verdict. */
static enum output { JUDGED, RESULTS, JSON } output;

static struct private_key *key;
static struct buffer written; /* Authentication-Results or JSON */

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "message_bench: %s\n", what);
    exit(1);
}

/* --- messages and their zone --- */

static void write_body(struct buffer *text, size_t bytes)
{
    static const char line[] =
        "<p style=\"color:#333\">The quick brown fox jumps over the lazy dog,  and so on.</p>\r\n";
    while (text->n < bytes)
        buffer_append_string(text, line);
}

/* What `fields` holds goes on top of the text. */
static void put_on_top(struct buffer *text, struct buffer *fields)
{
    buffer_append(fields, buffer_span(text));
    buffer_fini(text);
    *text = *fields;
    must(!text->failed, "no memory");
}

static struct sign_options signer(const char *domain)
{
    return (struct sign_options){
        .domain = span_from_string(domain),
        .selector = SPAN("s1"),
        .key = key,
        .header_canon = CANON_RELAXED,
        .body_canon = CANON_RELAXED,
        .t = NOW - 60,
    };
}

static void sign(struct buffer *text, const char *domain, unsigned arc_instance)
{
    struct arena arena;
    struct buffer fields;
    struct sign_message message;
    struct seal_options seal = {
        .sign = signer(domain),
        .cv = arc_instance > 1 ? SEAL_CV_PASS : SEAL_CV_NONE,
        .results = SPAN("relay.example; spf=pass smtp.mailfrom=d1.example; dkim=pass"),
    };
    arena_init(&arena, MAX_ARENA_BYTES);
    buffer_init(&fields, TEXT_MAX);
    const char *fault = sign_message_read(&message, buffer_span(text), &arena);
    seal.sign.names = SPAN("from:to:subject:date:message-id:mime-version:content-type");
    if (!fault && arc_instance)
        fault = sign_arc(&message, &seal, &fields);
    else if (!fault)
        fault = sign_dkim(&message, &seal.sign, &fields);
    must(!fault, fault);
    put_on_top(text, &fields);
    arena_fini(&arena);
}

static void make_message(struct mail *mail, unsigned number)
{
    unsigned domain = number % DOMAINS;
    struct buffer *text = &mail->texts[number];
    char name[48];
    buffer_init(text, TEXT_MAX);
    mail_text_header(text, domain, number);
    write_body(text, mail->set->bytes);
    for (unsigned i = 0; i < mail->set->signatures; i++) {
        snprintf(name, sizeof name, "%s%u.example", i ? "esp" : "d", domain);
        sign(text, name, 0);
    }
    for (unsigned i = 1; i <= mail->set->arc_sets; i++) {
        snprintf(name, sizeof name, "relay%u.example", i);
        sign(text, name, i);
    }
    snprintf(mail->senders[number], sizeof mail->senders[number], "sender@d%u.example", domain);
    mail->items[number] = (struct batch_item){
        .envelope = {.helo = SPAN("relay0.example"),
                     .mail_from = span_from_string(mail->senders[number]),
                     .now = NOW},
        .text = buffer_span(text),
        .context = mail,
    };
    must(ip_parse(SPAN("192.0.2.10"), &mail->items[number].envelope.client), "no address");
    mail->bytes += text->n;
}

static void write_key(struct buffer *zone, const char *prefix, unsigned i, const char *public)
{
    buffer_printf(zone, "s1._domainkey.%s%u.example 3600 TXT \"v=DKIM1; k=rsa; p=%.*s\" \"%s\"\n",
                  prefix, i, MAIL_TEXT_STRING, public, public + MAIL_TEXT_STRING);
}

static struct dns_source *make_zone(void)
{
    struct buffer zone;
    struct dns_error error = {""};
    char public[MAIL_TEXT_PUBLIC_MAX];
    buffer_init(&zone, TEXT_MAX);
    must(mail_text_public(key, public), "no public key");
    for (unsigned i = 0; i < DOMAINS; i++) {
        write_key(&zone, "d", i, public);
        write_key(&zone, "esp", i, public);
        write_key(&zone, "relay", i, public);
        buffer_printf(
            &zone,
            "d%u.example 3600 TXT \"v=spf1 mx include:_spf.d%u.example -all\"\n"
            "d%u.example 3600 MX 10 mx.d%u.example\nmx.d%u.example 3600 A 198.51.100.7\n"
            "_spf.d%u.example 3600 TXT \"v=spf1 ip4:203.0.113.0/24 ip4:192.0.2.0/24 ~all\"\n"
            "_dmarc.d%u.example 3600 TXT \"v=DMARC1; p=reject; "
            "rua=mailto:reports@d%u.example\"\n",
            i, i, i, i, i, i, i, i);
    }
    struct dns_source *source = dns_zone_parse(buffer_span(&zone), "zone", &error);
    must(source, error.text);
    buffer_fini(&zone);
    return source;
}

/* --- judging --- */

static void done(void *context, const struct message *message)
{
    struct mail *mail = context;
    must(message && message->spf.checked.result == RESULT_PASS &&
             engine_dkim_result(&message->dkim) == RESULT_PASS &&
             message->dkim.count == mail->set->signatures && message->dmarc.result == RESULT_PASS &&
             message->arc.result == (mail->set->arc_sets ? RESULT_PASS : RESULT_NONE),
         "a message did not pass");
    mail->left--;
    if (output == JUDGED)
        return;
    buffer_reset(&written);
    if (output == RESULTS)
        verdict_write_results(&message->verdict, &written);
    else
        verdict_write_json(&message->verdict, &written);
    must(written.n && !written.failed, "nothing was written");
}

struct judging
{
    struct batch *batch;
    struct mail *mail;
};

static void judge_some(const struct judging *judging, unsigned n)
{
    judging->mail->left = n;
    for (unsigned i = 0; i < n; i++)
        judging->mail->items[i].without_evidence = output != JSON;
    batch_judge(judging->batch, judging->mail->items, n, done);
    must(judging->mail->left == 0, "a message is missing");
}

static void judge_all(void *context)
{
    judge_some(context, MESSAGES);
}

static void judge_one(void *context)
{
    judge_some(context, 1);
}

/* Named on callgrind's command line. */
__attribute__((noinline)) static void judge_counted(const struct judging *judging,
                                                    unsigned long count)
{
    for (unsigned long n = 0; n < count; n += MESSAGES)
        judge_some(judging, count - n < MESSAGES ? (unsigned)(count - n) : MESSAGES);
}

static void make_mail(struct mail *mail, const struct set *set)
{
    *mail = (struct mail){.set = set};
    for (unsigned i = 0; i < MESSAGES; i++)
        make_message(mail, i);
}

static void free_mail(struct mail *mail)
{
    for (unsigned i = 0; i < MESSAGES; i++)
        buffer_fini(&mail->texts[i]);
}

static void time_set(struct judging *judging)
{
    static const char *const suffixes[] = {"", ", Authentication-Results", ", JSON"};
    const struct set *set = judging->mail->set;
    struct bench_work work = {MESSAGES, judging->mail->bytes};
    char name[64];
    for (output = JUDGED; output <= JSON; output++) {
        snprintf(name, sizeof name, "%s%s", set->name, suffixes[output]);
        bench_run(name, judge_all, judging, work);
    }
    output = JUDGED;
    snprintf(name, sizeof name, "%s, one at a time", set->name);
    bench_run(name, judge_one, judging, (struct bench_work){1, judging->mail->bytes / MESSAGES});
}

static const struct set *find_set(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(sets); i++)
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
    must(false, "no such set");
    return NULL;
}

static void run_set(struct batch *batch, const struct set *set, unsigned long count)
{
    static struct mail mail;
    struct judging judging = {batch, &mail};
    make_mail(&mail, set);
    judge_all(&judging); /* the cache has all answers then */
    uint64_t waited = batch_counts(batch).waited;
    if (count)
        judge_counted(&judging, count);
    else
        time_set(&judging);
    must(batch_counts(batch).waited == waited, "the cache was not warm");
    free_mail(&mail);
}

static enum output read_output(const char *word)
{
    static const char *const words[] = {"JUDGED", "RESULTS", "JSON"};
    for (unsigned i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i], word) == 0)
            return (enum output)i;
    must(false, "expected JUDGED, RESULTS or JSON");
    return JUDGED;
}

int main(int argc, char **argv)
{
    struct cache_config cache_config = cache_config_default();
    struct cache_error wrong = {""};
    struct message_options options = {.authserv_id = SPAN("mx.receiver.example"),
                                      .spf_void_limit = MAX_SPF_VOID_LOOKUPS};
    cache_thread_register();
    key = private_key_generate(KEY_RSA, 2048);
    must(key, "no key");
    buffer_init(&written, TEXT_MAX);
    struct cache *cache = cache_new(&cache_config, &wrong);
    must(cache, wrong.text);
    struct dns_source *source = make_zone();
    struct batch_config config = {.options = &options, .cache = cache, .source = source};
    struct batch *batch = batch_open(&config);
    must(batch, "no memory");
    if (argc < 3)
        bench_title("messages: whole judgement, one thread, warm cache");
    if (argc > 3)
        output = read_output(argv[3]);
    for (size_t i = 0; argc < 2 && i < COUNT_OF(sets); i++)
        run_set(batch, &sets[i], 0);
    if (argc > 1)
        run_set(batch, find_set(argv[1]), argc > 2 ? strtoul(argv[2], NULL, 10) : 0);
    batch_close(&batch);
    dns_source_free(&source);
    cache_free(&cache);
    private_key_free(&key);
    buffer_fini(&written);
    cache_thread_unregister();
    return 0;
}
