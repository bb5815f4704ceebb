/* Queries: their JSON, whatever stands in the texts, and their answers. */
#include <jansson.h>
#include <stdlib.h>

#include "fake.h"

/* The next QUERY frame as text. */
static char *take_query(struct fake *fake, struct assay_client *client, uint64_t id)
{
    turn(client);
    struct taken query = fake_take(fake);
    cr_assert(query.type == FRAME_QUERY && query.id == id && query.flags == 0);
    return (char *)query.payload;
}

Test(query, requests)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 16);
    struct assay_client_envelope envelope = {.size = sizeof envelope,
                                             .client_ip = "192.0.2.1",
                                             .helo = "h",
                                             .mail_from = "<>",
                                             .received_at = 1792972860,
                                             .deadline_ms = 7};
    uint64_t id[6];
    cr_assert(assay_client_spf(client, &envelope, NULL, &id[0]) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_dmarc(client, "a.example", NULL, &id[1]) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_stats(client, NULL, &id[2]) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_forget(client, NULL, NULL, &id[3]) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_forget(client, "b.example", NULL, &id[4]) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_ping(client, NULL, &id[5]) == ASSAY_CLIENT_OK);
    static const char *const want[] = {
        ("{\"op\":\"spf\",\"ip\":\"192.0.2.1\",\"helo\":\"h\",\"mail_from\":\"<>\","
         "\"now\":1792972860,\"deadline_ms\":7}"),
        "{\"op\":\"dmarc\",\"domain\":\"a.example\"}",
        "{\"op\":\"stats\"}",
        "{\"op\":\"flush\"}",
        "{\"op\":\"flush\",\"domain\":\"b.example\"}",
        "{\"op\":\"ping\"}",
    };
    for (int i = 0; i < 6; i++) {
        char *got = take_query(&fake, client, id[i]);
        cr_expect_str_eq(got, want[i]);
        free(got);
    }
    cr_expect(assay_client_spf(client, NULL, NULL, NULL) == ASSAY_CLIENT_BAD_CALL);
    cr_expect(assay_client_dmarc(client, NULL, NULL, NULL) == ASSAY_CLIENT_BAD_CALL);
    cr_expect(assay_client_query(client, NULL, 0, NULL, NULL) == ASSAY_CLIENT_BAD_CALL);
    cr_expect(assay_client_room(client) == 10);
    assay_client_close(&client);
    fake_close(&fake);
}

/* All characters from 1 on: what comes out is JSON and says the same. */
Test(query, texts_cannot_break_out_of_their_strings)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 16);
    char text[160];
    for (unsigned i = 0; i < 127; i++)
        text[i] = (char)(i + 1);
    strcpy(text + 127, "\",\"op\":\"flush\xc3\xa9");
    uint64_t id;
    cr_assert(assay_client_dmarc(client, text, NULL, &id) == ASSAY_CLIENT_OK);
    char *got = take_query(&fake, client, id);
    json_t *object = json_loads(got, JSON_REJECT_DUPLICATES, NULL);
    cr_assert(object != NULL, "no JSON: %s", got);
    cr_expect_str_eq(json_string_value(json_object_get(object, "domain")), text);
    cr_expect_str_eq(json_string_value(json_object_get(object, "op")), "dmarc");
    json_decref(object);
    free(got);
    assay_client_close(&client);
    fake_close(&fake);
}

Test(query, answers)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 16);
    uint64_t id, refused;
    cr_assert(assay_client_ping(client, &fake, &id) == ASSAY_CLIENT_OK);
    cr_assert(assay_client_forget(client, NULL, NULL, &refused) == ASSAY_CLIENT_OK);
    turn(client);
    fake_result(&fake, id, "\0\0\0\0", "{\"pong\":true}");
    fake_error(&fake, refused, ASSAY_CLIENT_ERROR_FORBIDDEN, "not you");
    turn(client);
    cr_assert(reports.count == 2);
    cr_expect(reports.list[0].outcome == ASSAY_CLIENT_REPLY && reports.list[0].user == &fake);
    cr_expect_str_eq(reports.list[0].json, "{\"pong\":true}");
    cr_expect(reports.list[1].outcome == ASSAY_CLIENT_REFUSED);
    cr_expect_str_eq(reports.list[1].word, "forbidden");
    assay_client_close(&client);
    fake_close(&fake);
}

/* 64 KiB made here, 256 KiB given by the caller: the frame's limit. */
Test(query, sizes)
{
    struct fake fake;
    fake_open(&fake);
    struct assay_client *client = fake_client(&fake, 16);
    char *text = malloc(300 * 1024);
    memset(text, 'x', 300 * 1024);
    text[300 * 1024 - 1] = '\0';
    cr_expect(assay_client_dmarc(client, text, NULL, NULL) != ASSAY_CLIENT_OK);
    for (int more = -1; more <= 1; more++) {
        enum assay_client_status want = more > 0 ? ASSAY_CLIENT_TOO_LARGE : ASSAY_CLIENT_OK;
        cr_expect(assay_client_query(client, text, (size_t)(256 * 1024 + more), NULL, NULL) == want,
                  "%+d", more);
        for (int i = 0; i < 20; i++) {
            turn(client);
            fake_read(&fake);
        }
    }
    cr_expect(assay_client_room(client) == 14);
    free(text);
    assay_client_close(&client);
    fake_close(&fake);
}
