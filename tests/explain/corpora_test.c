/* The samples, and messages that other people collected because they broke something. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "support/corpora.h"
#include "support/tool.h"

enum
{
    AT_ONCE = 60, /* files a run of the tool */
};

/* What the samples were made to show (share/samples/samples.tsv). */
Test(samples, causes)
{
    static const struct
    {
        const char *file, *path, *want;
    } cases[] = {
        {"pass.eml", "lights.dkim.colour", "green"},
        {"none.eml", "lights.dkim.colour", "grey"},
        {"fail-subject.eml", "signatures.0.diagnosis.causes.0.cause", "subject_prefix"},
        {"fail-body.eml", "signatures.0.diagnosis.causes.0.cause", "body_changed"},
        {"fail-appended.eml", "signatures.0.diagnosis.causes.0.cause", "text_behind_length"},
        {"fail-revoked.eml", "signatures.0.diagnosis.key.state", "none"},
        {"fail-sha1.eml", "advice.0.word", "rsa_sha1"},
        {"fail-expired.eml", "signatures.0.reason", "expired"},
        {"list-arc.eml", "signatures.0.diagnosis.causes.0.cause", "footer_appended"},
        {"list-arc.eml", "signatures.0.diagnosis.causes.1.cause", "subject_prefix"},
        {"list-arc.eml", "lights.arc.colour", "green"},
        {"arc-broken.eml", "lights.arc.colour", "red"},
        {"forged-two-from.eml", "advice.0.word", "multi_from"},
        {"malformed-nul.eml", "lights.dmarc.colour", "red"},
        {"dns-timeout.eml", "lights.spf.colour", "grey"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "share/samples/%s", cases[i].file);
        struct outcome o = ASSAY("explain", "--json", "--dns", "share/samples/zone.txt", "--now",
                                 "1792972860", path);
        cr_assert(o.status == 0, "%s: %d %s", path, o.status, o.err);
        json_t *document = json_line(o.out, 0);
        const char *got = json_text(document, cases[i].path);
        cr_expect(got && strcmp(got, cases[i].want) == 0, "%s: %s: got %s want %s", cases[i].file,
                  cases[i].path, got ? got : "null", cases[i].want);
        json_decref(document);
        free(o.out);
        free(o.err);
    }
}

static struct outcome sample(const char *path)
{
    return ASSAY("explain", "--dns", "share/samples/zone.txt", "--now", "1792972860", path);
}

static size_t count_of(const char *text, const char *word)
{
    size_t n = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        n++;
    return n;
}

/* What the light says stands once more with the signature, and no third time. */
Test(samples, nothing_is_said_twice)
{
    struct outcome o = sample("share/samples/fail-body.eml");
    const char *signatures = strstr(o.out, "\nSignatures\n");
    cr_assert(signatures != NULL);
    cr_expect(count_of(signatures, "The body is not the one that was signed") == 1, "%s", o.out);
    o = sample("share/samples/fail-appended.eml");
    cr_expect(count_of(o.out, "sign without l=") == 1, "%s", o.out);
}

/* What people paste into header analyzers has no body: that is no change that somebody made. */
Test(samples, header_alone)
{
    static const char *const files[] = {"pass.eml", "fail-subject.eml"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "share/samples/%s", files[i]);
        struct span text = file_read(path);
        const uint8_t *end = memmem(text.p, text.n, "\r\n\r\n", 4);
        cr_assert(end != NULL, "%s", path);
        text.n = (size_t)(end - text.p) + 4;
        struct outcome o = ASSAY_INPUT(text, "explain", "--json", "--dns", "share/samples/zone.txt",
                                       "--now", "1792972860");
        cr_assert(o.status == 0, "%s: %s", path, o.err);
        const char *cause = json_text(json_line(o.out, 0), "signatures.0.diagnosis.causes.0.cause");
        cr_expect(cause && strcmp(cause, "body_missing") == 0, "%s: %s", path, cause);
    }
}

struct files
{
    char *names[2048];
    size_t count;
};

static void collect(const char *folder, int depth, struct files *files)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    while (directory && (entry = readdir(directory)) != NULL) {
        char *path = NULL;
        struct stat facts;
        if (entry->d_name[0] == '.')
            continue;
        cr_assert(asprintf(&path, "%s/%s", folder, entry->d_name) > 0);
        cr_assert(stat(path, &facts) == 0);
        if (S_ISDIR(facts.st_mode) && depth > 0)
            collect(path, depth - 1, files);
        if (S_ISREG(facts.st_mode) && files->count < 2048)
            files->names[files->count++] = strdup(path);
        free(path);
    }
    if (directory)
        closedir(directory);
}

/* Whatever it is: explained, or said to be no message; never a crash, JSON on every line. */
static void explain_some(char *const *names, size_t count, const char *form)
{
    const char *argv[AT_ONCE + 8] = {"explain", "--dns", "share/samples/zone.txt"};
    size_t n = 3;
    if (form)
        argv[n++] = form;
    for (size_t i = 0; i < count; i++)
        argv[n++] = names[i];
    struct outcome o = assay(SPAN(""), argv);
    cr_expect(o.status == 0 || o.status == 65, "%s ...: %d: %s", names[0], o.status, o.err);
    for (size_t i = 0; form && i < count_lines(o.out); i++)
        json_decref(json_line(o.out, i));
    free(o.out);
    free(o.err);
}

Test(corpora, malformed)
{
    static struct files files;
    collect(corpora_require("malformed"), 6, &files);
    cr_assert(files.count > 0);
    for (size_t i = 0; i < files.count; i += AT_ONCE) {
        size_t count = files.count - i < AT_ONCE ? files.count - i : AT_ONCE;
        explain_some(files.names + i, count, i % (4 * AT_ONCE) ? NULL : "--json");
    }
    suite_report("malformed", files.count, files.count, 0);
}
