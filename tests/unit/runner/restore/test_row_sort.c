/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "runner/restore/row_sort.h"
#include "tests/support/temp_dir.h"

enum { ROWS = 5000, IMAGE_MAX = 300, LARGE_IMAGE = 3 * 1024 * 1024 };

/* Row `number`: its image is number % IMAGE_MAX bytes long. */
static fc_code add(struct fc_row_sort *sort, uint32_t number, struct fc_error *err)
{
    char text[32];
    char image[IMAGE_MAX];
    struct fc_sorted_row row;
    int length = snprintf(text, sizeof(text), "%012u", number);
    memset(image, (int)(number % 251), sizeof(image));
    row.order = fc_slice_of(text, (size_t)length);
    row.key = fc_slice_of(text + 4, (size_t)length - 4);
    row.image = fc_slice_of(image, number % IMAGE_MAX);
    row.version = number % 7;
    return fc_row_sort_add(sort, &row, err);
}

static void assert_row(const struct fc_sorted_row *row, uint32_t number)
{
    char text[32];
    assert_non_null(row);
    (void)snprintf(text, sizeof(text), "%012u", number);
    assert_true(fc_slice_equal_text(row->order, text));
    assert_true(fc_slice_equal_text(row->key, text + 4));
    assert_int_equal(row->version, number % 7);
    assert_int_equal(row->image.len, number % IMAGE_MAX);
    for (size_t index = 0; index < row->image.len; index++) {
        assert_int_equal(row->image.data[index], number % 251);
    }
}

/* Rows 0 to count - 1, in an order that is not theirs. */
static void add_all(struct fc_row_sort *sort, uint32_t count)
{
    struct fc_error err;
    for (uint32_t index = 0; index < count; index++) {
        assert_int_equal(add(sort, (uint32_t)((uint64_t)index * 2003 % count), &err), FC_OK);
    }
}

static void take_all(struct fc_row_sort *sort, uint32_t count)
{
    struct fc_error err;
    assert_int_equal(fc_row_sort_finish(sort, &err), FC_OK);
    for (uint32_t number = 0; number < count; number++) {
        assert_row(fc_row_sort_head(sort), number);
        assert_int_equal(fc_row_sort_step(sort, &err), FC_OK);
    }
    assert_null(fc_row_sort_head(sort));
}

static void rows_come_out_in_order(void **state)
{
    struct fc_row_sort *sort = fc_row_sort_new((size_t)64 * 1024 * 1024, "/nowhere");
    (void)state;
    take_all(sort, 0);
    fc_row_sort_clear(sort);
    add_all(sort, ROWS);
    assert_int_equal(fc_row_sort_spilled_bytes(sort), 0);
    take_all(sort, ROWS);
    fc_row_sort_free(sort);
}

static void runs_that_went_to_the_file_are_merged(void **state)
{
    char *dir = temp_dir_new();
    struct fc_row_sort *sort = fc_row_sort_new((size_t)64 * 1024, dir);
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        add_all(sort, ROWS);
        assert_in_range(fc_row_sort_spilled_bytes(sort), ROWS * 100, UINT64_MAX);
        take_all(sort, ROWS);
        fc_row_sort_clear(sort);
        assert_int_equal(fc_row_sort_spilled_bytes(sort), 0);
    }
    fc_row_sort_free(sort);
    assert_int_equal(rmdir(dir), 0); /* the file left no name there */
    free(dir);
}

static void a_row_may_be_larger_than_memory_and_buffers(void **state)
{
    char *dir = temp_dir_new();
    struct fc_row_sort *sort = fc_row_sort_new((size_t)64 * 1024, dir);
    uint8_t *image = fc_new_array(uint8_t, LARGE_IMAGE);
    struct fc_error err;
    (void)state;
    memset(image, 'x', LARGE_IMAGE);
    for (uint8_t number = 9; number > 0; number--) {
        struct fc_sorted_row row = { fc_slice_of(&number, 1), fc_slice_text("k"),
                                     fc_slice_of(image, LARGE_IMAGE - number), number };
        assert_int_equal(fc_row_sort_add(sort, &row, &err), FC_OK);
    }
    assert_int_equal(fc_row_sort_finish(sort, &err), FC_OK);
    for (uint32_t number = 1; number <= 9; number++) {
        const struct fc_sorted_row *head = fc_row_sort_head(sort);
        assert_int_equal(head->version, number);
        assert_int_equal(head->image.len, LARGE_IMAGE - number);
        assert_int_equal(head->image.data[head->image.len - 1], 'x');
        assert_int_equal(fc_row_sort_step(sort, &err), FC_OK);
    }
    fc_row_sort_free(sort);
    free(image);
    temp_dir_free(dir);
}

static void without_a_file_what_is_held_must_be_taken(void **state)
{
    struct fc_row_sort *sort = fc_row_sort_new((size_t)64 * 1024, "/nowhere");
    struct fc_error err;
    uint32_t count = 0;
    fc_code code = FC_OK;
    (void)state;
    while (code == FC_OK) {
        code = add(sort, count, &err);
        count += code == FC_OK ? 1 : 0;
    }
    assert_int_equal(code, FC_ERR_FULL);
    assert_non_null(strstr(err.message, "/nowhere"));
    take_all(sort, count);
    fc_row_sort_clear(sort);
    assert_int_equal(add(sort, count, &err), FC_OK);
    fc_row_sort_free(sort);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_out_in_order),
        cmocka_unit_test(runs_that_went_to_the_file_are_merged),
        cmocka_unit_test(a_row_may_be_larger_than_memory_and_buffers),
        cmocka_unit_test(without_a_file_what_is_held_must_be_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
