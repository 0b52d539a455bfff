/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a client's batch, under any rules of a topic: it is refused, or it is stored and
 * can be fetched again. The first byte chooses the rules; as the rest comes, and with length and
 * checksum made good. Where a batch is not compressed, or a topic's rules look into batches, what
 * was stored can be read.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/batch_decoder.h"
#include "core/log/bytes.h"
#include "core/log/fetch.h"
#include "core/log/wire_append.h"
#include "tests/support/fs_lossy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void choose_rules(uint8_t choice, struct fc_append_rules *rules)
{
    struct fc_log_topic_config topic;
    fc_log_topic_config_init(&topic);
    topic.cleanup_compact = (choice & 1) != 0;
    topic.log_append_time = (choice & 2) != 0;
    topic.compression = (choice & 4) != 0 ? (choice >> 4) % 5 : FC_TOPIC_COMPRESSION_PRODUCER;
    topic.timestamp_after_max_ms = INT64_MAX;
    topic.message_bytes_max = 1 << 20;
    fc_append_rules_of(&topic, rules);
    rules->guard = (choice & 8) != 0 ? FC_GUARD_VERIFIED : 0;
}

/* What was stored is one batch, and is what the result says. */
static void look(struct fc_partition *partition, const struct fc_append_rules *rules,
                 const struct fc_append_result *result)
{
    const struct fc_fetch fetch = { .offset = 0, .bytes_max = UINT64_MAX };
    struct fc_batch_decoder decoder;
    struct fc_batch_header header;
    const struct fc_record *records = NULL;
    struct fc_fetch_range range;
    uint32_t count = 0;
    uint8_t *bytes;
    fc_assert(partition != NULL && result->base_offset == 0);
    fc_assert(fc_partition_fetch(partition, &fetch, &range, NULL) == FC_OK && range.size > 0);
    bytes = fc_new_array(uint8_t, (size_t)range.size);
    fc_assert(fc_fetch_read(&range, 0, bytes, (size_t)range.size, NULL) == FC_OK);
    fc_batch_header_decode(bytes, &header);
    fc_assert(fc_batch_header_check(&header) == NULL && fc_batch_size(&header) == range.size &&
              fc_batch_last_offset(&header) == result->last_offset);
    fc_batch_decoder_init(&decoder, FC_BATCH_BYTES_MAX);
    fc_assert((!rules->compacted && (header.attributes & FC_BATCH_CODEC_MASK) != 0) ||
              (fc_batch_decode(&decoder, fc_slice_of(bytes, (size_t)range.size), &records,
                               &count, NULL) == FC_OK &&
               (int64_t)count == result->last_offset + 1));
    fc_batch_decoder_release(&decoder);
    fc_fetch_range_release(&range);
    free(bytes);
}

static void append(uint8_t choice, const uint8_t *data, size_t size, bool repaired)
{
    struct fc_fs *fs = fs_lossy_new(1, 512);
    const struct fc_log_env env = { .fs = fs, .clock = fc_clock_system() };
    const struct fc_partition_config config = {
        .retention_ms = -1, .retention_bytes = -1, .segment_bytes = 1 << 30, .segment_ms = -1
    };
    struct fc_partition *partition = NULL;
    struct fc_append_result result;
    struct fc_append_rules rules;
    uint8_t *copy = fc_new_array(uint8_t, size + 1);
    memcpy(copy, data, size);
    if (repaired && size >= FC_BATCH_HEADER_SIZE) {
        memset(copy, 0, 8);
        copy[16] = 2;
        fc_bytes_put32(copy + 8, (uint32_t)(size - FC_BATCH_LENGTH_END));
        fc_bytes_put32(copy + 17, fc_batch_crc(copy, fc_slice_of(copy + FC_BATCH_HEADER_SIZE,
                                                                 size - FC_BATCH_HEADER_SIZE)));
    }
    choose_rules(choice, &rules);
    fc_assert(fs->ops->make_dir(fs, "/p", NULL) == FC_OK);
    fc_assert(fc_partition_open(&env, "/p", &config, &partition, NULL) == FC_OK);
    if (fc_partition_append_wire(partition, copy, size, &rules, &result, NULL) == FC_OK) {
        fc_assert(fc_partition_sync(partition, NULL) == FC_OK);
        look(partition, &rules, &result);
    } else {
        fc_assert(result.error != FC_KAFKA_NONE && result.base_offset == -1);
    }
    fc_partition_close(partition);
    fs_lossy_free(fs);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        append(data[0], data + 1, size - 1, false);
        append(data[0], data + 1, size - 1, true);
    }
    return 0;
}
