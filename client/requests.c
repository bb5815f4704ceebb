/* The table of open requests: an array of slots with a list of the free ones. */
#include "client/requests.h"

#include <stdlib.h>

enum
{
    FIRST_SLOTS = 64,
};

void client_requests_fini(struct client_requests *requests)
{
    free(requests->slots);
    *requests = (struct client_requests){0};
}

static bool grow(struct client_requests *requests)
{
    uint32_t capacity = requests->capacity ? requests->capacity * 2 : FIRST_SLOTS;
    if (capacity > REQUESTS_MAX)
        return false;
    struct client_request *slots = realloc(requests->slots, capacity * sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t slot = capacity; slot-- > requests->capacity;) {
        slots[slot] = (struct client_request){.next_free = requests->free};
        requests->free = slot + 1;
    }
    requests->slots = slots;
    requests->capacity = capacity;
    return true;
}

struct client_request *client_requests_add(struct client_requests *requests, void *user)
{
    if (!requests->free && !grow(requests))
        return NULL;
    uint32_t slot = requests->free - 1;
    struct client_request *request = &requests->slots[slot];
    requests->free = request->next_free;
    requests->count++;
    *request = (struct client_request){
        .id = ++requests->sequence << REQUEST_SLOT_BITS | slot,
        .user = user,
    };
    return request;
}

struct client_request *client_requests_find(struct client_requests *requests, uint64_t id)
{
    uint64_t slot = id & (REQUESTS_MAX - 1);
    if (id == 0 || slot >= requests->capacity || requests->slots[slot].id != id)
        return NULL;
    return &requests->slots[slot];
}

void client_requests_remove(struct client_requests *requests, struct client_request *request)
{
    request->id = 0;
    request->next_free = requests->free;
    requests->free = (uint32_t)(request - requests->slots) + 1;
    requests->count--;
}
