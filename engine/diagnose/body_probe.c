#include "diagnose/body_probe.h"

/* canon_sink */
static void take(void *context, struct span bytes)
{
    struct body_probe *probe = context;
    uint64_t room = probe->limit > probe->octets ? probe->limit - probe->octets : 0;
    size_t n = bytes.n < room ? bytes.n : (size_t)room;
    probe->octets += bytes.n;
    sha256_update(&probe->state, span_slice(bytes, 0, n));
}

void body_probe_init(struct body_probe *probe, enum canon canon, uint64_t limit)
{
    *probe = (struct body_probe){.limit = limit};
    canon_pipe_init(&probe->canon, canon, take, probe);
    sha256_init(&probe->state);
}

void body_probe_restart(struct body_probe *probe)
{
    canon_pipe_init(&probe->canon, probe->canon.body.canon, take, probe);
    sha256_init(&probe->state);
    probe->octets = 0;
}

void body_probe_copy(const struct body_probe *from, struct body_probe *to)
{
    *to = *from;
    to->canon.context = to;
}

void body_probe_feed(struct body_probe *probe, struct span bytes)
{
    canon_pipe_feed(&probe->canon, bytes);
}

bool body_probe_end(struct body_probe *probe, uint8_t out[SHA256_BYTES])
{
    canon_pipe_end(&probe->canon);
    if (probe->limit != BODY_WHOLE && probe->octets < probe->limit)
        return false;
    sha256_peek(&probe->state, out);
    return true;
}
