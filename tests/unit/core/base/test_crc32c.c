/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/crc32c.h"

/* The definition, one bit at a time. */
static uint32_t crc32c_plainly(const uint8_t *data, size_t len)
{
    uint32_t crc = 0xffffffff;
    for (size_t index = 0; index < len; index++) {
        crc ^= data[index];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}

static void known_texts_have_their_known_sums(void **state)
{
    static const uint8_t zeros[32];
    uint8_t ones[32];
    (void)state;
    for (size_t index = 0; index < sizeof(ones); index++) {
        ones[index] = 0xff;
    }
    assert_int_equal(fc_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(fc_crc32c(0, zeros, 32), 0x8a9136aa); /* RFC 3720, B.4 */
    assert_int_equal(fc_crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(fc_crc32c(0, "", 0), 0);
}

static void every_length_and_every_cut_agree_with_the_definition(void **state)
{
    uint8_t data[600];
    (void)state;
    for (size_t index = 0; index < sizeof(data); index++) {
        data[index] = (uint8_t)(index * 31 + index / 7);
    }
    for (size_t len = 0; len < sizeof(data); len++) {
        uint32_t whole = crc32c_plainly(data, len);
        size_t cut = len * 5 / 8;
        assert_int_equal(fc_crc32c(0, data, len), whole);
        assert_int_equal(fc_crc32c(fc_crc32c(0, data, cut), data + cut, len - cut), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_known_sums),
        cmocka_unit_test(every_length_and_every_cut_agree_with_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
