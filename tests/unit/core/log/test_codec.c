/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <snappy-c.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/log/codec.h"

/* librdkafka and others write snappy without the framing of Java clients. */
static void snappy_without_framing_is_read(void **state)
{
    static const char text[] = "again and again and again and again and again and again";
    char packed[256];
    size_t size = sizeof(packed);
    struct fc_codec *codec = fc_codec_new();
    struct fc_buf plain;
    struct fc_error err;
    (void)state;
    fc_buf_init(&plain, 1 << 20);
    assert_int_equal(snappy_compress(text, sizeof(text), packed, &size), SNAPPY_OK);
    assert_int_equal(fc_codec_decompress(codec, FC_COMPRESSION_SNAPPY,
                                         fc_slice_of((const uint8_t *)packed, size), &plain,
                                         &err),
                     FC_OK);
    assert_int_equal(plain.len, sizeof(text));
    assert_memory_equal(plain.data, text, sizeof(text));
    for (size_t cut = 0; cut < size; cut++) {
        fc_buf_clear(&plain);
        assert_int_not_equal(fc_codec_decompress(codec, FC_COMPRESSION_SNAPPY,
                                                 fc_slice_of((const uint8_t *)packed, cut),
                                                 &plain, &err),
                             FC_OK);
    }
    fc_buf_release(&plain);
    fc_codec_free(codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snappy_without_framing_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
