/* A DNS answer as one line of text, for comparisons. */
#ifndef SUPPORT_ANSWER_LINE_H
#define SUPPORT_ANSWER_LINE_H

#include "dns/answer.h"

/*
 * "answer [v=spf1 -all] [second]", "answer [10 mx.example]", "tempfail servfail", "nxdomain".
 * Static storage.
 */
const char *answer_line(const struct dns_answer *answer, enum dns_type type);

#endif
