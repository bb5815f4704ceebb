/* Keys: DER and key records. Whatever becomes a key keeps the bounds of RFC 8301 and ours. */
#include "crypto/verify.h"
#include "dkim/key_record.h"
#include "fuzz/support/fuzz.h"

static void check_key(struct public_key *key)
{
    unsigned bits = public_key_bits(key);
    uint32_t e = public_key_exponent(key);
    if (public_key_type(key) == KEY_ED25519)
        FUZZ_CHECK(bits == 256 && e == 0);
    else
        FUZZ_CHECK(bits >= MAX_RSA_BITS_MIN && bits <= MAX_RSA_BITS_MAX && e >= 3 && e % 2 == 1);
    struct verify_job job = {.key = key, .signature = SPAN("no signature")};
    verify_many(&job, 1);
    FUZZ_CHECK(job.result == VERIFY_FAIL);
    public_key_unref(&key);
}

FUZZ_TARGET(key)
{
    struct limit_hits hits = {.set = 0};
    struct dkim_key_record record;
    struct public_key *key = NULL;
    struct span text = span_of(data, size);
    if (public_key_from_rsa(text, &key) == KEY_OK)
        check_key(key);
    if (public_key_from_ed25519(text, &key) == KEY_OK)
        check_key(key);
    dkim_key_record_parse(text, &hits, &record);
    FUZZ_CHECK((record.reason == NULL) == (record.key != NULL));
    if (record.key)
        check_key(public_key_ref(record.key));
    dkim_key_record_fini(&record);
    return 0;
}
