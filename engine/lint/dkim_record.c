/*
 * DKIM key records (RFC 6376 3.6.1, 8301, 8463). The verifier's parser says whether the record may
 * be used; the checks here say where the fault is. A record that the parser refuses for a reason
 * that no check has named still gets an error, so none is clean here that fails on the wire.
 */
#include "lint/finding.h"

#include "base/base64.h"
#include "base/chars.h"
#include "dkim/key_record.h"
#include "dkim/signature_value.h"

enum
{
    SHORT_RSA_BITS = 2048, /* RFC 8301 3.2: SHOULD be at least */
    LONG_RSA_BITS = 4096,  /* verifiers must take keys up to here */
};

static const struct span nothing = {NULL, 0};

static struct span value_of(const struct tag *tag, struct span absent)
{
    return tag ? tag->value : absent;
}

/* DV-32 */
static void check_version(const struct lint_place *place, const struct taglist *list)
{
    const struct tag *v = taglist_find(list, SPAN("v"));
    if (!v) {
        lint_instead(place,
                     lint_find(place, LINT_NOTE, "no_version", nothing,
                               "without v= the record is good, but harder to recognise"),
                     "v=DKIM1; in front");
        return;
    }
    if (!span_equal(v->value, SPAN("DKIM1")))
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "unknown_key_version", lint_tag_text(place, v),
                               "the version is not exactly DKIM1: verifiers ignore the record"),
                     "v=DKIM1");
    else if (v != &list->tags[0])
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "unknown_key_version", lint_tag_text(place, v),
                               "v= is not the first tag: verifiers ignore the record"),
                     "v=DKIM1; in front of all other tags");
}

static void check_names(const struct lint_place *place, const struct taglist *list)
{
    static const struct span known[] = {SPAN("v"), SPAN("h"), SPAN("k"), SPAN("n"),
                                        SPAN("p"), SPAN("s"), SPAN("t")};
    for (uint32_t i = 0; i < list->count; i++) {
        const struct tag *tag = &list->tags[i];
        bool is_known = false, but_for_case = false;
        for (size_t k = 0; k < COUNT_OF(known); k++) {
            is_known |= span_equal(tag->name, known[k]);
            but_for_case |= span_equal_fold(tag->name, known[k]);
        }
        if (is_known)
            continue;
        if (but_for_case)
            lint_instead(place,
                         lint_find(place, LINT_WARNING, "tag_case", tag->name,
                                   "names of tags are in lower case: verifiers ignore this one"),
                         "%c", ascii_lower(tag->name.p[0]));
        else if (span_equal(tag->name, SPAN("g")))
            lint_instead(place,
                         lint_find(place, LINT_NOTE, "removed_tag", lint_tag_text(place, tag),
                                   "RFC 6376 removed g=: verifiers ignore it"),
                         "leave it out");
        else
            (void)lint_find(place, LINT_NOTE, "unknown_tag", lint_tag_text(place, tag),
                            "verifiers ignore this tag");
    }
}

/* Calls `each` for every part between colons. */
static void for_each_part(const struct lint_place *place, struct span value,
                          void (*each)(const struct lint_place *, struct span part))
{
    while (value.n) {
        size_t end = span_find(value, ':');
        struct span part = taglist_trim(span_slice(value, 0, end));
        if (part.n)
            each(place, part);
        value = span_skip(value, end < value.n ? end + 1 : end);
    }
}

static void check_flag(const struct lint_place *place, struct span flag)
{
    if (span_equal(flag, SPAN("y")))
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "testing", flag,
                               "t=y: receivers treat the mail as if it were not signed"),
                     "leave t=y out when the test is over");
    else if (span_equal(flag, SPAN("s")))
        (void)lint_find(place, LINT_NOTE, "no_subdomains", flag,
                        "t=s: i= of a signature must be in the domain itself, not below it");
    else
        (void)lint_find(place, LINT_NOTE, "unknown_flag", flag, "verifiers ignore this flag");
}

static void check_hash(const struct lint_place *place, struct span hash)
{
    if (span_equal(hash, SPAN("sha1")))
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "sha1_listed", hash,
                               "signatures with sha1 are refused (RFC 8301)"),
                     "h=sha256, or no h= at all");
    else if (!span_equal(hash, SPAN("sha256")))
        (void)lint_find(place, LINT_NOTE, "unknown_hash", hash, "verifiers ignore this hash");
}

static void check_service(const struct lint_place *place, struct span service)
{
    if (!span_equal(service, SPAN("*")) && !span_equal(service, SPAN("email")))
        (void)lint_find(place, LINT_NOTE, "unknown_service", service,
                        "this service is none of those for mail, email and *");
}

/* Tags that may forbid the use of the key: DV-34, DV-38, DV-39, DV-40 */
static void check_uses(const struct lint_place *place, const struct taglist *list)
{
    const struct tag *t = taglist_find(list, SPAN("t")), *h = taglist_find(list, SPAN("h")),
                     *s = taglist_find(list, SPAN("s")), *k = taglist_find(list, SPAN("k"));
    for_each_part(place, value_of(t, nothing), check_flag);
    for_each_part(place, value_of(h, nothing), check_hash);
    for_each_part(place, value_of(s, nothing), check_service);
    if (h && !dkim_list_holds(h->value, SPAN("sha256")))
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "key_hash", lint_tag_text(place, h),
                               "h= does not allow sha256, the only hash there is"),
                     "leave h= out");
    if (s && !dkim_list_holds(s->value, SPAN("*")) && !dkim_list_holds(s->value, SPAN("email")))
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "key_service", lint_tag_text(place, s),
                               "s= does not allow mail"),
                     "leave s= out, or s=email");
    if (k && !span_equal(k->value, SPAN("rsa")) && !span_equal(k->value, SPAN("ed25519")))
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "unknown_key_type", lint_tag_text(place, k),
                               "k= is neither rsa nor ed25519: verifiers ignore the key"),
                     "k=rsa or k=ed25519");
}

/* The first byte that base64 does not know; the whole value where it is the padding. */
static struct span base64_fault(struct span value)
{
    for (size_t i = 0; i < value.n; i++)
        if (!char_is(value.p[i], CHAR_BASE64) && !memchr("= \t\r\n", value.p[i], 5))
            return span_slice(value, i, i + 1);
    return value;
}

/* What a key that is none might be instead. */
static void advise_encoding(const struct lint_place *place, struct lint_finding *finding,
                            enum key_type type, struct span value)
{
    size_t characters = base64_count(value);
    if (type == KEY_ED25519)
        lint_instead(place, finding,
                     "the 32 octets of the key in base64, 44 characters, without a wrapping "
                     "(RFC 8463 4.2)");
    else if (characters == 44)
        lint_instead(place, finding, "k=ed25519: these are the 32 octets of such a key");
    else
        lint_instead(place, finding,
                     "all of the base64 of the key as `openssl rsa -pubout` prints it");
}

static void check_size(const struct lint_place *place, const struct dkim_key_record *record,
                       struct span value)
{
    if (record->type == KEY_ED25519) {
        lint_instead(
            place,
            lint_find(place, LINT_NOTE, "ed25519", value, "not all receivers verify Ed25519"),
            "sign with an RSA key under another selector as well");
        return;
    }
    if (record->bits < SHORT_RSA_BITS)
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "short_key", value,
                               "%u bits: RFC 8301 wants 2048 or more", record->bits),
                     "a key of 2048 bits under a new selector");
    if (record->bits > LONG_RSA_BITS)
        lint_instead(place,
                     lint_find(place, LINT_NOTE, "long_key", value,
                               "%u bits: verifiers need only take keys up to 4096 (RFC 8301)",
                               record->bits),
                     "a key of 2048 bits");
}

/* Reasons of the key itself. */
static const struct
{
    const char *reason, *what, *instead;
} key_faults[] = {
    {"bad_key_data", "this is no base64", "the public key in base64, in one piece"},
    {"key_bad_encoding", "the base64 holds no public key of this type", NULL},
    {"key_too_small", "fewer than 1024 bits: verifiers refuse the key (RFC 8301)",
     "a key of 2048 bits"},
    {"key_too_large", "more than 8192 bits: verifiers refuse the key", "a key of 2048 bits"},
    {"key_bad_exponent", "the key's exponent is even, too small or too large",
     "a new key, with the exponent 65537"},
    {"key_bad_modulus", "the key's modulus is none", "a new key"},
    {"key_small_order", "this is no sound Ed25519 key", "a new key"},
    {"p_too_long", "no verifier takes a key of so many characters", "a key of 2048 bits"},
};

static bool report_key(const struct lint_place *place, const struct dkim_key_record *record,
                       struct span value)
{
    for (size_t i = 0; i < COUNT_OF(key_faults); i++) {
        if (strcmp(key_faults[i].reason, record->reason) != 0)
            continue;
        struct span part = i == 0 ? base64_fault(value) : value;
        struct lint_finding *finding =
            lint_find(place, LINT_ERROR, record->reason, part, "%s", key_faults[i].what);
        if (key_faults[i].instead)
            lint_instead(place, finding, "%s", key_faults[i].instead);
        else
            advise_encoding(place, finding, record->type, value);
        return true;
    }
    return false;
}

static void check_key(const struct lint_place *place, const struct taglist *list,
                      const struct dkim_key_record *record)
{
    const struct tag *p = taglist_find(list, SPAN("p"));
    if (!p) {
        lint_instead(place,
                     lint_find(place, LINT_ERROR, "no_key_data", nothing,
                               "there is no p=, which holds the key: this is no key record"),
                     "p= and the public key in base64");
        return;
    }
    if (p->value.n == 0)
        lint_instead(place,
                     lint_find(place, LINT_WARNING, "revoked", lint_tag_text(place, p),
                               "p= is empty: the key is revoked, its signatures fail"),
                     "nothing, if that is meant; else p= and the public key in base64");
    else if (!record->reason)
        check_size(place, record, p->value);
    else
        (void)report_key(place, record, p->value);
}

void lint_dkim_record(const struct lint_place *place)
{
    struct limit_hits hits = {.set = 0};
    struct dkim_key_record record;
    struct taglist list;
    uint32_t errors = place->findings->counts[LINT_ERROR];
    dkim_key_record_parse(place->text, &hits, &record);
    lint_tags(place, LINT_ERROR, &list);
    lint_escaped_semicolons(place);
    check_version(place, &list);
    check_names(place, &list);
    check_uses(place, &list);
    check_key(place, &list, &record);
    if (record.reason && strcmp(record.reason, "revoked") != 0 &&
        place->findings->counts[LINT_ERROR] == errors)
        (void)lint_find(place, LINT_ERROR, record.reason, nothing, "verifiers refuse this record");
    lint_size(place, LINT_NOTE);
    dkim_key_record_fini(&record);
}
