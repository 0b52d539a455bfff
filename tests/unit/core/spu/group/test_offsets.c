/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/spu/group/offsets.h"

enum { PRODUCER = 5, OTHER = 6 };

static struct fc_committed at(int64_t offset, int64_t log_offset)
{
    struct fc_committed committed = { offset, -1, fc_slice_text("m"), 0, log_offset };
    return committed;
}

static void commit(struct fc_group_offsets *offsets, int64_t offset, int64_t log_offset)
{
    struct fc_committed committed = at(offset, log_offset);
    fc_group_offsets_commit(offsets, fc_slice_text("t"), 0, &committed);
}

static void commit_later(struct fc_group_offsets *offsets, int64_t producer, int64_t offset,
                         int64_t log_offset)
{
    struct fc_committed committed = at(offset, log_offset);
    fc_group_offsets_commit_later(offsets, producer, fc_slice_text("t"), 0, &committed);
}

static int64_t now_of(const struct fc_group_offsets *offsets)
{
    const struct fc_committed *committed = fc_group_offsets_get(offsets, fc_slice_text("t"), 0);
    return committed == NULL ? -1 : committed->offset;
}

static void the_latest_commit_counts(void **state)
{
    struct fc_group_offsets offsets;
    (void)state;
    fc_group_offsets_init(&offsets);
    assert_int_equal(now_of(&offsets), -1);
    commit(&offsets, 10, 0);
    commit(&offsets, 5, 1);
    assert_int_equal(now_of(&offsets), 5);
    assert_null(fc_group_offsets_get(&offsets, fc_slice_text("t"), 1));
    assert_null(fc_group_offsets_get(&offsets, fc_slice_text("tt"), 0));
    assert_true(fc_group_offsets_remove(&offsets, fc_slice_text("t"), 0));
    assert_false(fc_group_offsets_remove(&offsets, fc_slice_text("t"), 0));
    assert_int_equal(now_of(&offsets), -1);
    fc_group_offsets_release(&offsets);
}

static void a_transactions_commit_counts_when_it_is_committed(void **state)
{
    struct fc_group_offsets offsets;
    (void)state;
    fc_group_offsets_init(&offsets);
    commit(&offsets, 10, 0);
    commit_later(&offsets, PRODUCER, 20, 1);
    assert_int_equal(now_of(&offsets), 10);
    assert_true(fc_group_offsets_is_pending(&offsets, fc_slice_text("t"), 0));
    assert_false(fc_group_offsets_is_pending(&offsets, fc_slice_text("t"), 1));
    fc_group_offsets_end(&offsets, OTHER, true);
    assert_true(fc_group_offsets_any_pending(&offsets));
    fc_group_offsets_end(&offsets, PRODUCER, true);
    assert_int_equal(now_of(&offsets), 20);
    assert_false(fc_group_offsets_any_pending(&offsets));
    commit_later(&offsets, PRODUCER, 30, 2);
    fc_group_offsets_end(&offsets, PRODUCER, false);
    assert_int_equal(now_of(&offsets), 20);
    fc_group_offsets_release(&offsets);
}

static void of_two_commits_the_one_later_in_the_log_counts(void **state)
{
    struct fc_group_offsets offsets;
    (void)state;
    fc_group_offsets_init(&offsets);
    commit_later(&offsets, PRODUCER, 20, 1);
    commit(&offsets, 30, 2);
    fc_group_offsets_end(&offsets, PRODUCER, true);
    assert_int_equal(now_of(&offsets), 30);
    fc_group_offsets_release(&offsets);
}

static void a_walk_meets_each_partition(void **state)
{
    struct fc_group_offsets offsets;
    const struct fc_committed *committed = NULL;
    struct fc_slice topic;
    int32_t partition = 0;
    int64_t sum = 0;
    size_t cursor = 0;
    (void)state;
    fc_group_offsets_init(&offsets);
    for (int32_t index = 0; index < 100; index++) {
        struct fc_committed one = at(index, index);
        fc_group_offsets_commit(&offsets, fc_slice_text("topic"), index, &one);
    }
    assert_int_equal(fc_group_offsets_count(&offsets), 100);
    while (fc_group_offsets_next(&offsets, &cursor, &topic, &partition, &committed)) {
        assert_true(fc_slice_equal_text(topic, "topic"));
        assert_int_equal(committed->offset, partition);
        sum += partition;
    }
    assert_int_equal(sum, 4950);
    fc_group_offsets_release(&offsets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_commit_counts),
        cmocka_unit_test(a_transactions_commit_counts_when_it_is_committed),
        cmocka_unit_test(of_two_commits_the_one_later_in_the_log_counts),
        cmocka_unit_test(a_walk_meets_each_partition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
