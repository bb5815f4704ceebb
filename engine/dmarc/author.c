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

/* DP-4; A17: a domain that is no name is an error, never "no policy found". NULL, or that error. */
static const char *add_author(struct dmarc_authors *authors, const struct mail_address *address)
{
    struct dns_name name;
    if (address->literal)
        return "from_address_literal"; /* G04 */
    if (dns_name_from_domain(&name, address->domain) != DNS_NAME_OK || name.labels == 0)
        return "from_bad_domain";
    if (is_author(authors, &name))
        return NULL; /* DP-2 */
    if (authors->count == MAX_AUTHOR_DOMAINS)
        authors->too_many = true;
    else
        dns_name_copy(&authors->names[authors->count++], &name);
    return NULL;
}

uint32_t dmarc_authors_most(const struct mail_from *from)
{
    return from->list.count < MAX_AUTHOR_DOMAINS ? from->list.count : MAX_AUTHOR_DOMAINS;
}

void dmarc_authors_read(const struct mail_from *from, const struct dmarc_options *options,
                        struct dns_name *names, struct dmarc_authors *authors)
{
    *authors = (struct dmarc_authors){.names = names};
    if (from->state != MAIL_FROM_OK) {
        authors->error = from->reason ? from->reason : "from_malformed"; /* A07, A11 */
        return;
    }
    for (uint32_t i = 0; i < from->list.count; i++) {
        const char *error = add_author(authors, &from->list.addresses[i]);
        authors->error = authors->error ? authors->error : error;
    }
    if (authors->error)
        return;
    if (authors->count == 0)
        authors->error = "no_from";
    else if (authors->count > 1 && !options->strictest_of_several)
        authors->error = "from_several_domains";
    else if (authors->too_many)
        authors->error = "from_too_many_domains";
}
