/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sample_rows.h"

#include <math.h>

static const char *const enum_labels[] = { "a", "b \"q\"" };
static const char *const set_labels[] = { "x", "y", "z" };

#define COLUMN(column_name, native, column_type)                                               \
    .name = (column_name), .native_type = (native), .type = (column_type), .nullable = true

/* clang-format off */
static const struct fc_column columns[FC_SAMPLE_COLUMNS] = {
    { .name = "id", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .key_index = 2 },
    { COLUMN("t", "tinyint", FC_TYPE_INT), .bits = 8 },
    { COLUMN("tu", "tinyint unsigned", FC_TYPE_INT), .bits = 8, .is_unsigned = true },
    { COLUMN("s", "smallint unsigned", FC_TYPE_INT), .bits = 16, .is_unsigned = true },
    { COLUMN("m", "mediumint", FC_TYPE_INT), .bits = 24 },
    { COLUMN("i", "int unsigned", FC_TYPE_INT), .bits = 32, .is_unsigned = true },
    { .name = "b", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
    { COLUMN("bu", "bigint unsigned", FC_TYPE_INT), .bits = 64, .is_unsigned = true },
    { COLUMN("f", "float", FC_TYPE_FLOAT) },
    { COLUMN("d", "double", FC_TYPE_DOUBLE) },
    { COLUMN("dec", "decimal(10,2)", FC_TYPE_DECIMAL), .precision = 10, .scale = 2 },
    { COLUMN("big", "decimal(65,30)", FC_TYPE_DECIMAL), .precision = 65, .scale = 30 },
    { COLUMN("bit1", "bit(1)", FC_TYPE_BIT), .length = 1 },
    { COLUMN("bit64", "bit(64)", FC_TYPE_BIT), .length = 64 },
    { COLUMN("c", "char(5)", FC_TYPE_TEXT), .length = 5, .charset = "latin1" },
    { COLUMN("say \"v\"\n", "varchar(50)", FC_TYPE_TEXT), .length = 50, .charset = "utf8mb4" },
    { COLUMN("bin", "binary(4)", FC_TYPE_BYTES), .length = 4 },
    { COLUMN("vb", "varbinary(10)", FC_TYPE_BYTES), .length = 10 },
    { COLUMN("bl", "blob", FC_TYPE_BYTES) },
    { COLUMN("tx", "mediumtext", FC_TYPE_TEXT), .charset = "utf8mb4" },
    { COLUMN("e", "enum('a','b \"q\"')", FC_TYPE_ENUM), .label_count = 2, .labels = enum_labels },
    { COLUMN("st", "set('x','y','z')", FC_TYPE_SET), .label_count = 3, .labels = set_labels },
    { COLUMN("j", "json", FC_TYPE_JSON) },
    { COLUMN("y", "year(4)", FC_TYPE_YEAR) },
    { COLUMN("dt", "date", FC_TYPE_DATE) },
    { COLUMN("tm", "time(6)", FC_TYPE_TIME), .precision = 6 },
    { COLUMN("dtm", "datetime(3)", FC_TYPE_DATETIME), .precision = 3 },
    { COLUMN("dtm6", "datetime(6)", FC_TYPE_DATETIME), .precision = 6 },
    { COLUMN("ts", "timestamp", FC_TYPE_TIMESTAMP) },
    { .name = "ts3", .native_type = "timestamp(3)", .type = FC_TYPE_TIMESTAMP, .precision = 3 },
    { COLUMN("g", "geometry", FC_TYPE_GEOMETRY) },
    { COLUMN("p", "point", FC_TYPE_GEOMETRY) },
    { COLUMN("vec", "vector(3)", FC_TYPE_VECTOR), .length = 3 },
    { COLUMN("uu", "uuid", FC_TYPE_UUID) },
};
/* clang-format on */

const struct fc_shape *fc_sample_shape(void)
{
    static const struct fc_shape shape = { .db = "inv",
                                           .table = "types",
                                           .columns = columns,
                                           .column_count = FC_SAMPLE_COLUMNS,
                                           .key_count = 2 };
    return &shape;
}

struct fc_value fc_sample_int(int64_t value)
{
    struct fc_value made = { .kind = FC_VALUE_INT, .as.i64 = value };
    return made;
}

struct fc_value fc_sample_uint(uint64_t value)
{
    struct fc_value made = { .kind = FC_VALUE_UINT, .as.u64 = value };
    return made;
}

struct fc_value fc_sample_text(const char *text)
{
    struct fc_value made = { .kind = FC_VALUE_TEXT, .as.bytes = fc_slice_text(text) };
    return made;
}

struct fc_value fc_sample_bytes(const void *data, size_t len)
{
    struct fc_value made = { .kind = FC_VALUE_BYTES, .as.bytes = fc_slice_of(data, len) };
    return made;
}

struct fc_value fc_sample_null(void)
{
    struct fc_value made = { .kind = FC_VALUE_NULL };
    return made;
}

static struct fc_value float_value(float value)
{
    struct fc_value made = { .kind = FC_VALUE_FLOAT, .as.f32 = value };
    return made;
}

static struct fc_value double_value(double value)
{
    struct fc_value made = { .kind = FC_VALUE_DOUBLE, .as.f64 = value };
    return made;
}

/* SRID 4326, then the WKB of POINT(1 1). */
#define POINT_1_1 "\1\1\0\0\0\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\xf0\x3f"
#define BYTES(literal) fc_sample_bytes((literal), sizeof(literal) - 1)

static void fill_common(struct fc_value *row)
{
    const struct fc_value values[FC_SAMPLE_COLUMNS] = {
        fc_sample_int(7),
        fc_sample_int(-5),
        fc_sample_uint(200),
        fc_sample_uint(65535),
        fc_sample_int(-8388608),
        fc_sample_uint(4000000000),
        fc_sample_int(1004),
        fc_sample_uint(18446744073709551614ULL),
        float_value(1.5F),
        double_value(0.1),
        fc_sample_text("1234.11"),
        fc_sample_text("1.100000000000000000000000000000"),
        BYTES("\1"),
        BYTES("\xdb\x0e\x6e\1\0\0\0\0"),
        fc_sample_text("caf\xc3\xa9"),
        fc_sample_text("Anne / Bob"),
        BYTES("ab\0\0"),
        BYTES("\1\2\3"),
        BYTES("some blob"),
        fc_sample_text("a text that is longer than thirty-two bytes, so blocks are used"),
        fc_sample_text("a"),
        fc_sample_text("x,z"),
        fc_sample_text("{\"a\":2,\"b\":[\"c\"]}"),
        fc_sample_int(2026),
        fc_sample_int(17109),
        fc_sample_int(49890000000),
        fc_sample_int(1478267490123000),
        fc_sample_int(1478267490123456),
        fc_sample_int(1529501823000000),
        fc_sample_int(1529501823120000),
        BYTES("\0\0\0\0\1\7\0\0\0\0\0\0\0"),
        BYTES("\xe6\x10\0\0" POINT_1_1),
        BYTES("\0\0\x80\x3f\0\0\0\xc0\0\0\0\x3f"),
        fc_sample_text("6ccd780c-baba-1026-9564-5b8c656024db"),
    };
    memcpy(row, values, sizeof(values));
}

static void fill_extreme(struct fc_value *row)
{
    const struct fc_value values[FC_SAMPLE_COLUMNS] = {
        fc_sample_int(-2147483648),
        fc_sample_int(127),
        fc_sample_uint(255),
        fc_sample_uint(0),
        fc_sample_int(8388607),
        fc_sample_uint(4294967295),
        fc_sample_int(INT64_MIN),
        fc_sample_uint(9223372036854775808ULL),
        float_value(3.4028235e38F),
        double_value(-1.7976931348623157e308),
        fc_sample_text("-99999999.99"),
        fc_sample_text("-99999999999999999999999999999999999.999999999999999999999999999999"),
        BYTES("\0"),
        BYTES("\xff\xff\xff\xff\xff\xff\xff\x80"),
        fc_sample_text("\"\\/\b\f\n\r\t"),
        fc_sample_text("\x01\x1f\x7f \xf0\x9f\x98\x80 __debezium"),
        BYTES("\xff\xfe\xfd\xfc"),
        BYTES(""),
        BYTES("\0\1\2\3\4\5\6\7\x08\x09"),
        fc_sample_text("__debezium_unavailable_value"),
        fc_sample_text("b \"q\""),
        fc_sample_text("x,y,z"),
        fc_sample_text("\"\""),
        fc_sample_int(2155),
        fc_sample_int(2932896),
        fc_sample_int(-3020398999999),
        fc_sample_int(253402300799999000),
        fc_sample_int(-62167219200000000),
        fc_sample_int(2147483647000000),
        fc_sample_int(1000),
        BYTES("\1\0\0\0" POINT_1_1),
        BYTES("\0\0\0\0\0\0\0\0\1\xc0\x5e\xdd\x2f\x1a\x9f\xbe\x77\x40\x42\xe3\x8e\xf3\x4d\x6a"
              "\x16"),
        BYTES("\0\0\x80\x7f\0\0\x80\xff\0\0\xc0\x7f"),
        fc_sample_text("ffffffff-ffff-ffff-ffff-ffffffffffff"),
    };
    memcpy(row, values, sizeof(values));
}

static void fill_zero_date(struct fc_value *row)
{
    fill_common(row);
    row[8] = float_value(-0.0F);
    row[9] = double_value((double)INFINITY);
    row[10] = fc_sample_text("0.00");
    row[14] = fc_sample_text("");
    row[20] = fc_sample_text("");
    row[21] = fc_sample_text("");
    row[23] = fc_sample_int(0);
    row[24] = fc_sample_text("2026-02-31");
    row[25] = fc_sample_int(0);
    row[26] = fc_sample_text("0000-00-00 00:00:00.000");
    row[27] = fc_sample_text("2026-00-01 00:00:00.000000");
    row[28] = fc_sample_text("0000-00-00 00:00:00");
    row[29] = fc_sample_text("0000-00-00 00:00:00.000");
    row[32] = BYTES("");
}

void fc_sample_fill(fc_sample_row which, struct fc_value *out_row)
{
    static const struct fc_value unchanged = { .kind = FC_VALUE_UNCHANGED };
    switch (which) {
    case FC_SAMPLE_COMMON:
        fill_common(out_row);
        return;
    case FC_SAMPLE_EXTREME:
        fill_extreme(out_row);
        return;
    case FC_SAMPLE_NULL:
        fill_common(out_row);
        for (uint32_t index = 0; index < FC_SAMPLE_COLUMNS; index++) {
            if (columns[index].nullable) {
                out_row[index] = fc_sample_null();
            }
        }
        return;
    case FC_SAMPLE_ZERO_DATE:
        fill_zero_date(out_row);
        return;
    case FC_SAMPLE_UNCHANGED:
        fill_common(out_row);
        out_row[18] = unchanged;
        out_row[19] = unchanged;
        out_row[22] = unchanged;
        out_row[30] = unchanged;
        out_row[32] = unchanged;
        return;
    }
}

const struct fc_source_field *fc_sample_fields(void)
{
    static const struct fc_source_field fields[FC_SAMPLE_FIELDS + 1] = {
        { "table", FC_SOURCE_TABLE },  { "server_id", FC_SOURCE_VALUE },
        { "gtid", FC_SOURCE_VALUE },   { "file", FC_SOURCE_VALUE },
        { "pos", FC_SOURCE_VALUE },    { "row", FC_SOURCE_EVENT_ROW },
        { "thread", FC_SOURCE_VALUE }, { "query", FC_SOURCE_VALUE },
        { NULL, FC_SOURCE_VALUE },
    };
    return fields;
}

const struct fc_value *fc_sample_source(void)
{
    static const struct fc_value values[FC_SAMPLE_FIELDS] = {
        { .kind = FC_VALUE_NULL },
        { .kind = FC_VALUE_UINT, .as.u64 = 1 },
        { .kind = FC_VALUE_NULL },
        { .kind = FC_VALUE_TEXT, .as.bytes = { (const uint8_t *)"mysql-bin.000003", 16 } },
        { .kind = FC_VALUE_UINT, .as.u64 = 154 },
        { .kind = FC_VALUE_NULL },
        { .kind = FC_VALUE_UINT, .as.u64 = 7 },
        { .kind = FC_VALUE_NULL },
    };
    return values;
}

static int64_t sample_wall_ns(const struct fc_clock *clock)
{
    (void)clock;
    return 1700000000123456789;
}

const struct fc_clock *fc_sample_clock(void)
{
    static const struct fc_clock clock = { sample_wall_ns, sample_wall_ns };
    return &clock;
}

bool fc_sample_equal(const struct fc_value *a, const struct fc_value *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case FC_VALUE_NULL:
    case FC_VALUE_UNCHANGED:
        return true;
    case FC_VALUE_INT:
    case FC_VALUE_UINT:
        return a->as.u64 == b->as.u64;
    case FC_VALUE_FLOAT:
        return memcmp(&a->as.f32, &b->as.f32, sizeof(a->as.f32)) == 0;
    case FC_VALUE_DOUBLE:
        return memcmp(&a->as.f64, &b->as.f64, sizeof(a->as.f64)) == 0;
    case FC_VALUE_TEXT:
    case FC_VALUE_BYTES:
        return fc_slice_equal(a->as.bytes, b->as.bytes);
    }
    return false;
}
