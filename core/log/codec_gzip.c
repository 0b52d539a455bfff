/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include <zlib.h>

#include "core/base/alloc.h"
#include "core/log/codec_parts.h"

enum {
    GZIP_WINDOW_BITS = 15 + 16, /* the largest window, in gzip's format */
    GZIP_MEMORY_LEVEL = 8,
    ROOM_MIN = 64 * 1024
};

fc_code fc_gzip_compress(struct fc_slice from, struct fc_buf *to, struct fc_error *err)
{
    z_stream stream = { 0 };
    size_t room;
    int result;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS,
                     GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        return fc_fail(err, FC_ERR_NOMEM, "no memory for a compression context");
    }
    room = deflateBound(&stream, from.len);
    stream.next_in = fc_unconst(from.data);
    stream.avail_in = (uInt)from.len; /* batches are below 4 GiB */
    stream.next_out = fc_buf_reserve(to, room);
    stream.avail_out = (uInt)room;
    result = stream.next_out == NULL ? Z_BUF_ERROR : deflate(&stream, Z_FINISH);
    to->len += result == Z_STREAM_END ? room - stream.avail_out : 0;
    (void)deflateEnd(&stream);
    return result == Z_STREAM_END
               ? FC_OK
               : fc_fail(err, FC_ERR_LIMIT, "compressed batch over %zu bytes", to->limit);
}

/* Until the input or the room ends; several members may follow each other. */
static int inflate_some(z_stream *stream, struct fc_buf *to, size_t room)
{
    int result;
    stream->next_out = to->data + to->len;
    stream->avail_out = (uInt)room;
    result = inflate(stream, Z_NO_FLUSH);
    if (result == Z_STREAM_END && stream->avail_in > 0) {
        result = inflateReset(stream);
    }
    to->len += room - stream->avail_out;
    return result;
}

fc_code fc_gzip_decompress(struct fc_slice from, struct fc_buf *to, struct fc_error *err)
{
    z_stream stream = { 0 };
    int result = Z_OK;
    bool full = false;
    if (inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK) {
        return fc_fail(err, FC_ERR_NOMEM, "no memory for a compression context");
    }
    stream.next_in = fc_unconst(from.data);
    stream.avail_in = (uInt)from.len;
    while (result == Z_OK && !full) {
        size_t room = from.len * 4 > ROOM_MIN ? from.len * 4 : ROOM_MIN;
        room = room < to->limit - to->len ? room : to->limit - to->len;
        room = room < UINT_MAX ? room : UINT_MAX;
        full = room == 0 || fc_buf_reserve(to, room) == NULL;
        if (!full) {
            result = inflate_some(&stream, to, room);
        }
    }
    (void)inflateEnd(&stream);
    if (result == Z_STREAM_END) {
        return FC_OK;
    }
    return full ? fc_fail(err, FC_ERR_LIMIT, "decompressed batch over %zu bytes", to->limit)
                : fc_fail(err, FC_ERR_CORRUPT, "gzip: not a whole stream");
}
