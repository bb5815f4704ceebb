#include "e2e/attack.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "sign/sign.h"
#include "support/tool.h"

enum
{
    RSA_BITS = 1024,
    TEXT_BYTES = 64 * 1024 * 1024,
    RECEIVED_AT = 1792972860,
};

struct half
{
    const char *domain, *selector;
    struct private_key *key;
    char record[1024];
};

static struct half *half_of(enum attack_signer signer)
{
    static struct half halves[] = {
        [BY_ATTACKER] = {"attack.test", "a", NULL, ""},
        [BY_VICTIM] = {"victim.test", "v", NULL, ""},
    };
    struct half *half = &halves[signer];
    if (half->key)
        return half;
    struct buffer public;
    char text[BASE64_ENCODED_LENGTH(512) + 1] = "";
    buffer_init(&public, 512);
    half->key = private_key_generate(KEY_RSA, RSA_BITS);
    cr_assert(half->key && private_key_public(half->key, &public) && public.n <= 512);
    base64_encode(buffer_span(&public), text);
    snprintf(half->record, sizeof half->record, "v=DKIM1; k=rsa; p=%s", text);
    buffer_fini(&public);
    return half;
}

const char *attack_key_record(enum attack_signer signer)
{
    return half_of(signer)->record;
}

static void zone_lines(struct buffer *zone, const char *lines)
{
    buffer_append_string(zone, lines);
    for (enum attack_signer signer = BY_ATTACKER; signer <= BY_VICTIM; signer++) {
        char name[128];
        const struct half *half = half_of(signer);
        snprintf(name, sizeof name, "%s._domainkey.%s", half->selector, half->domain);
        zone_add(zone, span_from_string(name), SPAN("TXT"), span_from_string(half->record));
    }
}

struct assay_engine *attack_engine(const char *more)
{
    struct buffer zone;
    buffer_init(&zone, 1024 * 1024);
    zone_lines(&zone, "attack.test A 192.0.2.66\n"
                      "attack.test TXT \"v=spf1 ip4:192.0.2.66 -all\"\n"
                      "_dmarc.attack.test TXT \"v=DMARC1; p=none\"\n"
                      "victim.test A 192.0.2.1\n"
                      "victim.test TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
                      "_dmarc.victim.test TXT \"v=DMARC1; p=reject\"\n");
    if (more)
        buffer_append_string(&zone, more);
    struct assay_engine *engine = engine_over(&zone);
    buffer_fini(&zone);
    return engine;
}

static struct span join(struct span a, struct span b)
{
    uint8_t *p = malloc(a.n + b.n + 1);
    cr_assert(p != NULL);
    if (a.n)
        memcpy(p, a.p, a.n);
    if (b.n)
        memcpy(p + a.n, b.p, b.n);
    return span_of(p, a.n + b.n);
}

static struct span sign(struct span mail, const struct half *half, enum canon canon, int64_t limit)
{
    struct sign_options options = {
        .domain = span_from_string(half->domain),
        .selector = span_from_string(half->selector),
        .key = half->key,
        .header_canon = canon,
        .body_canon = canon,
        .has_l = limit >= 0,
        .l = limit >= 0 ? (uint64_t)limit : 0,
        .t = RECEIVED_AT - 60,
    };
    static struct sign_message message;
    struct arena arena;
    struct buffer out;
    arena_init(&arena, MAX_ARENA_BYTES);
    buffer_init(&out, TEXT_BYTES);
    const char *wrong = sign_message_read(&message, mail, &arena);
    if (!wrong)
        wrong = sign_dkim(&message, &options, &out);
    cr_assert(wrong == NULL, "cannot sign: %s", wrong);
    struct span all = join(buffer_span(&out), mail);
    buffer_fini(&out);
    arena_fini(&arena);
    return all;
}

struct span attack_signed(struct span header, struct span body, enum attack_signer signer,
                          int64_t limit)
{
    struct span mail = join(join(header, SPAN("\r\n")), body);
    return signer == UNSIGNED ? mail : sign(mail, half_of(signer), CANON_RELAXED, limit);
}

struct span attack_signed_simple(struct span header, struct span body)
{
    return sign(join(join(header, SPAN("\r\n")), body), half_of(BY_ATTACKER), CANON_SIMPLE, -1);
}

json_t *attack_judge(struct assay_engine *engine, struct span mail, const char *mail_from,
                     const char *helo)
{
    struct assay_envelope envelope = {
        .size = sizeof envelope,
        .client_ip = "192.0.2.66",
        .helo = helo ? helo : "attack.test",
        .mail_from = mail_from ? mail_from : "a@attack.test",
        .received_at = RECEIVED_AT,
    };
    json_error_t error;
    struct judged judged = judge_text(engine, &envelope, mail, 0);
    json_t *verdict = json_loadb((const char *)judged.json.p, judged.json.n,
                                 JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    cr_assert(verdict != NULL, "%s", error.text);
    return verdict;
}

const char *attack_text(const json_t *verdict, const char *path)
{
    return json_text(verdict, path);
}

bool attack_has(const json_t *verdict, const char *text)
{
    char *all = json_dumps(verdict, JSON_COMPACT);
    cr_assert(all != NULL);
    bool has = strstr(all, text) != NULL;
    free(all);
    return has;
}

void attack_expect(const char *row, const json_t *verdict, const char *path, const char *want)
{
    const char *got = attack_text(verdict, path);
    cr_expect(got && strcmp(got, want) == 0, "%s: %s: got %s, want %s", row, path,
              got ? got : "(none)", want);
}

void attack_expect_no_pass(const char *row, const json_t *verdict)
{
    static const char *const paths[] = {"dkim.0.result", "dkim.1.result", "arc.result",
                                        "dmarc.result"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        const char *got = attack_text(verdict, paths[i]);
        cr_expect(!got || strcmp(got, "pass") != 0, "%s: %s is pass", row, paths[i]);
    }
}

static void check(const struct attack *attack, const json_t *verdict)
{
    char name[256];
    snprintf(name, sizeof name, "%s (%s)", attack->row, attack->what);
    if (attack->spf)
        attack_expect(name, verdict, "spf.result", attack->spf);
    if (attack->dkim)
        attack_expect(name, verdict, "dkim.0.result", attack->dkim);
    if (attack->dmarc)
        attack_expect(name, verdict, "dmarc.result", attack->dmarc);
    const char *dmarc = attack_text(verdict, "dmarc.result");
    cr_expect(attack->dmarc || (dmarc && strcmp(dmarc, "pass") != 0), "%s: dmarc is pass", name);
    cr_expect(!attack->has || attack_has(verdict, attack->has), "%s: no %s", name, attack->has);
    cr_expect(!attack->lacks || !attack_has(verdict, attack->lacks), "%s: there is %s", name,
              attack->lacks);
}

void attack_run(const struct attack *attacks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct attack *attack = &attacks[i];
        struct assay_engine *engine = attack_engine(attack->zone);
        struct span mail = attack_signed(attack->header, SPAN("body\r\n"), attack->signer, -1);
        json_t *verdict =
            attack_judge(engine, join(attack->on_top, mail), attack->mail_from, attack->helo);
        check(attack, verdict);
        json_decref(verdict);
        assay_engine_close(&engine);
    }
}
