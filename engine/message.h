/*
 * A message's way through the engine, as a state machine that does no input or output.
 *
 *   message_init -> message_feed ... -> message_end
 *   then, until MESSAGE_DONE: message_step, and do what it asks for
 *
 * The questions for the DNS are noted when the header ends (message_feed returns true once), so a
 * driver may have them answered while the body still arrives. A judge runs from its start each
 * time; one that is done is not run again, since its facts and answers cannot change any more.
 *
 * With `near` a lookup may be answered at once, without a copy, by something that keeps answers for
 * a round (the shared cache): what the judges then borrow is good until message_park, which whoever
 * drives many messages calls before it sets one aside and its round ends. After it, go on as
 * before: what was forgotten is looked up again where it is needed.
 *
 * A message belongs to one thread at a time. Everything it made lives until message_fini.
 */
#ifndef ENGINE_MESSAGE_H
#define ENGINE_MESSAGE_H

#include "mail/body_facts.h"
#include "verdict/verdict.h"

/* Judges' settings: one immutable snapshot for the life of a message (security.md L15). */
struct message_options
{
    struct span authserv_id;
    bool dkim_allow_unsigned_body; /* DV-27 */
    bool dkim_testing_as_unsigned; /* DV-40 */
    bool spf_explanation;          /* E13 */
    uint32_t spf_void_limit;       /* SP-25 */
    struct dmarc_options dmarc;
    const struct dns_name *trusted_sealers;
    uint32_t trusted_count;
    struct span receiver; /* %{r} of SPF explanations */
    uint64_t max_bytes;   /* of a message; 0: MAX_MESSAGE_BYTES */
};

/* What SMTP knew. Spans are borrowed until message_fini. */
struct message_envelope
{
    struct ip client;      /* IP_NONE: SPF is not checked */
    struct span helo;      /* p == NULL: not known */
    struct span mail_from; /* p == NULL: not known; "<>" or empty: null reverse-path */
    const struct span *recipients;
    uint32_t recipient_count; /* at most MAX_RECIPIENTS */
    struct span tls_version;  /* "TLSv1.3"; p == NULL: clear text or not known */
    struct span tls_cipher;
    int64_t now; /* receive time, seconds since the epoch */
};

enum message_step
{
    MESSAGE_NEEDS_ANSWERS = 0x41, /* have message->answers resolved */
    MESSAGE_NEEDS_HASH = 0x44,    /* run the queue that was lent; never asked for without one */
    MESSAGE_NEEDS_VERIFY = 0x42,  /* run verify_many over message->jobs */
    MESSAGE_DONE = 0x43,          /* message->verdict may be read */
};

enum message_stage
{
    MESSAGE_READING,
    MESSAGE_JUDGING,
    MESSAGE_VERIFYING,
    MESSAGE_ALIGNING,
    MESSAGE_JUDGED,
};

struct message
{
    const struct message_options *options; /* borrowed */
    enum message_stage stage;
    struct limit_hits hits;
    struct mail_anomalies anomalies;
    struct mail_path path;
    struct mail_from from;
    struct dmarc_authors authors; /* names: arena */
    struct dkim_judgement dkim;
    struct arc_judgement arc;
    struct hash_queue *queue; /* borrowed; NULL: everything is hashed at once */
    uint64_t queued_at;       /* its number of runs when header hashes went into it */
    bool headers_queued;
    struct verify_list jobs;
    uint64_t bytes;     /* fed so far */
    bool header_judged; /* the judges have seen the header */
    bool too_large;     /* over options->max_bytes: DKIM and ARC cannot pass */
    bool failed;        /* no memory: every result is temperror */
    bool spf_done, dkim_done, arc_done;
    bool policy_asked;         /* all questions for the policy were asked and answered */
    bool spf_kept, dmarc_kept; /* nothing borrowed from answers is left in them */
    /* What is above is cleared for each message. These are begun or set as a whole: */
    struct arena arena; /* may come from the message before */
    struct message_envelope envelope;
    struct dns_answers answers;
    struct mail_reader reader;
    struct buffer scratch;
    struct dkim_options dkim_options; /* when the header is judged */
    struct arc_options arc_options;   /* likewise */
    struct verdict verdict;           /* when all is */
    struct spf_judgement spf;
    struct dmarc_judgement dmarc;
    struct body_hasher body;
};

/*
 * Prepares `message` (caller's storage) for one message; parses the envelope, notes SPF's
 * questions. `near` is borrowed until message_fini; NULL: all answers come by dns_answers_put.
 */
void message_init(struct message *message, const struct message_options *options,
                  const struct message_envelope *envelope, const struct dns_near *near);
/*
 * Before the first feed; NULL lends none. Bodies and headers are hashed together with those of
 * other messages when the queue runs. It is borrowed until message_fini. Whoever lends it runs it
 * before bytes that were fed go away, and when a step asks for it.
 */
void message_lend_queue(struct message *message, struct hash_queue *queue);
/* Takes bytes in any pieces: borrowed for the call, with a queue until that has run. True when this
 * piece ended the header: questions are there to be asked. */
bool message_feed(struct message *message, struct span bytes);
/*
 * While the message still arrives, after answers have come: the judges go on as far as the header
 * lets them, so that what they ask next is asked now and not at the end. Needed for no verdict.
 */
void message_advance(struct message *message);
/* No more bytes. Call once, then message_step. */
void message_end(struct message *message);
/*
 * The same for a message whose body is not there but what it came to is (`assay replay`): only the
 * header has been fed. `too_large`: the message was over the limit. For recordings alone: nothing
 * that comes from outside may reach this.
 */
void message_end_recorded(struct message *message, const struct body_facts *facts, bool too_large);
enum message_step message_step(struct message *message) MUST_CHECK;
/*
 * Lets go of everything that is good for one round only, at any time between init and fini:
 * afterwards nothing in the message points into cached memory. SPF's result stays; keys that are
 * not under verification are forgotten and fetched again by the next step; a verdict that is done
 * stays whole. Cheap where there is nothing to do. Never changes a verdict.
 */
void message_park(struct message *message);
/*
 * Another driver goes on with it, in rounds of its own, with its `near`: parked, and nothing of it
 * is left in the queue, which is no longer lent. From the end of the message on.
 */
void message_move(struct message *message, const struct dns_near *near);
void message_fini(struct message *message);
/*
 * message_fini, but its arena stays for another message (at most `keep_bytes` of it): then either
 * message_init_again, which is message_init otherwise, or arena_fini(&message->arena).
 */
void message_recycle(struct message *message, size_t keep_bytes);
void message_init_again(struct message *message, const struct message_options *options,
                        const struct message_envelope *envelope, const struct dns_near *near);

/* False where not one well-formed header field was there: no message (exit status 65). */
bool message_is_message(const struct message *message);

#endif
