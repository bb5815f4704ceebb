/*
 * The engine behind assay.h, for the tools in this tree that want the structs and not only the
 * JSON.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "assay.h"
#include "dns/source.h"
#include "message.h"

struct assay_engine
{
    struct dns_source *source;      /* owned */
    struct message_options options; /* spans and names point into `arena` */
    struct dmarc_psl *psl;          /* owned; NULL in tree-walk mode */
    struct arena arena;             /* what lives as long as the engine */
    struct hash_queue *hashes;      /* owned; NULL: messages are hashed as they come */
    unsigned timeout_ms;
    uint64_t hits[LIMIT_COUNT];
};

/*
 * Fills *options (cleared) from `config`; spans and names go into `arena`, *psl is the caller's to
 * free where it is set. False with one line in `error` (may be NULL) where a setting is wrong.
 */
bool engine_options_open(struct message_options *options, struct dmarc_psl **psl,
                         struct arena *arena, const struct assay_config *config,
                         char error[ASSAY_ERROR_MAX]) MUST_CHECK;
/* Formats one line into `error`, unless it is NULL. */
void engine_say(char error[ASSAY_ERROR_MAX], const char *format, ...) PRINTF_LIKE(2, 3);

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t engine_clock_ms(void);

struct message *assay_message_internal(struct assay_message *message);
/* Name shown as "file" in the JSON; borrowed until the message is freed. */
void assay_message_set_file(struct assay_message *message, struct span file);

/*
 * assay_message_end for a message whose body is only known by what it came to; for recordings, see
 * message_end_recorded.
 */
enum assay_status engine_message_end_recorded(struct assay_message *message,
                                              const struct body_facts *facts,
                                              bool too_large) MUST_CHECK;

/* The best result of all signatures (pass before all), RESULT_NONE where there is none. */
enum result engine_dkim_result(const struct dkim_judgement *dkim);

/* Policy discovery for `domain` as a receiver sees it; blocks like assay_message_end. */
void engine_discover(struct assay_engine *engine, const struct dns_name *domain,
                     struct dns_answers *answers, struct arena *arena, struct limit_hits *hits,
                     struct dmarc_discovery *discovery);

/* SPF alone, for an envelope; blocks like assay_message_end. */
void engine_spf(struct assay_engine *engine, const struct spf_request *request,
                struct dns_answers *answers, struct arena *arena, struct limit_hits *hits,
                struct spf_judgement *judgement);

/*
 * The <sender> of check_host() (RFC 7208 4.1) may be anything with a domain behind its last "@";
 * SMTP's grammar, by which `assay check` goes, is narrower. No local part is "postmaster" (4.3).
 */
void engine_spf_sender(struct span text, struct arena *arena, struct limit_hits *hits,
                       struct mail_path *path);

#endif
