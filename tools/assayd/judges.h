/* The engine behind the socket: the pool as the front's backend, with the figures of all parts. */
#ifndef ASSAYD_JUDGES_H
#define ASSAYD_JUDGES_H

#include "front/front.h"
#include "run/run.h"

/* The run's pool has a guest, of which the server is the host. */
struct front_backend judges_backend(struct run *run);

#endif
