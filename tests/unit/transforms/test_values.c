/* SPDX-License-Identifier: Apache-2.0 */
/* Values between rows and scripts, for a column of every type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/sample_rows.h"
#include "tests/support/script_runner.h"

/* One column of each kind, beside the key. */
static const char *const colours[] = { "red", "green", "blue" };
static const struct fc_column every_type[] = {
    { .name = "id", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .key_index = 1 },
    { .name = "tiny",
      .native_type = "tinyint",
      .type = FC_TYPE_INT,
      .bits = 8,
      .nullable = true },
    { .name = "utiny",
      .native_type = "tinyint unsigned",
      .type = FC_TYPE_INT,
      .bits = 8,
      .is_unsigned = true,
      .nullable = true },
    { .name = "big",
      .native_type = "bigint",
      .type = FC_TYPE_INT,
      .bits = 64,
      .nullable = true },
    { .name = "ubig",
      .native_type = "bigint unsigned",
      .type = FC_TYPE_INT,
      .bits = 64,
      .is_unsigned = true,
      .nullable = true },
    { .name = "float", .native_type = "float", .type = FC_TYPE_FLOAT, .nullable = true },
    { .name = "double", .native_type = "double", .type = FC_TYPE_DOUBLE, .nullable = true },
    { .name = "dec",
      .native_type = "decimal(6,2)",
      .type = FC_TYPE_DECIMAL,
      .precision = 6,
      .scale = 2,
      .nullable = true },
    { .name = "name",
      .native_type = "varchar(4)",
      .type = FC_TYPE_TEXT,
      .length = 4,
      .nullable = true },
    { .name = "blob",
      .native_type = "varbinary(4)",
      .type = FC_TYPE_BYTES,
      .length = 4,
      .nullable = true },
    { .name = "fixed",
      .native_type = "binary(4)",
      .type = FC_TYPE_BYTES,
      .length = 4,
      .nullable = true },
    { .name = "bits",
      .native_type = "bit(10)",
      .type = FC_TYPE_BIT,
      .length = 10,
      .nullable = true },
    { .name = "enum",
      .native_type = "enum('red','green','blue')",
      .type = FC_TYPE_ENUM,
      .label_count = 3,
      .labels = colours,
      .nullable = true },
    { .name = "set",
      .native_type = "set('red','green','blue')",
      .type = FC_TYPE_SET,
      .label_count = 3,
      .labels = colours,
      .nullable = true },
    { .name = "json", .native_type = "json", .type = FC_TYPE_JSON, .nullable = true },
    { .name = "year", .native_type = "year", .type = FC_TYPE_YEAR, .nullable = true },
    { .name = "date", .native_type = "date", .type = FC_TYPE_DATE, .nullable = true },
    { .name = "time",
      .native_type = "time(6)",
      .type = FC_TYPE_TIME,
      .precision = 6,
      .nullable = true },
    { .name = "datetime",
      .native_type = "datetime(6)",
      .type = FC_TYPE_DATETIME,
      .precision = 6,
      .nullable = true },
    { .name = "stamp",
      .native_type = "timestamp",
      .type = FC_TYPE_TIMESTAMP,
      .nullable = true },
    { .name = "geo", .native_type = "geometry", .type = FC_TYPE_GEOMETRY, .nullable = true },
    { .name = "vec", .native_type = "vector(2)", .type = FC_TYPE_VECTOR, .nullable = true },
    { .name = "uuid", .native_type = "uuid", .type = FC_TYPE_UUID, .nullable = true },
};
enum { TYPES = sizeof(every_type) / sizeof(every_type[0]) };

static const struct fc_shape every_shape = {
    .db = "d", .table = "t", .columns = every_type, .column_count = TYPES, .key_count = 1
};

struct fixture {
    struct script_runner runner;
    struct fc_value row[TYPES];
};

static int set_up(void **state)
{
    struct fixture *fixture = test_calloc(1, sizeof(*fixture));
    script_runner_init(&fixture->runner);
    fixture->row[0] = fc_sample_int(1);
    fixture->runner.change.op = FC_OP_CREATE;
    fixture->runner.change.shape = &every_shape;
    fixture->runner.change.before = NULL;
    fixture->runner.change.after = fixture->row;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    script_runner_release(&fixture->runner);
    test_free(fixture);
    return 0;
}

static fc_code run_body(struct fixture *fixture, const char *body)
{
    char script[4096];
    (void)snprintf(script, sizeof(script),
                   "function transform(c) local r = c.after %s return c end", body);
    if (script_runner_script(&fixture->runner, script) != FC_OK) {
        fail_msg("%s: %s", body, fixture->runner.err.message);
    }
    return script_runner_run(&fixture->runner);
}

static void assert_runs(struct fixture *fixture, const char *body)
{
    if (run_body(fixture, body) != FC_OK) {
        fail_msg("%s: %s", body, fixture->runner.err.message);
    }
}

static uint32_t column_named(const char *name)
{
    uint32_t index = 0;
    while (strcmp(every_type[index].name, name) != 0) {
        index++;
        assert_true(index < TYPES);
    }
    return index;
}

/* --- reading -------------------------------------------------------------------------------- */

static void set(struct fixture *fixture, const char *column, struct fc_value value)
{
    fixture->row[column_named(column)] = value;
}

static void scripts_read_exact_values(void **state)
{
    struct fixture *fixture = *state;
    struct fc_value number = { .kind = FC_VALUE_FLOAT };
    set(fixture, "tiny", fc_sample_int(-128));
    set(fixture, "big", fc_sample_int(INT64_MIN));
    set(fixture, "utiny", fc_sample_uint(255));
    set(fixture, "ubig", fc_sample_uint(UINT64_MAX));
    number.as.f32 = 1.5F;
    set(fixture, "float", number);
    number.kind = FC_VALUE_DOUBLE;
    number.as.f64 = 0.1;
    set(fixture, "double", number);
    set(fixture, "dec", fc_sample_text("-12.30"));
    set(fixture, "name", fc_sample_text("\xc3\xa4"));
    set(fixture, "blob", fc_sample_bytes("\0\xff", 2));
    set(fixture, "date", fc_sample_text("0000-00-00"));
    set(fixture, "datetime", fc_sample_int(-1));
    assert_runs(fixture, "assert(r.tiny == -128 and r.big == math.mininteger)"
                         "assert(r.utiny == 255 and r.ubig == '18446744073709551615')"
                         "assert(r.float == 1.5 and r.double == 0.1 and r.dec == '-12.30')"
                         "assert(r.name == 'ä' and #r.name == 2 and r.blob == '\\0\\xff')"
                         "assert(r.date == '0000-00-00' and r.datetime == -1)"
                         "assert(r.year == nil and math.type(r.tiny) == 'integer')");
    set(fixture, "ubig", fc_sample_uint(INT64_MAX));
    assert_runs(fixture, "assert(r.ubig == math.maxinteger)");
}

static void unchanged_is_a_value_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct fc_value missing = { .kind = FC_VALUE_UNCHANGED };
    set(fixture, "json", missing);
    assert_runs(fixture, "assert(r.json == unchanged and r.json ~= nil and r.json ~= json.null)"
                         "assert(tostring(unchanged) == 'unchanged') r.json = unchanged");
    assert_ptr_equal(fixture->runner.results[0].change, &fixture->runner.change);
    assert_runs(fixture, "r.json = '{}'");
    assert_int_equal(run_body(fixture, "r.name = unchanged"), FC_ERR_REJECTED);
    assert_non_null(strstr(fixture->runner.err.message,
                           "column name has a value and cannot become `unchanged`"));
}

static void pairs_goes_through_the_columns_in_order(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, "tiny", fc_sample_int(5));
    assert_runs(fixture,
                "local names, seen = {}, 0"
                " for name, value in pairs(r) do names[#names + 1] = name"
                " if value ~= nil then seen = seen + 1 end end"
                " assert(#names == #r and seen == 2)"
                " assert(names[1] == 'id' and names[2] == 'tiny' and names[23] == 'uuid')"
                " assert(#r == 23)");
}

static void an_unknown_column_is_named_with_the_nearest(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(run_body(fixture, "local x = r.datetme"), FC_ERR_REJECTED);
    assert_string_equal(fixture->runner.err.message,
                        "t.lua:1: d.t has no column `datetme`, did you mean `datetime`?");
    assert_int_equal(run_body(fixture, "r.nmae = 1"), FC_ERR_REJECTED);
    assert_string_equal(fixture->runner.err.message,
                        "t.lua:1: d.t has no column `nmae`, did you mean `name`?");
    assert_int_equal(run_body(fixture, "local x = r[1]"), FC_ERR_REJECTED);
    assert_string_equal(fixture->runner.err.message,
                        "t.lua:1: a column's name is a string, not a number");
}

static void columns_with_long_names_are_found(void **state)
{
    struct fixture *fixture = *state;
    static const char long_name[] =
        "a_name_that_is_longer_than_what_Lua_keeps_a_single_copy_of";
    struct fc_column columns[2] = { every_type[0], every_type[3] };
    struct fc_shape shape = every_shape;
    columns[1].name = long_name;
    shape.columns = columns;
    shape.column_count = 2;
    fixture->row[1] = fc_sample_int(9);
    fixture->runner.change.shape = &shape;
    assert_runs(fixture,
                "local n = 'a_name_that_is_longer_than_what_Lua_keeps_a_single_copy_of'"
                " assert(r[n] == 9) r[n] = 10 assert(r[n] == 10)");
}

/* --- writing -------------------------------------------------------------------------------- */

struct writing {
    const char *column;
    const char *lua;
    struct fc_value expected;
};

static struct fc_value f32(float value)
{
    struct fc_value made = { .kind = FC_VALUE_FLOAT };
    made.as.f32 = value;
    return made;
}

static struct fc_value f64(double value)
{
    struct fc_value made = { .kind = FC_VALUE_DOUBLE };
    made.as.f64 = value;
    return made;
}

static void values_that_fit_are_written_in_the_row_s_form(void **state)
{
    struct fixture *fixture = *state;
    const struct writing writings[] = {
        { "tiny", "127", fc_sample_int(127) },
        { "tiny", "-128.0", fc_sample_int(-128) },
        { "tiny", "nil", fc_sample_null() },
        { "utiny", "255", fc_sample_uint(255) },
        { "utiny", "'255'", fc_sample_uint(255) },
        { "ubig", "'18446744073709551615'", fc_sample_uint(UINT64_MAX) },
        { "big", "math.mininteger", fc_sample_int(INT64_MIN) },
        { "float", "0.5", f32(0.5F) },
        { "float", "3", f32(3) },
        { "double", "1e300", f64(1e300) },
        { "double", "9007199254740992", f64(9007199254740992.0) },
        { "dec", "'1.5'", fc_sample_text("1.50") },
        { "dec", "'-0001'", fc_sample_text("-1.00") },
        { "dec", "'-0.00'", fc_sample_text("0.00") },
        { "dec", "'9999.9900'", fc_sample_text("9999.99") },
        { "dec", "7", fc_sample_text("7.00") },
        { "dec", "12.25", fc_sample_text("12.25") },
        { "dec", "0.1", fc_sample_text("0.10") },
        { "dec", "'+.0' and '0.5'", fc_sample_text("0.50") },
        { "name", "'äöüß'", fc_sample_text("äöüß") },
        { "name", "''", fc_sample_text("") },
        { "blob", "'\\0\\1'", fc_sample_bytes("\0\1", 2) },
        { "fixed", "'ab'", fc_sample_bytes("ab\0\0", 4) },
        { "bits", "'\\255\\3'", fc_sample_bytes("\xff\x03", 2) },
        { "bits", "1023", fc_sample_bytes("\xff\x03", 2) },
        { "enum", "'green'", fc_sample_text("green") },
        { "enum", "''", fc_sample_text("") },
        { "set", "'blue,red'", fc_sample_text("red,blue") },
        { "set", "''", fc_sample_text("") },
        { "json", "' { \"b\" : [1, 2.50] , \"a\":null } '",
          fc_sample_text("{\"b\":[1,2.50],\"a\":null}") },
        { "json", "json.encode({ 1, 'x' })", fc_sample_text("[1,\"x\"]") },
        { "year", "2024", fc_sample_int(2024) },
        { "year", "0", fc_sample_int(0) },
        { "date", "19000", fc_sample_int(19000) },
        { "date", "'0000-00-00'", fc_sample_text("0000-00-00") },
        { "date", "'2023-02-30'", fc_sample_text("2023-02-30") },
        { "time", "-3020399000000", fc_sample_int(-3020399000000) },
        { "datetime", "1700000000123456", fc_sample_int(1700000000123456) },
        { "datetime", "'0000-00-00 00:00:00'", fc_sample_text("0000-00-00 00:00:00") },
        { "stamp", "0", fc_sample_int(0) },
        { "geo", "('\\0'):rep(25)", fc_sample_bytes((uint8_t[25]){ 0 }, 25) },
        { "vec", "'12345678'", fc_sample_bytes("12345678", 8) },
        { "uuid", "'0123ABCD-0123-4567-89AB-0123456789AB'",
          fc_sample_text("0123abcd-0123-4567-89ab-0123456789ab") },
    };
    for (size_t index = 0; index < sizeof(writings) / sizeof(writings[0]); index++) {
        const struct writing *writing = &writings[index];
        char body[256];
        (void)snprintf(body, sizeof(body), "r['%s'] = %s", writing->column, writing->lua);
        assert_runs(fixture, body);
        if (!fc_sample_equal(script_runner_after(&fixture->runner, writing->column),
                             &writing->expected)) {
            fail_msg("%s gave another value", body);
        }
    }
}

struct misfit {
    const char *column;
    const char *lua;
    const char *message;
};

static const struct misfit misfits[] = {
    { "id", "nil", "column id (int) cannot hold the value: it is NOT NULL" },
    { "tiny", "128", "column tiny (tinyint) cannot hold the value: out of range" },
    { "tiny", "-129", "column tiny (tinyint) cannot hold the value: out of range" },
    { "tiny", "'5'", "column tiny (tinyint) takes a whole number, not a string" },
    { "tiny", "true", "column tiny (tinyint) takes a whole number, not a boolean" },
    { "tiny", "{}", "column tiny (tinyint) takes a whole number, not a table" },
    { "tiny", "1.5",
      "column tiny (tinyint) cannot hold the value: it is not a whole number of 64 bits" },
    { "big", "2^63",
      "column big (bigint) cannot hold the value: it is not a whole number of 64 bits" },
    { "utiny", "-1", "column utiny (tinyint unsigned) cannot hold the value: out of range" },
    { "utiny", "256", "column utiny (tinyint unsigned) cannot hold the value: out of range" },
    { "ubig", "'18446744073709551616'",
      "column ubig (bigint unsigned) cannot hold the value: the text is not a number in its "
      "range" },
    { "ubig", "'-1'",
      "column ubig (bigint unsigned) cannot hold the value: the text is not a number in its "
      "range" },
    { "float", "1e39", "column float (float) cannot hold the value: out of range" },
    { "double", "0/0", "column double (double) cannot hold the value: out of range" },
    { "double", "'1'", "column double (double) takes a number, not a string" },
    { "double", "9007199254740993",
      "column double (double) cannot hold the value: the whole number has more digits than it "
      "keeps" },
    { "double", "math.maxinteger",
      "column double (double) cannot hold the value: the whole number has more digits than it "
      "keeps" },
    { "float", "16777217",
      "column float (float) cannot hold the value: the whole number has more digits than it "
      "keeps" },
    { "dec", "'1.234'",
      "column dec (decimal(6,2)) cannot hold the value: it has more fraction digits than the "
      "column" },
    { "dec", "'10000'", "column dec (decimal(6,2)) cannot hold the value: out of range" },
    { "dec", "'1e3'",
      "column dec (decimal(6,2)) cannot hold the value: the text is not a decimal number" },
    { "dec", "'1.'",
      "column dec (decimal(6,2)) cannot hold the value: the text is not a decimal number" },
    { "dec", "0.1 + 0.2",
      "column dec (decimal(6,2)) cannot hold the value: the number is not exact; give it as a "
      "text" },
    { "dec", "true", "column dec (decimal(6,2)) takes a string or a number, not a boolean" },
    { "name", "'abcde'",
      "column name (varchar(4)) cannot hold the value: too long (change:convert_column gives "
      "it "
      "another type)" },
    { "name", "'\\xff'",
      "column name (varchar(4)) cannot hold the value: the text is not UTF-8" },
    { "name", "'\\xed\\xa0\\x80'",
      "column name (varchar(4)) cannot hold the value: the text is not UTF-8" },
    { "name", "5", "column name (varchar(4)) takes a string, not a number" },
    { "blob", "'12345'",
      "column blob (varbinary(4)) cannot hold the value: too long (change:convert_column gives "
      "it another type)" },
    { "bits", "1024", "column bits (bit(10)) cannot hold the value: out of range" },
    { "bits", "'\\255\\255'",
      "column bits (bit(10)) cannot hold the value: it takes that many bits, little-endian" },
    { "bits", "'\\1'",
      "column bits (bit(10)) cannot hold the value: it takes that many bits, little-endian" },
    { "enum", "'pink'",
      "column enum (enum('red','green','blue')) cannot hold the value: it is none of its "
      "labels" },
    { "set", "'red,pink'",
      "column set (set('red','green','blue')) cannot hold the value: it is not a list of its "
      "labels" },
    { "set", "'red,'",
      "column set (set('red','green','blue')) cannot hold the value: it is not a list of its "
      "labels" },
    { "json", "'{'", "column json (json) takes a JSON text: a key is missing" },
    { "json", "{}", "column json (json) takes a string, not a table" },
    { "year", "1900", "column year (year) cannot hold the value: out of range" },
    { "date", "'2024-01-01'",
      "column date (date) cannot hold the value: it takes days since 1970-01-01 as a number" },
    { "date", "3000000", "column date (date) cannot hold the value: out of range" },
    { "time", "3020400000000", "column time (time(6)) cannot hold the value: out of range" },
    { "datetime", "'soon'",
      "column datetime (datetime(6)) cannot hold the value: it takes microseconds as a "
      "number" },
    { "geo", "'x'",
      "column geo (geometry) cannot hold the value: a geometry has at least 9 bytes" },
    { "vec", "'123'",
      "column vec (vector(2)) cannot hold the value: its size is not a multiple of 4 bytes" },
    { "uuid", "'nonsense'",
      "column uuid (uuid) cannot hold the value: the text is not a UUID" },
};

static void values_that_do_not_fit_name_column_and_type(void **state)
{
    struct fixture *fixture = *state;
    for (size_t index = 0; index < sizeof(misfits) / sizeof(misfits[0]); index++) {
        char body[256];
        (void)snprintf(body, sizeof(body), "r['%s'] = %s", misfits[index].column,
                       misfits[index].lua);
        if (run_body(fixture, body) != FC_ERR_REJECTED) {
            fail_msg("%s was taken", body);
        }
        assert_string_equal(fixture->runner.err.message + strlen("t.lua:1: "),
                            misfits[index].message);
    }
}

static void a_value_that_did_not_fit_leaves_the_row_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    assert_runs(fixture, "assert(not pcall(function() r.tiny = 1000 end))");
    assert_ptr_equal(fixture->runner.results[0].change, &fixture->runner.change);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(scripts_read_exact_values),
        test(unchanged_is_a_value_of_its_own),
        test(pairs_goes_through_the_columns_in_order),
        test(an_unknown_column_is_named_with_the_nearest),
        test(columns_with_long_names_are_found),
        test(values_that_fit_are_written_in_the_row_s_form),
        test(values_that_do_not_fit_name_column_and_type),
        test(a_value_that_did_not_fit_leaves_the_row_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
