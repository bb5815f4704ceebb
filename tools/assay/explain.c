/*
 * assay explain: reads the message, guesses what the envelope was where nobody says it, has the
 * engine judge it, and puts the document of explain.h together.
 *
 * The envelope that is guessed makes a guessed verdict, and the document says so: Return-Path and
 * Received are what the last host has written, if it was a host of the reader's and not a stranger.
 */
#include "explain.h"

#include <stdarg.h>
#include <stdlib.h>

#include "explain_parts.h"
#include "output_file.h"
#include "profile.h"
#include "verdict/json.h"

enum
{
    PAGE_BYTES_MAX = 16 * 1024 * 1024,
    PROFILE_ARENA_BYTES = 1024 * 1024,
};

/* --- small helpers of all parts --- */

void explain_set(struct explaining *e, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value ? value : json_null()) != 0)
        e->failed = true;
}

void explain_append(struct explaining *e, json_t *array, json_t *value)
{
    if (!value || json_array_append_new(array, value) != 0)
        e->failed = true;
}

json_t *explain_word(const char *word)
{
    return word ? json_string(word) : json_null();
}

/* By way of the engine's writer, which makes valid UTF-8 of everything; NUL becomes U+FFFD too,
 * since many readers of JSON refuse it. */
static json_t *clean(struct explaining *e, struct span text)
{
    struct buffer out;
    struct jsonw writer;
    if (text.n && memchr(text.p, 0, text.n)) {
        text = arena_copy(&e->arena, text);
        for (uint8_t *p = (uint8_t *)(uintptr_t)text.p; p && p < text.p + text.n; p++)
            *p = *p ? *p : 0xff;
    }
    buffer_init(&out, 8 * text.n + 16);
    jsonw_begin(&writer, &out);
    jsonw_span(&writer, NULL, text);
    json_t *json = NULL;
    if (!out.failed)
        json = json_loadb((const char *)out.p, out.n, JSON_DECODE_ANY, NULL);
    buffer_fini(&out);
    e->failed = e->failed || !json;
    return json;
}

json_t *explain_text_json(struct explaining *e, struct span text)
{
    if (text.n == 0)
        return json_null();
    return clean(e, span_slice(text, 0, text.n < EXPLAIN_TEXT_MAX ? text.n : EXPLAIN_TEXT_MAX));
}

json_t *explain_field_json(struct explaining *e, struct span value)
{
    uint8_t text[EXPLAIN_TEXT_MAX];
    size_t n = 0;
    value = taglist_trim(value);
    for (size_t i = 0; i < value.n && n < sizeof text; i++) {
        bool fold = value.p[i] == '\r' || value.p[i] == '\n' || value.p[i] == '\t';
        uint8_t c = fold ? ' ' : value.p[i];
        if (c != ' ' || n == 0 || text[n - 1] != ' ')
            text[n++] = c;
    }
    return explain_text_json(e, span_of(text, n));
}

void explain_sentence(struct explaining *e, json_t *object, const char *key, const char *format,
                      ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    e->failed = e->failed || n < 0;
    explain_set(e, object, key, n < 0 ? NULL : clean(e, span_of(text, (size_t)n)));
    if (n >= 0)
        free(text);
}

const json_t *explain_member(const json_t *object, const char *path)
{
    while (object && *path) {
        char key[64];
        size_t n = strcspn(path, ".");
        if (n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        object = json_object_get(object, key);
        path += path[n] ? n + 1 : n;
    }
    return object;
}

const char *explain_at(const json_t *object, const char *path)
{
    const char *text = json_string_value(explain_member(object, path));
    return text ? text : "";
}

/* --- the message --- */

static struct span value_of(const struct explaining *e, struct span name)
{
    const struct mail_field *field = mail_header_lowest(&e->reader.header, name);
    return field ? field->value : (struct span){NULL, 0};
}

void explain_message(struct explaining *e)
{
    json_t *message = json_object();
    explain_set(e, message, "from", explain_field_json(e, value_of(e, SPAN("From"))));
    explain_set(e, message, "to", explain_field_json(e, value_of(e, SPAN("To"))));
    explain_set(e, message, "subject", explain_field_json(e, value_of(e, SPAN("Subject"))));
    explain_set(e, message, "date", explain_field_json(e, value_of(e, SPAN("Date"))));
    explain_set(e, message, "message_id", explain_field_json(e, value_of(e, SPAN("Message-ID"))));
    explain_set(e, message, "fields", json_integer(e->reader.header.count));
    explain_set(e, message, "header_bytes", json_integer((json_int_t)(e->file.crlf.n - e->body.n)));
    explain_set(e, message, "body_bytes", json_integer((json_int_t)e->body.n));
    explain_set(e, e->document, "message", message);
}

static void read_header(struct explaining *e)
{
    struct span text = buffer_span(&e->file.crlf);
    mail_reader_init(&e->reader, &e->arena, &e->hits, &e->anomalies);
    size_t used = mail_reader_feed(&e->reader, text);
    if (!e->reader.done)
        mail_reader_end(&e->reader);
    e->body = span_skip(text, used);
}

static int judge(struct explaining *e)
{
    char error[ASSAY_ERROR_MAX] = "";
    struct assay_envelope envelope = {.size = sizeof envelope};
    explain_envelope(e, &envelope);
    e->message = assay_message_begin(e->engine, &envelope, error);
    if (!e->message) {
        complain("%s: %s", e->file.name, error);
        return STATUS_USAGE;
    }
    assay_message_set_file(e->message, span_from_string(e->path));
    struct span text = buffer_span(&e->file.crlf);
    enum assay_status fed = assay_message_feed(e->message, text.p, text.n);
    (void)fed; /* too large shows again at the end */
    enum assay_status status = assay_message_end(e->message);
    if (status == ASSAY_NO_MESSAGE) {
        complain("%s: this is no message: it has not one header field", e->file.name);
        return STATUS_BAD_INPUT;
    }
    return status == ASSAY_NO_MEMORY ? STATUS_SOFTWARE : STATUS_OK;
}

static json_t *verdict_of(struct explaining *e)
{
    const char *text = assay_message_json(e->message);
    json_t *verdict = text ? json_loads(text, JSON_ALLOW_NUL, NULL) : NULL;
    e->failed = e->failed || !verdict;
    return verdict;
}

static void put_together(struct explaining *e)
{
    explain_message(e);
    json_t *verdict = verdict_of(e);
    explain_set(e, e->document, "summary", NULL); /* its place; the lights know the words */
    explain_set(e, e->document, "verdict", verdict);
    explain_lights(e);
    explain_hops(e);
    explain_results(e);
    explain_signatures(e);
    explain_advice(e);
    explain_profile(e);
    explain_story(e);
}

static int write_page(const struct explaining *e)
{
    struct buffer page;
    buffer_init(&page, PAGE_BYTES_MAX);
    explain_html(e->document, &page);
    int status = page.failed
                     ? STATUS_SOFTWARE
                     : output_file_write(e->options->html, buffer_span(&page), false, true);
    buffer_fini(&page);
    return status;
}

static int print_document(const struct explaining *e)
{
    int status = e->options->html ? write_page(e) : STATUS_OK;
    if (status || (e->options->html && !e->options->json && !e->options->story))
        return status;
    if (e->options->story && !e->options->json) {
        explain_print_story(e->document, stdout);
        return STATUS_OK;
    }
    if (!e->options->json) {
        explain_print(e->document, stdout);
        return STATUS_OK;
    }
    char *text = json_dumps(e->document, JSON_COMPACT);
    if (!text)
        return STATUS_SOFTWARE;
    puts(text);
    free(text);
    return STATUS_OK;
}

static int explain(struct explaining *e, const char *path, struct reachability *reachability)
{
    int status = mail_file_read(path, &e->file);
    if (status)
        return status;
    e->document = json_object();
    explain_set(e, e->document, "v", json_integer(1));
    explain_set(e, e->document, "file", explain_text_json(e, span_from_string(path)));
    explain_set(e, e->document, "assay", json_string(assay_version()));
    read_header(e);
    explain_hops_read(e);
    status = judge(e);
    if (status)
        return status;
    reachability_count(reachability, &assay_message_internal(e->message)->answers);
    put_together(e);
    if (!e->failed)
        status = print_document(e);
    if (e->failed || status == STATUS_SOFTWARE)
        complain("%s: no memory to explain it", e->file.name);
    return e->failed ? STATUS_SOFTWARE : status;
}

static int explain_file(struct assay_engine *engine, const struct options *options,
                        const struct profile *profile, const char *path,
                        struct reachability *reachability)
{
    struct explaining *e = calloc(1, sizeof *e);
    if (!e) {
        complain("%s: no memory", path);
        return STATUS_SOFTWARE;
    }
    e->options = options;
    e->profile = profile;
    e->engine = engine;
    e->path = path;
    arena_init(&e->arena, 8 * (size_t)MAX_ARENA_BYTES);
    int status = explain(e, path, reachability);
    json_decref(e->document);
    assay_message_free(&e->message);
    mail_file_free(&e->file);
    arena_fini(&e->arena);
    free(e);
    return status;
}

static int explain_files(const struct options *options, const struct profile *profile)
{
    int status = STATUS_OK;
    char dash[] = "-";
    char *standard_input[] = {dash};
    struct assay_engine *engine = options_open_engine(options, &status);
    if (!engine)
        return status;
    bool none = options->operand_count == 0;
    char **files = none ? standard_input : options->operands;
    int count = none ? 1 : options->operand_count;
    struct reachability reachability = {0};
    for (int i = 0; i < count; i++) {
        int one = explain_file(engine, options, profile, files[i], &reachability);
        status = one ? one : status;
    }
    if (!status)
        status = reachability_status(&reachability, options);
    assay_engine_close(&engine);
    return status;
}

int command_explain(const struct options *options)
{
    struct arena arena;
    struct profile *profile = NULL;
    int status = STATUS_OK;
    arena_init(&arena, PROFILE_ARENA_BYTES);
    if (options->profile) {
        profile = ARENA_NEW(&arena, struct profile);
        status = profile ? profile_open(options->profile, &arena, profile) : STATUS_SOFTWARE;
    }
    if (!status)
        status = explain_files(options, profile);
    arena_fini(&arena);
    return status;
}
