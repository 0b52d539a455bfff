/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates and times of row images. The forms since MySQL 5.6 are big-endian with a bias that
 * makes them sort as bytes, and the fraction of seconds in (digits + 1) / 2 bytes behind.
 */
#include "connectors/mysql/row_value_kinds.h"
#include "connectors/mysql/temporal.h"

enum { MICROSECONDS = 1000000, YEAR_BASE = 1900 };

static bool put_int(struct fc_value *out, int64_t value)
{
    out->kind = FC_VALUE_INT;
    out->as.i64 = value;
    return true;
}

/* What cannot be a point in time stays as the server shows it. */
static bool put_invalid(struct fc_row_decoder *decoder, const struct fc_temporal *t,
                        const struct fc_row_column *column, struct fc_value *out)
{
    char *text = fc_row_alloc(decoder, FC_TEMPORAL_TEXT_SIZE);
    if (text == NULL) {
        return false;
    }
    return fc_row_put_text(out, text,
                           column->kind == FC_ROW_DATE
                               ? fc_temporal_print_date(t, text)
                               : fc_temporal_print_datetime(t, column->fraction_digits, text));
}

/* Microseconds of a fraction; 0 to 6 digits. */
static uint32_t take_fraction(struct fc_row_decoder *decoder, unsigned digits)
{
    static const uint16_t units[] = { 0, 10000, 100, 1 }; /* by bytes */
    unsigned bytes = (digits + 1) / 2;
    return bytes == 0 ? 0 : (uint32_t)fc_row_be(decoder, bytes) * units[bytes];
}

bool fc_row_decode_year(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out)
{
    uint8_t year;
    (void)column;
    if (!fc_row_has(decoder, 1)) {
        return false;
    }
    year = *decoder->at++;
    return put_int(out, year == 0 ? 0 : YEAR_BASE + year);
}

bool fc_row_decode_date(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out)
{
    struct fc_temporal t = { 0 };
    uint32_t packed;
    if (!fc_row_has(decoder, 3)) {
        return false;
    }
    packed = (uint32_t)fc_row_le(decoder, 3);
    t.year = packed >> 9;
    t.month = packed >> 5 & 15;
    t.day = packed & 31;
    if (!fc_temporal_is_date(t.year, t.month, t.day)) {
        return put_invalid(decoder, &t, column, out);
    }
    return put_int(out, fc_temporal_days(t.year, t.month, t.day));
}

/* Whole part and fraction are one signed number: below zero, the fraction counts from the next
 * lower second, which the sum undoes. */
bool fc_row_decode_time(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                        struct fc_value *out)
{
    static const uint32_t units[] = { 0, 10000, 100, 1 };
    unsigned bytes = (column->fraction_digits + 1U) / 2;
    int64_t packed;
    int64_t fraction;
    uint64_t whole;
    bool negative;
    if (!fc_row_has(decoder, 3 + bytes)) {
        return false;
    }
    packed = (int64_t)fc_row_be(decoder, 3 + bytes) - (int64_t)(0x800000ULL << (8 * bytes));
    negative = packed < 0;
    whole = (uint64_t)(negative ? -packed : packed);
    fraction = bytes == 0 ? 0 : (int64_t)(whole & ((1ULL << (8 * bytes)) - 1)) * units[bytes];
    whole >>= 8 * bytes;
    whole = (whole >> 12 & 1023) * 3600 + (whole >> 6 & 63) * 60 + (whole & 63);
    fraction += (int64_t)whole * MICROSECONDS;
    return put_int(out, negative ? -fraction : fraction);
}

bool fc_row_decode_time_old(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                            struct fc_value *out)
{
    int32_t packed;
    int64_t magnitude;
    int64_t seconds;
    (void)column;
    if (!fc_row_has(decoder, 3)) {
        return false;
    }
    packed = (int32_t)((uint32_t)fc_row_le(decoder, 3) << 8) >> 8;
    magnitude = packed < 0 ? -(int64_t)packed : packed; /* digits hhhmmss */
    seconds = magnitude / 10000 * 3600 + magnitude / 100 % 100 * 60 + magnitude % 100;
    return put_int(out, (packed < 0 ? -seconds : seconds) * MICROSECONDS);
}

static bool put_datetime(struct fc_row_decoder *decoder, const struct fc_temporal *t,
                         const struct fc_row_column *column, struct fc_value *out)
{
    if (!fc_temporal_is_date(t->year, t->month, t->day) || !fc_temporal_is_time(t)) {
        return put_invalid(decoder, t, column, out);
    }
    return put_int(out, fc_temporal_us(t));
}

bool fc_row_decode_datetime(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                            struct fc_value *out)
{
    struct fc_temporal t;
    uint64_t packed;
    uint32_t months;
    if (!fc_row_has(decoder, 5 + (column->fraction_digits + 1U) / 2)) {
        return false;
    }
    packed = fc_row_be(decoder, 5) & 0x7fffffffffULL; /* the sign is always positive */
    months = (uint32_t)(packed >> 22);
    t.year = months / 13;
    t.month = months % 13;
    t.day = (uint32_t)(packed >> 17 & 31);
    t.hour = (uint32_t)(packed >> 12 & 31);
    t.minute = (uint32_t)(packed >> 6 & 63);
    t.second = (uint32_t)(packed & 63);
    t.microsecond = take_fraction(decoder, column->fraction_digits);
    return put_datetime(decoder, &t, column, out);
}

bool fc_row_decode_datetime_old(struct fc_row_decoder *decoder,
                                const struct fc_row_column *column, struct fc_value *out)
{
    struct fc_temporal t = { 0 };
    uint64_t digits; /* YYYYMMDDhhmmss */
    if (!fc_row_has(decoder, 8)) {
        return false;
    }
    digits = fc_row_le(decoder, 8);
    t.second = (uint32_t)(digits % 100);
    t.minute = (uint32_t)(digits / 100 % 100);
    t.hour = (uint32_t)(digits / 10000 % 100);
    t.day = (uint32_t)(digits / 1000000 % 100);
    t.month = (uint32_t)(digits / 100000000 % 100);
    t.year = (uint32_t)(digits / 10000000000 % 10000);
    return put_datetime(decoder, &t, column, out);
}

/* Second 0 is the zero timestamp; the first real one is second 1. */
static bool put_timestamp(struct fc_row_decoder *decoder, uint32_t second, uint32_t microsecond,
                          const struct fc_row_column *column, struct fc_value *out)
{
    struct fc_temporal zero = { 0 };
    if (second == 0 && microsecond == 0) {
        return put_invalid(decoder, &zero, column, out);
    }
    return put_int(out, (int64_t)second * MICROSECONDS + microsecond);
}

bool fc_row_decode_timestamp(struct fc_row_decoder *decoder, const struct fc_row_column *column,
                             struct fc_value *out)
{
    uint32_t second;
    if (!fc_row_has(decoder, 4 + (column->fraction_digits + 1U) / 2)) {
        return false;
    }
    second = (uint32_t)fc_row_be(decoder, 4);
    return put_timestamp(decoder, second, take_fraction(decoder, column->fraction_digits),
                         column, out);
}

bool fc_row_decode_timestamp_old(struct fc_row_decoder *decoder,
                                 const struct fc_row_column *column, struct fc_value *out)
{
    if (!fc_row_has(decoder, 4)) {
        return false;
    }
    return put_timestamp(decoder, (uint32_t)fc_row_le(decoder, 4), 0, column, out);
}
