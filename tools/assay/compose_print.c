/* The record in the form that was asked for, what others have to publish, and notes. */
#include "output_file.h"
#include "compose.h"

static struct txt_record record_of(const struct compose *c)
{
    return (struct txt_record){c->name_text, c->ttl, buffer_span(&c->text), c->kind == COMPOSE_SPF};
}

static struct txt_record report_of(const struct compose *c, const struct compose_report *report)
{
    return (struct txt_record){report->name, c->ttl, SPAN(COMPOSE_REPORT_TEXT), false};
}

static void append_host(const struct compose_report *report, struct buffer *out)
{
    char text[DNS_NAME_TEXT_MAX];
    buffer_append_string(out, dns_name_text(&report->host, text));
}

static void append_report(const struct compose *c, const struct compose_report *report,
                          struct buffer *out)
{
    struct txt_record line = report_of(c, report);
    buffer_append_string(out, "; to be published by ");
    append_host(report, out);
    buffer_append_string(out, ", or receivers send no reports there (RFC 9990 4)\n");
    txt_record_zone(&line, out);
    buffer_append_byte(out, '\n');
}

/* In the forms that go straight into a zone there is no room for other people's records. */
static void note_reports(const struct compose *c)
{
    for (size_t i = 0; i < c->report_count; i++) {
        struct buffer line;
        struct txt_record report = report_of(c, &c->reports[i]);
        buffer_init(&line, TXT_RECORD_BYTES);
        append_host(&c->reports[i], &line);
        buffer_append_string(&line, " has to publish: ");
        txt_record_zone(&report, &line);
        if (!line.failed)
            complain("note: %.*s", (int)line.n, (const char *)line.p);
        buffer_fini(&line);
    }
}

static void append_lines(const struct compose *c, struct buffer *out)
{
    struct txt_record line = record_of(c);
    bool all = !c->format || strcmp(c->format, "all") == 0;
    txt_record_lines(&line, c->format, out);
    if (!all) {
        note_reports(c);
        return;
    }
    for (size_t i = 0; i < c->report_count; i++)
        append_report(c, &c->reports[i], out);
    if (c->kind == COMPOSE_SPF)
        buffer_printf(out,
                      "; a domain has one SPF record: an older one has to go\n"
                      "; DNS lookups: %u of 10, and those inside what --include and --redirect "
                      "name\n",
                      c->lookups);
}

static void append_json(const struct compose *c, struct buffer *out)
{
    struct jsonw json;
    struct txt_record line = record_of(c);
    jsonw_begin(&json, out);
    jsonw_object_open(&json, NULL);
    jsonw_int(&json, "v", 1);
    jsonw_string(&json, "kind", compose_kind_word(c->kind));
    jsonw_string(&json, "name", c->name_text);
    txt_record_json(&line, &json);
    if (c->kind == COMPOSE_SPF)
        jsonw_uint(&json, "lookups", c->lookups);
    jsonw_array_open(&json, "reports");
    for (size_t i = 0; i < c->report_count; i++) {
        struct txt_record report = report_of(c, &c->reports[i]);
        jsonw_object_open(&json, NULL);
        jsonw_name(&json, "host", &c->reports[i].host);
        jsonw_string(&json, "name", c->reports[i].name);
        txt_record_json(&report, &json);
        jsonw_object_close(&json);
    }
    jsonw_array_close(&json);
    jsonw_array_open(&json, "warnings");
    for (size_t i = 0; i < c->warning_count; i++)
        jsonw_string(&json, NULL, c->warnings[i]);
    jsonw_array_close(&json);
    jsonw_object_close(&json);
    buffer_append_byte(out, '\n');
}

int compose_print(const struct compose *c)
{
    struct buffer out;
    int status = STATUS_OK;
    buffer_init(&out, MAX_JSON_BYTES);
    if (c->json)
        append_json(c, &out);
    else
        append_lines(c, &out);
    if (out.failed) {
        complain("no memory for the record");
        status = STATUS_SOFTWARE;
    } else {
        status = output_write(c->out, buffer_span(&out));
    }
    for (size_t i = 0; !status && i < c->warning_count; i++)
        complain("note: %s", c->warnings[i]);
    buffer_fini(&out);
    return status;
}
