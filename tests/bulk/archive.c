#include "archive.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_sample(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".eml") == 0;
}

const char *const *sample_names(void)
{
    static const char *names[SAMPLES + 1];
    struct dirent **found;
    if (names[0])
        return names;
    cr_assert(scandir("share/samples", &found, is_sample, alphasort) == SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++)
        names[i] = found[i]->d_name;
    return names;
}

struct span sample_bytes(size_t nth)
{
    static struct span samples[SAMPLES];
    char path[300];
    snprintf(path, sizeof path, "share/samples/%s", sample_names()[nth]);
    if (!samples[nth].p)
        samples[nth] = file_read(path);
    return samples[nth];
}

const char *archive_path(const char *name)
{
    char *path = NULL;
    cr_assert(asprintf(&path, "%s/%s", temporary_folder(), name) > 0);
    return path;
}

static void make_folders(char *path, bool last)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        cr_assert(mkdir(path, 0777) == 0 || errno == EEXIST);
        *slash = '/';
    }
    cr_assert(!last || mkdir(path, 0777) == 0 || errno == EEXIST);
}

const char *archive_folder(const char *name)
{
    const char *path = archive_path(name);
    make_folders((char *)(uintptr_t)path, true);
    return path;
}

const char *archive_file(const char *name, struct span bytes)
{
    const char *path = archive_path(name);
    make_folders((char *)(uintptr_t)path, false);
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(bytes.p, 1, bytes.n, file) == bytes.n && fclose(file) == 0, "%s",
              path);
    return path;
}

const char *archive_of_samples(const char *name)
{
    char file[300];
    for (size_t i = 0; i < SAMPLES; i++) {
        snprintf(file, sizeof file, "%s/%s", name, sample_names()[i]);
        archive_file(file, sample_bytes(i));
    }
    return archive_path(name);
}

const char *archive_repeated(const char *name, size_t count)
{
    const char *folder = archive_folder(name);
    char file[400], first[SAMPLES][400];
    for (size_t i = 0; i < count; i++) {
        const char *sample = sample_names()[i % SAMPLES];
        if (i >= SAMPLES) {
            snprintf(file, sizeof file, "%s/%05zu-%s", folder, i + 1, sample);
            cr_assert(link(first[i % SAMPLES], file) == 0);
            continue;
        }
        snprintf(file, sizeof file, "%s/%05zu-%s", name, i + 1, sample);
        snprintf(first[i], sizeof first[i], "%s", archive_file(file, sample_bytes(i)));
    }
    return folder;
}

void append_to_mbox(FILE *file, struct span message)
{
    struct span rest = message;
    fputs("From sender@a.example Mon Jan  5 10:00:00 2026\n", file);
    while (rest.n) {
        size_t end = span_find(rest, '\n');
        struct span line = span_slice(rest, 0, end < rest.n ? end + 1 : rest.n);
        size_t marks = 0;
        while (marks < line.n && line.p[marks] == '>')
            marks++;
        if (span_starts_fold(span_skip(line, marks), SPAN("From ")) && line.p[marks] == 'F')
            fputc('>', file);
        fwrite(line.p, 1, line.n, file);
        rest = span_skip(rest, line.n);
    }
    if (message.n && message.p[message.n - 1] != '\n')
        fputc('\n', file);
    fputc('\n', file);
}

const char *archive_mbox(const char *name, size_t count)
{
    const char *path = archive_file(name, SPAN(""));
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL);
    for (size_t i = 0; i < count; i++)
        append_to_mbox(file, sample_bytes(i % SAMPLES));
    cr_assert(fclose(file) == 0);
    return path;
}

void ledger_read(struct ledger *ledger, const char *lines)
{
    *ledger = (struct ledger){.verdicts = json_object(), .times = json_object()};
    for (const char *end; (end = strchr(lines, '\n')) != NULL; lines = end + 1) {
        json_error_t error;
        json_t *verdict = json_loadb(lines, (size_t)(end - lines), JSON_REJECT_DUPLICATES, &error);
        cr_assert(verdict != NULL, "%s: %.*s", error.text, (int)(end - lines), lines);
        const char *name = json_text(verdict, "file");
        cr_assert(name != NULL);
        json_int_t times = json_integer_value(json_object_get(ledger->times, name));
        json_object_set_new(ledger->times, name, json_integer(times + 1));
        json_object_set_new(ledger->verdicts, name, verdict);
        ledger->lines++;
    }
}

void ledger_free(struct ledger *ledger)
{
    json_decref(ledger->verdicts);
    json_decref(ledger->times);
}

size_t ledger_times(const struct ledger *ledger, const char *name)
{
    return (size_t)json_integer_value(json_object_get(ledger->times, name));
}

json_t *summary_of(const char *err)
{
    const char *last = strstr(err, "{\"summary\":");
    cr_assert(last != NULL, "no summary: %s", err);
    json_error_t error;
    json_t *object = json_loads(last, JSON_REJECT_DUPLICATES, &error);
    cr_assert(object != NULL, "%s: %s", error.text, last);
    return json_object_get(object, "summary");
}

json_int_t number_at(const json_t *object, const char *path)
{
    return json_integer_value(json_at(object, path));
}

char *text_of_file(const char *path)
{
    if (access(path, F_OK) != 0)
        return calloc(1, 1);
    return (char *)(uintptr_t)file_read(path).p;
}
