/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/bridge/copy_out.h"

struct translating {
    struct fc_copy_out *out;
    char **groups;
    size_t count;
    const char *group;
    fc_code code;
    struct fc_error error;
};

static void on_group(void *ctx, const char *group)
{
    struct translating *translating = ctx;
    if (translating->out->ops->wants_group(translating->out->sink, group)) {
        translating->groups =
            fc_realloc_array(translating->groups, translating->count + 1, sizeof(char *));
        translating->groups[translating->count++] = fc_strdup(group);
    }
}

static void on_committed(void *ctx, const char *topic, uint32_t partition, int64_t offset)
{
    struct translating *translating = ctx;
    struct fc_copy_out *out = translating->out;
    char copy[FC_TOPIC_NAME_MAX + 1];
    struct fc_group_offset committed = { translating->group, copy, partition, offset };
    if (translating->code == FC_OK && !fc_out_is_internal(topic) &&
        out->ops->wants(out->sink, topic)) {
        fc_bridge_name(out->bridge, topic, copy);
        translating->code = out->ops->group(out->sink, &committed, &translating->error);
    }
}

fc_code fc_out_groups(struct fc_copy_out *out, struct fc_error *err)
{
    struct translating translating = { .out = out };
    fc_code code = fc_stream_groups(out->stream, on_group, &translating, err);
    for (size_t index = 0; index < translating.count; index++) {
        translating.group = translating.groups[index];
        if (code == FC_OK) {
            code = fc_stream_committed(out->stream, translating.group, on_committed,
                                       &translating, err);
        }
        if (code == FC_OK && translating.code != FC_OK) {
            code = translating.code;
            *err = translating.error;
        }
        free(translating.groups[index]);
    }
    free(translating.groups);
    return code;
}
