/* What the files of assay query share. */
#ifndef ASSAY_QUERY_H
#define ASSAY_QUERY_H

#include <jansson.h>

#include "client/assay_client.h"
#include "command.h"

struct query
{
    const struct options *options;
    struct assay_client *client;
    const char *file;                              /* NULL: not a message */
    bool is_message;                               /* it has a header field */
    void (*show)(const json_t *object, FILE *out); /* the human form of a reply */
    bool answered;
    bool given_up; /* the answer is not printed: trouble was spoken of already */
    int status;
    struct verdict_row row; /* of the answer; without `why` */
};

struct assay_client_envelope query_envelope(const struct options *options);
/* Waits for the open request's answer, which done() prints; returns the exit status. What is open
 * when the connection goes is answered LOST. */
int query_await(struct query *query);
/* Says why a call of the client failed; returns the exit status. */
int query_complain(const struct query *query, enum assay_client_status status);

/* Each file in order. */
int query_messages(struct query *query, char **files, int count);

#endif
