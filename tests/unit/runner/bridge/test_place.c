/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/bridge/place.h"

static bool is_orders(void *ctx, const char *topic)
{
    (void)ctx;
    return strcmp(topic, "orders") == 0;
}

static void offsets_and_ids_are_read_in_both_forms(void **state)
{
    static const char text[] =
        "{\"orders\":{\"id\":\"pFRUu1wM\",\"next\":[12,-1]},\"old\":[7]}";
    struct fc_places *places = NULL;
    struct fc_error error;
    (void)state;
    assert_int_equal(fc_places_decode(fc_slice_text(text), &places, &error), FC_OK);
    assert_int_equal(fc_places_get(places, "orders", 0), 12);
    assert_int_equal(fc_places_get(places, "orders", 1), -1);
    assert_int_equal(fc_places_get(places, "orders", 2), -1);
    assert_int_equal(fc_places_get(places, "old", 0), 7);
    assert_int_equal(fc_places_get(places, "none", 0), -1);
    assert_string_equal(fc_places_id(places, "orders"), "pFRUu1wM");
    assert_null(fc_places_id(places, "old"));
    assert_null(fc_places_id(places, "none"));
    fc_places_free(places);
}

static void what_is_not_known_is_kept_as_it_was(void **state)
{
    static const char text[] = "{\"orders\":[1],\"b\":{\"id\":\"X\",\"next\":[3,4]},\"c\":[5]}";
    struct fc_places *places = NULL;
    struct fc_error error;
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, 1024);
    assert_int_equal(fc_places_decode(fc_slice_text(text), &places, &error), FC_OK);
    fc_buf_append_text(&out, "{");
    fc_places_encode_begin(&out, "orders", "Y");
    fc_buf_append_text(&out, "2");
    fc_places_encode_end(&out, "Y");
    fc_places_encode_others(places, is_orders, NULL, true, &out);
    fc_buf_append_text(&out, "}");
    fc_places_free(places);
    assert_int_equal(fc_places_decode(fc_buf_slice(&out), &places, &error), FC_OK);
    assert_int_equal(fc_places_get(places, "orders", 0), 2);
    assert_string_equal(fc_places_id(places, "orders"), "Y");
    assert_int_equal(fc_places_get(places, "b", 1), 4);
    assert_string_equal(fc_places_id(places, "b"), "X");
    assert_int_equal(fc_places_get(places, "c", 0), 5);
    assert_null(fc_places_id(places, "c"));
    fc_places_free(places);
    fc_buf_release(&out);
}

static void what_is_no_object_is_refused(void **state)
{
    struct fc_places *places = NULL;
    struct fc_error error;
    (void)state;
    assert_int_equal(fc_places_decode(fc_slice_text("[1]"), &places, &error), FC_ERR_CORRUPT);
    assert_null(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_and_ids_are_read_in_both_forms),
        cmocka_unit_test(what_is_not_known_is_kept_as_it_was),
        cmocka_unit_test(what_is_no_object_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
