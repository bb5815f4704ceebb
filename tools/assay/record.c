/*
 * The capsules of one call are collected in memory and written at its end, so that the file is
 * there whole or not at all.
 */
#include "record.h"

#include "capsule.h"
#include "output_file.h"

void record_init(struct record *record, const struct options *options)
{
    *record = (struct record){.path = options->record, .with_body = options->with_body};
    buffer_init(&record->header, MAX_MESSAGE_BYTES);
    buffer_init(&record->body, MAX_MESSAGE_BYTES);
    buffer_init(&record->out, CAPSULE_FILE_BYTES_MAX);
}

void record_fini(struct record *record)
{
    buffer_fini(&record->header);
    buffer_fini(&record->body);
    buffer_fini(&record->out);
}

void record_begin(struct record *record)
{
    buffer_reset(&record->header);
    buffer_reset(&record->body);
}

void record_feed(struct record *record, struct assay_message *message, struct span bytes)
{
    const struct message *inside = assay_message_internal(message);
    uint64_t header_before = inside->reader.total, before = inside->bytes;
    enum assay_status status = assay_message_feed(message, bytes.p, bytes.n);
    (void)status; /* too large shows again at the end */
    if (!record->path)
        return;
    size_t taken = (size_t)(inside->bytes - before); /* less than all where it is too large */
    size_t header = (size_t)(inside->reader.total - header_before);
    buffer_append(&record->header, span_slice(bytes, 0, header));
    if (record->with_body)
        buffer_append(&record->body, span_slice(bytes, header, taken));
}

int record_message(struct record *record, const struct assay_engine *engine,
                   struct assay_message *message, const char *file)
{
    if (!record->path)
        return STATUS_OK;
    struct capsule_record facts = {
        .engine = engine,
        .message = message,
        .file = span_from_string(file),
        .header = buffer_span(&record->header),
    };
    if (record->with_body)
        facts.body = record->body.n ? buffer_span(&record->body) : SPAN("");
    size_t before = record->out.n;
    if (!record->header.failed && !record->body.failed && capsule_write(&facts, &record->out)) {
        record->capsules++;
        return STATUS_OK;
    }
    record->out.n = before;
    record->out.failed = false;
    complain("%s: not recorded: no memory, or capsules of more than %d MB", file,
             CAPSULE_FILE_BYTES_MAX / 1024 / 1024);
    return STATUS_SOFTWARE;
}

int record_write(struct record *record)
{
    if (!record->path || record->capsules == 0)
        return STATUS_OK;
    return output_file_write(record->path, buffer_span(&record->out), true, true);
}
