/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runner/envelope/base64.h"

static void known_bytes_have_their_known_text(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *text;
    } cases[] = { { "", 0, "" },
                  { "\2", 1, "Ag==" },
                  { "@", 1, "QA==" },
                  { "\1\2\3", 3, "AQID" },
                  { "\5", 1, "BQ==" },
                  { "\xdb\x0e\x6e\1\0\0\0\0", 8, "2w5uAQAAAAA=" },
                  { "\1\2\x23\xda\1", 5, "AQIj2gE=" },
                  { "\0\0\0\0\0\0\0\x80", 8, "AAAAAAAAAIA=" },
                  { "__debezium_unavailable_value", 28,
                    "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==" } };
    (void)state;
    for (size_t index = 0; index < sizeof(cases) / sizeof(*cases); index++) {
        char text[64];
        *fc_base64_put(text, (const uint8_t *)cases[index].bytes, cases[index].len) = '\0';
        assert_string_equal(text, cases[index].text);
        assert_int_equal(strlen(text), fc_base64_size(cases[index].len));
    }
}

static void every_byte_comes_back_at_every_length(void **state)
{
    (void)state;
    for (size_t len = 0; len < 300; len++) {
        uint8_t bytes[300];
        char text[404];
        uint8_t back[303];
        size_t back_len = 0;
        size_t text_len;
        for (size_t index = 0; index < len; index++) {
            bytes[index] = (uint8_t)(index * 7 + len);
        }
        text_len = (size_t)(fc_base64_put(text, bytes, len) - text);
        assert_true(fc_base64_take(fc_slice_of(text, text_len), back, &back_len));
        assert_int_equal(back_len, len);
        assert_memory_equal(back, bytes, len);
    }
}

static void what_an_encoder_would_not_write_is_refused(void **state)
{
    static const char *const texts[] = { "A",
                                         "AA",
                                         "AAA",
                                         "A===",
                                         "AB==",
                                         "AAB=",
                                         "A=AA",
                                         "AA=A",
                                         "AA-_",
                                         "A A=",
                                         "AAAA====",
                                         "\x80"
                                         "AAA" };
    (void)state;
    for (size_t index = 0; index < sizeof(texts) / sizeof(*texts); index++) {
        uint8_t bytes[16];
        size_t len = 0;
        if (fc_base64_take(fc_slice_text(texts[index]), bytes, &len)) {
            fail_msg("%s was taken for base64", texts[index]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes_have_their_known_text),
        cmocka_unit_test(every_byte_comes_back_at_every_length),
        cmocka_unit_test(what_an_encoder_would_not_write_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
