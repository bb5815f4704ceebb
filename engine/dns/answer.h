/*
 * Questions and answers of the DNS, as the judges see them.
 *
 * A judge calls dns_lookup(); it gets the answer, or NULL: the question is noted and the judge
 * returns JUDGE_WAITING. Somebody else (the driver) has the noted questions answered by a source
 * (dns/source.h), and the judge runs again from the start, now finding the answers.
 *
 * NXDOMAIN, an empty answer and a temporary failure are three outcomes, never merged
 * (DV-30, SP-23, SP-25, DP-24, security.md F08).
 */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include "base/arena.h"
#include "base/ip.h"
#include "base/limit.h"
#include "base/result_cache.h"
#include "cache/siphash.h"
#include "dns/name.h"

enum dns_type
{
    DNS_A = 1,
    DNS_CNAME = 5,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
};

enum dns_outcome
{
    DNS_UNANSWERED = 0, /* asked, no answer yet: never shown to a judge */
    DNS_ANSWER = 0x31,  /* at least one record of the type */
    DNS_EMPTY,          /* the name exists, the type does not (NODATA) */
    DNS_NXDOMAIN,       /* the name does not exist (RFC 8020 sense) */
    DNS_TEMPFAIL, /* timeout, SERVFAIL, REFUSED, bogus, CNAME loop, our own budget: try later */
};

struct dns_record
{
    union {
        struct ip address;    /* A, AAAA */
        struct dns_name name; /* PTR target, MX exchange */
        struct span text;     /* TXT: the record's strings joined with nothing between (DV-29) */
    };
    uint16_t preference; /* MX */
};

struct dns_answer
{
    enum dns_outcome outcome;
    const char
        *reason;    /* static word for TEMPFAIL: "servfail", "timeout", "refused" ...; else NULL */
    uint32_t ttl;   /* seconds; smallest of the records and the CNAMEs before them, for EMPTY and
                       NXDOMAIN of the SOA as RFC 2308 has it; 0 where nothing says */
    uint32_t age;   /* seconds since the answer was received */
    uint32_t count; /* records */
    bool cut;       /* more than MAX_DNS_RECORDS or MAX_DNS_TEXT_BYTES: the rest was left out */
    const struct dns_record *records;    /* owner says: arena of the message, or cached */
    const struct dns_prepared *prepared; /* cached: the records parsed, or NULL: the judge parses */
    int64_t shared_until_ms; /* near: results that follow from it may stand for other messages up to
                                then (CLOCK_MONOTONIC); 0: for this one alone */
};

/*
 * The parsed form of an answer (design idea 4), made once by who keeps answers for many messages.
 * Each judge knows its own kind and falls back to parsing where it finds another or none.
 */
enum dns_prepared_kind
{
    DNS_PREPARED_DKIM = 1, /* struct dkim_prepared, dkim/key_record.h */
    DNS_PREPARED_SPF,      /* struct spf_prepared, spf/record.h */
    DNS_PREPARED_DMARC,    /* struct dmarc_prepared, dmarc/record.h */
};

struct dns_prepared
{
    enum dns_prepared_kind kind;
    uint32_t outside_bytes; /* about what it holds outside of the answer's arena, e.g. keys ... */
    void (*release)(const struct dns_prepared *); /* ... and lets go of; NULL: nothing */
};

/*
 * A question as bytes: the type, big-endian, and the name in wire form right behind it. What the
 * memo of a message, the shared cache and its snapshots know a question by.
 */
struct dns_key
{
    uint8_t type[2];
    struct dns_name name;
};

STATIC_ASSERT(offsetof(struct dns_key, name.wire) == 2);

static inline struct span dns_key_span(const struct dns_key *key)
{
    return span_of(key, offsetof(struct dns_key, name.wire) + key->name.length);
}

static inline void dns_key_set(struct dns_key *key, const struct dns_name *name, enum dns_type type)
{
    assert(name->length);
    key->type[0] = (uint8_t)((unsigned)type >> 8);
    key->type[1] = (uint8_t)type;
    dns_name_copy(&key->name, name);
}

/* One question of a message, with its answer once there is one. */
struct dns_question
{
    enum dns_type type;
    bool in_flight; /* owner: the driver */
    bool is_near; /* the answer came from `near`: good for near_epoch, to be found again after it */
    bool renew;   /* asked once more: the driver asks the network, not the cache (L09) */
    bool falls_back; /* asked once more in vain: the next lookup takes what `near` still has */
    bool counted;    /* its hits of limits are in `hits` */
    uint32_t near_epoch;
    uint64_t hash;             /* of the key: siphash13 with near's, or the memo's own */
    struct dns_question *next; /* in the order in which they were first asked */
    struct dns_answer answer;
    union /* last: nothing of it is cleared */
    {
        struct dns_key key;
        struct
        {
            uint8_t type_octets[2];
            struct dns_name name;
        };
    };
};

/*
 * Results that judges take from each other's messages in place of questions and answers, and keep
 * for them (RFC 7208 7.3, SP-36). Who uses them does without the list of questions: not for a
 * message whose evidence will be looked at. Borrowed; NULL: none.
 */
struct shared_results
{
    struct result_cache *spf, *dmarc;
    struct name_lists *lists; /* what stands in h=, which needs no evidence */
};

/*
 * Answers that can be had without waiting: the shared cache, as the worker sees it. What `find`
 * fills in borrows from the cache and is good until dns_answers_park (one round), its prepared form
 * too; its age is the finder's to set. Asked once a round for a question, until one is open: an
 * open question is not looked for again but answered by dns_answers_put or _lend.
 */
struct dns_near
{
    /* True, and *answer set (outcome not UNANSWERED, within the limits of dns_answer_limit), where
     * there is one; else it stays as it is. Of the question only key, hash and type are to be
     * read. May be asked for any name. */
    bool (*find)(void *context, const struct dns_question *question, struct dns_answer *answer);
    /*
     * A signature failed with this key although the body hash is right (L09): may the answer be
     * asked for once more? True for one asker per entry and minute: the question is then open
     * again, with `renew` set.
     */
    bool (*may_renew)(void *context, const struct dns_name *name, enum dns_type type);
    void *context;
    struct shared_results results; /* that come from these answers */
    /* Borrowed: what `find` wants its hashes made with, so that each key is hashed once. NULL: any
     * hash will do. */
    const struct siphash_key *hash_key;
};

enum
{
    DNS_ANSWERS_TABLE = 32, /* a power of two */
};

/*
 * The questions of one message and their answers: a memo, so that a judge which runs again counts
 * and sees the same, and one question is asked once per message whoever needs it.
 */
struct dns_answers
{
    struct arena *arena;
    struct limit_hits *hits;
    struct dns_question *first;
    struct dns_question **last; /* where the next one is linked in */
    uint32_t count;
    uint32_t waiting;              /* noted and not yet answered */
    uint32_t ceiling;              /* questions allowed so far: MAX_DNS_QUESTIONS, ARC raises it */
    bool failed;                   /* no memory, or over the ceiling at least once */
    const struct dns_near *near;   /* borrowed; NULL: none. Set before the first question; another
                                      one later has the same hash_key */
    struct shared_results results; /* near's, for as long as this message takes them */
    uint32_t near_epoch;
    /* Memo index, the implementation's own: the first table is in here, larger ones in the arena */
    uint32_t table_size;
    struct dns_question **table;
    struct dns_question *first_table[DNS_ANSWERS_TABLE];
};

/* `arena` and `hits` are borrowed and must outlive `answers`, which must not be moved. */
void dns_answers_init(struct dns_answers *answers, struct arena *arena, struct limit_hits *hits);

/*
 * The answer to (name, type, class IN), or NULL when it is not there yet. Over the ceiling of
 * questions, or without memory, the answer is DNS_TEMPFAIL with reason "too_many_questions" or
 * "no_memory". CNAMEs have been followed. The answer stays valid as long as the message, one that
 * `near` gave until dns_answers_park.
 */
const struct dns_answer *dns_lookup(struct dns_answers *answers, const struct dns_name *name,
                                    enum dns_type type) MUST_CHECK;

/*
 * Forgets the records of every answer that `near` has given: the next lookup finds it again, or
 * opens the question. To be called when a message is set aside and a cached pointer would outlive
 * its round. Outcome, ttl, age and count stay for the verdict's list; answers put or lent stay
 * whole. A question stays counted once, whatever becomes of it.
 */
void dns_answers_park(struct dns_answers *answers);

/*
 * Opens an answered question again, with `renew` set, where near->may_renew allows it: true, and
 * dns_lookup returns NULL until it has its new answer. At most once per question; true for each who
 * asks while it is open so. False without `near`. Where the new answer is a failure, the one that
 * `near` still has stands: trouble with the network must not make a signature look less wrong than
 * it is.
 */
bool dns_answers_renew(struct dns_answers *answers, const struct dns_name *name,
                       enum dns_type type) MUST_CHECK;

/* The answer if the message has it already, else NULL; notes nothing. */
const struct dns_answer *dns_peek(const struct dns_answers *answers, const struct dns_name *name,
                                  enum dns_type type);

/*
 * Gives a question its answer. Records are copied into the message's arena; without memory the
 * answer becomes DNS_TEMPFAIL "no_memory". Answering twice keeps the first answer. What is over
 * MAX_DNS_RECORDS or MAX_DNS_TEXT_BYTES is left out here at the latest, and counted (F09).
 */
void dns_answers_put(struct dns_answers *answers, struct dns_question *question,
                     const struct dns_answer *answer);

/*
 * The same without copies: the records and the prepared form belong to somebody who keeps them as
 * they are until the message ends (a reference to a struct dns_shared).
 */
void dns_answers_lend(struct dns_answers *answers, struct dns_question *question,
                      const struct dns_answer *answer);

/*
 * Leaves out what is over MAX_DNS_RECORDS or MAX_DNS_TEXT_BYTES and sets `cut`; one record alone
 * over the limit makes it DNS_TEMPFAIL "dns_answer_too_large". For who keeps answers.
 */
void dns_answer_limit(struct dns_answer *answer, enum dns_type type);
/* Copies the records of `answer` into `arena` and points it at them; false without memory. */
bool dns_answer_copy_records(struct dns_answer *answer, enum dns_type type,
                             struct arena *arena) MUST_CHECK;

/* "A", "TXT" ...; "TYPE<n>" never occurs: the enum is closed. Static. */
const char *dns_type_text(enum dns_type type);
/* "answer", "empty", "nxdomain", "tempfail". Static. */
const char *dns_outcome_word(enum dns_outcome outcome);
/* The reason for TEMPFAIL that reads `word`, or NULL: how a recording finds its way back. Static.
 */
const char *dns_reason_find(struct span word);

#endif
