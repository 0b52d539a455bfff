/* SPDX-License-Identifier: Apache-2.0 */
/* Topics of an embedded stream as a bridge sees them: by their files, so that what the process
 * that writes has changed is seen by those that only look. */
#include <assert.h>
#include <stdlib.h>

#include "core/log/topic_store.h"
#include "core/stream/embedded_state.h"

fc_code fc_embedded_names(struct fc_stream *stream,
                          fc_code (*on_topic)(void *ctx, const char *name, uint32_t partitions,
                                              struct fc_error *err),
                          void *ctx, struct fc_error *err)
{
    const char *dir = fc_data_dir_path(fc_embedded_of(stream)->data);
    char **names = NULL;
    size_t count = 0;
    fc_code code = fc_topic_store_list(fc_fs_system(), dir, &names, &count, err);
    for (size_t index = 0; index < count; index++) {
        struct fc_topic_record record = { 0 };
        if (code == FC_OK) {
            code = fc_topic_store_read(fc_fs_system(), dir, names[index], &record, err);
            if (code == FC_ERR_NOT_FOUND) { /* deleted just now */
                code = FC_OK;
            } else if (code == FC_OK && !record.deleted) {
                code = on_topic(ctx, names[index], record.partitions, err);
            }
        }
        fc_topic_record_release(&record);
        free(names[index]);
    }
    free(names);
    return code;
}

fc_code fc_embedded_create(struct fc_stream *stream, const char *name, uint32_t partitions,
                           const char *const *settings, uint32_t setting_count,
                           struct fc_topic **out_topic, struct fc_error *err)
{
    struct fc_embedded *embedded = fc_embedded_of(stream);
    struct fc_settings wanted = { 0 };
    struct fc_log_topic *log = NULL;
    fc_code code = fc_data_dir_topic(embedded->data, name, &log, err);
    if (code == FC_ERR_NOT_FOUND) {
        for (size_t index = 0; index < setting_count; index++) {
            fc_settings_put(&wanted, settings[2 * index], settings[2 * index + 1]);
        }
        code = fc_data_dir_create(embedded->data, name, partitions, &wanted, &log, err);
        fc_settings_release(&wanted);
    }
    if (code == FC_OK) {
        *out_topic = &fc_embedded_adopt(embedded, log)->base;
    }
    return code;
}

fc_code fc_embedded_grow(struct fc_topic *topic, uint32_t partitions, struct fc_error *err)
{
    struct fc_log_topic *log = fc_embedded_topic_of(topic)->log;
    fc_code code = FC_OK;
    if (fc_log_topic_partitions(log) < partitions) {
        code = fc_log_topic_grow(log, partitions, err);
    }
    if (code == FC_OK) {
        topic->partitions_count = fc_log_topic_partitions(log);
    }
    return code;
}

fc_code fc_embedded_settings(struct fc_stream *stream, const char *topic,
                             void (*on_setting)(void *ctx, const char *name, const char *value),
                             void *ctx, struct fc_error *err)
{
    struct fc_settings settings = { 0 };
    struct fc_log_topic *log = NULL;
    fc_code code = fc_data_dir_topic(fc_embedded_of(stream)->data, topic, &log, err);
    if (code != FC_OK) {
        return code;
    }
    fc_log_topic_settings(log, &settings);
    for (size_t index = 0; index < settings.count; index++) {
        on_setting(ctx, settings.items[index].key, settings.items[index].value);
    }
    fc_settings_release(&settings);
    fc_log_topic_unref(log);
    return FC_OK;
}

fc_code fc_embedded_identity(struct fc_stream *stream, const char *topic,
                             char out_id[FC_TOPIC_ID_SIZE], struct fc_error *err)
{
    struct fc_log_topic *log = NULL;
    fc_code code = fc_data_dir_topic(fc_embedded_of(stream)->data, topic, &log, err);
    static_assert((int)FC_TOPIC_ID_SIZE == (int)FC_UUID_TEXT_SIZE, "the same text");
    if (code == FC_OK) {
        fc_uuid_to_text(fc_log_topic_id(log), out_id);
        fc_log_topic_unref(log);
    }
    return code == FC_ERR_NOT_FOUND ? FC_OK : code;
}
