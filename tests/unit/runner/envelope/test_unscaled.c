/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runner/envelope/base64.h"
#include "runner/envelope/unscaled.h"

static void assert_unscaled(const char *text, unsigned scale, const char *base64)
{
    uint8_t bytes[FC_UNSCALED_BYTES_MAX];
    char encoded[FC_UNSCALED_BYTES_MAX * 2];
    char back[FC_UNSCALED_TEXT_MAX];
    size_t len = 0;
    size_t back_len = 0;
    unsigned text_scale = 0;
    assert_true(fc_unscaled_from_text(fc_slice_text(text), scale, bytes, &len, &text_scale));
    assert_int_equal(text_scale, scale);
    *fc_base64_put(encoded, bytes, len) = '\0';
    assert_string_equal(encoded, base64);
    assert_true(fc_unscaled_to_text(fc_slice_of(bytes, len), scale, back, &back_len));
    assert_true(fc_slice_equal_text(fc_slice_of(back, back_len), text));
}

static void known_numbers_have_their_known_bytes(void **state)
{
    (void)state;
    assert_unscaled("1234.11", 2, "AeIT");
    assert_unscaled("-1234.11", 2, "/h3t");
    assert_unscaled("1.10", 2, "bg==");
    assert_unscaled("12345.67", 2, "EtaH");
    assert_unscaled("10.1111", 4, "AYr3");
    assert_unscaled("0", 0, "AA==");
    assert_unscaled("1.28", 2, "AIA=");
    assert_unscaled("18446744073709551615", 0, "AP//////////");
    assert_unscaled("-1.28", 2, "gA==");
    assert_unscaled("-1.29", 2, "/38=");
    assert_unscaled("-9223372036854775808", 0, "gAAAAAAAAAA=");
    assert_unscaled("9223372036854775808", 0, "AIAAAAAAAAAA");
    assert_unscaled("-9223372036854775809", 0, "/3//////////");
    assert_unscaled("0.000", 3, "AA==");
    assert_unscaled("-0.001", 3, "/w==");
}

static void missing_fraction_digits_are_filled_and_spare_ones_kept(void **state)
{
    uint8_t bytes[FC_UNSCALED_BYTES_MAX];
    char text[FC_UNSCALED_TEXT_MAX];
    size_t len = 0;
    unsigned scale = 0;
    (void)state;
    assert_true(fc_unscaled_from_text(fc_slice_text("1.1"), 3, bytes, &len, &scale));
    assert_int_equal(scale, 3);
    assert_true(fc_unscaled_to_text(fc_slice_of(bytes, len), scale, text, &len));
    assert_true(fc_slice_equal_text(fc_slice_of(text, len), "1.100"));
    assert_true(fc_unscaled_from_text(fc_slice_text("+1.1234"), 2, bytes, &len, &scale));
    assert_int_equal(scale, 4);
    assert_true(fc_unscaled_to_text(fc_slice_of(bytes, len), scale, text, &len));
    assert_true(fc_slice_equal_text(fc_slice_of(text, len), "1.1234"));
}

static void the_longest_numbers_fit(void **state)
{
    char nines[FC_UNSCALED_DIGITS_MAX + 2];
    uint8_t bytes[FC_UNSCALED_BYTES_MAX];
    char text[FC_UNSCALED_TEXT_MAX];
    size_t len = 0;
    unsigned scale = 0;
    (void)state;
    memset(nines, '9', sizeof(nines));
    nines[0] = '-';
    assert_true(fc_unscaled_from_text(fc_slice_of(nines, FC_UNSCALED_DIGITS_MAX + 1), 0, bytes,
                                      &len, &scale));
    assert_in_range(len, 1, FC_UNSCALED_BYTES_MAX);
    assert_true(fc_unscaled_to_text(fc_slice_of(bytes, len), 0, text, &len));
    assert_int_equal(len, FC_UNSCALED_DIGITS_MAX + 1);
    assert_memory_equal(text, nines, len);
    assert_false(fc_unscaled_from_text(fc_slice_of(nines, FC_UNSCALED_DIGITS_MAX + 2), 0, bytes,
                                       &len, &scale));
    memset(bytes, 0x80, sizeof(bytes));
    assert_true(fc_unscaled_to_text(fc_slice_of(bytes, sizeof(bytes)), 255, text, &len));
    assert_in_range(len, 1, FC_UNSCALED_TEXT_MAX);
    assert_false(fc_unscaled_to_text(fc_slice_of(bytes, sizeof(bytes)), 256, text, &len));
    assert_false(fc_unscaled_to_text(fc_slice_of(bytes, 0), 0, text, &len));
}

static void what_is_no_plain_decimal_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "-", ".", "abc", "1e3", "1,5", "1.2.3", "--1", " 1"
    };
    uint8_t bytes[FC_UNSCALED_BYTES_MAX];
    size_t len = 0;
    unsigned scale = 0;
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(*texts); index++) {
        assert_false(
            fc_unscaled_from_text(fc_slice_text(texts[index]), 2, bytes, &len, &scale));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_numbers_have_their_known_bytes),
        cmocka_unit_test(missing_fraction_digits_are_filled_and_spare_ones_kept),
        cmocka_unit_test(the_longest_numbers_fit),
        cmocka_unit_test(what_is_no_plain_decimal_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
