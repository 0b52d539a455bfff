/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/bridge/log_ids.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/link/topic_ids.h"
#include "runner/log_open.h"

enum { ASK_MS = 10000 };

struct known {
    char *topic;
    char id[FC_TOPIC_ID_SIZE];
};

struct fc_log_ids {
    const struct fc_bridge *bridge;
    struct fc_stream *stream;
    struct fc_topic_ids *cluster; /* NULL: the log is in this process */
    bool has_answered;
    bool told; /* that it cannot be asked */
    struct known *known;
    size_t count;
    const char *changed; /* of `known`, by the last question */
};

struct fc_log_ids *fc_log_ids_new(const struct fc_bridge *bridge, struct fc_stream *stream)
{
    struct fc_log_ids *ids = fc_new(struct fc_log_ids);
    const struct fc_config *config = bridge->config.config;
    const struct fc_link_settings settings = fc_log_link(config);
    ids->bridge = bridge;
    ids->stream = stream;
    if (config->kafka != NULL) {
        ids->cluster = fc_topic_ids_new(&settings, ASK_MS);
    }
    return ids;
}

void fc_log_ids_free(struct fc_log_ids *ids)
{
    if (ids == NULL) {
        return;
    }
    for (size_t index = 0; index < ids->count; index++) {
        free(ids->known[index].topic);
    }
    free(ids->known);
    fc_topic_ids_free(ids->cluster);
    free(ids);
}

/* Once they were there, that they cannot be had is a passing failure. */
static fc_code fail(struct fc_log_ids *ids, struct fc_error *err)
{
    if (ids->has_answered) {
        err->retriable = true;
        return fc_wrap(err, "ask which topics these are");
    }
    if (!ids->told) {
        ids->told = true;
        fc_diag_report(ids->bridge->config.diag, FC_DIAG_WARN,
                       "a topic that is made anew is told from the old one only while it is "
                       "shorter: %s",
                       err->message);
    }
    return FC_OK;
}

static void on_id(void *ctx, const char *name, const char *id)
{
    char *to = ctx;
    (void)name;
    (void)snprintf(to, FC_TOPIC_ID_SIZE, "%s", id);
}

fc_code fc_log_ids_of(struct fc_log_ids *ids, const char *topic, char out_id[FC_TOPIC_ID_SIZE],
                      struct fc_error *err)
{
    struct known *known;
    fc_code code;
    out_id[0] = '\0';
    if (ids->cluster == NULL) {
        return fc_stream_identity(ids->stream, topic, out_id, err);
    }
    code = fc_topic_ids_ask(ids->cluster, &topic, 1, on_id, out_id, err);
    if (code != FC_OK) {
        return fail(ids, err);
    }
    ids->has_answered = true;
    if (out_id[0] != '\0') {
        ids->known = fc_realloc_array(ids->known, ids->count + 1, sizeof(*ids->known));
        known = &ids->known[ids->count++];
        known->topic = fc_strdup(topic);
        memcpy(known->id, out_id, sizeof(known->id));
    }
    return FC_OK;
}

static void on_id_again(void *ctx, const char *name, const char *id)
{
    struct fc_log_ids *ids = ctx;
    for (size_t index = 0; index < ids->count; index++) {
        if (strcmp(ids->known[index].topic, name) == 0 &&
            strcmp(ids->known[index].id, id) != 0) {
            ids->changed = ids->known[index].topic;
        }
    }
}

fc_code fc_log_ids_verify(struct fc_log_ids *ids, const char **out_topic, struct fc_error *err)
{
    const char **names = fc_new_array(const char *, ids->count + 1);
    fc_code code = FC_OK;
    for (size_t index = 0; index < ids->count; index++) {
        names[index] = ids->known[index].topic;
    }
    ids->changed = NULL;
    if (ids->cluster != NULL) {
        code = fc_topic_ids_ask(ids->cluster, names, ids->count, on_id_again, ids, err);
    }
    free(names);
    if (code != FC_OK) {
        return fail(ids, err);
    }
    *out_topic = ids->changed;
    return FC_OK;
}
