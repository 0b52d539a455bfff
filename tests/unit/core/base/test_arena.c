/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/arena.h"

enum { BIG = 200000 };

static void pieces_are_aligned_and_do_not_move_or_overlap(void **state)
{
    enum { COUNT = 5000 };
    static uint8_t *pieces[COUNT];
    struct fc_arena arena;
    (void)state;
    fc_arena_init(&arena, 1 << 24);
    for (int index = 0; index < COUNT; index++) {
        size_t size = (size_t)(index * 7 % 300);
        pieces[index] = fc_arena_alloc(&arena, size);
        assert_non_null(pieces[index]);
        assert_int_equal((uintptr_t)pieces[index] % 8, 0);
        memset(pieces[index], index & 0xff, size);
    }
    for (int index = 0; index < COUNT; index++) {
        for (size_t at = 0; at < (size_t)(index * 7 % 300); at++) {
            assert_int_equal(pieces[index][at], index & 0xff);
        }
    }
    fc_arena_release(&arena);
}

static void past_the_limit_it_fails_until_it_is_cleared(void **state)
{
    struct fc_arena arena;
    struct fc_error err;
    (void)state;
    fc_arena_init(&arena, 100);
    assert_non_null(fc_arena_alloc(&arena, 64));
    assert_int_equal(fc_arena_check(&arena, "a test", &err), FC_OK);
    assert_null(fc_arena_alloc(&arena, 64));
    assert_null(fc_arena_alloc(&arena, 1));
    assert_int_equal(fc_arena_check(&arena, "a test", &err), FC_ERR_LIMIT);
    assert_string_equal(err.message, "a test needs more than 100 bytes");
    fc_arena_clear(&arena);
    assert_int_equal(arena.used, 0);
    assert_non_null(fc_arena_alloc(&arena, 96));
    assert_null(fc_arena_alloc(&arena, SIZE_MAX));
    fc_arena_clear(&arena);
    assert_null(fc_arena_alloc(&arena, SIZE_MAX - 3));
    fc_arena_release(&arena);
}

static void clear_keeps_the_first_block(void **state)
{
    struct fc_arena arena;
    void *first;
    (void)state;
    fc_arena_init(&arena, 1 << 24);
    first = fc_arena_alloc(&arena, 10);
    assert_non_null(fc_arena_alloc(&arena, BIG));
    assert_non_null(fc_arena_alloc(&arena, BIG));
    fc_arena_clear(&arena);
    assert_ptr_equal(fc_arena_alloc(&arena, 10), first);
    fc_arena_release(&arena);
    assert_null(arena.first);
}

static void what_shrink_gives_back_is_handed_out_again(void **state)
{
    struct fc_arena arena;
    uint8_t *first;
    uint8_t *next;
    (void)state;
    fc_arena_init(&arena, 1000);
    first = fc_arena_alloc(&arena, 900);
    fc_arena_shrink_last(&arena, 900, 10);
    assert_int_equal(arena.used, 16);
    next = fc_arena_alloc(&arena, 900);
    assert_ptr_equal(next, first + 16);
    fc_arena_shrink_last(&arena, 900, 0);
    assert_int_equal(arena.used, 16);
    fc_arena_release(&arena);
}

static void a_copy_is_the_same_bytes_elsewhere(void **state)
{
    struct fc_arena arena;
    struct fc_slice text = fc_slice_text("hello");
    struct fc_slice copy;
    (void)state;
    fc_arena_init(&arena, 20);
    copy = fc_arena_copy(&arena, text);
    assert_true(fc_slice_equal(copy, text));
    assert_ptr_not_equal(copy.data, text.data);
    assert_true(fc_slice_is_null(fc_arena_copy(&arena, fc_slice_null())));
    assert_false(fc_slice_is_null(fc_arena_copy(&arena, fc_slice_text(""))));
    assert_true(fc_slice_is_null(fc_arena_copy(&arena, fc_slice_text("far too long for it"))));
    assert_true(arena.failed);
    fc_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_do_not_move_or_overlap),
        cmocka_unit_test(past_the_limit_it_fails_until_it_is_cleared),
        cmocka_unit_test(clear_keeps_the_first_block),
        cmocka_unit_test(what_shrink_gives_back_is_handed_out_again),
        cmocka_unit_test(a_copy_is_the_same_bytes_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
