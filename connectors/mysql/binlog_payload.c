/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event's body is a header of fields, number, size and value each length-encoded,
 *
 *   1 payload size   2 compression (0 zstd, 255 none)   3 size when unpacked   0 end (no value)
 *
 * then the payload. It is unpacked through a small window; an event is copied out whole, a
 * large one is unpacked straight to where it will live.
 */
#include "connectors/mysql/binlog_payload.h"

#include <inttypes.h>
#include <stdlib.h>

#include <zstd.h>

#include "connectors/mysql/lenenc.h"
#include "core/base/alloc.h"

enum {
    WINDOW_SIZE = 64 * 1024,
    FIELD_END = 0,
    FIELD_SIZE = 1,
    FIELD_COMPRESSION = 2,
    FIELD_UNPACKED_SIZE = 3,
    COMPRESSION_ZSTD = 0,
    COMPRESSION_NONE = 255
};

struct fc_binlog_payload {
    ZSTD_DCtx *zstd;
    ZSTD_inBuffer input;
    bool packed;       /* zstd; otherwise input is the events themselves */
    bool frame_open;   /* zstd is inside a frame */
    uint64_t left;     /* unpacked bytes that must still come */
    uint64_t position; /* of the payload event, for messages */
    size_t window_at;  /* window[window_at..window_len) is not handed out yet */
    size_t window_len;
    uint8_t window[WINDOW_SIZE];
};

struct fc_binlog_payload *fc_binlog_payload_new(void)
{
    struct fc_binlog_payload *payload = fc_new(struct fc_binlog_payload);
    payload->zstd = ZSTD_createDCtx();
    fc_assert(payload->zstd != NULL);
    return payload;
}

void fc_binlog_payload_free(struct fc_binlog_payload *payload)
{
    if (payload != NULL) {
        (void)ZSTD_freeDCtx(payload->zstd); /* cannot fail */
        free(payload);
    }
}

static fc_code broken(const struct fc_binlog_payload *payload, const char *why,
                      struct fc_error *err)
{
    return fc_fail(err, FC_ERR_PROTOCOL,
                   "TRANSACTION_PAYLOAD event (type 40) that ends at position %" PRIu64 ": %s",
                   payload->position, why);
}

fc_code fc_binlog_payload_open(struct fc_binlog_payload *payload,
                               const struct fc_binlog_event *event, struct fc_error *err)
{
    struct fc_reader reader;
    uint64_t size = UINT64_MAX;
    uint64_t compression = UINT64_MAX;
    uint64_t unpacked = UINT64_MAX;
    uint64_t field;
    payload->position = event->next_position;
    fc_reader_init(&reader, event->body);
    while ((field = fc_lenenc_read(&reader)) != FIELD_END && !reader.failed) {
        struct fc_reader value;
        fc_reader_init(&value, fc_reader_slice(&reader, fc_lenenc_read(&reader)));
        switch (field) {
        case FIELD_SIZE:
            size = fc_lenenc_read(&value);
            break;
        case FIELD_COMPRESSION:
            compression = fc_lenenc_read(&value);
            break;
        case FIELD_UNPACKED_SIZE:
            unpacked = fc_lenenc_read(&value);
            break;
        default:
            break; /* a field of a later version; they add, they do not change */
        }
        reader.failed = reader.failed || value.failed;
    }
    if (reader.failed) {
        return broken(payload, "its header cannot be read", err);
    }
    if (size == UINT64_MAX) {
        size = fc_reader_left(&reader);
    }
    if (size != fc_reader_left(&reader)) {
        return broken(payload, "its size is not what its header says", err);
    }
    if (compression != COMPRESSION_ZSTD && compression != COMPRESSION_NONE) {
        return broken(payload, "its compression is not known", err);
    }
    payload->packed = compression == COMPRESSION_ZSTD;
    if (payload->packed && unpacked == UINT64_MAX) {
        return broken(payload, "its header does not tell the unpacked size", err);
    }
    payload->left = payload->packed ? unpacked : size;
    payload->input = (ZSTD_inBuffer){ reader.at, (size_t)size, 0 };
    payload->frame_open = false;
    payload->window_at = 0;
    payload->window_len = 0;
    (void)ZSTD_DCtx_reset(payload->zstd, ZSTD_reset_session_only); /* cannot fail */
    return FC_OK;
}

/* Unpack up to `size` bytes to `to`; *out_size 0 means that the input is used up. */
static fc_code unpack_some(struct fc_binlog_payload *payload, uint8_t *to, size_t size,
                           size_t *out_size, struct fc_error *err)
{
    ZSTD_outBuffer output = { to, size, 0 };
    while (output.pos == 0) {
        size_t before = payload->input.pos;
        size_t result = ZSTD_decompressStream(payload->zstd, &output, &payload->input);
        if (ZSTD_isError(result) != 0) {
            return broken(payload, ZSTD_getErrorName(result), err);
        }
        if (output.pos == 0 && payload->input.pos == before) {
            break; /* no more without more input */
        }
        payload->frame_open = result != 0;
    }
    *out_size = output.pos;
    return FC_OK;
}

/* Exactly `size` unpacked bytes. */
static fc_code unpack(struct fc_binlog_payload *payload, uint8_t *to, size_t size,
                      struct fc_error *err)
{
    while (size > 0) {
        size_t some = payload->window_len - payload->window_at;
        fc_code code = FC_OK;
        if (some > 0) {
            some = some < size ? some : size;
            memcpy(to, payload->window + payload->window_at, some);
            payload->window_at += some;
        } else if (size >= WINDOW_SIZE) {
            code = unpack_some(payload, to, size, &some, err);
        } else {
            payload->window_at = 0;
            payload->window_len = 0;
            code =
                unpack_some(payload, payload->window, WINDOW_SIZE, &payload->window_len, err);
            if (code != FC_OK) {
                return code;
            }
            if (payload->window_len == 0) {
                return broken(payload, "it ends within an event", err);
            }
            continue;
        }
        if (code != FC_OK) {
            return code;
        }
        if (some == 0) {
            return broken(payload, "it ends within an event", err);
        }
        to += some;
        size -= some;
    }
    return FC_OK;
}

static uint32_t event_size(const uint8_t *header)
{
    struct fc_reader reader;
    fc_reader_init(&reader, fc_slice_of(header, FC_BINLOG_HEADER_SIZE));
    fc_reader_skip(&reader, 9);
    return (uint32_t)fc_reader_le(&reader, 4);
}

/* Nothing may be left over behind the last event. */
static fc_code finish(struct fc_binlog_payload *payload, bool *out_end, struct fc_error *err)
{
    uint8_t more[1];
    size_t size = payload->window_len - payload->window_at;
    if (payload->packed && size == 0) {
        fc_code code = unpack_some(payload, more, sizeof(more), &size, err);
        if (code != FC_OK) {
            return code;
        }
    }
    if (size > 0 || payload->frame_open || payload->input.pos != payload->input.size) {
        return broken(payload, "it does not end with its last event", err);
    }
    *out_end = true;
    return FC_OK;
}

fc_code fc_binlog_payload_next(struct fc_binlog_payload *payload,
                               const struct fc_mysql_memory *memory,
                               struct fc_binlog_event *out_event, bool *out_end,
                               struct fc_error *err)
{
    uint8_t header[FC_BINLOG_HEADER_SIZE];
    struct fc_slice bytes;
    uint32_t size;
    uint8_t *copy;
    fc_code code;
    if (payload->left == 0) {
        return finish(payload, out_end, err);
    }
    if (payload->left < sizeof(header)) {
        return broken(payload, "it ends within an event's header", err);
    }
    if (!payload->packed) {
        const uint8_t *at = (const uint8_t *)payload->input.src + payload->input.pos;
        size = event_size(at);
        bytes = fc_slice_of(at, size);
    } else {
        code = unpack(payload, header, sizeof(header), err);
        if (code != FC_OK) {
            return code;
        }
        size = event_size(header);
        bytes = fc_slice_null();
    }
    if (size < sizeof(header) || size > payload->left) {
        return broken(payload, "an event in it has an impossible size", err);
    }
    if (!payload->packed) {
        payload->input.pos += size;
    } else {
        copy = fc_mysql_memory_alloc(memory, size);
        if (copy == NULL) {
            return fc_fail(err, FC_ERR_LIMIT,
                           "an event of %" PRIu32 " bytes in a compressed transaction does not "
                           "fit into the batch's memory",
                           size);
        }
        memcpy(copy, header, sizeof(header));
        code = unpack(payload, copy + sizeof(header), size - sizeof(header), err);
        if (code != FC_OK) {
            return code;
        }
        bytes = fc_slice_of(copy, size);
    }
    payload->left -= size;
    code = fc_binlog_event_parse_inner(bytes, out_event, err);
    if (code != FC_OK) {
        return fc_wrap(err,
                       "within the TRANSACTION_PAYLOAD event that ends at position %" PRIu64,
                       payload->position);
    }
    *out_end = false;
    return FC_OK;
}
