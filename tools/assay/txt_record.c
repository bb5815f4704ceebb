#include "txt_record.h"

#include "dns/zone_write.h"

enum
{
    STRING_BYTES = 255, /* RFC 1035 3.3 */
};

void txt_record_zone(const struct txt_record *record, struct buffer *out)
{
    buffer_append_string(out, record->name);
    buffer_printf(out, ". %llu IN TXT", (unsigned long long)record->ttl);
    dns_zone_write_text(out, record->text);
}

static void append_delete(const struct txt_record *record, struct buffer *out)
{
    buffer_printf(out, "update delete %s. TXT", record->name);
}

static void append_add(const struct txt_record *record, struct buffer *out)
{
    buffer_append_string(out, "update add ");
    txt_record_zone(record, out);
}

static void append_update(const struct txt_record *record, struct buffer *out)
{
    if (!record->shared) {
        append_delete(record, out);
        buffer_append_byte(out, '\n');
    }
    append_add(record, out);
    buffer_append_string(out, "\nsend\n");
}

void txt_record_lines(const struct txt_record *record, const char *format, struct buffer *out)
{
    bool all = !format || strcmp(format, "all") == 0;
    if (all)
        buffer_append_string(out, "; for a zone file\n");
    if (all || strcmp(format, "zone") == 0) {
        txt_record_zone(record, out);
        buffer_append_byte(out, '\n');
    }
    if (all) {
        buffer_append_string(out, "; for a panel: type TXT, name ");
        buffer_append_string(out, record->name);
        buffer_append_string(out, ", value:\n");
    }
    if (all || strcmp(format, "string") == 0) {
        buffer_append(out, record->text);
        buffer_append_byte(out, '\n');
    }
    if (all)
        buffer_append_string(out, "; for nsupdate\n");
    if (all || strcmp(format, "nsupdate") == 0)
        append_update(record, out);
}

static void write_strings(struct jsonw *json, struct span text)
{
    jsonw_array_open(json, "strings");
    do {
        size_t n = text.n < STRING_BYTES ? text.n : STRING_BYTES;
        jsonw_span(json, NULL, span_slice(text, 0, n));
        text = span_skip(text, n);
    } while (text.n);
    jsonw_array_close(json);
}

static void write_line(struct jsonw *json, const char *key, const struct txt_record *record,
                       void (*append)(const struct txt_record *, struct buffer *))
{
    struct buffer line;
    buffer_init(&line, TXT_RECORD_BYTES);
    append(record, &line);
    if (line.failed)
        json->out->failed = true;
    else
        jsonw_span(json, key, buffer_span(&line));
    buffer_fini(&line);
}

void txt_record_json(const struct txt_record *record, struct jsonw *json)
{
    jsonw_uint(json, "ttl", record->ttl);
    jsonw_span(json, "record", record->text);
    write_strings(json, record->text);
    write_line(json, "zone", record, txt_record_zone);
    jsonw_array_open(json, "nsupdate");
    if (!record->shared)
        write_line(json, NULL, record, append_delete);
    write_line(json, NULL, record, append_add);
    jsonw_string(json, NULL, "send");
    jsonw_array_close(json);
}
