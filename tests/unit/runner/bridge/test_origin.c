/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/bridge/origin.h"
#include "runner/bridge/place.h"

static void an_origin_is_read_as_it_was_written(void **state)
{
    struct fc_buf text;
    struct fc_header headers[2] = { { fc_slice_text("a"), fc_slice_null() } };
    struct fc_record record = { .headers = headers, .header_count = 2 };
    (void)state;
    fc_buf_init(&text, 1024);
    fc_origin_encode(&text, "dc1", "orders", 3, 1042);
    headers[1] = (struct fc_header){ fc_slice_text(FC_ORIGIN_HEADER), fc_buf_slice(&text) };
    assert_int_equal(fc_origin_offset(&record, "dc1", "orders", 3), 1042);
    assert_int_equal(fc_origin_offset(&record, "dc1", "orders", 30), -1);
    assert_int_equal(fc_origin_offset(&record, "dc1", "order", 3), -1);
    assert_int_equal(fc_origin_offset(&record, "dc2", "orders", 3), -1);
    assert_int_equal(fc_origin_own_headers(&record), 1);
    fc_buf_release(&text);
}

static void what_is_no_origin_stays_the_records_own(void **state)
{
    static const char *const texts[] = { "",
                                         "dc1",
                                         "dc1 orders 3 ",
                                         "dc1 orders 3 x",
                                         "dc1 orders 3 1042x",
                                         "dc1 orders 3 99999999999999999999999999" };
    struct fc_header header = { fc_slice_text("fc"), fc_slice_text("dc1 orders 3 7") };
    struct fc_record record = { .headers = &header, .header_count = 1 };
    (void)state;
    assert_int_equal(fc_origin_offset(&record, "dc1", "orders", 3), -1);
    assert_int_equal(fc_origin_own_headers(&record), 1);
    header.key = fc_slice_text(FC_ORIGIN_HEADER);
    for (size_t index = 0; index < sizeof(texts) / sizeof(texts[0]); index++) {
        header.value = fc_slice_text(texts[index]);
        assert_int_equal(fc_origin_offset(&record, "dc1", "orders", 3), -1);
    }
    record.header_count = 0;
    assert_int_equal(fc_origin_own_headers(&record), 0);
}

static bool is_orders(void *ctx, const char *topic)
{
    (void)ctx;
    return strcmp(topic, "orders") == 0;
}

static void places_are_read_and_those_of_others_go_along(void **state)
{
    struct fc_places *places = NULL;
    struct fc_error error;
    struct fc_buf text;
    (void)state;
    assert_int_equal(
        fc_places_decode(fc_slice_text("{\"orders\":[12,-1],\"old\":[7,8]}"), &places, &error),
        FC_OK);
    assert_int_equal(fc_places_get(places, "orders", 0), 12);
    assert_int_equal(fc_places_get(places, "orders", 1), -1);
    assert_int_equal(fc_places_get(places, "orders", 2), -1);
    assert_int_equal(fc_places_get(places, "none", 0), -1);
    fc_buf_init(&text, 1024);
    fc_places_encode_others(places, is_orders, NULL, true, &text);
    assert_true(fc_slice_equal_text(fc_buf_slice(&text), ",\"old\":[7,8]"));
    fc_buf_release(&text);
    fc_places_free(places);
    assert_int_equal(fc_places_decode(fc_slice_text("[1]"), &places, &error), FC_ERR_CORRUPT);
    assert_int_equal(fc_places_decode(fc_slice_text("{"), &places, &error), FC_ERR_CORRUPT);
    assert_int_equal(fc_places_decode(fc_slice_null(), &places, &error), FC_OK);
    assert_int_equal(fc_places_get(places, "orders", 0), -1);
    fc_places_free(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_origin_stays_the_records_own),
        cmocka_unit_test(places_are_read_and_those_of_others_go_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
