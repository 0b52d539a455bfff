/* SPDX-License-Identifier: Apache-2.0 */
#include <snappy-c.h>

#include "core/log/bytes.h"
#include "core/log/codec_parts.h"

enum { BLOCK_SIZE = 32 * 1024, HEADER_SIZE = 16, LENGTH_SIZE = 4 };

/* What Java clients write first: magic, version, oldest version that reads it. */
static const uint8_t header[HEADER_SIZE] = { 0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0,
                                             0,    0,   0,   1,   0,   0,   0,   1 };

enum { MAGIC_SIZE = 8 };

fc_code fc_snappy_compress(struct fc_slice from, struct fc_buf *to, struct fc_error *err)
{
    fc_buf_append(to, header, sizeof(header));
    for (size_t at = 0; at < from.len && !to->failed; at += BLOCK_SIZE) {
        size_t size = from.len - at < BLOCK_SIZE ? from.len - at : BLOCK_SIZE;
        size_t room = snappy_max_compressed_length(size);
        uint8_t *out = fc_buf_reserve(to, LENGTH_SIZE + room);
        if (out != NULL && snappy_compress((const char *)from.data + at, size,
                                           (char *)out + LENGTH_SIZE, &room) == SNAPPY_OK) {
            fc_bytes_put32(out, (uint32_t)room);
            to->len += LENGTH_SIZE + room;
        }
    }
    return to->failed ? fc_fail(err, FC_ERR_LIMIT, "compressed batch over %zu bytes", to->limit)
                      : FC_OK;
}

static fc_code read_block(const uint8_t *from, size_t size, struct fc_buf *to,
                          struct fc_error *err)
{
    size_t plain = 0;
    uint8_t *out;
    if (snappy_uncompressed_length((const char *)from, size, &plain) != SNAPPY_OK) {
        return fc_fail(err, FC_ERR_CORRUPT, "snappy: not a block");
    }
    if (plain > to->limit - to->len) {
        return fc_fail(err, FC_ERR_LIMIT, "decompressed batch over %zu bytes", to->limit);
    }
    /* A block cannot hold more than 64 bytes for each of its own 3; what says so lies. */
    if (plain / 32 > size) {
        return fc_fail(err, FC_ERR_CORRUPT, "snappy: a block of impossible size");
    }
    if (plain == 0) {
        return FC_OK;
    }
    out = fc_buf_reserve(to, plain);
    if (out == NULL ||
        snappy_uncompress((const char *)from, size, (char *)out, &plain) != SNAPPY_OK) {
        return fc_fail(err, FC_ERR_CORRUPT, "snappy: damaged block");
    }
    to->len += plain;
    return FC_OK;
}

fc_code fc_snappy_decompress(struct fc_slice from, struct fc_buf *to, struct fc_error *err)
{
    size_t at = HEADER_SIZE;
    fc_code code = FC_OK;
    if (from.len < HEADER_SIZE || memcmp(from.data, header, MAGIC_SIZE) != 0) {
        return read_block(from.data, from.len, to, err);
    }
    while (code == FC_OK && at < from.len) {
        size_t size = from.len - at < LENGTH_SIZE ? SIZE_MAX : fc_bytes_get32(from.data + at);
        if (size > from.len - at - LENGTH_SIZE || size == SIZE_MAX) {
            return fc_fail(err, FC_ERR_CORRUPT, "snappy frame is cut short");
        }
        code = read_block(from.data + at + LENGTH_SIZE, size, to, err);
        at += LENGTH_SIZE + size;
    }
    return code;
}
