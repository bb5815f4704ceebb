/* The name's shape to the judge that parses. */
#include "run/prepare.h"

#include "dkim/key_record.h"
#include "dmarc/record.h"
#include "spf/record.h"

static bool label_is(const struct dns_name *name, unsigned at, struct span label)
{
    struct span found = span_of(name->wire + at + 1, name->wire[at]);
    return span_equal(found, label); /* names are lower case */
}

static bool has_label(const struct dns_name *name, struct span label)
{
    for (unsigned at = 0; name->wire[at]; at += 1u + name->wire[at])
        if (label_is(name, at, label))
            return true;
    return false;
}

void run_prepare(const struct dns_name *name, enum dns_type type, struct dns_answer *answer,
                 struct arena *arena)
{
    if (type != DNS_TXT || answer->outcome != DNS_ANSWER)
        return;
    if (has_label(name, SPAN("_domainkey")))
        answer->prepared = dkim_keys_prepare(answer, arena);
    else if (label_is(name, 0, SPAN("_dmarc")))
        answer->prepared = dmarc_prepare(answer, arena);
    else
        answer->prepared = spf_prepare(answer, arena);
}
