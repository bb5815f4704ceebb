/* clang-format off */
/*
 * assay explain: one message, everything found out anew, as one JSON document. Whatever is shown
 * (text, pages, stories, sender rules) is made from this document and from nothing else.
 *
 * "or null" means the key is always there. Every sentence is English, ends in a full stop, and may
 * hold text of the message or the DNS: control characters and all, so renderers escape what they
 * print. Words are stable snake_case; a word may be added, none renamed. Times are seconds since
 * 1970, UTC. Texts of the message are cut to EXPLAIN_TEXT_MAX bytes; octets that are no UTF-8, and
 * NUL, are U+FFFD. Positions count header fields from the top, 0 is the first.
 *
 *   v              1
 *   file           name as given, "-" for standard input
 *   assay          version that judged
 *   judged_at      {value, source, guess}: the time that x= and t= were judged by; source "option",
 *                  "received" (the newest Received field, a guess) or "clock"
 *   envelope       {ip, helo, mail_from, sentence}: the first three {value, source, guess}: value
 *                  text or null ("<>" is the null reverse-path); source "option", "received",
 *                  "return_path" or null; sentence says what was guessed from where, or null
 *   message        {from, to, subject, date, message_id: unfolded text or null,
 *                  fields, header_bytes, body_bytes}
 *   summary        sentence: what DMARC says, and on what it rests
 *   verdict        object as `assay check --json` prints it
 *   lights         {spf, dkim, dmarc, arc}: in this order, each
 *                  {colour      "green", "yellow", "red" or "grey"
 *                   result      word of RFC 8601
 *                   domain      the domain it speaks for, or null
 *                   aligned     with the author's domain: bool, or null where that means nothing
 *                   reason      word, or null
 *                   sentence}
 *   hops           Received fields, oldest first, EXPLAIN_HOPS_MAX newest ones:
 *                  {number      1 is the oldest
 *                   position    of the field
 *                   from        name the client gave (HELO), or null
 *                   from_host   name the server found for it, or null
 *                   ip          its address, or null
 *                   by, with, id, for  texts or null
 *                   tls         true; false: the field says how, and it is clear text; null unknown
 *                   tls_text    "TLSv1.3", "TLS1_2" ... or null
 *                   time        or null
 *                   time_text   as written, or null
 *                   delay       seconds since the hop before; null where one has no time
 *                   receiving   this one was taken as the border between strangers and the
 *                               receiver: at most one is true
 *                   anomalies   [{word, sentence}]: "negative_delay", "long_delay", "no_time",
 *                               "future", "clear_text"}
 *   hops_total     Received fields in all
 *   transit        seconds from the first to the last hop with a time, or null
 *   authentication_results  Authentication-Results and ARC-Authentication-Results, top first:
 *                  {field, position
 *                   instance    of ARC, or null
 *                   authserv_id text, or null where the field cannot be read
 *                   ours        bears the name of --authserv-id, or of the host that received it
 *                   trusted     bool
 *                   forged      ours, and yet in a place that a stranger has written
 *                   why         sentence: trusted or not and why
 *                   results     [{method, result, reason or null, properties: {"header.d": text}}],
 *                               EXPLAIN_RESULTS_MAX at most
 *                   differences [{method, domain or null, theirs, ours, sentence}]
 *                   raw         the field's body, unfolded}
 *   signatures     DKIM signatures that were looked at, top first, then ARC message signatures,
 *                  newest first:
 *                  {kind        "dkim" or "arc"
 *                   index       in verdict.dkim; of ARC the index in verdict.arc.sealers
 *                   position    of the field
 *                   domain, selector, algorithm  texts or null
 *                   key_bits    or null
 *                   canonicalization  "relaxed/simple"
 *                   result      word, or null where nobody looked at it (an older ARC set)
 *                   reason      word or null
 *                   aligned     bool, or null for ARC
 *                   sentence    what became of it, and why
 *                   diagnosis   null where it passed, or where nothing can be found out; else
 *                     {found    bool: body and header are explained, as far as they are wrong
 *                      causes   most likely first, see engine/diagnose/cause.h; each
 *                        {cause     word
 *                         part      "body", "header", "key" or "signature"
 *                         proven    true: with it undone the hash matches or the signature
 *                                   verifies; false: an observation that fits
 *                         sentence, advice
 *                         evidence  {offset, bytes, lines: numbers; text, field, before, after,
 *                                   domain, selector: texts; position: number}; only those that
 *                                   apply. offset counts octets in the body; before is what was
 *                                   signed, after what is there now}
 *                      body     {state: "intact", "changed" or "unknown"
 *                                expected, found: base64 as bh= has it, or null
 *                                raw_bytes, canonical_bytes, signed_bytes, lines: numbers}
 *                      header   {state: likewise
 *                                expected: hexadecimal SHA-256 recovered out of an RSA signature,
 *                                or null; found: of the header as it is, or null
 *                                canonical_bytes, fields: number of fields hashed
 *                                missing: [names of h= that are not there (any more)]}
 *                      key      {state: "right", "wrong", "unknown" or "none"; sentence}
 *                      tries, hashed_bytes: numbers
 *                      limit    word of the limit that ended the search, or null}}
 *   advice         [{word, level: "error", "warning" or "note", sentence}]: what to do, most urgent
 *                  first
 *   profile        null without --profile, else
 *                  {name        as given
 *                   title       the provider's name
 *                   as_of, source, bulk  texts of the profile or null
 *                   outcome     "refused", "deferred", "refused_if_bulk", "deferred_if_bulk",
 *                               "lacking" (a required rule is not met, nothing is refused for it),
 *                               "undecided" (rules could not be checked), "nothing_against"
 *                   sentence
 *                   rule        name of the rule that decides, or null
 *                   reply       what the server would say, lines with LF between them, or null
 *                   rules       in the file's order:
 *                     {rule, title
 *                      who      "all" or "bulk"
 *                      level    "required" or "advised"
 *                      state    "met", "not_met", "unknown", "not_applicable"
 *                      sentence what was seen
 *                      reply    for this rule alone, or null
 *                      advice   where it is not met; or null}
 *                   dns         [{name, type, outcome, records}]: questions that the rules asked}
 *   story          null without --story, else chapters: [{heading, paragraphs: [text]}]
 */
/* clang-format on */
#ifndef ASSAY_EXPLAIN_H
#define ASSAY_EXPLAIN_H

#include <jansson.h>

#include "command.h"

enum
{
    EXPLAIN_TEXT_MAX = 400,
    EXPLAIN_HOPS_MAX = 64,
    EXPLAIN_RESULTS_MAX = 64,
    EXPLAIN_FIELDS_MAX = 32, /* of authentication_results */
};

#endif
