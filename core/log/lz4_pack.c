/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block is a row of sequences: literals, then a match (a copy of what stands `distance` bytes
 * before). Its end, by LZ4's rules: the last 5 bytes are literals, and no match begins in the last
 * 12. So no match begins in a record's last 12 bytes, and one that reaches a record's end is held
 * back until it is known whether the block ends there; it is cut short then.
 */
#include "core/log/lz4_pack.h"

#include <stdlib.h>

#include <xxhash.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/base/alloc.h"

enum {
    FRAME_HEADER_SIZE = 15, /* magic(4) flags(1) block size(1) content size(8) check(1) */
    FRAME_MAGIC = 0x184D2204,
    FRAME_FLAGS = 0x68,      /* version 1, independent blocks, content size */
    FRAME_BLOCK_SIZE = 0x50, /* at most 256 KiB */
    BLOCK_BYTES_MAX = 256 * 1024,
    BLOCK_STORED = 0x80, /* in the size's highest byte */
    BLOCK_ROOM = BLOCK_BYTES_MAX + BLOCK_BYTES_MAX / 255 + 64,
    SIZE_BYTES = 4,
    DISTANCE_MAX = 65535,
    MATCH_MIN = 4,
    LAST_LITERALS = 5,
    LAST_MATCH = 12, /* no match begins so near to the end */
    SAME_END = 20,   /* looked at from the end of a record: what an identity ends with */
    CHUNK = 16,
    NIBBLE_MAX = 15,
    OTHER_LOOKS = 5 /* besides those of the marks */
};

void fc_lz4_pack_init(struct fc_lz4_pack *pack)
{
    memset(pack, 0, sizeof(*pack));
}

void fc_lz4_pack_release(struct fc_lz4_pack *pack)
{
    for (size_t index = 0; index < FC_LZ4_KINDS; index++) {
        free(pack->last[index].places);
    }
    free(pack->looks);
    fc_lz4_pack_init(pack);
}

static void put_le32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof(value));
}

/* --- sequences --------------------------------------------------------------------------------- */

static inline uint8_t *put_length(uint8_t *to, size_t rest)
{
    for (; rest >= 255; rest -= 255) {
        *to++ = 255;
    }
    *to++ = (uint8_t)rest;
    return to;
}

/* Token and literals; the low half of the token is the match's. */
static inline uint8_t *put_literals(uint8_t *to, const uint8_t *from, size_t len,
                                    unsigned match_nibble)
{
    uint8_t *end;
    if (len < NIBBLE_MAX) {
        *to++ = (uint8_t)(len << 4 | match_nibble);
        memcpy(to, from, CHUNK);
        return to + len;
    }
    *to++ = (uint8_t)(NIBBLE_MAX << 4 | match_nibble);
    to = put_length(to, len - NIBBLE_MAX);
    end = to + len;
    for (; to < end; to += CHUNK, from += CHUNK) {
        memcpy(to, from, CHUNK);
    }
    return end;
}

/* The match that was held back, and the literals before it; returns the end of the output. */
static inline uint8_t *put_match(uint8_t *to, struct fc_lz4_open *open, const uint8_t *records)
{
    size_t extra = open->match_len - MATCH_MIN;
    uint16_t distance = (uint16_t)open->match_distance;
    to =
        put_literals(to, records + open->literal_begin, open->match_begin - open->literal_begin,
                     extra < NIBBLE_MAX ? (unsigned)extra : NIBBLE_MAX);
    memcpy(to, &distance, sizeof(distance));
    to += sizeof(distance);
    if (extra >= NIBBLE_MAX) {
        to = put_length(to, extra - NIBBLE_MAX);
    }
    open->literal_begin = open->match_begin + open->match_len;
    open->match_len = 0;
    return to;
}

/* A bit for each of CHUNK bytes that differs. */
#if defined(__SSE2__)
static inline uint32_t differing(const uint8_t *a, const uint8_t *b)
{
    __m128i left = _mm_loadu_si128((const __m128i *)(const void *)a);
    __m128i right = _mm_loadu_si128((const __m128i *)(const void *)b);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(left, right)) ^ 0xffffU;
}
#else
static inline uint32_t differing(const uint8_t *a, const uint8_t *b)
{
    uint32_t bits = 0;
    for (unsigned index = 0; index < CHUNK; index++) {
        bits |= (a[index] != b[index] ? 1U : 0U) << index;
    }
    return bits;
}
#endif

/* How many bytes are the same, at most `max`; reads up to FC_LZ4_READ_SLACK bytes more. */
static inline uint32_t count_same(const uint8_t *a, const uint8_t *b, uint32_t max)
{
    uint32_t count = 0;
    while (count < max) {
        uint32_t bits = differing(a + count, b + count) |
                        differing(a + count + CHUNK, b + count + CHUNK) << CHUNK;
        if (bits != 0) {
            count += (uint32_t)__builtin_ctz(bits);
            break;
        }
        count += 2 * CHUNK;
    }
    return count < max ? count : max;
}

/* The same backwards; 8 bytes must be readable before all that may be counted. */
static inline uint32_t count_same_before(const uint8_t *a, const uint8_t *b, uint32_t max)
{
    uint32_t count = 0;
    while (count < max) {
        uint64_t left;
        uint64_t right;
        memcpy(&left, a - count - sizeof(left), sizeof(left));
        memcpy(&right, b - count - sizeof(right), sizeof(right));
        if (left != right) {
            count += (uint32_t)__builtin_clzll(left ^ right) / 8; /* little-endian */
            break;
        }
        count += sizeof(left);
    }
    return count < max ? count : max;
}

/* --- a record ---------------------------------------------------------------------------------- */

/* What `look` has in common with what it may be like; returns the end of the output. */
static inline uint8_t *try_match(uint8_t *to, struct fc_lz4_open *open, const uint8_t *records,
                                 struct fc_mark look, uint32_t block_begin, uint32_t end)
{
    uint32_t done =
        open->match_len > 0 ? open->match_begin + open->match_len : open->literal_begin;
    uint32_t distance = look.at - look.like;
    uint32_t at = look.at < done ? done : look.at;
    uint32_t len;
    if (look.at < done && distance == open->match_distance) {
        return to; /* it is in the newest match, or in one that has ended since */
    }
    if (distance > DISTANCE_MAX || distance == 0 || at < block_begin + distance + 8 ||
        at + LAST_MATCH > end) {
        return to;
    }
    len = count_same(records + at, records + at - distance, end - at);
    if (open->match_len > 0 && at == done && distance == open->match_distance) {
        open->match_len += len;
        return to;
    }
    if (at > done) {
        uint32_t max = at - done;
        uint32_t left = at - distance - block_begin - 8;
        uint32_t before =
            count_same_before(records + at, records + at - distance, max < left ? max : left);
        at -= before;
        len += before;
    }
    if (len < MATCH_MIN) {
        return to;
    }
    if (open->match_len > 0) {
        to = put_match(to, open, records);
    }
    open->match_begin = at;
    open->match_len = len;
    open->match_distance = distance;
    return to;
}

static void begin_block(struct fc_lz4_pack *pack, uint32_t begin, struct fc_buf *out)
{
    pack->block_begin = begin;
    pack->open.literal_begin = begin;
    pack->open.match_len = 0;
    pack->block_at = out->len;
    if (fc_buf_reserve(out, BLOCK_ROOM) == NULL) {
        pack->impossible = true;
        return;
    }
    out->len += SIZE_BYTES;
}

static void end_block(struct fc_lz4_pack *pack, const uint8_t *records, uint32_t end,
                      struct fc_buf *out)
{
    struct fc_lz4_open *open = &pack->open;
    uint32_t plain = end - pack->block_begin;
    uint32_t size;
    uint8_t *to = out->data + out->len;
    if (open->match_len > 0) {
        uint32_t match_end = open->match_begin + open->match_len;
        open->match_len -=
            match_end + LAST_LITERALS > end ? match_end + LAST_LITERALS - end : 0;
        to = put_match(to, open, records);
    }
    to = put_literals(to, records + open->literal_begin, end - open->literal_begin, 0);
    out->len = (size_t)(to - out->data);
    size = (uint32_t)(out->len - pack->block_at - SIZE_BYTES);
    to = out->data + pack->block_at;
    if (size >= plain) {
        memcpy(to + SIZE_BYTES, records + pack->block_begin, plain);
        out->len = pack->block_at + SIZE_BYTES + plain;
        put_le32(to, plain | (uint32_t)BLOCK_STORED << 24);
    } else {
        put_le32(to, size);
    }
}

/* Note the record's marks for the next one; out_looks: where to look for their like. */
static uint32_t look_at_marks(const struct fc_lz4_layout *layout, const struct fc_marks *marks,
                              struct fc_lz4_last *last, struct fc_mark *out_looks)
{
    bool alike = last->used && last->count == marks->count;
    uint32_t count = 0;
    if (last->capacity < marks->count) {
        last->places = fc_realloc_array(last->places, marks->count, sizeof(uint32_t));
        last->capacity = marks->count;
    }
    for (uint32_t index = 0; index < marks->count; index++) {
        const struct fc_mark *mark = &marks->marks[index];
        uint32_t at = layout->value_text + mark->at;
        out_looks[count].at = at;
        out_looks[count].like =
            mark->like != FC_MARK_NONE ? layout->value_text + mark->like : last->places[index];
        count += alike || mark->like != FC_MARK_NONE ? 1 : 0;
        last->places[index] = at;
    }
    last->count = marks->count;
    return count;
}

static struct fc_mark *put_look(struct fc_mark *looks, uint32_t at, uint32_t like)
{
    looks->at = at;
    looks->like = like;
    return looks + 1;
}

/* Where to look for the record's like; returns how many places. */
static uint32_t find_looks(struct fc_lz4_pack *pack, const struct fc_lz4_layout *layout,
                           const struct fc_marks *marks, struct fc_lz4_last *last)
{
    const struct fc_lz4_layout *before = &last->layout;
    struct fc_mark *next;
    if (pack->look_capacity < marks->count + OTHER_LOOKS) {
        pack->look_capacity = marks->count + OTHER_LOOKS;
        pack->looks =
            fc_realloc_array(pack->looks, pack->look_capacity, sizeof(pack->looks[0]));
    }
    next = pack->looks;
    if (last->used) {
        next = put_look(next, layout->begin, before->begin);
        next = put_look(next, layout->key, before->key);
        next = put_look(next, layout->value, before->value);
    }
    next += look_at_marks(layout, marks, last, next);
    if (last->used) {
        next = put_look(next, layout->headers, before->headers);
        next = put_look(next, layout->end - SAME_END, before->end - SAME_END);
    }
    return (uint32_t)(next - pack->looks);
}

void fc_lz4_pack_begin(struct fc_lz4_pack *pack, struct fc_buf *out)
{
    for (size_t index = 0; index < FC_LZ4_KINDS; index++) {
        pack->last[index].used = false;
    }
    pack->impossible = fc_buf_reserve(out, FRAME_HEADER_SIZE) == NULL;
    if (!pack->impossible) {
        out->len += FRAME_HEADER_SIZE;
        begin_block(pack, 0, out);
    }
}

void fc_lz4_pack_record(struct fc_lz4_pack *pack, const uint8_t *records,
                        const struct fc_lz4_layout *layout, const struct fc_marks *marks,
                        struct fc_buf *out)
{
    struct fc_lz4_last *last = &pack->last[marks->kind % FC_LZ4_KINDS];
    struct fc_lz4_open open;
    uint32_t end = layout->end;
    uint32_t count;
    uint8_t *to;
    if (!pack->impossible && end - pack->block_begin > BLOCK_BYTES_MAX) {
        pack->impossible = end - layout->begin > BLOCK_BYTES_MAX;
        if (!pack->impossible) {
            end_block(pack, records, layout->begin, out);
            begin_block(pack, layout->begin, out);
        }
    }
    if (pack->impossible) {
        return;
    }
    last->used =
        last->used && last->kind == marks->kind && last->layout.begin >= pack->block_begin &&
        last->layout.end - last->layout.begin > SAME_END && end - layout->begin > SAME_END;
    count = find_looks(pack, layout, marks, last);
    open = pack->open;
    to = out->data + out->len;
    for (uint32_t index = 0; index < count; index++) {
        to = try_match(to, &open, records, pack->looks[index], pack->block_begin, end);
    }
    pack->open = open;
    out->len = (size_t)(to - out->data);
    last->used = true;
    last->kind = marks->kind;
    last->layout = *layout;
}

bool fc_lz4_pack_end(struct fc_lz4_pack *pack, const uint8_t *records, uint32_t size,
                     struct fc_buf *out)
{
    uint64_t content = size;
    uint8_t *header;
    if (pack->impossible) {
        return false;
    }
    end_block(pack, records, size, out);
    if (fc_buf_reserve(out, SIZE_BYTES) == NULL) {
        return false;
    }
    put_le32(out->data + out->len, 0); /* no block follows */
    out->len += SIZE_BYTES;
    header = out->data;
    put_le32(header, FRAME_MAGIC);
    header[4] = FRAME_FLAGS;
    header[5] = FRAME_BLOCK_SIZE;
    memcpy(header + 6, &content, sizeof(content));
    header[14] = (uint8_t)(XXH32(header + 4, 10, 0) >> 8);
    return true;
}
