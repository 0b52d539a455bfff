/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/schema_store.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/hashmap.h"

enum { SCHEMA_BYTES_MAX = 16 * 1024 * 1024 };

struct fc_schema_store {
    struct fc_stream *stream;
    const struct fc_clock *clock;
    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct fc_schemas *schemas;
    struct fc_hashmap stored; /* id (8 bytes) -> the store itself */
};

static struct fc_slice id_key(const uint64_t *id)
{
    return fc_slice_of(id, sizeof(*id));
}

static fc_code load_all(struct fc_schema_store *store, struct fc_topic *topic,
                        struct fc_error *err)
{
    struct fc_stream_reader *reader = NULL;
    struct fc_offsets offsets;
    fc_code code = fc_stream_offsets(topic, 0, &offsets, err);
    if (code == FC_OK) {
        code = fc_stream_reader_open(topic, 0, offsets.start, &reader, err);
    }
    while (code == FC_OK && fc_stream_reader_offset(reader) < offsets.end) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        code = fc_stream_reader_next(reader, 0, &records, &count, err);
        if (code == FC_OK && count == 0) {
            break;
        }
        for (uint32_t index = 0; code == FC_OK && index < count; index++) {
            const struct fc_schema *schema = NULL;
            code = fc_schemas_load(store->schemas, records[index].value, &schema, err);
            if (code == FC_OK) {
                (void)fc_hashmap_put(&store->stored, id_key(&schema->id), store);
            }
        }
    }
    fc_stream_reader_close(reader);
    return code;
}

fc_code fc_schema_store_open(struct fc_stream *stream, const struct fc_clock *clock,
                             struct fc_schema_store **out_store, struct fc_error *err)
{
    struct fc_schema_store *store = fc_new(struct fc_schema_store);
    struct fc_topic *topic = NULL;
    fc_code code;
    store->stream = stream;
    store->clock = clock;
    store->schemas = fc_schemas_new();
    fc_hashmap_init(&store->stored);
    (void)pthread_mutex_init(&store->lock, NULL);
    code = fc_stream_topic(stream, FC_SCHEMA_TOPIC, &topic, err);
    if (code == FC_OK) {
        code = load_all(store, topic, err);
    } else if (code == FC_ERR_NOT_FOUND) {
        code = FC_OK;
    }
    if (code != FC_OK) {
        fc_schema_store_close(store);
        return fc_wrap(err, "load table schemas");
    }
    *out_store = store;
    return FC_OK;
}

void fc_schema_store_close(struct fc_schema_store *store)
{
    if (store != NULL) {
        fc_schemas_free(store->schemas);
        fc_hashmap_release(&store->stored, NULL);
        (void)pthread_mutex_destroy(&store->lock);
        free(store);
    }
}

fc_code fc_schema_store_add(struct fc_schema_store *store, const struct fc_shape *shape,
                            fc_envelope_mode mode, const struct fc_schema **out_schema,
                            struct fc_error *err)
{
    bool added = false;
    fc_code code;
    (void)pthread_mutex_lock(&store->lock);
    code = fc_schemas_add(store->schemas, shape, mode, out_schema, &added, err);
    (void)pthread_mutex_unlock(&store->lock);
    return code;
}

const struct fc_schema *fc_schema_store_get(struct fc_schema_store *store, uint64_t id)
{
    const struct fc_schema *schema;
    (void)pthread_mutex_lock(&store->lock);
    schema = fc_schemas_get(store->schemas, id);
    (void)pthread_mutex_unlock(&store->lock);
    return schema;
}

void fc_schema_store_forget_pointers(struct fc_schema_store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    fc_schemas_forget_pointers(store->schemas);
    (void)pthread_mutex_unlock(&store->lock);
}

static fc_code append(struct fc_schema_store *store, const struct fc_schema *schema,
                      struct fc_error *err)
{
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    struct fc_record record;
    struct fc_buf text;
    char key[17];
    fc_code code;
    fc_topic_config_init(&config);
    fc_buf_init(&text, SCHEMA_BYTES_MAX);
    memset(&record, 0, sizeof(record));
    fc_schema_encode(schema, &text);
    (void)snprintf(key, sizeof(key), "%016" PRIx64, schema->id);
    code = fc_buf_check(&text, "table schema", err);
    if (code == FC_OK) {
        code = fc_stream_topic_ensure(store->stream, FC_SCHEMA_TOPIC, &config, &topic, err);
    }
    if (code == FC_OK) {
        record.key = fc_slice_text(key);
        record.value = fc_buf_slice(&text);
        record.timestamp_ms = fc_clock_wall_ms(store->clock);
        code = fc_stream_append_one(topic, 0, &record, err);
    }
    fc_buf_release(&text);
    return code;
}

fc_code fc_schema_store_write(struct fc_schema_store *store, const struct fc_schema *schema,
                              bool *out_appended, struct fc_error *err)
{
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&store->lock);
    if (fc_hashmap_get(&store->stored, id_key(&schema->id)) == NULL) {
        code = append(store, schema, err);
        if (code == FC_OK) {
            (void)fc_hashmap_put(&store->stored, id_key(&schema->id), store);
            *out_appended = true;
        }
    }
    (void)pthread_mutex_unlock(&store->lock);
    return code == FC_OK ? FC_OK
                         : fc_wrap(err, "store the schema of %s.%s", schema->shape->db,
                                   schema->shape->table);
}
