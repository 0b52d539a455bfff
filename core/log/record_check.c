/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record, Kafka's format v2, in varints of at most 5 bytes (10 for the timestamp):
 *
 *   length of what follows, attributes (1 byte), timestamp delta, offset delta,
 *   key length, key, value length, value, count of headers, and for each of them
 *   key length, key, value length, value; a length of -1 is null.
 *
 * This runs for each record that is produced. Most are alike: no headers, and lengths of one or two
 * bytes. is_plain says so of them in few steps, without a look at where the bytes end for each
 * field; whatever it does not know goes the careful way, which alone finds faults. The next record is
 * found by the length, so that a processor begins with it while it adds up this one's fields.
 */
#include "core/log/record_check.h"

#include <stddef.h>
#include <string.h>

enum { NO_TIMESTAMP = -1, INT_BYTES_MAX = 5, LONG_BYTES_MAX = 10, HEADER_BYTES_MIN = 2 };

/* What is_plain may read beyond a record's first byte, and beyond its end. */
enum { SLACK = 16 };

/* What of a record its topic may have rules for. */
struct seen {
    int64_t timestamp_delta;
    bool has_key;
};

static bool read_long_form(const uint8_t **at, const uint8_t *end, unsigned bytes_max,
                           int64_t *out_value)
{
    uint64_t value = 0;
    for (unsigned index = 0; index < bytes_max && *at < end; index++) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << (index * 7);
        if ((byte & 0x80) == 0) {
            *out_value = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return true;
        }
    }
    return false;
}

static inline bool read_varint(const uint8_t **at, const uint8_t *end, unsigned bytes_max,
                               int64_t *out_value)
{
    if (__builtin_expect(*at < end && (**at & 0x80) == 0, 1)) {
        uint8_t byte = *(*at)++;
        *out_value = (int64_t)(byte >> 1) ^ -(int64_t)(byte & 1);
        return true;
    }
    if (__builtin_expect(end - *at >= 2 && ((*at)[1] & 0x80) == 0, 1)) {
        unsigned both = ((*at)[0] & 0x7fu) | (unsigned)(*at)[1] << 7;
        *at += 2;
        *out_value = (int64_t)(both >> 1) ^ -(int64_t)(both & 1);
        return true;
    }
    return read_long_form(at, end, bytes_max, out_value);
}

static inline bool skip_bytes(const uint8_t **at, const uint8_t *end, bool *out_given)
{
    int64_t len = 0;
    if (!read_varint(at, end, INT_BYTES_MAX, &len) || len < -1 || len > end - *at) {
        return false;
    }
    *out_given = len >= 0;
    *at += len >= 0 ? len : 0;
    return true;
}

static bool skip_headers(const uint8_t **at, const uint8_t *end, int64_t count)
{
    bool has_key = true;
    bool has_value = true;
    if (count < 0 || count > (end - *at) / HEADER_BYTES_MIN) {
        return false;
    }
    for (int64_t header = 0; header < count; header++) {
        if (!skip_bytes(at, end, &has_key) || !has_key || !skip_bytes(at, end, &has_value)) {
            return false;
        }
    }
    return true;
}

static inline fc_record_fault check_one(const uint8_t **at, const uint8_t *end, uint32_t index,
                                        struct seen *seen)
{
    const uint8_t *field = *at;
    int64_t length = 0;
    int64_t offset_delta = 0;
    int64_t headers = 0;
    bool has_value = true;
    if (!read_varint(&field, end, INT_BYTES_MAX, &length) || length < 1 ||
        length > end - field) {
        return FC_RECORD_MALFORMED;
    }
    end = field + length;
    *at = end;
    field++; /* attributes: none are defined */
    if (!read_varint(&field, end, LONG_BYTES_MAX, &seen->timestamp_delta) ||
        !read_varint(&field, end, INT_BYTES_MAX, &offset_delta) ||
        !skip_bytes(&field, end, &seen->has_key) || !skip_bytes(&field, end, &has_value) ||
        !read_varint(&field, end, INT_BYTES_MAX, &headers) ||
        (headers != 0 && !skip_headers(&field, end, headers)) || field != end) {
        return FC_RECORD_MALFORMED;
    }
    return offset_delta == index ? FC_RECORD_FINE : FC_RECORD_MISNUMBERED;
}

static inline fc_record_fault judge(const struct fc_record_rules *rules,
                                    const struct seen *seen)
{
    int64_t timestamp_ms =
        (int64_t)((uint64_t)rules->base_timestamp_ms + (uint64_t)seen->timestamp_delta);
    if (rules->keyed && !seen->has_key) {
        return FC_RECORD_WITHOUT_KEY;
    }
    return timestamp_ms != NO_TIMESTAMP &&
                   (timestamp_ms < rules->oldest_ms || timestamp_ms > rules->newest_ms)
               ? FC_RECORD_UNTIMELY
               : FC_RECORD_FINE;
}

/* How offset deltas of so many bytes stand in the batch, read as a little-endian number. */
struct offset_form {
    uint32_t until; /* the first index that takes more bytes */
    uint32_t first; /* of the first index that takes as many */
    uint32_t mask;
    uint32_t continues; /* the top bits of all bytes but the last */
    unsigned size;
};

/* A length of one or two bytes at *at, where they may be read; it is stepped over. Below 0 for null
 * and all others. */
static inline ptrdiff_t read_length(const uint8_t **at)
{
    const unsigned both = (unsigned)(*at)[0] | (unsigned)(*at)[1] << 8;
    if ((both & 0x80) == 0) {
        *at += 1;
        return (both & 1) == 0 ? (ptrdiff_t)((both & 0x7e) >> 1) : -(ptrdiff_t)(both & 0x7f);
    }
    *at += 2;
    return (both & 0x8001) == 0 ? (ptrdiff_t)((both & 0x7e) >> 1 | (both & 0x7f00) >> 2) : -2;
}

/* Whether the record at *at is right for sure, and of the plain kind; then it is stepped over. At
 * least SLACK bytes stand there. */
static inline bool is_plain(const uint8_t **at, const uint8_t *end,
                            const struct offset_form *form, uint32_t expected)
{
    const uint8_t *field = *at;
    ptrdiff_t length = read_length(&field);
    const uint8_t *stop;
    uint32_t offset_delta;
    if (length < 0 || length > end - field - SLACK) {
        return false;
    }
    stop = field + length;
    field += 1 + (field[1] >> 7) + 1; /* attributes, timestamp delta */
    memcpy(&offset_delta, field, sizeof(offset_delta));
    if (field[-1] >= 0x80 || (offset_delta & form->mask) != expected) {
        return false;
    }
    field += form->size;
    length = read_length(&field);
    if (length < -1 || length > stop - field) {
        return false;
    }
    field += length < 0 ? 0 : length;
    length = read_length(&field);
    if (length < -1 || stop - field != (length < 0 ? 0 : length) + 1 || stop[-1] != 0) {
        return false;
    }
    *at = stop;
    return true;
}

static fc_record_fault check_all(struct fc_slice plain, uint32_t count,
                                 const struct fc_record_rules *rules, uint32_t *out_index)
{
    const uint8_t *at = plain.data;
    const uint8_t *end = plain.data + plain.len;
    struct seen seen = { 0, false };
    for (uint32_t index = 0; index < count; index++) {
        fc_record_fault fault = check_one(&at, end, index, &seen);
        if (fault == FC_RECORD_FINE && rules != NULL) {
            fault = judge(rules, &seen);
        }
        if (fault != FC_RECORD_FINE) {
            *out_index = index;
            return fault;
        }
    }
    *out_index = count - 1;
    return at == end ? FC_RECORD_FINE : FC_RECORD_TOO_MANY;
}

struct walk {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t index;
    uint32_t count;
};

static __attribute__((noinline)) fc_record_fault check_other(struct walk *walk)
{
    struct seen seen;
    return check_one(&walk->at, walk->end, walk->index, &seen);
}

/* Up to the first index whose offset has another form. */
static inline fc_record_fault check_form(struct walk *walk, const struct offset_form *form)
{
    const uint32_t until = walk->count < form->until ? walk->count : form->until;
    const uint8_t *at = walk->at;
    const uint8_t *end = walk->end;
    uint32_t expected = form->first;
    bool roomy = end - at >= SLACK; /* as it is behind each plain record */
    for (uint32_t index = walk->index; index < until; index++) {
        if (!roomy || !is_plain(&at, end, form, expected)) {
            fc_record_fault fault;
            walk->at = at;
            walk->index = index;
            fault = check_other(walk);
            if (fault != FC_RECORD_FINE) {
                return fault;
            }
            at = walk->at;
            roomy = end - at >= SLACK;
        }
        expected = (expected + 2) | form->continues; /* which a carry has cleared */
    }
    walk->at = at;
    walk->index = until;
    return FC_RECORD_FINE;
}

/* The same without rules. */
static fc_record_fault check_forms(struct fc_slice plain, uint32_t count, uint32_t *out_index)
{
    static const struct offset_form one_byte = { 64, 0, 0xff, 0, 1 };
    static const struct offset_form two_bytes = { 64 * 128, 0x0180, 0xffff, 0x80, 2 };
    static const struct offset_form three_bytes = { 64 * 128 * 128, 0x018080, 0xffffff, 0x8080,
                                                    3 };
    static const struct offset_form others = { UINT32_MAX, 1, 0, 0, 0 }; /* none is plain */
    struct walk walk = { plain.data, plain.data + plain.len, 0, count };
    fc_record_fault fault = check_form(&walk, &one_byte);
    if (fault == FC_RECORD_FINE && walk.index < count) {
        fault = check_form(&walk, &two_bytes);
    }
    if (fault == FC_RECORD_FINE && walk.index < count) {
        fault = check_form(&walk, &three_bytes);
    }
    if (fault == FC_RECORD_FINE && walk.index < count) {
        fault = check_form(&walk, &others);
    }
    if (fault == FC_RECORD_FINE && walk.at != walk.end) {
        fault = FC_RECORD_TOO_MANY;
    }
    *out_index = fault == FC_RECORD_TOO_MANY ? count - 1 : walk.index;
    return fault;
}

fc_record_fault fc_record_check(struct fc_slice plain, uint32_t count,
                                const struct fc_record_rules *rules, uint32_t *out_index)
{
    if (plain.len == 0) { /* and data may be NULL */
        *out_index = 0;
        return FC_RECORD_MALFORMED;
    }
    return rules == NULL ? check_forms(plain, count, out_index)
                         : check_all(plain, count, rules, out_index);
}
