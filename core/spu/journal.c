/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/journal.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/batch_builder.h"
#include "core/log/batch_decoder.h"
#include "core/log/fetch.h"
#include "core/log/wire_append.h"
#include "core/spu/topic_admin.h"

enum {
    RECORD_BYTES_MAX = 16 * 1024 * 1024,
    BATCH_BYTES_MAX = 64 * 1024 * 1024,
    SCAN_BYTES = 4 * 1024 * 1024
};

struct fc_journal {
    struct fc_spu *spu;
    char *name;
    uint32_t partitions;                /* when it is made */
    struct fc_log_topic *_Atomic topic; /* a reference; set once */
};

struct fc_journal *fc_journal_new(struct fc_spu *spu, const char *name, uint32_t partitions)
{
    struct fc_journal *journal = fc_new(struct fc_journal);
    journal->spu = spu;
    journal->name = fc_strdup(name);
    journal->partitions = partitions;
    return journal;
}

void fc_journal_free(struct fc_journal *journal)
{
    if (journal != NULL) {
        fc_log_topic_unref(journal->topic);
        free(journal->name);
        free(journal);
    }
}

bool fc_journal_is_open(const struct fc_journal *journal)
{
    return journal->topic != NULL;
}

struct fc_log_topic *fc_journal_topic(const struct fc_journal *journal)
{
    return journal->topic;
}

uint32_t fc_journal_partitions(const struct fc_journal *journal)
{
    return fc_log_topic_partitions(journal->topic);
}

fc_code fc_journal_open(struct fc_journal *journal, bool make, struct fc_error *err)
{
    struct fc_log_topic *topic = NULL;
    struct fc_log_topic *none = NULL;
    fc_code code;
    if (journal->topic != NULL) {
        return FC_OK;
    }
    code = make ? fc_topic_admin_internal(journal->spu, journal->name, journal->partitions,
                                          &topic, err)
                : fc_data_dir_topic(journal->spu->data, journal->name, &topic, err);
    if (code == FC_OK && !atomic_compare_exchange_strong(&journal->topic, &none, topic)) {
        fc_log_topic_unref(topic); /* another thread was first */
    }
    return code;
}

int32_t fc_journal_partition_of(const struct fc_journal *journal, struct fc_slice key)
{
    uint32_t hash = 0;
    for (size_t index = 0; index < key.len; index++) {
        hash = hash * 31 + key.data[index];
    }
    return (int32_t)((hash & INT32_MAX) % fc_journal_partitions(journal));
}

/* The sealed batch in one piece, marked as the producer's. */
static fc_code flatten(const struct fc_batch_builder *builder,
                       const struct fc_journal_producer *producer, struct fc_buf *to,
                       struct fc_error *err)
{
    struct fc_batch_header header;
    fc_batch_header_decode(builder->header, &header);
    if (producer != NULL) {
        header.attributes |= FC_BATCH_TRANSACTIONAL;
        header.producer_id = producer->id;
        header.producer_epoch = producer->epoch;
    }
    fc_buf_append(to, builder->header, FC_BATCH_HEADER_SIZE);
    fc_buf_append_slice(to, builder->body);
    if (fc_buf_check(to, "a batch of coordinator records", err) != FC_OK) {
        return err->code;
    }
    fc_batch_header_encode(&header, to->data);
    header.crc = fc_batch_crc(to->data, builder->body);
    fc_batch_header_encode(&header, to->data);
    return FC_OK;
}

static fc_code build(struct fc_batch_builder *builder, const struct fc_record *records,
                     uint32_t count, const struct fc_journal_producer *producer,
                     struct fc_buf *to, struct fc_error *err)
{
    fc_code code = FC_OK;
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        code = fc_batch_builder_add(builder, &records[index], err);
    }
    if (code == FC_OK) {
        code = fc_batch_builder_seal(builder, err);
    }
    return code == FC_OK ? flatten(builder, producer, to, err) : code;
}

fc_code fc_journal_write(struct fc_journal *journal, int32_t partition,
                         const struct fc_record *records, uint32_t count,
                         const struct fc_journal_producer *producer, int64_t *out_base,
                         struct fc_error *err)
{
    struct fc_append_rules rules = { .message_bytes_max = BATCH_BYTES_MAX,
                                     .compacted = true,
                                     .compression = FC_TOPIC_COMPRESSION_PRODUCER,
                                     .timestamp_before_max_ms = INT64_MAX,
                                     .timestamp_after_max_ms = INT64_MAX,
                                     .guard = FC_GUARD_VERIFIED,
                                     .unsequenced = true };
    struct fc_append_result result;
    struct fc_batch_builder builder;
    struct fc_partition *opened = NULL;
    struct fc_buf batch;
    fc_code code = fc_log_topic_partition(journal->topic, (uint32_t)partition, &opened, err);
    if (code != FC_OK) {
        return code;
    }
    fc_batch_builder_init(&builder, FC_COMPRESSION_NONE, RECORD_BYTES_MAX);
    fc_buf_init(&batch, BATCH_BYTES_MAX);
    code = build(&builder, records, count, producer, &batch, err);
    if (code == FC_OK) {
        code = fc_partition_append_wire(opened, batch.data, batch.len, &rules, &result, err);
    }
    if (code == FC_OK) {
        *out_base = result.base_offset;
    }
    fc_buf_release(&batch);
    fc_batch_builder_release(&builder);
    return code;
}

bool fc_journal_is_durable(struct fc_journal *journal, int32_t partition, int64_t offset)
{
    struct fc_partition_offsets offsets;
    struct fc_partition *opened = NULL;
    return fc_log_topic_partition(journal->topic, (uint32_t)partition, &opened, NULL) ==
               FC_OK &&
           fc_partition_offsets(opened, &offsets, NULL) == FC_OK &&
           offsets.high_watermark > offset;
}

/* --- reading it back --- */

struct scan {
    fc_code (*on_batch)(void *ctx, const struct fc_batch_header *header,
                        const struct fc_record *records, uint32_t count, struct fc_error *err);
    void *ctx;
    struct fc_batch_decoder decoder;
    struct fc_buf bytes;
};

static fc_code scan_bytes(struct scan *scan, struct fc_slice bytes, int64_t from,
                          struct fc_error *err)
{
    fc_code code = FC_OK;
    while (code == FC_OK && bytes.len >= FC_BATCH_HEADER_SIZE) {
        struct fc_batch_header header;
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        uint64_t size;
        fc_batch_header_decode(bytes.data, &header);
        size = fc_batch_size(&header);
        if (fc_batch_header_check(&header) != NULL || size > bytes.len) {
            return fc_fail(err, FC_ERR_CORRUPT, "a batch that is not whole");
        }
        code = fc_batch_decode(&scan->decoder, fc_slice_of(bytes.data, size), &records, &count,
                               err);
        if (code == FC_OK && fc_batch_last_offset(&header) >= from) {
            code = scan->on_batch(scan->ctx, &header, records, count, err);
        }
        bytes = fc_slice_of(bytes.data + size, bytes.len - size);
    }
    return code;
}

/* One range of batches; *offset moves past it, or stays at the end. */
static fc_code scan_range(struct scan *scan, struct fc_partition *partition, int64_t *offset,
                          struct fc_error *err)
{
    struct fc_fetch fetch = { *offset, SCAN_BYTES, true, FC_ISOLATION_END };
    struct fc_fetch_range range;
    uint8_t *to;
    fc_code code = fc_partition_fetch(partition, &fetch, &range, err);
    if (code != FC_OK || range.size == 0) {
        return code;
    }
    fc_buf_clear(&scan->bytes);
    to = fc_buf_reserve(&scan->bytes, range.size);
    if (to == NULL) {
        code = fc_buf_check(&scan->bytes, "a batch of coordinator records", err);
    } else {
        code = fc_fetch_read(&range, 0, to, range.size, err);
    }
    if (code == FC_OK) {
        code = scan_bytes(scan, fc_slice_of(to, range.size), *offset, err);
    }
    *offset = range.next_offset;
    fc_fetch_range_release(&range);
    return code;
}

fc_code fc_journal_scan(struct fc_journal *journal, int32_t partition,
                        fc_code (*on_batch)(void *ctx, const struct fc_batch_header *header,
                                            const struct fc_record *records, uint32_t count,
                                            struct fc_error *err),
                        void *ctx, struct fc_error *err)
{
    struct scan scan = { .on_batch = on_batch, .ctx = ctx };
    struct fc_partition_offsets offsets;
    struct fc_partition *opened = NULL;
    int64_t offset = 0;
    fc_code code = fc_log_topic_partition(journal->topic, (uint32_t)partition, &opened, err);
    if (code == FC_OK) {
        code = fc_partition_offsets(opened, &offsets, err);
    }
    if (code != FC_OK) {
        return fc_wrap(err, "%s/%d", journal->name, partition);
    }
    fc_batch_decoder_init(&scan.decoder, BATCH_BYTES_MAX);
    fc_buf_init(&scan.bytes, BATCH_BYTES_MAX);
    offset = offsets.start;
    while (code == FC_OK && offset < offsets.end) {
        code = scan_range(&scan, opened, &offset, err);
    }
    fc_buf_release(&scan.bytes);
    fc_batch_decoder_release(&scan.decoder);
    return code == FC_OK ? code : fc_wrap(err, "%s/%d", journal->name, partition);
}
