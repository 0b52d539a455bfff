/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/topic_use.h"

struct topic_step {
    struct fc_stream *stream;
    const char *name;
    const struct fc_topic_config *config;
    struct fc_topic **out_topic;
};

static fc_code step_topic(void *ctx, struct fc_error *err)
{
    const struct topic_step *step = ctx;
    return fc_stream_topic_ensure(step->stream, step->name, step->config, step->out_topic, err);
}

fc_code fc_topic_use(struct fc_stream *stream, const char *name,
                     const struct fc_topic_config *config, struct fc_room *room,
                     struct fc_topic **out_topic, struct fc_error *err)
{
    struct topic_step step = { stream, name, config, out_topic };
    return fc_room_do(room, step_topic, &step, err);
}
