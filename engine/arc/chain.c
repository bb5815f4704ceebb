/*
 * RFC 8617 5.2 steps 1 to 3.
 *
 * More than ARC_SETS fields of a kind end it before any is parsed. An AMS below the newest needs no
 * more than a place in the chain: what its tags say matters to the oldest-pass alone (AV-7).
 */
#include "arc/chain.h"

#include "arc/results_field.h"

enum field_kind
{
    RESULTS,
    MESSAGE_SIGNATURE,
    SEAL,
    KIND_COUNT
};

static const struct
{
    enum field_name name;
    const char *missing;
} kinds[KIND_COUNT] = {
    [RESULTS] = {FIELD_ARC_AUTHENTICATION_RESULTS, "missing_results"},
    [MESSAGE_SIGNATURE] = {FIELD_ARC_MESSAGE_SIGNATURE, "missing_message_signature"},
    [SEAL] = {FIELD_ARC_SEAL, "missing_seal"},
};

struct reading
{
    struct arc_judgement *judgement;
    uint32_t room;     /* sets allocated */
    const char *fault; /* first fault of the structure, told after cv=fail was looked for */
    uint32_t fault_instance;
};

void arc_fail(struct arc_judgement *judgement, const char *reason, uint32_t instance)
{
    if (!arc_is_open(judgement))
        return;
    judgement->result = RESULT_FAIL;
    judgement->reason = reason;
    judgement->fault_instance = instance;
}

void arc_fail_set(struct arc_judgement *judgement, const char *reason, uint32_t instance,
                  const char *detail)
{
    struct arc_set *set = &judgement->sets[instance - 1];
    if (!set->reason)
        set->reason = detail;
    arc_fail(judgement, reason, instance);
}

static void note_fault(struct reading *reading, const char *fault, uint32_t instance)
{
    if (reading->fault)
        return;
    reading->fault = fault;
    reading->fault_instance = instance;
}

/* The set for this instance. NULL, fault noted: there are fewer fields than that, so a gap. */
static struct arc_set *set_for(struct reading *reading, uint32_t instance)
{
    struct arc_judgement *judgement = reading->judgement;
    if (instance > reading->room) {
        note_fault(reading, "missing_set", instance);
        return NULL;
    }
    if (judgement->count < instance)
        judgement->count = instance;
    return &judgement->sets[instance - 1];
}

static void take_results(struct reading *reading, const struct mail_field *field)
{
    uint32_t instance;
    struct span payload;
    if (!arc_results_parse(field->value, reading->judgement->hits, &instance, &payload)) {
        note_fault(reading, "bad_instance", 0); /* AV-12 */
        return;
    }
    struct arc_set *set = set_for(reading, instance);
    if (!set)
        return;
    if (set->aar) {
        note_fault(reading, "duplicate_instance", instance);
        return;
    }
    set->aar = field;
    set->aar_payload = payload;
}

/*
 * An AMS must not sign ARC-Seal fields (RFC 8617 4.1.2). The rule binds sealers; but for AS(1) in
 * an AMS(2) the selection from below would let it pass, and the validators that sealers test
 * against refuse it: refused here, too (13.30).
 */
static void refuse_signed_seal(struct dkim_signature *ams)
{
    for (uint32_t i = 0; i < ams->item_count && ams->result == RESULT_UNSET; i++) {
        if (ams->item_names[i] != FIELD_ARC_SEAL)
            continue;
        ams->result = RESULT_PERMERROR;
        ams->reason = "seal_signed";
    }
}

static void take_signature(struct reading *reading, const struct mail_field *field,
                           enum dkim_kind kind)
{
    struct dkim_signature signature;
    dkim_signature_parse(field, kind, reading->judgement->arena, reading->judgement->hits, NULL,
                         &signature);
    if (signature.instance == 0) {
        note_fault(reading, signature.reason, 0);
        return;
    }
    struct arc_set *set = set_for(reading, signature.instance);
    if (!set)
        return;
    struct dkim_signature *place = kind == DKIM_ARC_SEAL ? &set->seal : &set->ams;
    if (place->field) {
        note_fault(reading, "duplicate_instance", signature.instance);
        return;
    }
    if (kind == DKIM_ARC_MESSAGE_SIGNATURE)
        refuse_signed_seal(&signature);
    *place = signature;
}

static void take_field(struct reading *reading, const struct mail_field *field,
                       enum field_kind kind)
{
    switch (kind) {
    case RESULTS:
        take_results(reading, field);
        break;
    case MESSAGE_SIGNATURE:
        take_signature(reading, field, DKIM_ARC_MESSAGE_SIGNATURE);
        break;
    case SEAL:
        take_signature(reading, field, DKIM_ARC_SEAL);
        break;
    case KIND_COUNT:
        break;
    }
}

static void take_fields(struct reading *reading, const struct mail_header *header)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        const struct mail_field *field = mail_header_known(header, kinds[kind].name);
        for (; field; field = mail_header_above(header, field))
            take_field(reading, field, (enum field_kind)kind);
    }
}

/* AV-4: exactly one of each; that there is at most one was seen when they were taken. */
static void check_complete(struct reading *reading)
{
    const struct arc_judgement *judgement = reading->judgement;
    for (uint32_t i = 1; i <= judgement->count; i++) {
        const struct arc_set *set = &judgement->sets[i - 1];
        if (!set->aar && !set->ams.field && !set->seal.field)
            note_fault(reading, "missing_set", i);
        if (!set->aar)
            note_fault(reading, kinds[RESULTS].missing, i);
        if (!set->ams.field)
            note_fault(reading, kinds[MESSAGE_SIGNATURE].missing, i);
        if (!set->seal.field)
            note_fault(reading, kinds[SEAL].missing, i);
    }
}

/* AV-5 */
static void check_chain_values(struct arc_judgement *judgement)
{
    for (uint32_t i = 1; i <= judgement->count; i++) {
        struct span wanted = i == 1 ? SPAN("none") : SPAN("pass");
        if (!span_equal(judgement->sets[i - 1].seal.cv, wanted))
            arc_fail_set(judgement, "bad_cv", i, "bad_cv");
    }
}

static void check_tags(struct arc_judgement *judgement, const struct dkim_signature *signature,
                       const char *reason, uint32_t instance)
{
    if (signature->result == RESULT_UNSET)
        return;
    bool ours = signature->result == RESULT_TEMPERROR; /* no memory */
    judgement->temporary |= ours && arc_is_open(judgement);
    arc_fail_set(judgement, ours ? "internal_error" : reason, instance, signature->reason);
}

/* The newest AMS and every seal may be verified. */
static void check_all_tags(struct arc_judgement *judgement)
{
    uint32_t newest = judgement->count;
    check_tags(judgement, &judgement->sets[newest - 1].ams, "ams_invalid", newest);
    for (uint32_t i = newest; i >= 1; i--)
        check_tags(judgement, &judgement->sets[i - 1].seal, "seal_invalid", i);
}

static bool is_chain_field(enum field_name known)
{
    return known == FIELD_AUTHENTICATION_RESULTS || known == kinds[RESULTS].name ||
           known == kinds[MESSAGE_SIGNATURE].name || known == kinds[SEAL].name;
}

/* 13.30, AV-13: sealers must not sign these; it is told, and no fault. */
static void note_signed_results(struct arc_judgement *judgement)
{
    for (uint32_t i = 0; i < judgement->count; i++) {
        const struct dkim_signature *ams = &judgement->sets[i].ams;
        for (uint32_t k = 0; k < ams->item_count; k++)
            judgement->has_ar_in_ams |= is_chain_field(ams->item_names[k]);
    }
}

static bool last_sealer_failed(const struct arc_judgement *judgement)
{
    return judgement->count > 0 &&
           span_equal(judgement->sets[judgement->count - 1].seal.cv, SPAN("fail"));
}

bool arc_chain_read(struct arc_judgement *judgement, const struct mail_header *header)
{
    struct reading reading = {.judgement = judgement};
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        const struct mail_field *lowest = mail_header_known(header, kinds[kind].name);
        if (lowest && lowest->same > reading.room)
            reading.room = lowest->same;
    }
    if (reading.room == 0) {
        judgement->result = RESULT_NONE; /* AV-1 */
        return true;
    }
    if (reading.room > MAX_ARC_SETS) { /* AV-2 */
        limit_hit(judgement->hits, LIMIT_ARC_SETS);
        arc_fail(judgement, limit_word(LIMIT_ARC_SETS), 0);
        return true;
    }
    judgement->sets = ARENA_ARRAY(judgement->arena, reading.room, struct arc_set);
    if (!judgement->sets)
        return false;
    for (uint32_t i = 0; i < reading.room; i++)
        judgement->sets[i].body_hash = -1;
    take_fields(&reading, header);
    note_signed_results(judgement);
    if (last_sealer_failed(judgement)) /* AV-3 */
        arc_fail_set(judgement, "cv_fail", judgement->count, "cv_fail");
    check_complete(&reading);
    if (reading.fault)
        arc_fail(judgement, reading.fault, reading.fault_instance);
    check_chain_values(judgement);
    if (arc_is_open(judgement))
        check_all_tags(judgement);
    return true;
}
