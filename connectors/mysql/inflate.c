/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/inflate.h"

#include <inttypes.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/base/reader.h"

/* Deflate cannot pack better than this, so a larger claim is a lie and gets no memory. */
enum { DEFLATE_RATIO_MAX = 1040 };

/* One whole stream of exactly `size` bytes. */
static fc_code inflate_all(struct fc_slice packed, int window_bits, uint64_t size,
                           const struct fc_mysql_memory *memory, struct fc_slice *out_bytes,
                           struct fc_error *err)
{
    static const uint8_t nothing[1] = { 0 };
    z_stream stream;
    uint8_t *bytes;
    int result;
    if (size == 0) {
        *out_bytes = fc_slice_of(nothing, 0);
        return FC_OK;
    }
    if (size > UINT32_MAX || packed.len > UINT32_MAX ||
        size > ((uint64_t)packed.len + 1) * DEFLATE_RATIO_MAX) {
        return fc_fail(err, FC_ERR_PROTOCOL, "compressed data claims an impossible size");
    }
    bytes = fc_mysql_memory_alloc(memory, size);
    if (bytes == NULL) {
        return fc_fail(err, FC_ERR_LIMIT,
                       "compressed data: no memory left for %" PRIu64 " bytes", size);
    }
    memset(&stream, 0, sizeof(stream));
    stream.next_in = packed.data;
    stream.avail_in = (uInt)packed.len;
    stream.next_out = bytes;
    stream.avail_out = (uInt)size;
    if (inflateInit2(&stream, window_bits) != Z_OK) {
        return fc_fail(err, FC_ERR_NOMEM, "zlib cannot be set up");
    }
    result = inflate(&stream, Z_FINISH);
    (void)inflateEnd(&stream); /* frees; its result repeats the stream's state */
    if (result != Z_STREAM_END || stream.total_out != size) {
        return fc_fail(err, FC_ERR_PROTOCOL, "compressed data cannot be unpacked");
    }
    *out_bytes = fc_slice_of(bytes, size);
    return FC_OK;
}

fc_code fc_inflate_record(struct fc_slice packed, const struct fc_mysql_memory *memory,
                          struct fc_slice *out_bytes, struct fc_error *err)
{
    struct fc_reader reader;
    uint8_t head;
    uint64_t size;
    fc_reader_init(&reader, packed);
    head = fc_reader_u8(&reader);
    size = fc_reader_be(&reader, head & 7);
    if (reader.failed || (head & 0x80) == 0 || (head & 0x70) != 0 || (head & 7) == 0 ||
        (head & 7) > 4) {
        return fc_fail(err, FC_ERR_PROTOCOL, "compressed data has a bad head");
    }
    return inflate_all(fc_slice_of(reader.at, fc_reader_left(&reader)), MAX_WBITS, size, memory,
                       out_bytes, err);
}

fc_code fc_inflate_column(struct fc_slice packed, const struct fc_mysql_memory *memory,
                          struct fc_slice *out_bytes, struct fc_error *err)
{
    struct fc_reader reader;
    uint8_t head;
    uint64_t size;
    if (packed.len == 0) {
        *out_bytes = packed;
        return FC_OK;
    }
    if (packed.data[0] == 0) {
        *out_bytes = fc_slice_of(packed.data + 1, packed.len - 1);
        return FC_OK;
    }
    fc_reader_init(&reader, packed);
    head = fc_reader_u8(&reader);
    size = fc_reader_be(&reader, head & 7);
    if (reader.failed || (head & 0xf0) != 0x80 || (head & 7) == 0 || (head & 7) > 4) {
        return fc_fail(err, FC_ERR_PROTOCOL, "value of a COMPRESSED column has a bad head");
    }
    return inflate_all(fc_slice_of(reader.at, fc_reader_left(&reader)),
                       (head & 8) != 0 ? -MAX_WBITS : MAX_WBITS, size, memory, out_bytes, err);
}
