/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/access_ask.h"

#include <stdio.h>

#include "core/wire/messages.h"
#include "tests/support/spu_client.h"

void access_count(void *ctx, int16_t error)
{
    struct access_counts *counts = ctx;
    counts->wanted_count += error == counts->wanted;
    counts->refusals += is_refusal(error);
    counts->others += error != counts->wanted && error != 0;
    counts->first_error = counts->first_error == 0 ? error : counts->first_error;
}

static bool has(const struct fc_buf *bytes, const char *text)
{
    return bytes->len > 0 && memmem(bytes->data, bytes->len, text, strlen(text)) != NULL;
}

/* Whether the answer tells a name that the request did not. */
static bool tells(const struct access_asker *asker, const struct api_names *asked,
                  const struct fc_buf *reply)
{
    const char *const hidden[] = { asker->there->topic, asker->there->group,
                                   asker->there->transactional_id, asker->there->metadata };
    const char *const known[] = { asked->topic, asked->group, asked->transactional_id, "" };
    for (size_t index = 0; index < sizeof(hidden) / sizeof(hidden[0]); index++) {
        if (strcmp(hidden[index], known[index]) != 0 && has(reply, hidden[index])) {
            return true;
        }
    }
    return false;
}

bool access_ask_with(const struct access_asker *asker, const struct fc_wire_api *api,
                     int16_t version, const struct api_names *names, const void *message,
                     int16_t wanted, struct fc_buf *reply)
{
    struct access_counts counts = { .wanted = wanted };
    struct fc_arena arena;
    const void *answer;
    bool good;
    fc_arena_init(&arena, SPU_ARENA_MAX);
    answer = spu_ask(asker->fd, api->key, version, message, reply, &arena);
    if (answer != NULL) {
        api_response_errors(api->response, version, answer, access_count, &counts);
    }
    if (wanted == YES) {
        good = answer != NULL && counts.refusals == 0;
    } else if (wanted == FILTERED) {
        good = answer != NULL && counts.first_error == 0 && !tells(asker, names, reply);
    } else {
        /* Versions of DescribeLogDirs before 3 have nowhere to put it: they list nothing. */
        bool silent = api->key == FC_API_DESCRIBE_LOG_DIRS && version < 3;
        good = answer != NULL && counts.others == 0 && (counts.wanted_count > 0 || silent) &&
               !tells(asker, names, reply);
    }
    if (!good) {
        (void)printf("     %s version %d: %s, %d instead of %d\n", api->name, version,
                     answer == NULL ? "no answer" : "answered", counts.first_error, wanted);
    }
    fc_arena_release(&arena);
    return good;
}

bool access_ask(const struct access_asker *asker, const struct fc_wire_api *api,
                int16_t version, const struct api_names *names, int16_t wanted,
                struct fc_buf *reply)
{
    struct fc_arena arena;
    bool good;
    fc_arena_init(&arena, SPU_ARENA_MAX);
    good = access_ask_with(asker, api, version, names,
                           api_request_make(api, version, names, &arena), wanted, reply);
    fc_arena_release(&arena);
    return good;
}
