/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/restore/ascents.h"

static void init(struct fc_shape *shape, struct fc_column *columns, fc_type first,
                 fc_type second, uint32_t key_count)
{
    memset(columns, 0, 3 * sizeof(*columns));
    memset(shape, 0, sizeof(*shape));
    columns[0].name = "data";
    columns[1].name = "b"; /* stands before the first of the key */
    columns[1].type = second;
    columns[1].key_index = key_count == 2 ? 2 : 0;
    columns[2].name = "a";
    columns[2].type = first;
    columns[2].key_index = 1;
    shape->columns = columns;
    shape->column_count = 3;
    shape->key_count = key_count;
}

static void assert_ascending(const struct fc_shape *shape, const char *const *keys,
                             size_t count)
{
    struct fc_key_order order = { 0 };
    uint8_t before[FC_KEY_ORDER_BYTES_MAX];
    uint8_t bytes[FC_KEY_ORDER_BYTES_MAX];
    size_t before_len = 0;
    fc_key_order_set(&order, shape);
    for (size_t index = 0; index < count; index++) {
        size_t len = fc_key_order_put(&order, fc_slice_text(keys[index]), bytes);
        assert_in_range(len, 1, FC_KEY_ORDER_BYTES_MAX);
        if (index > 0 && fc_key_order_compare(fc_slice_of(before, before_len),
                                              fc_slice_of(bytes, len)) >= 0) {
            fail_msg("%s does not lie behind %s", keys[index], keys[index - 1]);
        }
        memcpy(before, bytes, len);
        before_len = len;
    }
}

#define ASSERT_ASCENDING(shape, keys)                                                          \
    assert_ascending(shape, keys, sizeof(keys) / sizeof((keys)[0]))

static void numbers_are_in_their_order(void **state)
{
    static const char *const integers[] = {
        "{\"a\":-9223372036854775808}",
        "{\"a\":-100}",
        "{\"a\":-99}",
        "{\"a\":-10}",
        "{\"a\":-9}",
        "{\"a\":0}",
        "{\"a\":1}",
        "{\"a\":9}",
        "{\"a\":10}",
        "{\"a\":99}",
        "{\"a\":18446744073709551615}",
    };
    static const char *const decimals[] = {
        "{\"a\":\"-12.30\"}", "{\"a\":\"-12.29\"}", "{\"a\":-1.5}",      "{\"a\":\"-0.01\"}",
        "{\"a\":\"0.00\"}",   "{\"a\":\"0.01\"}",   "{\"a\":\"9.99\"}",  "{\"a\":10.00}",
        "{\"a\":\"10.01\"}",  "{\"a\":\"10.1\"}",   "{\"a\":\"123.00\"}"
    };
    struct fc_column columns[3];
    struct fc_shape shape;
    (void)state;
    init(&shape, columns, FC_TYPE_INT, FC_TYPE_INT, 1);
    ASSERT_ASCENDING(&shape, integers);
    init(&shape, columns, FC_TYPE_DECIMAL, FC_TYPE_INT, 1);
    ASSERT_ASCENDING(&shape, decimals);
}

static void texts_are_in_the_order_of_collations_without_case(void **state)
{
    static const char *const texts[] = { "{\"a\":\"\"}",    "{\"a\":\"9\"}",
                                         "{\"a\":\"ab\"}",  "{\"a\":\"ABC\"}",
                                         "{\"a\":\"abd\"}", "{\"a\":\"b\\\",\\\\\"}" };
    static const char *const bytes[] = { "{\"a\":\"AAE=\"}", "{\"a\":\"ZAE=\"}",
                                         "{\"a\":\"aAE=\"}", "{\"a\":\"0AE=\"}",
                                         "{\"a\":\"+AE=\"}", "{\"a\":\"/AE=\"}" };
    struct fc_column columns[3];
    struct fc_shape shape;
    (void)state;
    init(&shape, columns, FC_TYPE_TEXT, FC_TYPE_INT, 1);
    ASSERT_ASCENDING(&shape, texts);
    init(&shape, columns, FC_TYPE_BYTES, FC_TYPE_INT, 1);
    ASSERT_ASCENDING(&shape, bytes);
}

static void the_second_column_counts_where_the_first_is_equal(void **state)
{
    static const char *const keys[] = { "{\"a\":\"a\",\"b\":-1}", "{\"a\":\"a\",\"b\":7}",
                                        "{\"a\":\"a\",\"b\":11}", "{\"a\":\"a,\",\"b\":2}",
                                        "{\"a\":\"aa\",\"b\":-3}" };
    struct fc_column columns[3];
    struct fc_shape shape;
    (void)state;
    init(&shape, columns, FC_TYPE_TEXT, FC_TYPE_INT, 2);
    ASSERT_ASCENDING(&shape, keys);
}

static void keys_of_any_form_are_read_within_their_bytes(void **state)
{
    static const char whole[] = "{\"a\":\"a\\\"bc\",\"b\":-12.5e3}";
    struct fc_key_order order = { 0 };
    struct fc_column columns[3];
    struct fc_shape shape;
    uint8_t bytes[FC_KEY_ORDER_BYTES_MAX];
    char *text;
    (void)state;
    init(&shape, columns, FC_TYPE_TEXT, FC_TYPE_INT, 2);
    fc_key_order_set(&order, &shape);
    for (size_t len = 0; len < sizeof(whole); len++) {
        text = test_malloc(len + 1); /* the sanitizer sees what goes past it */
        memcpy(text, whole, len);
        (void)fc_key_order_put(&order, fc_slice_of(text, len), bytes);
        test_free(text);
    }
    assert_int_equal(fc_key_order_put(&order, fc_slice_null(), bytes), 0);
    text = test_malloc(1000);
    memset(text, 'x', 1000);
    memcpy(text, "{\"a\":\"", 6);
    assert_int_equal(fc_key_order_put(&order, fc_slice_of(text, 1000), bytes),
                     FC_KEY_ORDER_BYTES_MAX);
    test_free(text);
}

static uint32_t join(struct fc_ascents *ascents, uint8_t byte)
{
    return fc_ascents_join(ascents, fc_slice_of(&byte, 1));
}

static void a_row_joins_the_sequence_that_ends_closest_below(void **state)
{
    struct fc_ascents ascents = { 0 };
    (void)state;
    assert_int_equal(join(&ascents, 200), 0); /* a high one, and all others are in order */
    for (uint8_t at = 100; at < 110; at++) {
        assert_int_equal(join(&ascents, at), 1);
    }
    assert_int_equal(join(&ascents, 50), 2);
    assert_int_equal(join(&ascents, 150), 1);
    assert_int_equal(join(&ascents, 201), 0);
    assert_int_equal(join(&ascents, 60), 2);
    assert_int_equal(join(&ascents, 60), 2);
    assert_int_equal(join(&ascents, 10), 3);
    assert_int_equal(join(&ascents, 5), FC_ASCENT_NONE);
    assert_int_equal(join(&ascents, 11), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_in_their_order),
        cmocka_unit_test(texts_are_in_the_order_of_collations_without_case),
        cmocka_unit_test(the_second_column_counts_where_the_first_is_equal),
        cmocka_unit_test(keys_of_any_form_are_read_within_their_bytes),
        cmocka_unit_test(a_row_joins_the_sequence_that_ends_closest_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
