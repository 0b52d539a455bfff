/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/utf8.h"

static void characters_of_every_length_are_valid(void **state)
{
    (void)state;
    assert_true(fc_utf8_valid(fc_slice_text("")));
    assert_true(fc_utf8_valid(fc_slice_text("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    assert_true(fc_utf8_valid(fc_slice_text("\xf4\x8f\xbf\xbf"))); /* U+10FFFF */
    assert_int_equal(fc_utf8_columns("a\xc3\xa9\xe2\x82\xac"), 3);
}

static void what_unicode_excludes_is_not(void **state)
{
    static const char *const texts[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5",
        "\xc3",         "\xe2\x82",         "\xe2\x28\xa1",
    };
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(*texts); index++) {
        assert_false(fc_utf8_valid(fc_slice_text(texts[index])));
    }
}

static void each_stray_byte_is_replaced(void **state)
{
    struct fc_buf out;
    (void)state;
    fc_buf_init(&out, 64);
    fc_utf8_repair(fc_slice_text("a\xff\xe2\x82z"), &out);
    assert_true(
        fc_slice_equal_text(fc_buf_slice(&out), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"));
    fc_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_of_every_length_are_valid),
        cmocka_unit_test(what_unicode_excludes_is_not),
        cmocka_unit_test(each_stray_byte_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
