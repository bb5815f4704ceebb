/*
 * What others have written about the message: Authentication-Results and its ARC twin. Who wrote a
 * field is told by its place: above the Received field of the receiving hop stand only fields of
 * the receiver's own hosts; everything below came with the message (AR-18). Nothing of it counts
 * for our verdict (J05).
 */
#include "arc/results_field.h"
#include "diagnose/results_read.h"
#include "explain_parts.h"

/* Hosts that write below their own Received field, and take forged ones out. */
static const struct
{
    const char *authserv_id, *by;
} writes_below[] = {{"mx.google.com", "mx.google.com"}};

struct seen
{
    const struct mail_field *field;
    uint32_t instance; /* of ARC, 0 */
    bool is_arc, ours, trusted;
    struct results_read read;
};

static const struct explain_hop *receiving(const struct explaining *e)
{
    return e->receiving < 0 ? NULL : &e->hops[e->receiving];
}

static bool name_from(struct span text, struct dns_name *name)
{
    return dns_name_from_domain(name, text) == DNS_NAME_OK;
}

/* The same host, or another of the same house: mx1.a.example, mail.a.example, a.example. */
static bool same_house(struct span id, struct span host)
{
    struct dns_name a, b;
    if (!name_from(id, &a) || !name_from(host, &b))
        return span_equal_fold(id, host);
    if (dns_name_is_at_or_below(&a, &b) || dns_name_is_at_or_below(&b, &a))
        return a.labels > 1 && b.labels > 1;
    struct dns_name house = dns_name_ancestor(&b, 1);
    return house.labels > 1 && dns_name_is_at_or_below(&a, &house);
}

static bool is_ours(const struct explaining *e, struct span id)
{
    const struct explain_hop *hop = receiving(e);
    if (id.n == 0)
        return false;
    if (e->options->authserv_id)
        return span_equal_fold(id, span_from_string(e->options->authserv_id));
    return hop && hop->received.by.n && same_house(id, hop->received.by);
}

static bool is_known_below(const struct explaining *e, const struct seen *seen)
{
    const struct explain_hop *hop = receiving(e);
    for (size_t i = 0; i < COUNT_OF(writes_below); i++)
        if (span_equal_fold(seen->read.authserv_id,
                            span_from_string(writes_below[i].authserv_id)) &&
            span_equal_fold(hop->received.by, span_from_string(writes_below[i].by)))
            return true;
    return false;
}

/* No Received field between the two: written by the same host. */
static bool right_below(const struct explaining *e, const struct seen *seen)
{
    uint32_t next = (uint32_t)e->receiving + 1;
    return next >= e->hop_count || seen->field->position < e->hops[next].field->position;
}

static void judge_arc(struct explaining *e, struct seen *seen, json_t *object)
{
    const json_t *arc = explain_member(e->document, "verdict.arc");
    const json_t *sealer =
        json_array_get(explain_member(arc, "sealers"), seen->instance ? seen->instance - 1 : 0);
    const char *domain = explain_at(sealer, "domain");
    bool passes = strcmp(explain_at(arc, "result"), "pass") == 0;
    seen->trusted = passes && seen->instance && json_is_true(explain_member(sealer, "trusted"));
    if (seen->trusted)
        explain_sentence(e, object, "why", "Sealed by %s, which you trust, and the chain holds.",
                         domain);
    else if (passes && seen->instance)
        explain_sentence(e, object, "why",
                         "Sealed by %s and unchanged since, so %s has said this; whether you "
                         "believe it is your choice (--trusted-sealer).",
                         domain, domain);
    else
        explain_sentence(e, object, "why",
                         "The ARC chain does not hold, so anybody can have written this.");
}

static void judge_place(struct explaining *e, struct seen *seen, json_t *object)
{
    const struct explain_hop *hop = receiving(e);
    if (!hop) {
        explain_sentence(e, object, "why", "%s",
                         e->options->ip ? "No Received field names the client you gave, so all "
                                          "that stands in the message came with it."
                                        : "No Received field tells where the receiver's own hosts "
                                          "begin, so anybody can have written this.");
        return;
    }
    int by_n = (int)(hop->received.by.n < 100 ? hop->received.by.n : 100);
    const char *by = by_n ? (const char *)hop->received.by.p : "the receiver";
    by_n = by_n ? by_n : (int)strlen(by);
    seen->trusted = seen->field->position < hop->field->position;
    if (seen->trusted) {
        explain_sentence(e, object, "why",
                         "It stands above the Received field of %.*s, which took the message from "
                         "outside: a host of the receiver has written it.",
                         by_n, by);
    } else if (right_below(e, seen) && is_known_below(e, seen)) {
        seen->trusted = true;
        explain_sentence(e, object, "why",
                         "%.*s writes its results below its own Received field and takes forged "
                         "ones out.",
                         by_n, by);
    } else {
        explain_sentence(e, object, "why",
                         "It stands below the Received field of %.*s, which took the message from "
                         "outside: it came with the message, and anybody can have written it.",
                         by_n, by);
    }
}

/* --- theirs against ours --- */

static const char *our_dkim(const json_t *verdict, struct span domain)
{
    const char *found = "none";
    const json_t *signature;
    size_t i;
    json_array_foreach(explain_member(verdict, "dkim"), i, signature)
    {
        if (domain.n && !span_equal_fold(domain, span_from_string(explain_at(signature, "domain"))))
            continue;
        const char *result = explain_at(signature, "result");
        if (strcmp(found, "pass") != 0)
            found = result;
    }
    return found;
}

static struct span dkim_domain(const struct result_read *result)
{
    struct span domain = result_property(result, SPAN("header.d"));
    struct span identity = result_property(result, SPAN("header.i"));
    size_t at = span_find_last(identity, '@');
    if (domain.n == 0 && at < identity.n)
        domain = span_skip(identity, at + 1);
    return domain;
}

static const char *ours_of(const json_t *verdict, const struct result_read *result,
                           struct span *domain)
{
    static const char *const methods[] = {"spf", "arc", "dmarc"};
    *domain = (struct span){NULL, 0};
    if (span_equal_fold(result->method, SPAN("dkim"))) {
        *domain = dkim_domain(result);
        return our_dkim(verdict, *domain);
    }
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (span_equal_fold(result->method, span_from_string(methods[i])))
            return explain_at(explain_member(verdict, methods[i]), "result");
    return NULL;
}

static void tell_difference(struct explaining *e, const struct result_read *result,
                            struct span domain, const char *ours, json_t *object)
{
    int n = (int)(result->result.n < 40 ? result->result.n : 40);
    int dn = (int)(domain.n < 100 ? domain.n : 100);
    const char *theirs = (const char *)result->result.p;
    bool passed = span_equal_fold(result->result, SPAN("pass"));
    if (span_equal_fold(result->method, SPAN("spf")))
        explain_sentence(e, object, "sentence",
                         "It says SPF %.*s, we find %s: SPF is about the client of one hop, and "
                         "theirs may have been another.",
                         n, theirs, ours);
    else if (span_equal_fold(result->method, SPAN("dkim")))
        explain_sentence(e, object, "sentence", "It says DKIM %.*s%s%.*s, we find %s: %s.", n,
                         theirs, dn ? " for " : "", dn, dn ? (const char *)domain.p : "", ours,
                         passed ? "the message was changed since, the key is another now, or the "
                                  "claim is false"
                                : "that host saw another message or another key");
    else
        explain_sentence(e, object, "sentence", "It says %.*s %.*s, we find %s.",
                         (int)(result->method.n < 20 ? result->method.n : 20),
                         (const char *)result->method.p, n, theirs, ours);
}

static json_t *differences(struct explaining *e, const struct seen *seen)
{
    const json_t *verdict = explain_member(e->document, "verdict");
    json_t *list = json_array();
    for (unsigned i = 0; i < seen->read.count && i < EXPLAIN_RESULTS_MAX; i++) {
        const struct result_read *result = &seen->read.results[i];
        struct span domain;
        const char *ours = ours_of(verdict, result, &domain);
        if (!ours || span_equal_fold(result->result, span_from_string(ours)))
            continue;
        json_t *object = json_object();
        explain_set(e, object, "method", explain_text_json(e, result->method));
        explain_set(e, object, "domain", explain_text_json(e, domain));
        explain_set(e, object, "theirs", explain_text_json(e, result->result));
        explain_set(e, object, "ours", json_string(ours));
        tell_difference(e, result, domain, ours, object);
        explain_append(e, list, object);
    }
    return list;
}

static json_t *result_json(struct explaining *e, const struct result_read *result)
{
    json_t *object = json_object(), *properties = json_object();
    explain_set(e, object, "method", explain_text_json(e, result->method));
    explain_set(e, object, "result", explain_text_json(e, result->result));
    explain_set(e, object, "reason", explain_text_json(e, result->reason));
    for (unsigned i = 0; i < result->property_count; i++) {
        json_t *name = explain_text_json(e, result->properties[i].name);
        const char *key = json_string_value(name);
        if (key)
            explain_set(e, properties, key, explain_text_json(e, result->properties[i].value));
        json_decref(name);
    }
    explain_set(e, object, "properties", properties);
    return object;
}

static json_t *seen_json(struct explaining *e, struct seen *seen, struct span payload)
{
    json_t *object = json_object(), *results = json_array();
    seen->ours = !seen->is_arc && is_ours(e, seen->read.authserv_id);
    explain_set(e, object, "field", explain_text_json(e, seen->field->name));
    explain_set(e, object, "position", json_integer(seen->field->position));
    explain_set(e, object, "instance", seen->instance ? json_integer(seen->instance) : json_null());
    explain_set(e, object, "authserv_id", explain_text_json(e, seen->read.authserv_id));
    explain_set(e, object, "ours", json_boolean(seen->ours));
    if (seen->is_arc)
        judge_arc(e, seen, object);
    else
        judge_place(e, seen, object);
    explain_set(e, object, "trusted", json_boolean(seen->trusted));
    explain_set(e, object, "forged", json_boolean(seen->ours && !seen->trusted));
    for (unsigned i = 0; i < seen->read.count && i < EXPLAIN_RESULTS_MAX; i++)
        explain_append(e, results, result_json(e, &seen->read.results[i]));
    explain_set(e, object, "results", results);
    explain_set(e, object, "differences", differences(e, seen));
    explain_set(e, object, "raw", explain_field_json(e, payload));
    return object;
}

/* True where the field is one of the two; its payload and instance then. */
static bool read_field(struct explaining *e, const struct mail_field *field, struct seen *seen,
                       struct span *payload)
{
    *seen = (struct seen){.field = field};
    *payload = field->value;
    if (!field->indexed)
        return false;
    if (span_equal_fold(field->name, SPAN("ARC-Authentication-Results"))) {
        seen->is_arc = true;
        if (!arc_results_parse(field->value, &e->hits, &seen->instance, payload))
            *payload = field->value;
    } else if (!span_equal_fold(field->name, SPAN("Authentication-Results"))) {
        return false;
    }
    results_read(*payload, &seen->read);
    return true;
}

void explain_results(struct explaining *e)
{
    json_t *list = json_array();
    const struct mail_header *header = &e->reader.header;
    struct seen *seen = ARENA_NEW(&e->arena, struct seen);
    for (uint32_t i = 0; seen && i < header->count; i++) {
        struct span payload;
        if (json_array_size(list) < EXPLAIN_FIELDS_MAX &&
            read_field(e, &header->fields[i], seen, &payload))
            explain_append(e, list, seen_json(e, seen, payload));
    }
    e->failed = e->failed || !seen;
    explain_set(e, e->document, "authentication_results", list);
}
