/*
 * From which domains does the message claim to come? All addresses of the one From field count; a
 * domain that cannot be a name makes the whole field an error, since a reader may show another one
 * than we could judge (A12, A17, A19).
 */
#include "dmarc/author.h"

static bool is_author(const struct dmarc_authors *authors, const struct dns_name *name)
{
    for (uint32_t i = 0; i < authors->count; i++)
        if (dns_name_equal(&authors->names[i], name))
            return true;
    return false;
}

/* DP-4; A17: a domain that is no name is an error, never "no policy found". */
static void add_author(struct dmarc_authors *authors, const struct mail_address *address)
{
    struct dns_name name;
    if (address->literal)
        authors->error = "from_address_literal"; /* G04 */
    else if (dns_name_from_domain(&name, address->domain) != DNS_NAME_OK || name.labels == 0)
        authors->error = "from_bad_domain";
    else if (is_author(authors, &name))
        return; /* DP-2 */
    else if (authors->count == MAX_AUTHOR_DOMAINS)
        authors->too_many = true;
    else
        dns_name_copy(&authors->names[authors->count++], &name);
}

void dmarc_authors_read(const struct mail_from *from, const struct dmarc_options *options,
                        struct dmarc_authors *authors)
{
    authors->count = 0;
    authors->too_many = false;
    authors->error = NULL;
    if (from->state != MAIL_FROM_OK) {
        authors->error = from->reason ? from->reason : "from_malformed"; /* A07, A11 */
        return;
    }
    for (uint32_t i = 0; i < from->list.count && !authors->error; i++)
        add_author(authors, &from->list.addresses[i]);
    if (authors->error)
        return;
    if (authors->count == 0)
        authors->error = "no_from";
    else if (authors->count > 1 && !options->strictest_of_several)
        authors->error = "from_several_domains";
    else if (authors->too_many)
        authors->error = "from_too_many_domains";
}
