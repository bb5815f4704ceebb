#include "mail/field_name.h"

const struct span field_names[FIELD_NAME_COUNT] = {
#define X(number, place, name) [FIELD_##number] = {(const uint8_t *)(name), sizeof(name) - 1},
    FIELD_NAMES(X)
#undef X
};

const struct simd_words field_words = {
    .factor = 0xea4cf975,
    .at =
        {
#define X(number, place, name) [place] = {name, sizeof(name) - 1, FIELD_##number},
            FIELD_NAMES(X)
#undef X
        },
};
