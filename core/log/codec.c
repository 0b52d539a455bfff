/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/codec.h"

#include <stdlib.h>

#include <lz4frame.h>
#include <zstd.h>

#include "core/base/alloc.h"
#include "core/log/codec_parts.h"

enum { ZSTD_LEVEL = 3, GROWTH_MIN = 64 * 1024, SMALL_BLOCK_SIZE = 64 * 1024 };

struct fc_codec {
    LZ4F_cctx *lz4_out; /* each context is made at its first use */
    LZ4F_dctx *lz4_in;
    ZSTD_CCtx *zstd_out;
    ZSTD_DCtx *zstd_in;
};

struct fc_codec *fc_codec_new(void)
{
    return fc_new(struct fc_codec);
}

void fc_codec_free(struct fc_codec *codec)
{
    if (codec != NULL) {
        (void)LZ4F_freeCompressionContext(codec->lz4_out); /* cannot fail; NULL is fine */
        (void)LZ4F_freeDecompressionContext(codec->lz4_in);
        (void)ZSTD_freeCCtx(codec->zstd_out);
        (void)ZSTD_freeDCtx(codec->zstd_in);
        free(codec);
    }
}

size_t fc_codec_memory(const struct fc_codec *codec)
{
    return ZSTD_sizeof_CCtx(codec->zstd_out) + ZSTD_sizeof_DCtx(codec->zstd_in);
}

bool fc_codec_known(int compression)
{
    return compression >= FC_COMPRESSION_NONE && compression <= FC_COMPRESSION_ZSTD;
}

static fc_code fail_memory(struct fc_error *err)
{
    return fc_fail(err, FC_ERR_NOMEM, "no memory for a compression context");
}

/* Negative: faster. A third less time than level 0 for a thirtieth more space, on envelopes. */
enum { LZ4_LEVEL = -2 };

static fc_code lz4_compress(struct fc_codec *codec, struct fc_slice from, struct fc_buf *to,
                            struct fc_error *err)
{
    LZ4F_preferences_t prefs = LZ4F_INIT_PREFERENCES;
    size_t room;
    size_t done;
    size_t got;
    uint8_t *out;
    prefs.frameInfo.blockMode = LZ4F_blockIndependent;
    prefs.frameInfo.blockSizeID = from.len <= SMALL_BLOCK_SIZE ? LZ4F_max64KB : LZ4F_max256KB;
    prefs.frameInfo.contentSize = from.len;
    prefs.autoFlush = 1;
    prefs.compressionLevel = LZ4_LEVEL;
    if (codec->lz4_out == NULL &&
        LZ4F_isError(LZ4F_createCompressionContext(&codec->lz4_out, LZ4F_VERSION))) {
        return fail_memory(err);
    }
    room = LZ4F_compressFrameBound(from.len, &prefs) + LZ4F_HEADER_SIZE_MAX;
    out = fc_buf_reserve(to, room);
    if (out == NULL) {
        return fc_fail(err, FC_ERR_LIMIT, "compressed batch over %zu bytes", to->limit);
    }
    done = LZ4F_compressBegin(codec->lz4_out, out, room, &prefs);
    if (!LZ4F_isError(done)) {
        got = LZ4F_compressUpdate(codec->lz4_out, out + done, room - done, from.data, from.len,
                                  NULL);
        done = LZ4F_isError(got) ? got : done + got;
    }
    if (!LZ4F_isError(done)) {
        got = LZ4F_compressEnd(codec->lz4_out, out + done, room - done, NULL);
        done = LZ4F_isError(got) ? got : done + got;
    }
    if (LZ4F_isError(done)) {
        return fc_fail(err, FC_ERR_NOMEM, "lz4: %s", LZ4F_getErrorName(done));
    }
    to->len += done;
    return FC_OK;
}

static fc_code zstd_compress(struct fc_codec *codec, struct fc_slice from, struct fc_buf *to,
                             struct fc_error *err)
{
    size_t room = ZSTD_compressBound(from.len);
    size_t done;
    uint8_t *out;
    if (codec->zstd_out == NULL) {
        codec->zstd_out = ZSTD_createCCtx();
        if (codec->zstd_out == NULL) {
            return fail_memory(err);
        }
    }
    out = fc_buf_reserve(to, room);
    if (out == NULL) {
        return fc_fail(err, FC_ERR_LIMIT, "compressed batch over %zu bytes", to->limit);
    }
    done = ZSTD_compressCCtx(codec->zstd_out, out, room, from.data, from.len, ZSTD_LEVEL);
    if (ZSTD_isError(done)) {
        return fc_fail(err, FC_ERR_NOMEM, "zstd: %s", ZSTD_getErrorName(done));
    }
    to->len += done;
    return FC_OK;
}

fc_code fc_codec_compress(struct fc_codec *codec, fc_compression compression,
                          struct fc_slice from, struct fc_buf *to, struct fc_error *err)
{
    switch (compression) {
    case FC_COMPRESSION_GZIP:
        return fc_gzip_compress(from, to, err);
    case FC_COMPRESSION_SNAPPY:
        return fc_snappy_compress(from, to, err);
    case FC_COMPRESSION_LZ4:
        return lz4_compress(codec, from, to, err);
    case FC_COMPRESSION_ZSTD:
        return zstd_compress(codec, from, to, err);
    case FC_COMPRESSION_NONE:
        break;
    }
    fc_assert(false);
    return FC_ERR_PROTOCOL;
}

/* Room at the end of `to` for at least one more byte, or NULL with the limit met. known: the
 * plain size when the frame says it, which may lie and so never passes the limit. */
static uint8_t *room_for_more(struct fc_buf *to, size_t begin, uint64_t known, size_t packed,
                              size_t *out_room)
{
    size_t left = to->limit - to->len;
    size_t wanted = to->capacity - to->len;
    if (to->len == begin && known > 0) {
        wanted = known > left ? left : (size_t)known;
    } else if (wanted == 0) {
        wanted = packed * 4 > GROWTH_MIN ? packed * 4 : GROWTH_MIN;
    }
    if (wanted > left) {
        wanted = left;
    }
    *out_room = wanted;
    return wanted == 0 ? NULL : fc_buf_reserve(to, wanted);
}

static fc_code fail_limit(const struct fc_buf *to, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_LIMIT, "decompressed batch over %zu bytes", to->limit);
}

static fc_code lz4_decompress(struct fc_codec *codec, struct fc_slice from, struct fc_buf *to,
                              struct fc_error *err)
{
    LZ4F_frameInfo_t info = { 0 };
    LZ4F_decompressOptions_t options = { 0 };
    size_t begin = to->len;
    size_t at = from.len;
    size_t more;
    if (codec->lz4_in == NULL &&
        LZ4F_isError(LZ4F_createDecompressionContext(&codec->lz4_in, LZ4F_VERSION))) {
        return fail_memory(err);
    }
    LZ4F_resetDecompressionContext(codec->lz4_in);
    more = LZ4F_getFrameInfo(codec->lz4_in, &info, from.data, &at);
    /* The output moves when it has to grow, so it is only called stable when it cannot. */
    options.stableDst = info.contentSize > 0 && info.contentSize <= to->limit - begin;
    while (!LZ4F_isError(more) && more != 0) {
        size_t room = 0;
        size_t taken = from.len - at;
        uint8_t *out = room_for_more(to, begin, info.contentSize, from.len, &room);
        uint8_t none = 0;
        more = LZ4F_decompress(codec->lz4_in, out == NULL ? &none : out, &room, from.data + at,
                               &taken, &options);
        if (LZ4F_isError(more)) {
            break;
        }
        if (room == 0 && taken == 0) {
            return out == NULL && at < from.len
                       ? fail_limit(to, err)
                       : fc_fail(err, FC_ERR_CORRUPT, "lz4 frame is cut short");
        }
        to->len += out == NULL ? 0 : room;
        at += taken;
    }
    if (LZ4F_isError(more)) {
        return fc_fail(err, FC_ERR_CORRUPT, "lz4: %s", LZ4F_getErrorName(more));
    }
    return at == from.len ? FC_OK : fc_fail(err, FC_ERR_CORRUPT, "bytes follow the lz4 frame");
}

static fc_code zstd_decompress(struct fc_codec *codec, struct fc_slice from, struct fc_buf *to,
                               struct fc_error *err)
{
    unsigned long long known = ZSTD_getFrameContentSize(from.data, from.len);
    ZSTD_inBuffer in = { from.data, from.len, 0 };
    size_t begin = to->len;
    size_t more = 1;
    if (known == ZSTD_CONTENTSIZE_ERROR) {
        return fc_fail(err, FC_ERR_CORRUPT, "not a zstd frame");
    }
    if (known == ZSTD_CONTENTSIZE_UNKNOWN) {
        known = 0;
    }
    if (codec->zstd_in == NULL) {
        codec->zstd_in = ZSTD_createDCtx();
        if (codec->zstd_in == NULL) {
            return fail_memory(err);
        }
    }
    (void)ZSTD_DCtx_reset(codec->zstd_in, ZSTD_reset_session_only); /* cannot fail */
    while (more != 0) {
        size_t room = 0;
        size_t before = in.pos;
        uint8_t none = 0;
        uint8_t *to_bytes = room_for_more(to, begin, known, from.len, &room);
        ZSTD_outBuffer out = { to_bytes == NULL ? &none : to_bytes, room, 0 };
        more = ZSTD_decompressStream(codec->zstd_in, &out, &in);
        if (ZSTD_isError(more)) {
            return fc_fail(err, FC_ERR_CORRUPT, "zstd: %s", ZSTD_getErrorName(more));
        }
        to->len += out.pos;
        if (more != 0 && out.pos == 0 && in.pos == before) {
            return room == 0 ? fail_limit(to, err)
                             : fc_fail(err, FC_ERR_CORRUPT, "zstd frame is cut short");
        }
    }
    return in.pos == from.len ? FC_OK
                              : fc_fail(err, FC_ERR_CORRUPT, "bytes follow the zstd frame");
}

fc_code fc_codec_decompress(struct fc_codec *codec, fc_compression compression,
                            struct fc_slice from, struct fc_buf *to, struct fc_error *err)
{
    switch (compression) {
    case FC_COMPRESSION_GZIP:
        return fc_gzip_decompress(from, to, err);
    case FC_COMPRESSION_SNAPPY:
        return fc_snappy_decompress(from, to, err);
    case FC_COMPRESSION_LZ4:
        return lz4_decompress(codec, from, to, err);
    case FC_COMPRESSION_ZSTD:
        return zstd_decompress(codec, from, to, err);
    case FC_COMPRESSION_NONE:
        break;
    }
    fc_assert(false);
    return FC_ERR_PROTOCOL;
}
