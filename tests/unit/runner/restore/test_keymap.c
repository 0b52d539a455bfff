/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "runner/restore/keymap.h"

enum { MODEL_KEYS = 3000 };

/* Values by key number; 0: absent. */
struct model {
    uint64_t values[MODEL_KEYS];
    size_t count;
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static void put(struct fc_keymap *map, struct model *model, uint64_t key, uint64_t value)
{
    uint64_t old = 0;
    bool replaced;
    if (fc_keymap_is_full(map)) {
        fc_keymap_grow(map);
    }
    replaced = fc_keymap_put(map, fc_key_hash_u64(key), value, &old);
    assert_int_equal(replaced, model->values[key] != 0);
    assert_true(!replaced || old == model->values[key]);
    model->count += replaced ? 0 : 1;
    model->values[key] = value;
}

static void take(struct fc_keymap *map, struct model *model, uint64_t key)
{
    uint64_t old = 0;
    bool removed = fc_keymap_remove(map, fc_key_hash_u64(key), &old);
    assert_int_equal(removed, model->values[key] != 0);
    assert_true(!removed || old == model->values[key]);
    model->count -= removed ? 1 : 0;
    model->values[key] = 0;
}

static void compare(const struct fc_keymap *map, const struct model *model)
{
    size_t walked = 0;
    struct fc_key_hash hash;
    uint64_t value;
    assert_int_equal(map->count, model->count);
    for (uint64_t key = 0; key < MODEL_KEYS; key++) {
        bool present = fc_keymap_get(map, fc_key_hash_u64(key), &value);
        assert_int_equal(present, model->values[key] != 0);
        assert_true(!present || value == model->values[key]);
    }
    for (size_t cursor = 0; fc_keymap_next(map, &cursor, &hash, &value);) {
        walked++;
    }
    assert_int_equal(walked, model->count);
}

static void a_map_under_random_puts_and_removes_equals_an_array(void **state)
{
    struct fc_keymap map;
    struct model *model = fc_new(struct model);
    uint64_t random = 20261123;
    (void)state;
    fc_keymap_init(&map);
    for (uint64_t step = 0; step < 60000; step++) {
        uint64_t key = next_random(&random) % MODEL_KEYS;
        /* Phases of growth and of shrinking, so that long runs of slots form and dissolve. */
        uint64_t puts = (step / 10000) % 2 == 0 ? 7 : 2;
        if (next_random(&random) % 10 < puts) {
            put(&map, model, key, step + 1);
        } else {
            take(&map, model, key);
        }
        if (step % 5000 == 0) {
            compare(&map, model);
        }
    }
    compare(&map, model);
    fc_keymap_clear(&map);
    memset(model, 0, sizeof(*model));
    compare(&map, model);
    fc_keymap_release(&map);
    free(model);
}

static void keeping_the_lower_hashes_removes_exactly_the_higher_ones(void **state)
{
    struct fc_keymap map;
    struct model *model = fc_new(struct model);
    const uint64_t high = UINT64_MAX / 3;
    (void)state;
    fc_keymap_init(&map);
    for (uint64_t key = 0; key < MODEL_KEYS; key++) {
        put(&map, model, key, key + 1);
    }
    fc_keymap_keep_up_to(&map, high);
    for (uint64_t key = 0; key < MODEL_KEYS; key++) {
        if (fc_key_hash_u64(key).high > high) {
            model->values[key] = 0;
            model->count--;
        }
    }
    assert_in_range(model->count, 1, MODEL_KEYS - 1);
    compare(&map, model);
    fc_keymap_release(&map);
    free(model);
}

static void an_empty_map_knows_nothing_and_holds_nothing(void **state)
{
    struct fc_keymap map;
    uint64_t value;
    (void)state;
    fc_keymap_init(&map);
    assert_false(fc_keymap_get(&map, fc_key_hash_u64(1), &value));
    assert_false(fc_keymap_remove(&map, fc_key_hash_u64(1), &value));
    fc_keymap_keep_up_to(&map, 0);
    fc_keymap_prefetch(&map, fc_key_hash_u64(1));
    assert_int_equal(fc_keymap_bytes(&map), 0);
    assert_true(fc_keymap_is_full(&map));
    fc_keymap_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_under_random_puts_and_removes_equals_an_array),
        cmocka_unit_test(keeping_the_lower_hashes_removes_exactly_the_higher_ones),
        cmocka_unit_test(an_empty_map_knows_nothing_and_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
