/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text and binary forms of GTID sets.
 *
 * Binary, all little-endian: number of sources (8), then for each the UUID (16), with tags also
 * the tag (its length in MySQL's variable-length form, then the bytes), number of intervals
 * (8), and the intervals, first (8) and last + 1 (8). With tags the first eight bytes hold a
 * format number, 1, in their lowest and highest byte and the number of sources between.
 */
#include "connectors/mysql/gtid_set.h"
#include "connectors/mysql/lenenc.h"

enum { FORMAT_TAGGED = 1 };

/* A cursor over text that skips blanks between tokens. */
struct scan {
    struct fc_slice text;
    size_t at;
};

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->text.len &&
           (scan->text.data[scan->at] == ' ' ||
            (scan->text.data[scan->at] >= '\t' && scan->text.data[scan->at] <= '\r'))) {
        scan->at++;
    }
}

/* The next character that is no blank, 0 at the end; a NUL in the text is never expected. */
static char peek(struct scan *scan)
{
    skip_blanks(scan);
    return scan->at < scan->text.len ? (char)scan->text.data[scan->at] : '\0';
}

static fc_code bad_text(const struct scan *scan, const char *expected, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_CONFIG, "GTID set: %s expected at byte %zu", expected, scan->at);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool scan_uuid(struct scan *scan, uint8_t *uuid)
{
    skip_blanks(scan);
    for (size_t index = 0; index < FC_GTID_UUID_SIZE; index++) {
        int high;
        int low;
        if (index == 4 || index == 6 || index == 8 || index == 10) {
            if (scan->at >= scan->text.len || scan->text.data[scan->at] != '-') {
                return false;
            }
            scan->at++;
        }
        if (scan->text.len - scan->at < 2) {
            return false;
        }
        high = hex_digit((char)scan->text.data[scan->at]);
        low = hex_digit((char)scan->text.data[scan->at + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        uuid[index] = (uint8_t)(high << 4 | low);
        scan->at += 2;
    }
    return true;
}

static bool scan_number(struct scan *scan, int64_t *out_number)
{
    int64_t number = 0;
    size_t start;
    skip_blanks(scan);
    start = scan->at;
    while (scan->at < scan->text.len && scan->text.data[scan->at] >= '0' &&
           scan->text.data[scan->at] <= '9') {
        int digit = scan->text.data[scan->at] - '0';
        if (number > (INT64_MAX - 1 - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
        scan->at++;
    }
    *out_number = number;
    return scan->at > start && number >= 1;
}

/* [a-z_][a-z0-9_]{0,31}; upper case is folded. */
static bool scan_tag(struct scan *scan, char *tag)
{
    size_t len = 0;
    while (scan->at < scan->text.len) {
        char c = (char)scan->text.data[scan->at];
        char lower = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        bool letter = (lower >= 'a' && lower <= 'z') || lower == '_';
        if (!letter && !(len > 0 && lower >= '0' && lower <= '9')) {
            break;
        }
        if (len == FC_GTID_TAG_MAX) {
            return false;
        }
        tag[len++] = lower;
        scan->at++;
    }
    tag[len] = '\0';
    return len > 0;
}

/* uuid { ':' ( tag | first [ '-' last ] ) } */
static fc_code scan_source(struct fc_gtid_set *set, struct scan *scan, struct fc_error *err)
{
    uint8_t uuid[FC_GTID_UUID_SIZE];
    char tag[FC_GTID_TAG_MAX + 1] = "";
    bool has_interval = false;
    if (!scan_uuid(scan, uuid)) {
        return bad_text(scan, "a UUID", err);
    }
    if (peek(scan) != ':') {
        return bad_text(scan, "':'", err);
    }
    while (peek(scan) == ':') {
        struct fc_gtid_interval range;
        fc_code code;
        char next;
        scan->at++;
        next = peek(scan);
        if (next < '0' || next > '9') {
            if (!scan_tag(scan, tag) || peek(scan) != ':') {
                return bad_text(scan, "a transaction number, or a tag and ':',", err);
            }
            has_interval = false;
            continue;
        }
        if (!scan_number(scan, &range.first)) {
            return bad_text(scan, "a transaction number from 1", err);
        }
        range.end = range.first;
        if (peek(scan) == '-') {
            scan->at++;
            if (!scan_number(scan, &range.end) || range.end < range.first) {
                return bad_text(scan, "the interval's last number", err);
            }
        }
        range.end++;
        code = fc_gtid_set_add_range(set, uuid, tag, range, err);
        if (code != FC_OK) {
            return code;
        }
        has_interval = true;
    }
    return has_interval ? FC_OK : bad_text(scan, "a transaction number", err);
}

fc_code fc_gtid_set_parse(struct fc_gtid_set *set, struct fc_slice text, struct fc_error *err)
{
    struct scan scan = { text, 0 };
    fc_code code = FC_OK;
    fc_gtid_set_init(set);
    skip_blanks(&scan);
    while (code == FC_OK && scan.at < text.len) {
        code = scan_source(set, &scan, err);
        skip_blanks(&scan);
        if (code == FC_OK && scan.at < text.len) {
            if (text.data[scan.at] != ',') {
                code = bad_text(&scan, "','", err);
                break;
            }
            scan.at++;
            skip_blanks(&scan); /* a comma at the end is allowed, as the servers do */
        }
    }
    if (code != FC_OK) {
        fc_gtid_set_release(set);
    }
    return code;
}

void fc_gtid_set_print_uuid(const uint8_t *uuid, char *to)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t index = 0; index < FC_GTID_UUID_SIZE; index++) {
        if (index == 4 || index == 6 || index == 8 || index == 10) {
            *to++ = '-';
        }
        *to++ = digits[uuid[index] >> 4];
        *to++ = digits[uuid[index] & 15];
    }
}

static void print_source(const uint8_t *uuid, const char *tag, struct fc_buf *out)
{
    char text[FC_GTID_UUID_TEXT_SIZE];
    fc_gtid_set_print_uuid(uuid, text);
    fc_buf_append(out, text, sizeof(text));
    if (tag[0] != '\0') {
        fc_buf_append_u8(out, ':');
        fc_buf_append_text(out, tag);
    }
}

void fc_gtid_set_print_one(const uint8_t *uuid, const char *tag, int64_t gno,
                           struct fc_buf *out)
{
    print_source(uuid, tag, out);
    fc_buf_append_u8(out, ':');
    fc_buf_append_i64(out, gno);
}

void fc_gtid_set_print(const struct fc_gtid_set *set, struct fc_buf *out)
{
    for (uint32_t index = 0; index < set->source_count; index++) {
        const struct fc_gtid_source *source = &set->sources[index];
        if (index > 0 && memcmp(source->uuid, source[-1].uuid, FC_GTID_UUID_SIZE) == 0) {
            fc_buf_append_u8(out, ':'); /* another tag of the same UUID */
            fc_buf_append_text(out, source->tag);
        } else {
            fc_buf_append_text(out, index > 0 ? "," : "");
            print_source(source->uuid, source->tag, out);
        }
        for (uint32_t at = 0; at < source->interval_count; at++) {
            const struct fc_gtid_interval *interval = &source->intervals[at];
            fc_buf_append_u8(out, ':');
            fc_buf_append_i64(out, interval->first);
            if (interval->end > interval->first + 1) {
                fc_buf_append_u8(out, '-');
                fc_buf_append_i64(out, interval->end - 1);
            }
        }
    }
}

static bool has_tags(const struct fc_gtid_set *set)
{
    for (uint32_t index = 0; index < set->source_count; index++) {
        if (set->sources[index].tag[0] != '\0') {
            return true;
        }
    }
    return false;
}

void fc_gtid_set_encode(const struct fc_gtid_set *set, struct fc_buf *out)
{
    bool tagged = has_tags(set);
    uint64_t head = set->source_count;
    if (tagged) {
        head = (uint64_t)FORMAT_TAGGED << 56 | head << 8 | FORMAT_TAGGED;
    }
    fc_buf_append_le64(out, head);
    for (uint32_t index = 0; index < set->source_count; index++) {
        const struct fc_gtid_source *source = &set->sources[index];
        fc_buf_append(out, source->uuid, FC_GTID_UUID_SIZE);
        if (tagged) {
            size_t len = strlen(source->tag); /* below 64: one byte */
            fc_buf_append_u8(out, (uint8_t)(len << 1));
            fc_buf_append(out, source->tag, len);
        }
        fc_buf_append_le64(out, source->interval_count);
        for (uint32_t at = 0; at < source->interval_count; at++) {
            fc_buf_append_le64(out, (uint64_t)source->intervals[at].first);
            fc_buf_append_le64(out, (uint64_t)source->intervals[at].end);
        }
    }
}

static fc_code decode_source(struct fc_gtid_set *set, struct fc_reader *reader, bool tagged,
                             struct fc_error *err)
{
    const uint8_t *uuid = fc_reader_take(reader, FC_GTID_UUID_SIZE);
    char tag[FC_GTID_TAG_MAX + 1] = "";
    uint64_t interval_count;
    if (tagged) {
        struct fc_slice text = fc_reader_slice(reader, fc_lenenc_read_varlen(reader));
        struct scan scan = { text, 0 };
        if (text.len > 0 && (!scan_tag(&scan, tag) || scan.at != text.len)) {
            reader->failed = true;
        }
    }
    interval_count = fc_reader_le(reader, 8);
    if (uuid == NULL || reader->failed || interval_count > fc_reader_left(reader) / 16) {
        return fc_fail(err, FC_ERR_PROTOCOL, "binary GTID set is cut");
    }
    for (uint64_t at = 0; at < interval_count; at++) {
        struct fc_gtid_interval range;
        fc_code code;
        range.first = (int64_t)fc_reader_le(reader, 8);
        range.end = (int64_t)fc_reader_le(reader, 8);
        code = fc_gtid_set_add_range(set, uuid, tag, range, err);
        if (code != FC_OK) {
            return code;
        }
    }
    return FC_OK;
}

fc_code fc_gtid_set_decode(struct fc_gtid_set *set, struct fc_slice bytes, struct fc_error *err)
{
    struct fc_reader reader;
    uint64_t count;
    bool tagged;
    fc_code code = FC_OK;
    fc_gtid_set_init(set);
    fc_reader_init(&reader, bytes);
    count = fc_reader_le(&reader, 8);
    tagged = count >> 56 == FORMAT_TAGGED;
    if (tagged) {
        count = count << 8 >> 16;
    }
    if (reader.failed || count > FC_GTID_SOURCES_MAX) {
        return fc_fail(err, FC_ERR_PROTOCOL, "binary GTID set has a bad head");
    }
    for (; code == FC_OK && count > 0; count--) {
        code = decode_source(set, &reader, tagged, err);
    }
    if (code == FC_OK && fc_reader_left(&reader) > 0) {
        code = fc_fail(err, FC_ERR_PROTOCOL, "binary GTID set is followed by other bytes");
    }
    if (code != FC_OK) {
        fc_gtid_set_release(set);
    }
    return code;
}
