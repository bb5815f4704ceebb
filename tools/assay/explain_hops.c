/*
 * The message's way: Received fields, and the one that the receiver has written about the stranger
 * who brought the message. Every field below that one is the stranger's word.
 */
#include "explain_parts.h"

enum
{
    LONG_DELAY = 600,    /* seconds */
    FUTURE_SLACK = 300,  /* clocks differ */
    NEGATIVE_SLACK = 60, /* likewise, between two hosts */
};

static bool is_given_client(const struct explaining *e, const struct ip *client)
{
    struct ip given;
    return ip_parse(span_from_string(e->options->ip), &given) && ip_equal(&given, client);
}

/* Newest first: hops inside the receiver's house, then the one that came from outside. With --ip
 * it is the one that names this address, or none: then no host of the receiver has written yet. */
static int find_receiving(const struct explaining *e)
{
    for (uint32_t i = 0; i < e->hop_count; i++) {
        const struct ip *client = &e->hops[i].received.client;
        if (client->family == IP_NONE)
            continue;
        if (e->options->ip ? is_given_client(e, client) : !received_ip_is_inside(client))
            return (int)i;
    }
    return -1;
}

void explain_hops_read(struct explaining *e)
{
    const struct mail_header *header = &e->reader.header;
    for (uint32_t i = 0; i < header->count; i++) {
        const struct mail_field *field = &header->fields[i];
        if (!field->indexed || !span_equal_fold(field->name, SPAN("Received")))
            continue;
        if (e->hop_count < EXPLAIN_HOPS_MAX) {
            struct explain_hop *hop = &e->hops[e->hop_count++];
            hop->field = field;
            received_read(field->value, &hop->received);
        }
        e->hops_total++;
    }
    e->receiving = find_receiving(e);
}

static json_t *anomaly(struct explaining *e, const char *word)
{
    json_t *object = json_object();
    explain_set(e, object, "word", json_string(word));
    return object;
}

static void add_delay_anomalies(struct explaining *e, json_t *list, json_int_t delay)
{
    if (delay < -NEGATIVE_SLACK) {
        json_t *object = anomaly(e, "negative_delay");
        explain_sentence(e, object, "sentence",
                         "This hop says it was %lld s earlier than the hop before it: a clock is "
                         "wrong, or a field was made up.",
                         -delay);
        explain_append(e, list, object);
    }
    if (delay > LONG_DELAY) {
        json_t *object = anomaly(e, "long_delay");
        explain_sentence(e, object, "sentence",
                         "The message waited %lld s in front of this hop: a queue, greylisting, or "
                         "a wrong clock.",
                         delay);
        explain_append(e, list, object);
    }
}

static json_t *anomalies(struct explaining *e, const struct explain_hop *hop, const json_t *delay)
{
    json_t *list = json_array();
    const struct received *received = &hop->received;
    if (json_is_integer(delay))
        add_delay_anomalies(e, list, json_integer_value(delay));
    if (!received->has_time) {
        json_t *object = anomaly(e, "no_time");
        explain_sentence(e, object, "sentence", "This hop has no date that can be read.");
        explain_append(e, list, object);
    } else if (received->time > e->now + FUTURE_SLACK) {
        json_t *object = anomaly(e, "future");
        explain_sentence(e, object, "sentence",
                         "This hop says it was later than the message was received.");
        explain_append(e, list, object);
    }
    bool outside = received->client.family != IP_NONE && !received_ip_is_inside(&received->client);
    if (received->tls == RECEIVED_TLS_NO && outside) {
        json_t *object = anomaly(e, "clear_text");
        explain_sentence(e, object, "sentence",
                         "The message came over the network without encryption.");
        explain_append(e, list, object);
    }
    return list;
}

static json_t *ip_json(const struct ip *ip)
{
    char text[IP_TEXT_MAX];
    return ip->family == IP_NONE ? json_null() : json_string(ip_text(ip, text));
}

static json_t *tls_json(enum received_tls tls)
{
    if (tls == RECEIVED_TLS_UNKNOWN)
        return json_null();
    return json_boolean(tls == RECEIVED_TLS_YES);
}

static json_t *hop_json(struct explaining *e, uint32_t index, const json_t *delay)
{
    const struct explain_hop *hop = &e->hops[index];
    const struct received *received = &hop->received;
    json_t *object = json_object();
    explain_set(e, object, "number", json_integer(e->hops_total - index));
    explain_set(e, object, "position", json_integer(hop->field->position));
    explain_set(e, object, "from", explain_text_json(e, received->from));
    explain_set(e, object, "from_host", explain_text_json(e, received->from_host));
    explain_set(e, object, "ip", ip_json(&received->client));
    explain_set(e, object, "by", explain_text_json(e, received->by));
    explain_set(e, object, "with", explain_text_json(e, received->with));
    explain_set(e, object, "id", explain_text_json(e, received->id));
    explain_set(e, object, "for", explain_text_json(e, received->recipient));
    explain_set(e, object, "tls", tls_json(received->tls));
    explain_set(e, object, "tls_text", explain_text_json(e, received->tls_text));
    explain_set(e, object, "time", received->has_time ? json_integer(received->time) : json_null());
    explain_set(e, object, "time_text", explain_field_json(e, received->time_text));
    explain_set(e, object, "delay", json_deep_copy(delay));
    explain_set(e, object, "receiving", json_boolean((int)index == e->receiving));
    explain_set(e, object, "anomalies", anomalies(e, hop, delay));
    return object;
}

static json_t *delay_json(const struct explaining *e, uint32_t index)
{
    if (index + 1 >= e->hop_count || !e->hops[index].received.has_time ||
        !e->hops[index + 1].received.has_time)
        return json_null();
    return json_integer(e->hops[index].received.time - e->hops[index + 1].received.time);
}

static json_t *transit_json(const struct explaining *e)
{
    const struct received *first = NULL, *last = NULL;
    for (uint32_t i = 0; i < e->hop_count; i++) {
        if (!e->hops[i].received.has_time)
            continue;
        last = last ? last : &e->hops[i].received;
        first = &e->hops[i].received;
    }
    return first != last ? json_integer(last->time - first->time) : json_null();
}

void explain_hops(struct explaining *e)
{
    json_t *list = json_array();
    for (uint32_t i = e->hop_count; i-- > 0;) {
        json_t *delay = delay_json(e, i);
        explain_append(e, list, hop_json(e, i, delay));
        json_decref(delay);
    }
    explain_set(e, e->document, "hops", list);
    explain_set(e, e->document, "hops_total", json_integer(e->hops_total));
    explain_set(e, e->document, "transit", transit_json(e));
}
