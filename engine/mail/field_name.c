#include "mail/field_name.h"

const struct span field_names[FIELD_NAME_COUNT] = {
#define X(number, name) [FIELD_##number] = {(const uint8_t *)(name), sizeof(name) - 1},
    FIELD_NAMES(X)
#undef X
};

const uint8_t field_name_table[64] = {
    [0] = FIELD_RECEIVED,
    [1] = FIELD_RETURN_PATH,
    [3] = FIELD_MIME_VERSION,
    [6] = FIELD_ARC_MESSAGE_SIGNATURE,
    [7] = FIELD_CONTENT_TYPE,
    [8] = FIELD_SENDER,
    [10] = FIELD_REPLY_TO,
    [16] = FIELD_TO,
    [18] = FIELD_MESSAGE_ID,
    [21] = FIELD_LIST_UNSUBSCRIBE_POST,
    [24] = FIELD_DATE,
    [25] = FIELD_RECEIVED_SPF,
    [34] = FIELD_SUBJECT,
    [35] = FIELD_DKIM_SIGNATURE,
    [37] = FIELD_CC,
    [39] = FIELD_CONTENT_TRANSFER_ENCODING,
    [40] = FIELD_DELIVERED_TO,
    [43] = FIELD_AUTHENTICATION_RESULTS,
    [47] = FIELD_BCC,
    [48] = FIELD_LIST_ID,
    [51] = FIELD_ARC_SEAL,
    [56] = FIELD_FROM,
    [57] = FIELD_LIST_UNSUBSCRIBE,
    [59] = FIELD_IN_REPLY_TO,
    [60] = FIELD_REFERENCES,
    [63] = FIELD_ARC_AUTHENTICATION_RESULTS,
};
