/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cli/output.h"

static char *printed(fc_cli_format format, json_t *rows)
{
    static const struct fc_column columns[] = {
        { "NAME", "name", FC_COLUMN_TEXT },
        { "SIZE", "size", FC_COLUMN_BYTES },
        { "LIST", "list", FC_COLUMN_TEXT },
        { .title = NULL },
    };
    struct fc_cli cli = { .format = format };
    char *text = NULL;
    size_t size = 0;
    cli.out = open_memstream(&text, &size);
    fc_output_rows(&cli, rows, columns);
    (void)fclose(cli.out);
    return text;
}

static json_t *sample(void)
{
    return json_loads("[{\"name\":\"\u00e9\",\"size\":2048,\"list\":[1,2]},"
                      "{\"name\":\"yes\",\"size\":9007199254740993,\"list\":[]},"
                      "{\"name\":null,\"more\":{\"a\":[{\"b\":true}]}}]",
                      0, NULL);
}

static void a_table_lines_up(void **state)
{
    json_t *rows = sample();
    char *text = printed(FC_CLI_TABLE, rows);
    (void)state;
    assert_string_equal(text, "NAME     SIZE  LIST\n"
                              "\u00e9     2.0 KiB  1,2\n"
                              "yes   8.0 PiB  -\n"
                              "-           -  -\n");
    free(text);
    json_decref(rows);
}

static void json_and_yaml_hold_everything(void **state)
{
    json_t *rows = sample();
    char *json = printed(FC_CLI_JSON, rows);
    char *yaml = printed(FC_CLI_YAML, rows);
    json_t *again = json_loads(json, 0, NULL);
    (void)state;
    assert_true(json_equal(rows, again));
    assert_string_equal(yaml, "- name: \"\u00e9\"\n"
                              "  size: 2048\n"
                              "  list:\n"
                              "  - 1\n"
                              "  - 2\n"
                              "- name: \"yes\"\n"
                              "  size: 9007199254740993\n"
                              "  list: []\n"
                              "- name: null\n"
                              "  more:\n"
                              "    a:\n"
                              "    - b: true\n");
    free(json);
    free(yaml);
    json_decref(again);
    json_decref(rows);
}

static void bytes_that_are_no_text_are_repaired(void **state)
{
    json_t *text = fc_output_text("a\xff", 2);
    (void)state;
    assert_string_equal(json_string_value(text), "a\xef\xbf\xbd");
    json_decref(text);
    assert_true(json_is_null(fc_output_string(NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_lines_up),
        cmocka_unit_test(json_and_yaml_hold_everything),
        cmocka_unit_test(bytes_that_are_no_text_are_repaired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
