/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "runner/restore/offset_set.h"

enum { RANGE = 5 * 65536 + 77 };

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static void compare(const struct fc_offset_set *set, const bool *model)
{
    uint64_t count = 0;
    int64_t next = 0;
    for (int64_t offset = 0; offset < RANGE; offset++) {
        if (model[offset]) {
            int64_t found = -1;
            assert_true(fc_offset_set_next(set, next, &found));
            assert_int_equal(found, offset);
            next = offset + 1;
            count++;
        }
    }
    assert_false(fc_offset_set_next(set, next, &next));
    assert_int_equal(set->count, count);
}

static void offsets_come_back_in_order_whatever_the_order_they_came_in(void **state)
{
    struct fc_offset_set set;
    bool *model = fc_new_array(bool, RANGE);
    uint64_t random = 7;
    (void)state;
    fc_offset_set_init(&set);
    for (int round = 0; round < 4; round++) {
        for (int step = 0; step < 6000; step++) {
            /* The first page fills up, the others stay sparse; one is never touched. */
            int64_t offset = (int64_t)(next_random(&random) % RANGE);
            offset = step % 3 == 0 ? offset % 9000 : offset;
            if (offset / 65536 == 3) {
                continue;
            }
            fc_offset_set_add(&set, offset);
            model[offset] = true;
        }
        compare(&set, model);
        fc_offset_set_compact(&set); /* and adding goes on after it */
        compare(&set, model);
    }
    fc_offset_set_release(&set);
    free(model);
}

static void a_sparse_page_takes_two_bytes_an_offset_and_a_full_one_a_bit(void **state)
{
    struct fc_offset_set sparse;
    struct fc_offset_set full;
    (void)state;
    fc_offset_set_init(&sparse);
    fc_offset_set_init(&full);
    for (int64_t offset = 0; offset < 65536; offset++) {
        fc_offset_set_add(&full, offset);
        if (offset % 64 == 0) {
            fc_offset_set_add(&sparse, offset);
        }
    }
    fc_offset_set_compact(&sparse);
    fc_offset_set_compact(&full);
    assert_in_range(fc_offset_set_bytes(&sparse), 2048, 2048 + 64);
    assert_in_range(fc_offset_set_bytes(&full), 8192, 8192 + 64);
    assert_true(fc_offset_set_has(&sparse, 64));
    assert_false(fc_offset_set_has(&sparse, 65));
    assert_false(fc_offset_set_has(&sparse, 1 << 30));
    fc_offset_set_release(&sparse);
    fc_offset_set_release(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_come_back_in_order_whatever_the_order_they_came_in),
        cmocka_unit_test(a_sparse_page_takes_two_bytes_an_offset_and_a_full_one_a_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
