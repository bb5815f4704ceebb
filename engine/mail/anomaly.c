#include "mail/anomaly.h"

#include "base/attributes.h"

STATIC_ASSERT(ANOMALY_COUNT <= 64); /* the set is one word */

static const char *const words[ANOMALY_COUNT] = {
#define MAIL_ANOMALY_WORD(name, word, no_pass) [ANOMALY_##name] = word,
    MAIL_ANOMALY_TABLE(MAIL_ANOMALY_WORD)
#undef MAIL_ANOMALY_WORD
};

#define MAIL_ANOMALY_BIT(name, word, no_pass) | (UINT64_C(no_pass) << ANOMALY_##name)
static const uint64_t no_pass_set = 0 MAIL_ANOMALY_TABLE(MAIL_ANOMALY_BIT);
#undef MAIL_ANOMALY_BIT

const char *mail_anomaly_word(enum mail_anomaly which)
{
    assert(which < ANOMALY_COUNT);
    return words[which];
}

bool mail_anomalies_forbid_pass(const struct mail_anomalies *anomalies)
{
    return (anomalies->set & no_pass_set) != 0;
}
