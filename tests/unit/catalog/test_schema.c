/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "catalog/schema.h"
#include "catalog/shape.h"
#include "tests/support/sample_rows.h"

enum { OUT_LIMIT = 1 << 20 };

static const struct fc_schema *add(struct fc_schemas *schemas, const struct fc_shape *shape,
                                   fc_envelope_mode mode, bool expect_added)
{
    const struct fc_schema *schema = NULL;
    bool added = !expect_added;
    struct fc_error err;
    assert_int_equal(fc_schemas_add(schemas, shape, mode, &schema, &added, &err), FC_OK);
    assert_int_equal(added, expect_added);
    return schema;
}

static void a_shape_has_one_schema_however_often_it_comes(void **state)
{
    struct fc_schemas *schemas = fc_schemas_new();
    struct fc_shape *copy = fc_shape_copy(fc_sample_shape());
    const struct fc_schema *first = add(schemas, fc_sample_shape(), FC_ENVELOPE_EXACT, true);
    (void)state;
    assert_ptr_equal(add(schemas, fc_sample_shape(), FC_ENVELOPE_EXACT, false), first);
    assert_ptr_equal(add(schemas, copy, FC_ENVELOPE_EXACT, false), first);
    assert_ptr_equal(fc_schemas_get(schemas, first->id), first);
    assert_null(fc_schemas_get(schemas, first->id + 1));
    assert_true(fc_shape_equal(first->shape, fc_sample_shape()));
    free(copy);
    fc_schemas_free(schemas);
}

static void the_mode_and_every_member_make_another_schema(void **state)
{
    struct fc_schemas *schemas = fc_schemas_new();
    struct fc_column columns[2] = {
        { .name = "a", .native_type = "int", .type = FC_TYPE_INT, .bits = 32, .key_index = 1 },
        { .name = "b", .native_type = "text", .type = FC_TYPE_TEXT, .charset = "utf8mb4" },
    };
    struct fc_shape shape = {
        .db = "d", .table = "t", .columns = columns, .column_count = 2, .key_count = 1
    };
    (void)state;
    (void)add(schemas, &shape, FC_ENVELOPE_EXACT, true);
    (void)add(schemas, &shape, FC_ENVELOPE_DEBEZIUM, true);
    shape.create_sql = "CREATE TABLE t (a INT DEFAULT 1, b TEXT)";
    (void)add(schemas, &shape, FC_ENVELOPE_EXACT, true);
    shape.create_sql = "CREATE TABLE t (a INT DEFAULT 2, b TEXT)";
    (void)add(schemas, &shape, FC_ENVELOPE_EXACT, true);
    fc_schemas_forget_pointers(schemas);
    columns[1].nullable = true;
    (void)add(schemas, &shape, FC_ENVELOPE_EXACT, true);
    fc_schemas_forget_pointers(schemas);
    columns[1].charset = "latin1";
    (void)add(schemas, &shape, FC_ENVELOPE_EXACT, true);
    fc_schemas_forget_pointers(schemas);
    columns[1].charset = NULL;
    (void)add(schemas, &shape, FC_ENVELOPE_EXACT, true);
    fc_schemas_forget_pointers(schemas);
    columns[0].is_unsigned = true;
    (void)add(schemas, &shape, FC_ENVELOPE_EXACT, true);
    fc_schemas_forget_pointers(schemas);
    (void)add(schemas, &shape, FC_ENVELOPE_EXACT, false);
    fc_schemas_free(schemas);
}

/* So that ids in stored records stay valid: whoever changes the text changes the format. */
static void the_text_and_the_id_of_a_shape_never_change(void **state)
{
    static const char *const labels[] = { "x", "y\"" };
    static const struct fc_column columns[2] = {
        { .name = "a",
          .native_type = "bigint unsigned",
          .type = FC_TYPE_INT,
          .is_unsigned = true,
          .bits = 64,
          .key_index = 1 },
        { .name = "s\xc3\xa9",
          .type = FC_TYPE_SET,
          .charset = "utf8mb4",
          .nullable = true,
          .length = 4294967295,
          .label_count = 2,
          .labels = labels },
    };
    static const struct fc_shape shape = { .db = "d/b",
                                           .table = "t",
                                           .columns = columns,
                                           .column_count = 2,
                                           .key_count = 1,
                                           .create_sql = "CREATE TABLE `t` (\n  `a` int)" };
    static const char expected[] =
        "{\"id\":\"cacfb1ae7221ae7c\",\"v\":1,\"mode\":\"exact\",\"db\":\"d/"
        "b\",\"table\":\"t\","
        "\"columns\":[{\"name\":\"a\",\"type\":\"int\",\"native\":\"bigint unsigned\","
        "\"charset\":null,\"nullable\":false,\"unsigned\":true,\"bits\":64,\"length\":0,"
        "\"precision\":0,\"scale\":0,\"key\":1,\"labels\":[]},{\"name\":\"s\xc3\xa9\","
        "\"type\":\"set\",\"native\":null,\"charset\":\"utf8mb4\",\"nullable\":true,"
        "\"unsigned\":false,\"bits\":0,\"length\":4294967295,\"precision\":0,\"scale\":0,"
        "\"key\":0,\"labels\":[\"x\",\"y\\\"\"]}],\"create\":\"CREATE TABLE `t` (\\n  `a` "
        "int)\"}";
    struct fc_schemas *schemas = fc_schemas_new();
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, OUT_LIMIT);
    fc_schema_encode(add(schemas, &shape, FC_ENVELOPE_EXACT, true), &out);
    fc_buf_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, expected);
    fc_buf_release(&out);
    fc_schemas_free(schemas);
}

static void a_stored_schema_comes_back_in_another_process(void **state)
{
    struct fc_schemas *writer = fc_schemas_new();
    struct fc_schemas *reader = fc_schemas_new();
    const struct fc_schema *stored = add(writer, fc_sample_shape(), FC_ENVELOPE_DEBEZIUM, true);
    const struct fc_schema *loaded = NULL;
    const struct fc_schema *again = NULL;
    struct fc_error err;
    struct fc_buf text;
    (void)state;
    fc_buf_init(&text, OUT_LIMIT);
    fc_schema_encode(stored, &text);
    assert_int_equal(fc_schemas_load(reader, fc_buf_slice(&text), &loaded, &err), FC_OK);
    assert_true(loaded->id == stored->id);
    assert_int_equal(loaded->mode, FC_ENVELOPE_DEBEZIUM);
    assert_true(fc_shape_equal(loaded->shape, fc_sample_shape()));
    assert_int_equal(fc_schemas_load(reader, fc_buf_slice(&text), &again, &err), FC_OK);
    assert_ptr_equal(again, loaded);
    assert_ptr_equal(add(reader, fc_sample_shape(), FC_ENVELOPE_DEBEZIUM, false), loaded);
    fc_buf_release(&text);
    fc_schemas_free(reader);
    fc_schemas_free(writer);
}

/* What could be stored but not read back would keep a capture from starting again. */
static void a_schema_whose_key_has_gaps_comes_back(void **state)
{
    static const struct fc_column columns[2] = {
        { .name = "a", .type = FC_TYPE_INT, .bits = 32, .key_index = 7 },
        { .name = "b", .type = FC_TYPE_INT, .bits = 32, .key_index = 2 },
    };
    static const struct fc_shape shape = {
        .db = "d", .table = "t", .columns = columns, .column_count = 2, .key_count = 2
    };
    struct fc_schemas *writer = fc_schemas_new();
    struct fc_schemas *reader = fc_schemas_new();
    const struct fc_schema *loaded = NULL;
    struct fc_error err;
    struct fc_buf text;
    (void)state;
    fc_buf_init(&text, OUT_LIMIT);
    fc_schema_encode(add(writer, &shape, FC_ENVELOPE_EXACT, true), &text);
    assert_int_equal(fc_schemas_load(reader, fc_buf_slice(&text), &loaded, &err), FC_OK);
    assert_true(fc_shape_equal(loaded->shape, &shape));
    fc_buf_release(&text);
    fc_schemas_free(reader);
    fc_schemas_free(writer);
}

/* Replace the first `from` by `to` of the same length. */
static void patch(struct fc_buf *text, const char *from, const char *to)
{
    uint8_t *at = memmem(text->data, text->len, from, strlen(from));
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
}

static void a_damaged_schema_is_refused(void **state)
{
    static const char *const patches[][2] = {
        { "\"v\":1", "\"v\":2" },
        { "\"inv\"", "\"inw\"" },
        { "\"mode\":\"exact\"", "\"mode\":\"exacd\"" },
        { "\"type\":\"int\"", "\"type\":\"inn\"" },
        { "\"type\":\"int\"", "\"type\":12345" },
        { "\"bits\":32", "\"bits\":-2" },
        { "\"key\":2", "\"key\":3" },
        { "\"key\":2", "\"key\":1" },
        { "\"labels\":[]", "\"labels\":{}" },
        { "\"nullable\":true", "\"nullable\":1234" },
        { "\"columns\":", "\"column_\":" },
        { "\"id\":\"", "\"ix\":\"" },
        { "}],", "}]]" },
    };
    struct fc_schemas *schemas = fc_schemas_new();
    struct fc_schemas *reader = fc_schemas_new();
    const struct fc_schema *stored = add(schemas, fc_sample_shape(), FC_ENVELOPE_EXACT, true);
    const struct fc_schema *loaded = NULL;
    struct fc_error err;
    struct fc_buf text;
    (void)state;
    fc_buf_init(&text, OUT_LIMIT);
    for (size_t index = 0; index < sizeof(patches) / sizeof(*patches); index++) {
        fc_buf_clear(&text);
        fc_schema_encode(stored, &text);
        patch(&text, patches[index][0], patches[index][1]);
        if (fc_schemas_load(reader, fc_buf_slice(&text), &loaded, &err) != FC_ERR_CORRUPT) {
            fail_msg("%s was taken", patches[index][1]);
        }
    }
    fc_buf_clear(&text);
    fc_schema_encode(stored, &text);
    for (size_t len = 0; len < text.len; len += 7) {
        assert_int_equal(fc_schemas_load(reader, fc_slice_of(text.data, len), &loaded, &err),
                         FC_ERR_CORRUPT);
    }
    assert_int_equal(fc_schemas_load(reader, fc_slice_null(), &loaded, &err), FC_ERR_CORRUPT);
    assert_null(loaded);
    fc_buf_release(&text);
    fc_schemas_free(reader);
    fc_schemas_free(schemas);
}

static void text_that_is_not_utf8_is_refused(void **state)
{
    static const char *const labels[] = { "\xff" };
    struct fc_column column = { .name = "a\xff", .type = FC_TYPE_ENUM };
    struct fc_shape shape = { .db = "d", .table = "t", .columns = &column, .column_count = 1 };
    struct fc_schemas *schemas = fc_schemas_new();
    const struct fc_schema *schema = NULL;
    bool added = false;
    struct fc_error err;
    (void)state;
    assert_int_equal(fc_schemas_add(schemas, &shape, FC_ENVELOPE_EXACT, &schema, &added, &err),
                     FC_ERR_PROTOCOL);
    column.name = "a";
    column.label_count = 1;
    column.labels = labels;
    assert_int_equal(fc_schemas_add(schemas, &shape, FC_ENVELOPE_EXACT, &schema, &added, &err),
                     FC_ERR_PROTOCOL);
    column.label_count = 0;
    shape.create_sql = "CREATE TABLE t (a INT COMMENT '\xff')";
    assert_int_equal(fc_schemas_add(schemas, &shape, FC_ENVELOPE_EXACT, &schema, &added, &err),
                     FC_ERR_PROTOCOL);
    assert_null(schema);
    fc_schemas_free(schemas);
}

static void thousands_of_shapes_are_told_apart(void **state)
{
    enum { COUNT = 3000 };
    static struct fc_column column = { .name = "a", .type = FC_TYPE_INT, .bits = 32 };
    static struct fc_shape shapes[COUNT];
    static char names[COUNT][8];
    static const struct fc_schema *known[COUNT];
    struct fc_schemas *schemas = fc_schemas_new();
    (void)state;
    for (int index = 0; index < COUNT; index++) {
        (void)snprintf(names[index], sizeof(names[index]), "t%d", index);
        shapes[index] = (struct fc_shape){
            .db = "d", .table = names[index], .columns = &column, .column_count = 1
        };
        known[index] = add(schemas, &shapes[index], FC_ENVELOPE_EXACT, true);
    }
    for (int index = 0; index < COUNT; index++) {
        assert_ptr_equal(add(schemas, &shapes[index], FC_ENVELOPE_EXACT, false), known[index]);
        assert_string_equal(known[index]->shape->table, names[index]);
    }
    fc_schemas_forget_pointers(schemas);
    for (int index = 0; index < COUNT; index++) {
        assert_ptr_equal(add(schemas, &shapes[index], FC_ENVELOPE_EXACT, false), known[index]);
    }
    fc_schemas_free(schemas);
}

static void a_copy_of_a_shape_shares_nothing_with_it(void **state)
{
    char name[] = "a";
    char label[] = "one";
    const char *labels[] = { label };
    struct fc_column column = {
        .name = name, .type = FC_TYPE_ENUM, .label_count = 1, .labels = labels
    };
    struct fc_shape shape = { .db = "d", .table = "t", .columns = &column, .column_count = 1 };
    struct fc_shape *copy = fc_shape_copy(&shape);
    (void)state;
    assert_true(fc_shape_equal(copy, &shape));
    assert_true(fc_shape_hash(copy) == fc_shape_hash(&shape));
    label[0] = 'O';
    assert_string_equal(copy->columns[0].labels[0], "one");
    assert_false(fc_shape_equal(copy, &shape));
    label[0] = 'o';
    name[0] = 'b';
    assert_string_equal(copy->columns[0].name, "a");
    assert_false(fc_shape_equal(copy, &shape));
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shape_has_one_schema_however_often_it_comes),
        cmocka_unit_test(the_mode_and_every_member_make_another_schema),
        cmocka_unit_test(the_text_and_the_id_of_a_shape_never_change),
        cmocka_unit_test(a_stored_schema_comes_back_in_another_process),
        cmocka_unit_test(a_schema_whose_key_has_gaps_comes_back),
        cmocka_unit_test(a_damaged_schema_is_refused),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(thousands_of_shapes_are_told_apart),
        cmocka_unit_test(a_copy_of_a_shape_shares_nothing_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
