/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/batch_decoder.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/reader.h"

enum {
    RECORD_BYTES_MIN = 7, /* a record has seven fields of at least one byte */
    HEADER_BYTES_MIN = 2,
    KEPT_BYTES_MAX = 4 * 1024 * 1024 /* of a buffer that the next batch may not need */
};

void fc_batch_decoder_init(struct fc_batch_decoder *decoder, size_t plain_max)
{
    memset(decoder, 0, sizeof(*decoder));
    decoder->codec = fc_codec_new();
    fc_buf_init(&decoder->plain, plain_max);
}

void fc_batch_decoder_release(struct fc_batch_decoder *decoder)
{
    fc_codec_free(decoder->codec);
    decoder->codec = NULL;
    fc_buf_release(&decoder->plain);
    free(decoder->records);
    free(decoder->headers);
    decoder->records = NULL;
    decoder->headers = NULL;
    decoder->records_capacity = 0;
    decoder->headers_capacity = 0;
}

size_t fc_batch_decoder_memory(const struct fc_batch_decoder *decoder)
{
    return fc_codec_memory(decoder->codec) + decoder->plain.capacity +
           decoder->records_capacity * sizeof(*decoder->records) +
           decoder->headers_capacity * sizeof(*decoder->headers);
}

/* Most varints here are lengths and deltas of one or two bytes. */
static inline int64_t read_varint(struct fc_reader *reader)
{
    if (__builtin_expect(reader->at < reader->end && (*reader->at & 0x80) == 0, 1)) {
        uint8_t byte = *reader->at++;
        return (int64_t)(byte >> 1) ^ -(int64_t)(byte & 1);
    }
    return fc_reader_varint(reader);
}

/* A length of -1 is the null slice; any other negative length fails. */
static inline struct fc_slice read_bytes(struct fc_reader *reader)
{
    int64_t len = read_varint(reader);
    if (__builtin_expect(len < 0, 0)) {
        reader->failed = reader->failed || len != -1;
        return fc_slice_null();
    }
    return fc_reader_slice(reader, (size_t)len);
}

/* Room for `more` headers behind the first `used`; records that are decoded already are pointed
 * at the new place. */
static void grow_headers(struct fc_batch_decoder *decoder, size_t used, size_t more,
                         uint32_t decoded)
{
    size_t wanted = decoder->headers_capacity * 2;
    size_t cursor = 0;
    if (wanted < used + more) {
        wanted = used + more;
    }
    decoder->headers = fc_realloc_array(decoder->headers, wanted, sizeof(struct fc_header));
    decoder->headers_capacity = wanted;
    for (uint32_t index = 0; index < decoded; index++) {
        if (decoder->records[index].header_count > 0) {
            decoder->records[index].headers = decoder->headers + cursor;
        }
        cursor += decoder->records[index].header_count;
    }
}

static bool read_headers(struct fc_batch_decoder *decoder, struct fc_reader *reader,
                         size_t *used, uint32_t index)
{
    struct fc_record *record = &decoder->records[index];
    int64_t count = read_varint(reader);
    record->headers = NULL;
    record->header_count = 0;
    record->marks = NULL;
    if (count == 0) {
        return true;
    }
    if (count < 0 || (uint64_t)count > fc_reader_left(reader) / HEADER_BYTES_MIN) {
        return false;
    }
    if (*used + (size_t)count > decoder->headers_capacity) {
        grow_headers(decoder, *used, (size_t)count, index);
    }
    record->headers = decoder->headers + *used;
    record->header_count = (uint32_t)count;
    for (int64_t header = 0; header < count; header++) {
        struct fc_header *to = &decoder->headers[*used + (size_t)header];
        to->key = read_bytes(reader);
        to->value = read_bytes(reader);
        if (fc_slice_is_null(to->key)) {
            return false;
        }
    }
    *used += (size_t)count;
    return true;
}

static fc_code decode_records(struct fc_batch_decoder *decoder, struct fc_slice plain,
                              const struct fc_batch_header *header, struct fc_error *err)
{
    struct fc_reader reader;
    uint32_t count = (uint32_t)header->count;
    int64_t last_delta = -1;
    size_t headers_used = 0;
    bool logs_time = (header->attributes & FC_BATCH_APPEND_TIME) != 0;
    fc_reader_init(&reader, plain);
    for (uint32_t index = 0; index < count; index++) {
        struct fc_record *record = &decoder->records[index];
        int64_t length = read_varint(&reader);
        const uint8_t *begin = reader.at;
        int64_t timestamp_delta;
        int64_t offset_delta;
        (void)fc_reader_u8(&reader); /* attributes: none are defined */
        timestamp_delta = read_varint(&reader);
        offset_delta = read_varint(&reader);
        record->timestamp_ms =
            (int64_t)((uint64_t)header->base_timestamp_ms + (uint64_t)timestamp_delta);
        record->key = read_bytes(&reader);
        record->value = read_bytes(&reader);
        if (!read_headers(decoder, &reader, &headers_used, index) || reader.failed ||
            length != reader.at - begin) {
            return fc_fail(err, FC_ERR_CORRUPT, "record %" PRIu32 " of the batch is malformed",
                           index);
        }
        if (offset_delta <= last_delta || offset_delta > header->last_offset_delta) {
            return fc_fail(err, FC_ERR_CORRUPT,
                           "record %" PRIu32 " of the batch has a wrong offset", index);
        }
        last_delta = offset_delta;
        record->offset = header->base_offset + offset_delta; /* cannot overflow now */
        if (logs_time) {
            record->timestamp_ms = header->max_timestamp_ms;
        }
    }
    if (fc_reader_left(&reader) != 0) {
        return fc_fail(err, FC_ERR_CORRUPT, "%zu bytes follow the last record of the batch",
                       fc_reader_left(&reader));
    }
    return FC_OK;
}

fc_code fc_batch_unpack(struct fc_batch_decoder *decoder, const struct fc_batch_header *header,
                        struct fc_slice body, struct fc_slice *out_plain, struct fc_error *err)
{
    int codec = header->attributes & FC_BATCH_CODEC_MASK;
    fc_code code;
    if (!fc_codec_known(codec)) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "batch is compressed with codec %d, which does not exist", codec);
    }
    if (codec == FC_COMPRESSION_NONE || header->count == 0) {
        *out_plain = body;
        return FC_OK;
    }
    if (decoder->plain.capacity > KEPT_BYTES_MAX &&
        decoder->plain.len < decoder->plain.capacity / 4) {
        fc_buf_release(&decoder->plain);
    }
    fc_buf_clear(&decoder->plain);
    code =
        fc_codec_decompress(decoder->codec, (fc_compression)codec, body, &decoder->plain, err);
    if (code == FC_OK) {
        *out_plain = fc_buf_slice(&decoder->plain);
    }
    return code;
}

fc_code fc_batch_decode(struct fc_batch_decoder *decoder, struct fc_slice batch,
                        const struct fc_record **out_records, uint32_t *out_count,
                        struct fc_error *err)
{
    struct fc_batch_header header;
    struct fc_slice body;
    struct fc_slice plain = { NULL, 0 };
    const char *why;
    fc_code code;
    if (batch.len < FC_BATCH_HEADER_SIZE) {
        return fc_fail(err, FC_ERR_CORRUPT, "batch is cut short");
    }
    fc_batch_header_decode(batch.data, &header);
    why = fc_batch_header_check(&header);
    if (why == NULL && fc_batch_size(&header) != batch.len) {
        why = "batch length is not what the bytes have";
    }
    body = fc_slice_of(batch.data + FC_BATCH_HEADER_SIZE, batch.len - FC_BATCH_HEADER_SIZE);
    if (why == NULL && fc_batch_crc(batch.data, body) != header.crc) {
        why = "bad checksum";
    }
    if (why != NULL) {
        return fc_fail(err, FC_ERR_CORRUPT, "%s", why);
    }
    code = fc_batch_unpack(decoder, &header, body, &plain, err);
    if (code != FC_OK) {
        return code;
    }
    if ((uint64_t)header.count > plain.len / RECORD_BYTES_MIN) {
        return fc_fail(err, FC_ERR_CORRUPT, "batch has no room for its %" PRId32 " records",
                       header.count);
    }
    if ((size_t)header.count > decoder->records_capacity) {
        decoder->records =
            fc_realloc_array(decoder->records, (size_t)header.count, sizeof(struct fc_record));
        decoder->records_capacity = (size_t)header.count;
    }
    code = decode_records(decoder, plain, &header, err);
    if (code == FC_OK) {
        *out_records = decoder->records;
        *out_count = (uint32_t)header.count;
    }
    return code;
}
