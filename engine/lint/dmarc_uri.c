/* Report addresses (RFC 9989 4.6, DP-13): each item of the list through the receiver's reader. */
#include "lint/dmarc.h"

#include "dmarc/uri.h"

static void advise_bad(const struct lint_place *place, struct lint_finding *finding,
                       struct span item)
{
    bool has_scheme = span_starts_fold(item, SPAN("mailto:"));
    size_t at = span_find(item, '@');
    if (!has_scheme && at < item.n && span_find(item, ' ') == item.n)
        lint_instead(place, finding, "mailto:%.*s", SPAN_ARGS(item));
    else if (has_scheme && at == item.n)
        lint_instead(place, finding, "mailto: and an address with \"@\"");
    else if (span_find(item, ' ') < item.n)
        lint_instead(place, finding, "\",\" between two addresses, no blanks inside");
    else
        lint_instead(place, finding,
                     "mailto:reports@example.net, with \",\" as %%2C and \"!\" as "
                     "%%21");
}

static void check_item(const struct lint_place *place, struct span item, bool only)
{
    struct span rest = item;
    struct dmarc_uri uri;
    if (!dmarc_uri_next(&rest, &uri)) {
        advise_bad(place,
                   lint_find(place, only ? LINT_ERROR : LINT_WARNING, "bad_uri", item,
                             "this is no report address: receivers pass it over"),
                   item);
        return;
    }
    if (!uri.mailto)
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "uri_scheme", uri.text,
                               "receivers send to mailto: only"),
                     "mailto: and an address");
    if (uri.text.n < item.n)
        lint_instead(place,
                     lint_find(place, LINT_NOTE, "uri_size", span_slice(item, uri.text.n, item.n),
                               "size limits are obsolete and ignored (RFC 9989 4.8)"),
                     "%.*s", SPAN_ARGS(uri.text));
}

void lint_dmarc_uris(const struct lint_place *place, struct span value)
{
    struct dmarc_uri uri;
    struct span good = value;
    bool none = !dmarc_uri_next(&good, &uri);
    while (value.n) {
        size_t end = span_find(value, ',');
        struct span item = span_trim_wsp(span_slice(value, 0, end));
        if (item.n)
            check_item(place, item, none);
        value = span_skip(value, end < value.n ? end + 1 : end);
    }
}
