/*
 * Networks of an SPF record. Quadratic in the terms of one record, which are MAX_SPF_TERMS at most.
 */
#include "lint/spf.h"

enum
{
    WIDE_PREFIX4 = 8,
    WIDE_PREFIX6 = 19, /* wider than what is given to the largest providers */
};

/* Addresses that no mail from outside comes from. */
static const struct
{
    struct ip network;
    unsigned prefix;
} unreachable[] = {
    {{IP_V4, {0}}, 8},          {{IP_V4, {10}}, 8},        {{IP_V4, {100, 64}}, 10},
    {{IP_V4, {127}}, 8},        {{IP_V4, {169, 254}}, 16}, {{IP_V4, {172, 16}}, 12},
    {{IP_V4, {192, 168}}, 16},  {{IP_V6, {0xfc}}, 7},      {{IP_V6, {0xfe, 0x80}}, 10},
    {{IP_V6, {[15] = 1}}, 128},
};

static unsigned prefix_of(const struct spf_term *term)
{
    return term->network.family == IP_V4 ? term->prefix4 : term->prefix6;
}

static bool is_network(const struct spf_term *term)
{
    return term->mechanism == SPF_IP4 || term->mechanism == SPF_IP6;
}

static bool is_private(const struct spf_term *term)
{
    for (size_t i = 0; i < COUNT_OF(unreachable); i++)
        if (prefix_of(term) >= unreachable[i].prefix &&
            ip_in_prefix(&term->network, &unreachable[i].network, unreachable[i].prefix))
            return true;
    return false;
}

static void check_width(const struct lint_place *place, const struct spf_term *term, char family,
                        unsigned prefix, unsigned wide)
{
    if (term->qualifier != '+' || prefix > wide)
        return;
    if (prefix == 0) {
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "whole_internet", term->text,
                               "a prefix length of 0 lets every IPv%c host send as the domain",
                               family),
                     "the networks of your mail servers");
        return;
    }
    lint_instead(place,
                 lint_find(place, LINT_WARNING, "wide_range", term->text,
                           "/%u lets a large part of all IPv%c hosts send as the domain", prefix,
                           family),
                 "the networks of your mail servers");
}

static void check_widths(const struct lint_place *place, const struct spf_term *term)
{
    bool has_both = term->mechanism == SPF_A || term->mechanism == SPF_MX;
    if (is_network(term) && is_private(term)) {
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "private_range", term->text,
                               "no mail from outside comes from these addresses"),
                     "leave it out");
        return;
    }
    if (has_both || term->mechanism == SPF_IP4)
        check_width(place, term, '4', term->prefix4, WIDE_PREFIX4);
    if (has_both || term->mechanism == SPF_IP6)
        check_width(place, term, '6', term->prefix6, WIDE_PREFIX6);
}

static struct ip network_address(const struct ip *ip, unsigned prefix)
{
    struct ip network = *ip;
    for (unsigned bit = prefix; bit < ip_bits(ip); bit++)
        network.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    return network;
}

static void check_host_bits(const struct lint_place *place, const struct spf_term *term)
{
    char text[IP_TEXT_MAX];
    struct ip network = network_address(&term->network, prefix_of(term));
    if (ip_equal(&network, &term->network))
        return;
    lint_instead(place,
                 lint_find(place, LINT_NOTE, "host_bits", term->text,
                           "bits behind the prefix length are set; they count for nothing"),
                 "ip%c:%s/%u", network.family == IP_V4 ? '4' : '6', ip_text(&network, text),
                 prefix_of(term));
}

/* SP-5: clients are IPv4 then, and ip6 matches none of them. */
static void check_mapped(const struct lint_place *place, const struct spf_term *term)
{
    char text[IP_TEXT_MAX];
    struct ip ip = ip_unmap(term->network);
    if (ip.family == term->network.family || term->prefix6 < 96)
        return;
    lint_instead(place,
                 lint_find(place, LINT_WARNING, "mapped_ip6", term->text,
                           "an IPv4 address in IPv6 form never matches: such clients are IPv4"),
                 "ip4:%s/%u", ip_text(&ip, text), term->prefix6 - 96u);
}

/* `wide` has all addresses of `narrow`. */
static bool covers(const struct spf_term *wide, const struct spf_term *narrow)
{
    return prefix_of(wide) <= prefix_of(narrow) &&
           ip_in_prefix(&narrow->network, &wide->network, prefix_of(wide));
}

static void check_covered(const struct lint_place *place, const struct spf_record *record,
                          const struct spf_term *term)
{
    struct spf_term other;
    size_t at = 0;
    while (spf_record_next(record, &at, &other)) {
        bool before = other.text.p < term->text.p;
        if (other.text.p == term->text.p || !is_network(&other) || !covers(&other, term))
            continue;
        bool same = covers(term, &other);
        /* A narrow one before a wide one of another qualifier is an exception from it. */
        if ((same && !before) || (!before && other.qualifier != term->qualifier))
            continue;
        lint_instead(
            place,
            lint_find(place, LINT_WARNING, same ? "duplicate_term" : "covered_term", term->text,
                      same ? "the same network stands before: %.*s" : "all of it is a part of %.*s",
                      SPAN_ARGS(other.text)),
            "leave it out");
        return;
    }
}

void lint_spf_ranges(const struct lint_place *place, const struct spf_record *record)
{
    struct spf_term term;
    size_t at = 0;
    while (spf_record_next(record, &at, &term)) {
        check_widths(place, &term);
        if (!is_network(&term))
            continue;
        check_host_bits(place, &term);
        check_mapped(place, &term);
        check_covered(place, record, &term);
    }
}
