/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/mysql/charset.h"

static void assert_converts(const char *charset, const char *bytes, const char *expected)
{
    struct fc_charset_converter converter;
    struct fc_error err;
    char to[256];
    size_t len;
    assert_non_null(fc_charset_named(charset));
    if (fc_charset_converter_open(&converter, fc_charset_named(charset), &err) != FC_OK) {
        fail_msg("%s", err.message);
    }
    for (int round = 0; round < 2; round++) { /* nothing of the first is left for the second */
        len = fc_charset_to_utf8(&converter, fc_slice_text(bytes), to);
        assert_true(len < sizeof(to));
        to[len] = '\0';
        assert_string_equal(to, expected);
    }
    assert_true(len <= fc_charset_utf8_size_max(converter.charset, strlen(bytes)));
    fc_charset_converter_close(&converter);
}

static void text_of_every_kind_of_charset_becomes_utf8(void **state)
{
    (void)state;
    assert_converts("latin1", "caf\xe9 \x80\x81\xff", "café €\xc2\x81ÿ"); /* windows-1252 */
    assert_converts("koi8r", "\xd0\xd2\xc9\xd7\xc5\xd4", "привет");
    assert_converts("cp1251", "\xcf\xf0\xe8", "При");
    assert_converts("swe7", "[\\]x", "ÄÖÅx");
    assert_converts("hebrew", "\xf9\xec\xe5\xed", "שלום");
    assert_converts("gbk", "\xd6\xd0\xce\xc4 a", "中文 a");
    assert_converts("big5", "\xa4\xa4\xc6\xa1", "中ヾ"); /* the second is not iconv's */
    assert_converts("sjis", "\x93\xfa\x81\x5f\x5c", "日\\\\");
    assert_converts("cp932", "\x93\xfa\x81\x5f", "日＼");
    assert_converts("ujis", "\xc6\xfc\x8f\xa2\xb7", "日~");
    assert_converts("eucjpms", "\xc6\xfc\xa1\xc1", "日～");
    assert_converts("euckr", "\xc7\xd1", "한");
    assert_converts("gb2312", "\xd6\xd0", "中");
    assert_converts("gb18030", "\x81\x39\xee\x39\xfe\x51", "㐀\xee\xa0\x96");
    assert_converts("ucs2", "\x4e\x2d", "中");
    assert_converts("utf16", "\xd8\x34\xdd\x1e", "𝄞");
    assert_converts("utf16le", "\x34\xd8\x1e\xdd", "𝄞");
    assert_converts("utf8mb4", "中", "中");
}

static void what_is_no_character_becomes_one_question_mark(void **state)
{
    (void)state;
    assert_converts("cp1251", "a\x98z", "a?z");
    assert_converts("gb2312", "a\xa2\xa1z", "a?z");
    assert_converts("sjis", "a\x81\xadz", "a?z");
    /* glibc's converter claims here that everything was converted. */
    assert_converts("euckr", "a\xa2\xe8z\xc7\xd1", "a?z한");
    assert_converts("gbk", "a\xd6", "a?"); /* cut */
    assert_converts("utf16", "\xd8\x3c\x4e\x2d", "?中");
}

static void only_ascii_in_a_set_that_keeps_it_is_plain(void **state)
{
    (void)state;
    assert_true(fc_charset_is_plain(fc_charset_named("latin1"), fc_slice_text("12345678 abc")));
    assert_true(fc_charset_is_plain(fc_charset_named("gbk"), fc_slice_of("", 0)));
    assert_false(
        fc_charset_is_plain(fc_charset_named("latin1"), fc_slice_text("12345678 ab\xe9")));
    assert_false(
        fc_charset_is_plain(fc_charset_named("latin1"), fc_slice_text("1234567\xe9 x")));
    assert_false(fc_charset_is_plain(fc_charset_named("swe7"), fc_slice_text("abc")));
    assert_false(fc_charset_is_plain(fc_charset_named("ucs2"), fc_slice_text("ab")));
}

static void collations_have_their_charset(void **state)
{
    static const struct {
        uint32_t id;
        const char *name;
    } cases[] = { { 1, "big5" },       { 8, "latin1" },     { 33, "utf8mb3" },
                  { 45, "utf8mb4" },   { 63, "binary" },    { 83, "utf8mb3" },
                  { 101, "utf16" },    { 128, "ucs2" },     { 183, "utf32" },
                  { 192, "utf8mb3" },  { 224, "utf8mb4" },  { 248, "gb18030" },
                  { 255, "utf8mb4" },  { 309, "utf8mb4" },  { 323, "utf8mb4" },
                  { 576, "utf8mb3" },  { 608, "utf8mb4" },  { 1032, "latin1" },
                  { 1069, "utf8mb4" }, { 2048, "utf8mb3" }, { 2304, "utf8mb4" },
                  { 2560, "ucs2" },    { 3072, "utf32" } };
    (void)state;
    for (size_t index = 0; index < sizeof(cases) / sizeof(cases[0]); index++) {
        const struct fc_charset *charset = fc_charset_of_collation(cases[index].id);
        assert_non_null(charset);
        assert_string_equal(charset->name, cases[index].name);
    }
    assert_null(fc_charset_of_collation(0));
    assert_null(fc_charset_of_collation(17));
    assert_null(fc_charset_of_collation(575));
    assert_null(fc_charset_of_collation(1024));
    assert_null(fc_charset_of_collation(4000));
    assert_null(fc_charset_of_collation(UINT32_MAX));
}

static void charsets_are_found_by_collation_and_old_names(void **state)
{
    (void)state;
    assert_string_equal(fc_charset_named("utf8")->name, "utf8mb3");
    assert_string_equal(fc_charset_named("utf8_bin")->name, "utf8mb3");
    assert_string_equal(fc_charset_named("UTF8MB4_0900_AI_CI")->name, "utf8mb4");
    assert_string_equal(fc_charset_named("binary")->name, "binary");
    assert_null(fc_charset_named("utf"));
    assert_null(fc_charset_named("klingon"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_every_kind_of_charset_becomes_utf8),
        cmocka_unit_test(what_is_no_character_becomes_one_question_mark),
        cmocka_unit_test(only_ascii_in_a_set_that_keeps_it_is_plain),
        cmocka_unit_test(collations_have_their_charset),
        cmocka_unit_test(charsets_are_found_by_collation_and_old_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
