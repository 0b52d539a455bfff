/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/batch.h"

static const struct fc_batch_limits LIMITS = { .count_max = 10,
                                               .bytes_max = 10000,
                                               .bytes_hard_max = 400000 };

static void changes_are_zeroed_and_never_move(void **state)
{
    struct fc_batch *batch = fc_batch_new(&LIMITS);
    struct fc_change *first = fc_batch_add(batch);
    (void)state;
    first->row = 42;
    for (uint64_t index = 1; index < 1000; index++) {
        struct fc_change *change = fc_batch_add(batch);
        assert_non_null(change);
        assert_int_equal(change->row, 0);
        change->row = index;
    }
    assert_ptr_equal(&batch->changes[0], first);
    assert_int_equal(first->row, 42);
    assert_int_equal(batch->count, 1000);
    fc_batch_clear(batch);
    assert_int_equal(fc_batch_add(batch)->row, 0);
    fc_batch_free(batch);
}

static void count_has_a_hard_limit_at_four_times_and_some(void **state)
{
    struct fc_batch *batch = fc_batch_new(&LIMITS);
    (void)state;
    for (int index = 0; index < 4 * 10 + 1024; index++) {
        assert_non_null(fc_batch_add(batch));
    }
    assert_false(fc_batch_overflowed(batch));
    assert_null(fc_batch_add(batch));
    assert_true(fc_batch_overflowed(batch));
    fc_batch_clear(batch);
    assert_false(fc_batch_overflowed(batch));
    assert_non_null(fc_batch_add(batch));
    fc_batch_free(batch);
}

static void memory_is_counted_and_ends_at_the_hard_limit(void **state)
{
    struct fc_batch *batch = fc_batch_new(&LIMITS);
    (void)state;
    assert_int_equal(batch->bytes, 0);
    assert_non_null(fc_batch_alloc(batch, 100000));
    assert_true(batch->bytes >= 100000);
    assert_non_null(fc_batch_add(batch));
    assert_true(batch->bytes >= 100000 + sizeof(struct fc_change));
    assert_null(fc_batch_alloc(batch, 400000));
    assert_true(fc_batch_overflowed(batch));
    fc_batch_clear(batch);
    assert_int_equal(batch->bytes, 0);
    assert_int_equal(batch->count, 0);
    assert_non_null(fc_batch_alloc(batch, 390000));
    fc_batch_free(batch);
}

static void pieces_are_aligned(void **state)
{
    struct fc_batch *batch = fc_batch_new(&LIMITS);
    (void)state;
    assert_int_equal((uintptr_t)fc_batch_alloc(batch, 3) % 8, 0);
    assert_int_equal((uintptr_t)fc_batch_alloc(batch, 1) % 8, 0);
    fc_batch_free(batch);
}

static void the_last_position_counts_and_is_a_copy(void **state)
{
    struct fc_batch *batch = fc_batch_new(&LIMITS);
    char text[] = "0-1-17";
    (void)state;
    assert_true(fc_slice_is_null(batch->position));
    fc_batch_set_position(batch, fc_slice_text("0-1-16"));
    fc_batch_set_position(batch, fc_slice_text(text));
    text[0] = 'x';
    assert_true(fc_slice_equal_text(batch->position, "0-1-17"));
    fc_batch_clear(batch);
    assert_true(fc_slice_is_null(batch->position));
    fc_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_zeroed_and_never_move),
        cmocka_unit_test(count_has_a_hard_limit_at_four_times_and_some),
        cmocka_unit_test(memory_is_counted_and_ends_at_the_hard_limit),
        cmocka_unit_test(pieces_are_aligned),
        cmocka_unit_test(the_last_position_counts_and_is_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
