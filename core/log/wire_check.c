/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header is checked against the bytes and the checksum first, then the records against the
 * header: a good checksum says nothing of what a client wrote, and a malformed record would stop
 * each reader for good.
 */
#include "core/log/wire_check.h"

#include <inttypes.h>

#include "core/base/alloc.h"
#include "core/log/bytes.h"
#include "core/log/compact_input.h"
#include "core/log/record_check.h"

enum {
    PLAIN_MIN = 64 * 1024 * 1024,    /* small batches of text may shrink to a hundredth */
    PLAIN_GROWTH = 16,               /* large ones are rarely more than this over their size */
    KEPT_BYTES_MAX = 8 * 1024 * 1024 /* of a decoder, for the next batch */
};

void fc_wire_check_init(struct fc_wire_check *check, uint8_t *batch, size_t size)
{
    check->batch = batch;
    check->size = size;
    /* Incompressible records grow by less than 1 in 8 with any codec. */
    fc_buf_init(&check->packed, (size_t)FC_BATCH_BYTES_MAX + FC_BATCH_BYTES_MAX / 8);
}

void fc_wire_check_release(struct fc_wire_check *check)
{
    fc_buf_release(&check->packed);
    if (check->decoder != NULL && fc_batch_decoder_memory(check->decoder) > KEPT_BYTES_MAX) {
        fc_append_free_decoder(check->decoder); /* there may be one for each partition */
        check->decoder = NULL;
    }
}

static fc_code reject(struct fc_append_result *result, fc_kafka_error error,
                      struct fc_error *err, const char *why)
{
    result->error = error;
    return fc_fail(err, FC_ERR_REJECTED, "%s", why);
}

/* That the bytes are one whole batch, as it left the client. */
static fc_code check_bytes(struct fc_wire_check *check, struct fc_append_result *result,
                           struct fc_error *err)
{
    struct fc_batch_header *header = &check->header;
    struct fc_slice body;
    const char *why;
    if (check->size < 17) {
        return reject(result, FC_KAFKA_CORRUPT_MESSAGE, err, "the batch is cut short");
    }
    if (check->batch[16] != 2) { /* where older formats have their magic, too */
        return reject(result, FC_KAFKA_INVALID_RECORD, err, "the record format is not 2");
    }
    if (check->size < FC_BATCH_HEADER_SIZE) {
        return reject(result, FC_KAFKA_CORRUPT_MESSAGE, err, "the batch is cut short");
    }
    fc_batch_header_decode(check->batch, header);
    if (header->length < FC_BATCH_HEADER_SIZE - FC_BATCH_LENGTH_END ||
        header->length > FC_BATCH_BYTES_MAX || fc_batch_size(header) > check->size) {
        return reject(result, FC_KAFKA_CORRUPT_MESSAGE, err, "the batch has a wrong length");
    }
    if (fc_batch_size(header) < check->size) {
        return reject(result, FC_KAFKA_INVALID_RECORD, err,
                      "more than one batch for a partition");
    }
    body = fc_slice_of(check->batch + FC_BATCH_HEADER_SIZE, check->size - FC_BATCH_HEADER_SIZE);
    if (fc_batch_crc(check->batch, body) != header->crc) {
        return reject(result, FC_KAFKA_CORRUPT_MESSAGE, err, "bad checksum");
    }
    if (header->base_offset != 0) {
        return reject(result, FC_KAFKA_INVALID_RECORD, err, "the base offset is not 0");
    }
    why = fc_batch_header_check(header);
    if (why != NULL) {
        return reject(result, FC_KAFKA_INVALID_RECORD, err, why);
    }
    if (header->count < 1 || header->count != header->last_offset_delta + (int64_t)1) {
        return reject(result, FC_KAFKA_INVALID_RECORD, err,
                      "the record count is not what the offsets say");
    }
    return FC_OK;
}

static fc_code check_producer(const struct fc_batch_header *header,
                              const struct fc_append_rules *rules,
                              struct fc_append_result *result, struct fc_error *err)
{
    if ((header->attributes & FC_BATCH_CONTROL) != 0) {
        return reject(result, FC_KAFKA_INVALID_RECORD, err,
                      "clients may not write control batches");
    }
    if (header->producer_id >= 0 &&
        (header->producer_epoch < 0 || (header->base_sequence < 0) != rules->unsequenced)) {
        return reject(result, FC_KAFKA_INVALID_RECORD, err,
                      "a producer id without epoch or sequence");
    }
    if (header->producer_id < 0 && (header->attributes & FC_BATCH_TRANSACTIONAL) != 0) {
        return reject(result, FC_KAFKA_INVALID_RECORD, err,
                      "transactional, but without a producer id");
    }
    return FC_OK;
}

/* The first and the last ms that a record may have. */
static int64_t oldest_ms(const struct fc_wire_check *check, const struct fc_append_rules *rules)
{
    int64_t oldest;
    return __builtin_sub_overflow(check->now_ms, rules->timestamp_before_max_ms, &oldest)
               ? INT64_MIN
               : oldest;
}

static int64_t newest_ms(const struct fc_wire_check *check, const struct fc_append_rules *rules)
{
    int64_t newest;
    return __builtin_add_overflow(check->now_ms, rules->timestamp_after_max_ms, &newest)
               ? INT64_MAX
               : newest;
}

static bool must_look_inside(const struct fc_append_rules *rules)
{
    return rules->compacted ||
           (!rules->log_append_time && rules->timestamp_before_max_ms < INT64_MAX);
}

static bool must_repack(const struct fc_wire_check *check, const struct fc_append_rules *rules)
{
    return rules->compression != FC_TOPIC_COMPRESSION_PRODUCER &&
           rules->compression != (check->header.attributes & FC_BATCH_CODEC_MASK);
}

static bool must_open(const struct fc_wire_check *check, const struct fc_append_rules *rules)
{
    return (check->header.attributes & FC_BATCH_CODEC_MASK) == FC_COMPRESSION_NONE ||
           must_look_inside(rules) || must_repack(check, rules);
}

/*
 * What a batch may decompress to: with no bound of its own a few KiB would take as much memory as
 * the format can say. Nor may it be more than compaction will look into.
 */
static size_t plain_max(const struct fc_append_rules *rules)
{
    int64_t size = rules->message_bytes_max;
    if (size > FC_COMPACT_PLAIN_MAX / PLAIN_GROWTH) {
        return FC_COMPACT_PLAIN_MAX;
    }
    return size < PLAIN_MIN / PLAIN_GROWTH ? PLAIN_MIN : (size_t)size * PLAIN_GROWTH;
}

static fc_code reject_packed(struct fc_append_result *result, fc_code code, size_t max,
                             const struct fc_error *why, struct fc_error *err)
{
    if (code != FC_ERR_LIMIT) {
        return reject(result, FC_KAFKA_INVALID_RECORD, err, why->message);
    }
    result->error = FC_KAFKA_MESSAGE_TOO_LARGE;
    return fc_fail(err, FC_ERR_REJECTED,
                   "the batch decompresses to more than the %zu bytes that max.message.bytes "
                   "allows for",
                   max);
}

/* Have the records' plain bytes. */
static fc_code unpack(struct fc_wire_check *check, const struct fc_append_rules *rules,
                      struct fc_append_result *result, struct fc_error *err)
{
    struct fc_slice body =
        fc_slice_of(check->batch + FC_BATCH_HEADER_SIZE, check->size - FC_BATCH_HEADER_SIZE);
    struct fc_error why;
    fc_code code;
    if ((check->header.attributes & FC_BATCH_CODEC_MASK) == FC_COMPRESSION_NONE) {
        check->plain = body;
        return FC_OK;
    }
    if (check->decoder == NULL) {
        check->decoder = fc_new(struct fc_batch_decoder);
        fc_batch_decoder_init(check->decoder, FC_COMPACT_PLAIN_MAX);
    }
    check->decoder->plain.limit = plain_max(rules);
    code = fc_batch_unpack(check->decoder, &check->header, body, &check->plain, &why);
    return code == FC_OK ? FC_OK : reject_packed(result, code, plain_max(rules), &why, err);
}

static fc_code reject_record(struct fc_append_result *result, fc_record_fault fault,
                             uint32_t index, struct fc_error *err)
{
    result->bad_record = (int32_t)index;
    switch (fault) {
    case FC_RECORD_FINE:
        break;
    case FC_RECORD_MALFORMED:
        return reject(result, FC_KAFKA_INVALID_RECORD, err, "a record is malformed");
    case FC_RECORD_MISNUMBERED:
        return reject(result, FC_KAFKA_INVALID_RECORD, err, "a record has a wrong offset");
    case FC_RECORD_TOO_MANY:
        return reject(result, FC_KAFKA_INVALID_RECORD, err, "bytes follow the last record");
    case FC_RECORD_WITHOUT_KEY:
        return reject(result, FC_KAFKA_INVALID_RECORD, err,
                      "a record without a key in a compacted topic");
    case FC_RECORD_UNTIMELY:
        return reject(result, FC_KAFKA_INVALID_TIMESTAMP, err,
                      "a record's timestamp is too far from now");
    }
    fc_assert(false);
    return FC_ERR_REJECTED;
}

static fc_code check_records(struct fc_wire_check *check, const struct fc_append_rules *rules,
                             struct fc_append_result *result, struct fc_error *err)
{
    const bool by_time = !rules->log_append_time;
    const struct fc_record_rules inside = {
        .keyed = rules->compacted,
        .base_timestamp_ms = check->header.base_timestamp_ms,
        .oldest_ms = by_time ? oldest_ms(check, rules) : INT64_MIN,
        .newest_ms = by_time ? newest_ms(check, rules) : INT64_MAX,
    };
    uint32_t index = 0;
    fc_record_fault fault;
    fc_code code = unpack(check, rules, result, err);
    if (code != FC_OK) {
        return code;
    }
    fault = fc_record_check(check->plain, (uint32_t)check->header.count,
                            must_look_inside(rules) ? &inside : NULL, &index);
    return fault == FC_RECORD_FINE ? FC_OK : reject_record(result, fault, index, err);
}

static fc_code check_timestamps(const struct fc_wire_check *check,
                                const struct fc_append_rules *rules,
                                struct fc_append_result *result, struct fc_error *err)
{
    const struct fc_batch_header *header = &check->header;
    if (rules->log_append_time) {
        return FC_OK;
    }
    if ((header->attributes & FC_BATCH_APPEND_TIME) != 0) {
        return reject(result, FC_KAFKA_INVALID_TIMESTAMP, err,
                      "only the log may say that timestamps are the log's");
    }
    if (header->max_timestamp_ms > newest_ms(check, rules)) {
        return reject(result, FC_KAFKA_INVALID_TIMESTAMP, err,
                      "the batch's timestamp is too far ahead of now");
    }
    return FC_OK;
}

/* The records as they are, under the codec that the topic demands. */
static fc_code repack(struct fc_wire_check *check, fc_compression wanted, struct fc_error *err)
{
    struct fc_batch_header *header = &check->header;
    struct fc_slice body = check->plain;
    if (wanted != FC_COMPRESSION_NONE) {
        struct fc_codec *codec = fc_codec_new();
        fc_code code = fc_codec_compress(codec, wanted, check->plain, &check->packed, err);
        fc_codec_free(codec);
        if (code != FC_OK) {
            return code;
        }
        body = fc_buf_slice(&check->packed);
    }
    if (body.len >= check->plain.len) {
        body = check->plain;
        wanted = FC_COMPRESSION_NONE;
    }
    header->attributes =
        (uint16_t)((header->attributes & ~(unsigned)FC_BATCH_CODEC_MASK) | wanted);
    header->length = (uint32_t)(body.len + FC_BATCH_HEADER_SIZE - FC_BATCH_LENGTH_END);
    check->append.parts[0].iov_base = check->packed_header;
    check->append.parts[0].iov_len = FC_BATCH_HEADER_SIZE;
    check->append.parts[1].iov_base = fc_unconst(body.data);
    check->append.parts[1].iov_len = body.len;
    check->append.parts_count = 2;
    return FC_OK;
}

/* Write the changed header and its checksum. */
static void seal(struct fc_wire_check *check)
{
    uint8_t *to = check->append.parts[0].iov_base;
    struct fc_slice body =
        check->append.parts_count == 2
            ? fc_slice_of(check->append.parts[1].iov_base, check->append.parts[1].iov_len)
            : fc_slice_of(to + FC_BATCH_HEADER_SIZE, check->size - FC_BATCH_HEADER_SIZE);
    fc_batch_header_encode(&check->header, to);
    fc_bytes_put32(to + 17, fc_batch_crc(to, body));
}

static fc_code shape(struct fc_wire_check *check, const struct fc_append_rules *rules,
                     struct fc_error *err)
{
    struct fc_batch_header *header = &check->header;
    bool changed = false;
    check->append.parts[0].iov_base = check->batch;
    check->append.parts[0].iov_len = check->size;
    check->append.parts_count = 1;
    if (must_repack(check, rules)) {
        fc_code code = repack(check, (fc_compression)rules->compression, err);
        if (code != FC_OK) {
            return code;
        }
        changed = true;
    }
    if (rules->log_append_time) {
        header->attributes |= FC_BATCH_APPEND_TIME;
        header->max_timestamp_ms = check->now_ms;
        changed = true;
    }
    if (changed) {
        seal(check);
    }
    return FC_OK;
}

fc_code fc_wire_check_run(struct fc_wire_check *check, const struct fc_append_rules *rules,
                          struct fc_append_result *result, struct fc_error *err)
{
    fc_code code = check_bytes(check, result, err);
    if (code == FC_OK) {
        code = check_producer(&check->header, rules, result, err);
    }
    if (code == FC_OK && !fc_codec_known(check->header.attributes & FC_BATCH_CODEC_MASK)) {
        code = reject(result, FC_KAFKA_UNSUPPORTED_COMPRESSION_TYPE, err,
                      "the codec is not known");
    }
    if (code == FC_OK && (int64_t)check->size > rules->message_bytes_max) {
        code = reject(result, FC_KAFKA_MESSAGE_TOO_LARGE, err,
                      "the batch is over max.message.bytes");
    }
    if (code == FC_OK) {
        code = check_timestamps(check, rules, result, err);
    }
    if (code == FC_OK && must_open(check, rules)) {
        code = check_records(check, rules, result, err);
    }
    return code == FC_OK ? shape(check, rules, err) : code;
}
