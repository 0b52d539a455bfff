/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/yaml.h"
#include "core/base/yaml_json.h"

static void assert_refused(const char *text, const char *message)
{
    struct fc_yaml yaml = { 0 };
    struct fc_error error = { 0 };
    assert_int_equal(fc_yaml_parse(fc_slice_text(text), "f.yaml", &yaml, &error),
                     FC_ERR_CONFIG);
    assert_string_equal(error.message, message);
}

static void parse(const char *text, struct fc_yaml *yaml)
{
    struct fc_error error = { 0 };
    if (fc_yaml_parse(fc_slice_text(text), "f.yaml", yaml, &error) != FC_OK) {
        fail_msg("%s", error.message);
    }
}

static void nodes_know_their_line_and_column(void **state)
{
    struct fc_yaml yaml = { 0 };
    const struct fc_yaml_node *list;
    (void)state;
    parse("a: 1\nbc:\n  - x\n  - \"y\"\n", &yaml);
    assert_int_equal(yaml.root->kind, FC_YAML_MAP);
    assert_int_equal(yaml.root->count, 2);
    assert_string_equal(fc_yaml_get(yaml.root, "a")->text, "1");
    assert_int_equal(fc_yaml_get(yaml.root, "a")->column, 4);
    list = fc_yaml_get(yaml.root, "bc");
    assert_int_equal(list->key_line, 2);
    assert_int_equal(list->key_column, 1);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->first->line, 3);
    assert_int_equal(list->first->column, 5);
    assert_false(list->first->quoted);
    assert_true(list->first->next->quoted);
    assert_null(fc_yaml_get(yaml.root, "b"));
    fc_yaml_release(&yaml);
}

static void a_key_that_stands_twice_is_refused_with_both_places(void **state)
{
    (void)state;
    assert_refused("a: 1\nb: 2\na: 3\n",
                   "f.yaml:3:1: key `a` stands twice; the first is at line 1");
}

static void anchors_aliases_and_tags_are_refused(void **state)
{
    (void)state;
    assert_refused("a: &x [1]\nb: *x\n",
                   "f.yaml:1:4: anchors (`&x`) are not supported: write the value out");
    assert_refused("b: *x\n",
                   "f.yaml:1:4: aliases (`*x`) are not supported: write the value out");
    assert_refused("a: !!str 1\n", "f.yaml:1:4: tags (`tag:yaml.org,2002:str`) are not "
                                   "supported: leave it out");
}

static void a_second_document_and_an_empty_file_are_refused(void **state)
{
    (void)state;
    assert_refused("a: 1\n---\nb: 2\n",
                   "f.yaml:2:1: a second document begins here: one file, one connector");
    assert_refused("", "f.yaml: the file is empty");
    assert_refused("# nothing\n", "f.yaml: the file is empty");
}

static void what_is_not_utf8_is_refused_where_it_stands(void **state)
{
    (void)state;
    assert_refused("a: 1\nb: \xff\n",
                   "f.yaml:2:4: not UTF-8 text (invalid leading UTF-8 octet)");
}

static void a_nul_in_a_text_is_refused(void **state)
{
    (void)state;
    assert_refused("a: \"x\\0y\"\n", "f.yaml:1:4: a text holds a NUL character");
}

static void broken_yaml_names_the_place(void **state)
{
    struct fc_yaml yaml = { 0 };
    struct fc_error error = { 0 };
    (void)state;
    assert_int_equal(fc_yaml_parse(fc_slice_text("a:\n\t- 1\n"), "f.yaml", &yaml, &error),
                     FC_ERR_CONFIG);
    assert_non_null(strstr(error.message, "f.yaml:2:1: not valid YAML: found character"));
}

static void a_secret_without_quotes_in_a_flow_map_gets_the_hint(void **state)
{
    (void)state;
    assert_refused(
        "a: 1\nwith: { salt: ${{ secrets.SALT }} }\n",
        "f.yaml:2:16: not valid YAML: did not find expected ',' or '}' while parsing "
        "a flow mapping: put the text with ${{ ... }} in quotes");
}

static void nesting_is_bounded(void **state)
{
    char text[2 * FC_YAML_DEPTH_MAX + 8] = "";
    struct fc_yaml yaml = { 0 };
    struct fc_error error = { 0 };
    (void)state;
    memset(text, '[', FC_YAML_DEPTH_MAX);
    memset(text + FC_YAML_DEPTH_MAX, ']', FC_YAML_DEPTH_MAX);
    assert_int_equal(fc_yaml_parse(fc_slice_text(text), "f", &yaml, &error), FC_OK);
    fc_yaml_release(&yaml);
    memset(text, '[', FC_YAML_DEPTH_MAX + 1);
    memset(text + FC_YAML_DEPTH_MAX + 1, ']', FC_YAML_DEPTH_MAX + 1);
    assert_int_equal(fc_yaml_parse(fc_slice_text(text), "f", &yaml, &error), FC_ERR_CONFIG);
    assert_string_equal(error.message, "f:1:17: nested deeper than 16 levels");
}

static void the_number_of_values_is_bounded(void **state)
{
    struct fc_buf text;
    struct fc_yaml yaml = { 0 };
    struct fc_error error = { 0 };
    (void)state;
    fc_buf_init(&text, 1024 * 1024);
    for (int index = 0; index < FC_YAML_NODES_MAX + 1; index++) {
        fc_buf_append_text(&text, "- a\n");
    }
    assert_int_equal(fc_yaml_parse(fc_buf_slice(&text), "f", &yaml, &error), FC_ERR_CONFIG);
    assert_string_equal(error.message, "f:20000:3: more than 20000 values in one file");
    fc_buf_release(&text);
}

static void only_plain_empty_tilde_and_null_are_null(void **state)
{
    struct fc_yaml yaml = { 0 };
    (void)state;
    parse("- null\n- ~\n-\n- \"\"\n- 'null'\n- nil\n", &yaml);
    const bool expected[] = { true, true, true, false, false, false };
    const struct fc_yaml_node *item = yaml.root->first;
    for (size_t index = 0; index < 6; index++, item = item->next) {
        assert_int_equal(fc_yaml_is_null(item), expected[index]);
    }
    fc_yaml_release(&yaml);
}

static void assert_json(const char *text, const char *expected)
{
    struct fc_yaml yaml = { 0 };
    struct fc_error error = { 0 };
    char *json = NULL;
    parse(text, &yaml);
    assert_int_equal(fc_yaml_to_json(yaml.root, &json, &error), FC_OK);
    assert_string_equal(json, expected);
    free(json);
    fc_yaml_release(&yaml);
}

static void json_has_the_types_that_the_file_shows(void **state)
{
    (void)state;
    assert_json("{ b: 1, a: [true, false, null, -7, 1.5, text, \"1\", 'true'] }",
                "{\"b\":1,\"a\":[true,false,null,-7,1.5,\"text\",\"1\",\"true\"]}");
    assert_json("[0x10, .inf, 1e999, 99999999999999999999, 1-2, yes]",
                "[\"0x10\",\".inf\",\"1e999\",1e20,\"1-2\",\"yes\"]");
    assert_json("{ s: 'a\"b', u: \"\\u00e4\" }", "{\"s\":\"a\\\"b\",\"u\":\"\xc3\xa4\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_their_line_and_column),
        cmocka_unit_test(a_key_that_stands_twice_is_refused_with_both_places),
        cmocka_unit_test(anchors_aliases_and_tags_are_refused),
        cmocka_unit_test(a_second_document_and_an_empty_file_are_refused),
        cmocka_unit_test(what_is_not_utf8_is_refused_where_it_stands),
        cmocka_unit_test(a_nul_in_a_text_is_refused),
        cmocka_unit_test(broken_yaml_names_the_place),
        cmocka_unit_test(a_secret_without_quotes_in_a_flow_map_gets_the_hint),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(the_number_of_values_is_bounded),
        cmocka_unit_test(only_plain_empty_tilde_and_null_are_null),
        cmocka_unit_test(json_has_the_types_that_the_file_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
