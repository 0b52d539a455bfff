/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/uuid.h"

static void known_uuids_print_and_parse(void **state)
{
    static const struct {
        struct fc_uuid uuid;
        const char *text;
    } known[] = {
        { { { 0 } }, "AAAAAAAAAAAAAAAAAAAAAA" },
        { { { [15] = 1 } }, "AAAAAAAAAAAAAAAAAAAAAQ" },
        { { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
              0xff, 0xff, 0xff } },
          "_____________________w" },
        { { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } },
          "AAECAwQFBgcICQoLDA0ODw" },
    };
    (void)state;
    for (size_t index = 0; index < sizeof(known) / sizeof(known[0]); index++) {
        char text[FC_UUID_TEXT_SIZE];
        struct fc_uuid parsed;
        fc_uuid_to_text(known[index].uuid, text);
        assert_string_equal(text, known[index].text);
        assert_true(fc_uuid_from_text(fc_slice_text(text), &parsed));
        assert_true(fc_uuid_equal(parsed, known[index].uuid));
    }
}

static void text_that_is_no_uuid_is_refused(void **state)
{
    static const char *const wrong[] = { "",
                                         "AAAAAAAAAAAAAAAAAAAAA",
                                         "AAAAAAAAAAAAAAAAAAAAAAA",
                                         "AAAAAAAAAAAAAAAAAAAAAB",
                                         "AAAAAAAAAA+AAAAAAAAAAA",
                                         "AAAAAAAAAAAAAAAAAAAA==" };
    struct fc_uuid parsed = { { 7 } };
    (void)state;
    for (size_t index = 0; index < sizeof(wrong) / sizeof(wrong[0]); index++) {
        assert_false(fc_uuid_from_text(fc_slice_text(wrong[index]), &parsed));
        assert_int_equal(parsed.bytes[0], 7);
    }
    assert_false(fc_uuid_from_text(fc_slice_of("AAAAAAAAAAAAAAAAAAAAA\0", 22), &parsed));
}

static void random_ones_differ_and_can_stand_on_a_command_line(void **state)
{
    struct fc_uuid before = { { 0 } };
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct fc_uuid uuid = fc_uuid_random();
        char text[FC_UUID_TEXT_SIZE];
        fc_uuid_to_text(uuid, text);
        assert_true(text[0] != '-');
        assert_false(fc_uuid_is_zero(uuid));
        assert_false(fc_uuid_equal(uuid, before));
        assert_int_equal(uuid.bytes[6] >> 4, 4);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
        before = uuid;
    }
    assert_true(fc_uuid_is_zero((struct fc_uuid){ { 0 } }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_uuids_print_and_parse),
        cmocka_unit_test(text_that_is_no_uuid_is_refused),
        cmocka_unit_test(random_ones_differ_and_can_stand_on_a_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
