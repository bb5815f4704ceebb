/* What the checks of a profile share. */
#ifndef ASSAY_PROFILE_LOOK_H
#define ASSAY_PROFILE_LOOK_H

#include "explain_parts.h"
#include "profile.h"

struct profile_judging
{
    struct explaining *e;
    struct limit_hits hits;
    struct dns_answers answers; /* of questions that the judges did not have */
    char said[600];             /* what the check saw, one or more sentences */
    bool trouble;               /* it is unknown because the DNS did not tell */
};

/* Sets `said`; returns the state. */
enum profile_state profile_say(struct profile_judging *judging, enum profile_state state,
                               const char *format, ...) PRINTF_LIKE(3, 4);
/* The same for what the DNS did not tell: unknown. */
enum profile_state profile_trouble(struct profile_judging *judging, const char *sentence);

/* profile_dns.c */
enum profile_state profile_reverse_dns(struct profile_judging *judging, const char *argument);
enum profile_state profile_domain_exists(struct profile_judging *judging, const char *argument);

/* profile_header.c */
enum profile_state profile_from_field(struct profile_judging *judging, const char *argument);
enum profile_state profile_single_fields(struct profile_judging *judging, const char *argument);
enum profile_state profile_message_format(struct profile_judging *judging, const char *argument);
enum profile_state profile_message_id(struct profile_judging *judging, const char *argument);
enum profile_state profile_list_unsubscribe(struct profile_judging *judging, const char *argument);
enum profile_state profile_one_click(struct profile_judging *judging, const char *argument);
enum profile_state profile_one_click_signed(struct profile_judging *judging, const char *argument);
enum profile_state profile_arc_if_forwarded(struct profile_judging *judging, const char *argument);
enum profile_state profile_tls(struct profile_judging *judging, const char *argument);

#endif
