/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A number becomes the count of its integer digits, these digits and those of the fraction; all
 * bytes of a negative one are turned round. A text ends with a 0, so that a shorter one comes
 * first; letters count as in collations without case. Base64 digits become what they stand for.
 */
#include "runner/restore/key_order.h"

#include <string.h>

enum { NUMBER_POSITIVE = 0x80, NUMBER_DIGITS_MAX = 100, BASE64_DIGITS = 64 };

/* What is read, and what has been written. */
struct pen {
    const uint8_t *at;
    const uint8_t *end;
    uint8_t *out;
    size_t len;
};

static void write_byte(struct pen *pen, uint8_t byte)
{
    if (pen->len < FC_KEY_ORDER_BYTES_MAX) {
        pen->out[pen->len++] = byte;
    }
}

void fc_key_order_set(struct fc_key_order *order, const struct fc_shape *shape)
{
    if (order->shape == shape) {
        return;
    }
    memset(order, 0, sizeof(*order));
    order->shape = shape;
    for (uint32_t index = 0; index < shape->column_count; index++) {
        uint16_t place = shape->columns[index].key_index;
        if (place > 0 && place <= FC_KEY_ORDER_COLUMNS_MAX) {
            order->types[place - 1] = (uint8_t)shape->columns[index].type;
            order->count = order->count < place ? place : order->count;
        }
    }
}

static bool is_digit(const struct pen *pen)
{
    return pen->at < pen->end && *pen->at >= '0' && *pen->at <= '9';
}

static void put_number(struct pen *pen)
{
    bool negative = pen->at < pen->end && *pen->at == '-';
    uint8_t turn = negative ? 0xff : 0;
    const uint8_t *digits;
    size_t count = 0;
    pen->at += negative ? 1 : 0;
    while (is_digit(pen) && *pen->at == '0') {
        pen->at++;
    }
    for (digits = pen->at; is_digit(pen); pen->at++) {
        count++;
    }
    count = count < NUMBER_DIGITS_MAX ? count : NUMBER_DIGITS_MAX;
    write_byte(pen, (uint8_t)(NUMBER_POSITIVE + count) ^ turn);
    for (size_t index = 0; index < count; index++) {
        write_byte(pen, digits[index] ^ turn);
    }
    if (pen->at < pen->end && *pen->at == '.') {
        for (pen->at++; is_digit(pen); pen->at++) {
            write_byte(pen, *pen->at ^ turn);
        }
    }
    write_byte(pen, turn);
}

/* 1 to 64, so that the end comes before all; 0 for what is no digit. */
static uint8_t base64_digit(uint8_t byte)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *found = memchr(digits, byte, BASE64_DIGITS);
    return found == NULL ? 0 : (uint8_t)(found - (const uint8_t *)digits + 1);
}

/* Go past a JSON string, whose opening quote is next; the text between its quotes. */
static struct fc_slice take_string(struct pen *pen)
{
    struct fc_slice text = { pen->at + 1, 0 };
    const uint8_t *at = pen->at + 1;
    while (at < pen->end && *at != '"') {
        at += *at == '\\' && at + 1 < pen->end ? 2 : 1;
    }
    text.len = at > text.data ? (size_t)(at - text.data) : 0;
    pen->at = at < pen->end ? at + 1 : pen->end;
    return text;
}

static void put_text(struct pen *pen, struct fc_slice text, bool base64)
{
    for (size_t index = 0; index < text.len && pen->len < FC_KEY_ORDER_BYTES_MAX; index++) {
        uint8_t byte = text.data[index];
        if (base64) {
            write_byte(pen, base64_digit(byte));
        } else {
            write_byte(pen, byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - 'a' + 'A') : byte);
        }
    }
    write_byte(pen, 0);
}

static void put_value(struct pen *pen, uint8_t type)
{
    if (pen->at < pen->end && *pen->at == '"') {
        struct fc_slice text = take_string(pen);
        if (type == FC_TYPE_DECIMAL || type == FC_TYPE_INT) {
            struct pen number = { text.data, text.data + text.len, pen->out, pen->len };
            put_number(&number);
            pen->len = number.len;
        } else {
            put_text(pen, text, type == FC_TYPE_BYTES);
        }
    } else {
        put_number(pen);
    }
}

size_t fc_key_order_put(const struct fc_key_order *order, struct fc_slice key,
                        uint8_t out[static FC_KEY_ORDER_BYTES_MAX])
{
    struct pen pen = { key.data, key.data + key.len, out, 0 };
    for (uint32_t index = 0; index < order->count; index++) {
        if (pen.end - pen.at < 2 || pen.at[1] != '"') {
            break; /* "{" or "," stands before a name */
        }
        pen.at++;
        (void)take_string(&pen);
        if (pen.at == pen.end || *pen.at != ':') {
            break;
        }
        pen.at++;
        put_value(&pen, order->types[index]);
        while (pen.at < pen.end && *pen.at != ',') {
            pen.at++; /* an exponent, a literal */
        }
    }
    return pen.len;
}
