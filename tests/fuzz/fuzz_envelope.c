/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte says what the rest is:
 *   'v' 'V'  a record's value: split it, decode its rows and, when it is one, its DDL (V: in
 *            Debezium's mode)
 *   'o' 'O'  a row object: what decodes is encoded and decoded again to the same values
 *   'r' 'R'  bytes that values are made of: encoded and decoded they are the same
 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/reader.h"
#include "runner/envelope/envelope.h"
#include "tests/support/sample_rows.h"

enum { LIMIT = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bench {
    struct fc_schema schema;
    struct fc_envelope *envelope;
    struct fc_row_decoder *decoder;
    struct fc_arena arena;
    struct fc_buf out;
    struct fc_value row[FC_SAMPLE_COLUMNS];
    struct fc_value again[FC_SAMPLE_COLUMNS];
};

static void init(struct bench *bench, fc_envelope_mode mode)
{
    struct fc_envelope_config config = { .mode = mode,
                                         .connector_name = "shop",
                                         .engine = "mysql",
                                         .version = "1",
                                         .fields = fc_sample_fields(),
                                         .clock = fc_sample_clock() };
    memset(bench, 0, sizeof(*bench));
    bench->schema.mode = mode;
    bench->schema.shape = fc_sample_shape();
    bench->envelope = fc_envelope_new(&config);
    bench->decoder = fc_row_decoder_new(&bench->schema);
    fc_arena_init(&bench->arena, LIMIT);
    fc_buf_init(&bench->out, LIMIT);
}

static void release(struct bench *bench)
{
    fc_row_decoder_free(bench->decoder);
    fc_envelope_free(bench->envelope);
    fc_arena_release(&bench->arena);
    fc_buf_release(&bench->out);
}

static bool decode(struct bench *bench, struct fc_slice object, struct fc_value *row)
{
    struct fc_error err;
    return fc_row_decoder_decode(bench->decoder, object, &bench->arena, row, &err) == FC_OK;
}

static void check_same(const struct bench *bench)
{
    for (uint32_t index = 0; index < FC_SAMPLE_COLUMNS; index++) {
        fc_assert(fc_sample_equal(&bench->row[index], &bench->again[index]));
    }
}

static void take_value(struct bench *bench, struct fc_slice text)
{
    struct fc_envelope_parts parts;
    struct fc_slice db;
    struct fc_ddl ddl;
    struct fc_error err;
    if (fc_envelope_split(text, &parts, &err) == FC_OK) {
        (void)(!fc_slice_is_null(parts.before) && decode(bench, parts.before, bench->row));
        (void)(!fc_slice_is_null(parts.after) && decode(bench, parts.after, bench->row));
    }
    (void)fc_envelope_decode_ddl(text, &bench->arena, &db, &ddl, &err);
}

/*
 * Whatever decodes can be encoded and decoded again. The exact mode's text is settled by then;
 * Debezium's may move once more, where a text in a date's place became its epoch.
 */
static void take_object(struct bench *bench, struct fc_slice text)
{
    struct fc_buf second;
    if (!decode(bench, text, bench->row)) {
        return;
    }
    fc_envelope_row(bench->envelope, bench->schema.shape, bench->row, &bench->out);
    fc_assert(!bench->out.failed);
    fc_assert(decode(bench, fc_buf_slice(&bench->out), bench->again));
    fc_buf_init(&second, LIMIT);
    fc_envelope_row(bench->envelope, bench->schema.shape, bench->again, &second);
    fc_assert(bench->schema.mode == FC_ENVELOPE_DEBEZIUM ||
              fc_slice_equal(fc_buf_slice(&second), fc_buf_slice(&bench->out)));
    fc_buf_release(&second);
}

/* A value that a source could give for the column. */
static struct fc_value make_value(struct fc_reader *reader, const struct fc_column *column)
{
    uint8_t kind = fc_reader_u8(reader);
    struct fc_value value = { .kind = FC_VALUE_NULL };
    if (kind == 0 && column->nullable) {
        return value;
    }
    if (kind == 1) {
        value.kind = FC_VALUE_UNCHANGED;
        return value;
    }
    switch (column->type) {
    case FC_TYPE_INT:
        return column->is_unsigned ? fc_sample_uint(fc_reader_le(reader, 8))
                                   : fc_sample_int((int64_t)fc_reader_le(reader, 8));
    case FC_TYPE_YEAR:
    case FC_TYPE_DATE:
    case FC_TYPE_TIME:
    case FC_TYPE_TIMESTAMP:
        return fc_sample_int((int64_t)fc_reader_le(reader, 8));
    case FC_TYPE_DATETIME:
        value = fc_sample_int((int64_t)fc_reader_le(reader, 8));
        value.as.i64 -= column->precision <= 3 ? value.as.i64 % 1000 : 0;
        return value;
    case FC_TYPE_FLOAT:
    case FC_TYPE_DOUBLE: {
        uint64_t bits = fc_reader_le(reader, 8);
        value.kind = column->type == FC_TYPE_FLOAT ? FC_VALUE_FLOAT : FC_VALUE_DOUBLE;
        memcpy(&value.as.f64, &bits, sizeof(bits));
        if (column->type == FC_TYPE_FLOAT ? value.as.f32 != value.as.f32
                                          : value.as.f64 != value.as.f64) {
            value.as.f64 = 0; /* of NaN only one form comes back */
        }
        return value;
    }
    case FC_TYPE_DECIMAL: {
        static const char digits[] = "12345678912345678912345678912345678912345678912345.12";
        size_t skip = kind % (sizeof(digits) - 5);
        return column->scale == 2 ? fc_sample_text(digits + skip) : fc_sample_text("-1e5");
    }
    case FC_TYPE_TEXT:
    case FC_TYPE_ENUM:
    case FC_TYPE_SET:
    case FC_TYPE_JSON:
    case FC_TYPE_UUID:
        value.kind = FC_VALUE_TEXT;
        break;
    case FC_TYPE_BYTES:
    case FC_TYPE_BIT:
    case FC_TYPE_GEOMETRY:
    case FC_TYPE_VECTOR:
        value.kind = FC_VALUE_BYTES;
        break;
    }
    value.as.bytes = fc_reader_slice(reader, kind % 64);
    return value;
}

static void take_row(struct bench *bench, struct fc_slice bytes)
{
    struct fc_reader reader;
    struct fc_change change = { .op = FC_OP_UPDATE,
                                .shape = bench->schema.shape,
                                .before = bench->row,
                                .after = bench->row,
                                .source = fc_sample_source() };
    struct fc_envelope_parts parts;
    struct fc_error err;
    fc_reader_init(&reader, bytes);
    for (uint32_t index = 0; index < FC_SAMPLE_COLUMNS; index++) {
        bench->row[index] = make_value(&reader, &bench->schema.shape->columns[index]);
    }
    fc_envelope_value(bench->envelope, &change, 0, &bench->out);
    fc_assert(!bench->out.failed);
    fc_assert(fc_envelope_split(fc_buf_slice(&bench->out), &parts, &err) == FC_OK);
    fc_assert(parts.op == 'u' && fc_slice_equal(parts.before, parts.after));
    fc_assert(decode(bench, parts.after, bench->again));
    check_same(bench);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bench bench;
    struct fc_slice rest;
    char what;
    if (size < 1) {
        return 0;
    }
    rest = fc_slice_of(data + 1, size - 1);
    what = (char)data[0];
    init(&bench, what >= 'A' && what <= 'Z' ? FC_ENVELOPE_DEBEZIUM : FC_ENVELOPE_EXACT);
    if (what == 'v' || what == 'V') {
        take_value(&bench, rest);
    } else if (what == 'o' || what == 'O') {
        take_object(&bench, rest);
    } else {
        take_row(&bench, rest);
    }
    release(&bench);
    return 0;
}
