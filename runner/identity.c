/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/identity.h"

#include "core/base/format.h"
#include "core/base/reader.h"

enum {
    IDENTITY_SCHEMA_DIGITS = 16,                                         /* hexadecimal */
    IDENTITY_ROOM = 3 * FC_FORMAT_I64_SIZE + IDENTITY_SCHEMA_DIGITS + 8, /* besides its texts */
    IDENTITY_SHOWN_BYTES_MAX = 80 /* of a text that is not an identity, in messages */
};

static const char identity_ops[] = "rcudtsxeEm";

static char *put_hex64(char *to, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    for (int index = IDENTITY_SCHEMA_DIGITS - 1; index >= 0; index--) {
        to[index] = digits[value & 15];
        value >>= 4;
    }
    return to + IDENTITY_SCHEMA_DIGITS;
}

static char *put_slice(char *to, struct fc_slice text)
{
    memcpy(to, text.data, text.len);
    return to + text.len;
}

void fc_identity_encode(const struct fc_identity *identity, struct fc_buf *out)
{
    char *start = (char *)fc_buf_reserve(out, identity->connector.len + identity->tx_id.len +
                                                  IDENTITY_ROOM);
    char *to = start;
    if (start == NULL) {
        return;
    }
    to = put_slice(to, identity->connector);
    *to++ = ' ';
    to += fc_format_u64(to, identity->seq);
    *to++ = ' ';
    to = put_slice(to, identity->tx_id);
    *to++ = ' ';
    to += fc_format_u64(to, identity->row);
    if (identity->part > 0) {
        *to++ = '.';
        to += fc_format_u64(to, identity->part);
    }
    if (identity->tx_last) {
        *to++ = '!';
    }
    *to++ = ' ';
    *to++ = identity->op;
    *to++ = ' ';
    if (identity->has_schema) {
        to = put_hex64(to, identity->schema_id);
    } else {
        *to++ = '-';
    }
    out->len += (size_t)(to - start);
}

/* The text up to the next space, which is passed over; at least one byte. */
static struct fc_slice read_word(struct fc_reader *reader)
{
    const uint8_t *from = reader->at;
    const uint8_t *space = from == NULL ? NULL : memchr(from, ' ', fc_reader_left(reader));
    if (space == NULL || space == from) {
        reader->failed = true;
        return fc_slice_null();
    }
    reader->at = space + 1;
    return fc_slice_of(from, (size_t)(space - from));
}

/* Decimal digits, at least one. */
static uint64_t read_number(struct fc_reader *reader)
{
    const uint8_t *from = reader->at;
    uint64_t value = 0;
    while (reader->at < reader->end && (unsigned)(*reader->at - '0') < 10) {
        uint64_t digit = (uint64_t)(*reader->at - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            reader->failed = true;
            return 0;
        }
        value = value * 10 + digit;
        reader->at++;
    }
    if (reader->at == from || (reader->at - from > 1 && *from == '0')) {
        reader->failed = true;
    }
    return value;
}

static bool read_char(struct fc_reader *reader, char wanted)
{
    if (reader->at < reader->end && *reader->at == (uint8_t)wanted) {
        reader->at++;
        return true;
    }
    return false;
}

static void expect_char(struct fc_reader *reader, char wanted)
{
    if (!read_char(reader, wanted)) {
        reader->failed = true;
    }
}

/* The rest of the text: "-" or 16 hexadecimal digits in lower case. */
static void read_schema(struct fc_reader *reader, struct fc_identity *identity)
{
    uint64_t value = 0;
    identity->has_schema = false;
    identity->schema_id = 0;
    if (fc_reader_left(reader) == 1 && read_char(reader, '-')) {
        return;
    }
    if (fc_reader_left(reader) != IDENTITY_SCHEMA_DIGITS) {
        reader->failed = true;
        return;
    }
    for (; reader->at < reader->end; reader->at++) {
        uint8_t byte = *reader->at;
        unsigned digit;
        if ((unsigned)(byte - '0') < 10) {
            digit = (unsigned)(byte - '0');
        } else if ((unsigned)(byte - 'a') < 6) {
            digit = (unsigned)(byte - 'a') + 10;
        } else {
            reader->failed = true;
            return;
        }
        value = (value << 4) | digit;
    }
    identity->has_schema = true;
    identity->schema_id = value;
}

fc_code fc_identity_decode(struct fc_slice text, struct fc_identity *out_identity,
                           struct fc_error *err)
{
    struct fc_identity identity;
    struct fc_reader reader;
    uint64_t part = 0;
    fc_reader_init(&reader, text);
    identity.connector = read_word(&reader);
    identity.seq = read_number(&reader);
    expect_char(&reader, ' ');
    identity.tx_id = read_word(&reader);
    identity.row = read_number(&reader);
    if (read_char(&reader, '.')) {
        part = read_number(&reader);
        if (part == 0 || part > UINT32_MAX) {
            reader.failed = true;
        }
    }
    identity.part = (uint32_t)part;
    identity.tx_last = read_char(&reader, '!');
    expect_char(&reader, ' ');
    identity.op = (char)fc_reader_u8(&reader);
    if (identity.op == '\0' || strchr(identity_ops, identity.op) == NULL) {
        reader.failed = true;
    }
    expect_char(&reader, ' ');
    read_schema(&reader, &identity);
    if (reader.failed || identity.seq == 0) {
        int shown =
            text.len < IDENTITY_SHOWN_BYTES_MAX ? (int)text.len : IDENTITY_SHOWN_BYTES_MAX;
        return fc_fail(err, FC_ERR_CORRUPT,
                       "header \"" FC_IDENTITY_HEADER "\" is not a record's identity: \"%.*s\"",
                       shown, text.data == NULL ? "" : (const char *)text.data);
    }
    *out_identity = identity;
    return FC_OK;
}

fc_code fc_identity_of(const struct fc_record *record, struct fc_identity *out_identity,
                       struct fc_error *err)
{
    for (uint32_t index = 0; index < record->header_count; index++) {
        const struct fc_header *header = &record->headers[index];
        if (fc_slice_equal_text(header->key, FC_IDENTITY_HEADER)) {
            return fc_identity_decode(header->value, out_identity, err);
        }
    }
    return fc_fail(err, FC_ERR_NOT_FOUND,
                   "the record was not written by a capture: it has no header \"%s\"",
                   FC_IDENTITY_HEADER);
}

bool fc_identity_is_before(const struct fc_identity *a, const struct fc_identity *b)
{
    if (a->seq != b->seq) {
        return a->seq < b->seq;
    }
    if (a->row != b->row) {
        return a->row < b->row;
    }
    return a->part < b->part;
}
