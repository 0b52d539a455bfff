/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/heap.h"

static bool is_less(const void *a, const void *b)
{
    const int *x = a;
    const int *y = b;
    return *x < *y;
}

static void sources_are_merged_in_order(void **state)
{
    enum { SOURCES = 37, EACH = 20 };
    struct fc_heap heap;
    int heads[SOURCES];
    int counts[SOURCES] = { 0 };
    int last = -1;
    int given = 0;
    (void)state;
    fc_heap_init(&heap, is_less);
    for (int index = 0; index < SOURCES; index++) {
        heads[index] = index * 17 % SOURCES;
        fc_heap_add(&heap, &heads[index]);
    }
    fc_heap_order(&heap);
    while (heap.count > 0) {
        int *first = fc_heap_first(&heap);
        ptrdiff_t source = first - heads;
        assert_true(*first >= last);
        last = *first;
        given++;
        *first += (int)(1 + source % 7);
        if (++counts[source] < EACH) {
            fc_heap_first_changed(&heap);
        } else {
            fc_heap_drop_first(&heap);
        }
    }
    assert_int_equal(given, SOURCES * EACH);
    fc_heap_release(&heap);
}

static void a_heap_without_items_has_no_first(void **state)
{
    struct fc_heap heap;
    int only = 1;
    (void)state;
    fc_heap_init(&heap, is_less);
    fc_heap_order(&heap);
    assert_null(fc_heap_first(&heap));
    fc_heap_add(&heap, &only);
    fc_heap_order(&heap);
    assert_ptr_equal(fc_heap_first(&heap), &only);
    fc_heap_first_changed(&heap);
    fc_heap_drop_first(&heap);
    assert_null(fc_heap_first(&heap));
    fc_heap_release(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_merged_in_order),
        cmocka_unit_test(a_heap_without_items_has_no_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
