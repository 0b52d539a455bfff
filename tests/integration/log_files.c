/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a data directory with a plain, a transactional and a compacted topic of several
 * segments each, for Kafka's own tools to look at: log_files DIR
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/compact.h"
#include "core/log/data_dir.h"
#include "core/log/wire_append.h"
#include "tests/support/keyed_model.h"

enum { BATCHES = 400, KEYS = 60 };

static void must(fc_code code, const struct fc_error *err)
{
    if (code != FC_OK) {
        (void)fprintf(stderr, "log_files: %s\n", err->message);
        exit(1);
    }
}

static struct fc_partition *create(struct fc_data_dir *dir, const char *name,
                                   const char *cleanup, struct fc_log_topic **out_topic)
{
    struct fc_settings settings = { 0 };
    struct fc_partition *partition = NULL;
    struct fc_error err;
    fc_settings_put(&settings, "segment.bytes", "20000");
    fc_settings_put(&settings, "cleanup.policy", cleanup);
    fc_settings_put(&settings, "min.cleanable.dirty.ratio", "1");
    fc_settings_put(&settings, "retention.ms", "-1");
    must(fc_data_dir_create(dir, name, 1, &settings, out_topic, &err), &err);
    must(fc_log_topic_partition(*out_topic, 0, &partition, &err), &err);
    fc_settings_release(&settings);
    return partition;
}

static void end_transaction(struct fc_partition *partition, struct keyed_model *model,
                            bool commit)
{
    const struct fc_marker_request request = { .producer_id = 2, .commit = commit };
    const struct keyed_entry marker = { .key = -1, .commit = commit, .producer_id = 2 };
    struct fc_append_result result;
    struct fc_error err;
    must(fc_partition_append_marker(partition, &request, &result, &err), &err);
    model->log[model->end++] = marker;
}

/* Batches of 1 to 5 records under all codecs; producer 2 is transactional, 0 idempotent. */
static void fill(struct fc_partition *partition, struct fc_log_topic *topic, bool transactions)
{
    struct keyed_model *model = fc_new(struct keyed_model);
    struct fc_log_topic_config config;
    struct fc_append_rules rules;
    struct fc_error err;
    fc_log_topic_config(topic, &config);
    fc_append_rules_of(&config, &rules);
    rules.guard = FC_GUARD_VERIFIED;
    for (int number = 0; number < BATCHES; number++) {
        int64_t id = number % 3 == 0 ? -1 : number % 3 == 1 ? 0 : transactions ? 2 : 0;
        const struct keyed_batch batch = { .count = 1 + (uint32_t)number % 5,
                                           .compression = (fc_compression)(number % 5),
                                           .base_sequence = keyed_model_records_of(model, id),
                                           .timestamp_ms =
                                               fc_clock_wall_ms(fc_clock_system()) };
        struct fc_append_result result;
        struct fc_buf bytes;
        for (uint32_t index = 0; index < batch.count; index++) {
            const struct keyed_entry entry = { .key = (number * 7 + (int)index * 3) % KEYS,
                                               .tombstone = number % 6 == 0,
                                               .transactional = id == 2,
                                               .producer_id = id };
            model->log[model->end + index] = entry;
        }
        keyed_model_make(model, &batch, &bytes);
        must(fc_partition_append_wire(partition, bytes.data, bytes.len, &rules, &result, &err),
             &err);
        fc_buf_release(&bytes);
        model->end += batch.count;
        if (transactions && number % 9 == 8) {
            end_transaction(partition, model, number % 2 == 0);
        }
    }
    if (transactions) {
        end_transaction(partition, model, true);
    }
    free(model);
}

int main(int argc, char **argv)
{
    static const struct fc_compact_job job = { .map_bytes = 0 };
    struct fc_data_dir_config config = { .dir = argc > 1 ? argv[1] : "." };
    struct fc_data_dir *dir = NULL;
    struct fc_log_topic *topics[3] = { NULL };
    struct fc_partition *plain;
    struct fc_partition *transactional;
    struct fc_partition *compacted;
    struct fc_error err;
    uint64_t before;
    must(fc_data_dir_open(&config, &dir, &err), &err);
    plain = create(dir, "plain", "delete", &topics[0]);
    fill(plain, topics[0], false);
    transactional = create(dir, "transactional", "delete", &topics[1]);
    fill(transactional, topics[1], true);
    compacted = create(dir, "compacted", "compact", &topics[2]);
    fill(compacted, topics[2], true);
    must(fc_data_dir_flush(dir, &err), &err);
    before = fc_partition_bytes(compacted);
    fc_compact_run(compacted, &job);
    (void)printf("compacted from %llu to %llu bytes\n", (unsigned long long)before,
                 (unsigned long long)fc_partition_bytes(compacted));
    if (fc_partition_bytes(compacted) >= before) {
        return 1;
    }
    for (size_t index = 0; index < 3; index++) {
        fc_log_topic_unref(topics[index]);
    }
    fc_data_dir_close(dir);
    return 0;
}
