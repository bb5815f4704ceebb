/* libopendkim as a peer: DKIM alone, keys from its key-lookup callback. */
#include "bench/peer_opendkim.h"

#include <opendkim/dkim.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load.h"

enum
{
    RECORDS = 256,
    NAME_MAX_BYTES = 64,
    RECORD_MAX_BYTES = 1024,
};

struct record
{
    char name[NAME_MAX_BYTES]; /* "rsa2048._domainkey.d1.example" */
    char text[RECORD_MAX_BYTES];
};

struct peer_opendkim
{
    DKIM_LIB *library;
};

/* Its callback has no context. Few records: what a look-up costs is nothing beside the rest. */
static struct record records[RECORDS];
static unsigned record_count;

/* One TXT line of the zone: its strings joined. */
static void read_line(const char *line, size_t n)
{
    struct record *record = &records[record_count];
    const char *end = line + n, *dot = memmem(line, n, ". ", 2), *p = memchr(line, '"', n);
    if (!memmem(line, n, "._domainkey.", 12) || !dot || !p)
        return;
    if (record_count == RECORDS || dot - line >= NAME_MAX_BYTES || n >= RECORD_MAX_BYTES)
        load_stop("too many keys for libopendkim");
    memcpy(record->name, line, (size_t)(dot - line));
    size_t length = 0;
    for (bool inside = false; p < end; p++) {
        if (*p == '"')
            inside = !inside;
        else if (inside)
            record->text[length++] = *p;
    }
    record_count++;
}

static void read_zone(struct span zone)
{
    record_count = 0;
    memset(records, 0, sizeof records);
    while (zone.n) {
        size_t n = span_find(zone, '\n');
        read_line((const char *)zone.p, n);
        zone = span_skip(zone, n < zone.n ? n + 1 : n);
    }
}

static DKIM_CBSTAT look_up(DKIM *dkim, DKIM_SIGINFO *signature, unsigned char *out, size_t room)
{
    char name[NAME_MAX_BYTES * 4];
    (void)dkim;
    snprintf(name, sizeof name, "%s._domainkey.%s", (char *)dkim_sig_getselector(signature),
             (char *)dkim_sig_getdomain(signature));
    for (unsigned i = 0; i < record_count; i++) {
        if (strcmp(records[i].name, name) != 0)
            continue;
        size_t n = strlen(records[i].text) + 1;
        if (n > room)
            return DKIM_CBSTAT_ERROR;
        memcpy(out, records[i].text, n);
        return DKIM_CBSTAT_CONTINUE;
    }
    return DKIM_CBSTAT_NOTFOUND;
}

struct peer_opendkim *peer_opendkim_open(struct span zone)
{
    struct peer_opendkim *peer = malloc(sizeof *peer);
    uint64_t fixed_time = MAIL_SET_NOW;
    read_zone(zone);
    if (!peer || !(peer->library = dkim_init(NULL, NULL)))
        load_stop("libopendkim does not start");
    if (dkim_set_key_lookup(peer->library, look_up) != DKIM_STAT_OK ||
        dkim_options(peer->library, DKIM_OP_SETOPT, DKIM_OPTS_FIXEDTIME, &fixed_time,
                     sizeof fixed_time) != DKIM_STAT_OK)
        load_stop("libopendkim refuses its options");
    return peer;
}

void peer_opendkim_close(struct peer_opendkim **peer)
{
    if (!*peer)
        return;
    dkim_close((*peer)->library);
    free(*peer);
    *peer = NULL;
}

/* The end of the field that begins at `from`: past it stands no blank. Without its CRLF. */
static size_t field_end(const uint8_t *p, size_t from, size_t n)
{
    for (;;) {
        const uint8_t *lf = memchr(p + from, '\n', n - from);
        if (!lf)
            return n;
        from = (size_t)(lf - p) + 1;
        if (from == n || (p[from] != ' ' && p[from] != '\t'))
            return from - 2;
    }
}

bool peer_opendkim_verify(struct peer_opendkim *peer, const struct mail_set_message *message)
{
    DKIM_STAT status;
    static const unsigned char id[] = "bench";
    DKIM *dkim = dkim_verify(peer->library, id, NULL, &status);
    bool test_key;
    if (!dkim)
        load_stop("libopendkim: %s", dkim_getresultstr(status));
    size_t header = message->header_bytes - 2;
    for (size_t at = 0; status == DKIM_STAT_OK && at < header;) {
        size_t end = field_end(message->text, at, header);
        status = dkim_header(dkim, message->text + at, end - at);
        at = end + 2;
    }
    status = status == DKIM_STAT_OK ? dkim_eoh(dkim) : status;
    if (status == DKIM_STAT_OK)
        status = dkim_body(dkim, message->text + message->header_bytes,
                           message->bytes - message->header_bytes);
    if (status == DKIM_STAT_OK)
        status = dkim_eom(dkim, &test_key);
    dkim_free(dkim);
    return status == DKIM_STAT_OK;
}

const char *peer_opendkim_version(void)
{
    static char text[32];
    uint32_t v = dkim_libversion();
    snprintf(text, sizeof text, "%u.%u.%u", v >> 24, v >> 16 & 255, v >> 8 & 255);
    return text;
}
