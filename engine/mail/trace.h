/*
 * The envelope as an archived message remembers it: Return-Path is the MAIL FROM that the last host
 * saw (RFC 5321 4.4), a Received field the client that a host of ours talked to.
 *
 * For archives whose headers were written by hosts one trusts; anybody can write such fields into
 * a message that has not passed such a host. Only the form that Postfix, Sendmail, Gmail and
 * qmail-likes write is read:
 *
 *   Received: from HELO ([NAME] "[" ADDR "]" [*(comment text)]) ...
 *
 * What has another form stays unknown: nothing is guessed.
 */
#ifndef MAIL_TRACE_H
#define MAIL_TRACE_H

#include "base/ip.h"

struct mail_trace
{
    struct span mail_from; /* borrowed, with its angle brackets; p == NULL: not known */
    struct span helo;      /* borrowed; p == NULL: not known */
    struct ip client;      /* IP_NONE: not known */
};

/*
 * `header`: the message's beginning, CRLF or LF line ends; what stands behind the first empty line
 * is not looked at, and a field that `header` cuts is not read. `hop`: which Received field from
 * the top, counted from 1, is the trusted one.
 */
void mail_trace_read(struct span header, unsigned hop, struct mail_trace *trace);

#endif
