/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that writes to a log and is killed: log_tail DIR TOPIC FIRST SYNCED UNSYNCED appends
 * the numbers from FIRST on, one a record, has so many SYNCED and then UNSYNCED of them, which
 * no sync covers, and is gone. Prints the bytes of the topic up to the sync: what a power loss
 * leaves at least.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/log/data_dir.h"
#include "core/log/partition.h"

enum { RECORD_BYTES_MAX = 1 << 20 };

static void must(fc_code code, const struct fc_error *err)
{
    if (code != FC_OK) {
        (void)fprintf(stderr, "log_tail: %s\n", err->message);
        exit(1);
    }
}

static void append(struct fc_partition *partition, long first, long count)
{
    for (long number = first; number < first + count; number++) {
        char text[32];
        struct fc_record record = { .timestamp_ms = fc_clock_wall_ms(fc_clock_system()) };
        struct fc_batch_builder batch;
        struct fc_error err;
        int64_t base;
        (void)snprintf(text, sizeof(text), "%ld", number);
        record.value = fc_slice_text(text);
        fc_batch_builder_init(&batch, FC_COMPRESSION_NONE, RECORD_BYTES_MAX);
        must(fc_batch_builder_add(&batch, &record, &err), &err);
        must(fc_batch_builder_seal(&batch, &err), &err);
        must(fc_partition_append(partition, &batch, &base, &err), &err);
        fc_batch_builder_release(&batch);
    }
}

int main(int argc, char **argv)
{
    struct fc_data_dir_config config = { 0 };
    struct fc_data_dir *dir = NULL;
    struct fc_log_topic *topic = NULL;
    struct fc_partition *partition = NULL;
    struct fc_error err;
    long first;
    long synced;
    if (argc != 6) {
        (void)fprintf(stderr, "log_tail DIR TOPIC FIRST SYNCED UNSYNCED\n");
        return 2;
    }
    config.dir = argv[1];
    first = strtol(argv[3], NULL, 10);
    synced = strtol(argv[4], NULL, 10);
    must(fc_data_dir_open(&config, &dir, &err), &err);
    if (fc_data_dir_topic(dir, argv[2], &topic, &err) != FC_OK) {
        must(fc_data_dir_create(dir, argv[2], 1, NULL, &topic, &err), &err);
    }
    must(fc_log_topic_partition(topic, 0, &partition, &err), &err);
    append(partition, first, synced);
    must(fc_partition_sync(partition, &err), &err);
    (void)printf("%" PRIu64 "\n", fc_partition_bytes(partition));
    (void)fflush(stdout);
    append(partition, first + synced, strtol(argv[5], NULL, 10));
    _exit(0);
}
