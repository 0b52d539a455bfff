/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "catalog/store_local.h"
#include "core/spu/quotas.h"
#include "tests/support/fs_lossy.h"

/* A clock that the test moves. */
struct moved_clock {
    struct fc_clock clock;
    int64_t now_ns;
};

struct fixture {
    struct fc_fs *fs;
    struct fc_store *store;
    struct fc_quotas *quotas;
    struct moved_clock clock;
    struct fc_error err;
};

static int64_t now_ns(const struct fc_clock *clock)
{
    return ((const struct moved_clock *)clock)->now_ns;
}

static void set(struct fixture *fixture, const char *key, const char *value)
{
    assert_int_equal(fc_store_put(fixture->store, fc_slice_text(key), fc_slice_text(value),
                                  FC_STORE_ANYTHING, &fixture->err),
                     FC_OK);
}

static int set_up(void **state)
{
    static struct fixture fixture; /* one test at a time */
    memset(&fixture, 0, sizeof(fixture));
    fixture.clock.clock.steady_ns = now_ns;
    fixture.clock.clock.wall_ns = now_ns;
    fixture.fs = fs_lossy_new(5, 512);
    assert_int_equal(fc_store_local_open(fixture.fs, "", &fixture.store, &fixture.err), FC_OK);
    assert_int_equal(
        fc_quotas_new(fixture.store, &fixture.clock.clock, &fixture.quotas, &fixture.err),
        FC_OK);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_quotas_free(fixture->quotas);
    fc_store_close(fixture->store);
    fs_lossy_free(fixture->fs);
    return 0;
}

static int32_t take(struct fixture *fixture, fc_quota quota, const char *user,
                    const char *client, double amount)
{
    return fc_quotas_take(fixture->quotas, quota, fc_slice_text(user), fc_slice_text(client),
                          amount);
}

static void pass(struct fixture *fixture, int64_t ms)
{
    fixture->clock.now_ns += ms * 1000000;
}

static void without_a_quota_nobody_waits(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 1e12), 0);
    set(fixture, "quotas/users/bob", "producer_byte_rate=1000\n");
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 1e12), 0);
    assert_int_equal(take(fixture, FC_QUOTA_CONSUME, "bob", "app", 1e12), 0);
}

static void a_seconds_worth_is_free_and_debts_are_paid_at_the_quotas_rate(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, "quotas/users/ada", "producer_byte_rate=1000\n");
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 1000), 0);
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 500), 500);
    pass(fixture, 300);
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 0), 200);
    pass(fixture, 200);
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 0), 0);
    pass(fixture, 60000); /* what is saved up is a second's worth */
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 2000), 1000);
}

static void over_a_minute_the_rate_is_the_quotas(void **state)
{
    struct fixture *fixture = *state;
    double taken = 0;
    set(fixture, "quotas/users/ada", "producer_byte_rate=10000\n");
    while (fixture->clock.now_ns < (int64_t)60 * 1000000000) {
        taken += 700;
        pass(fixture, 1 + take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 700));
    }
    assert_true(taken > 590000 && taken < 620000);
}

static void a_wait_is_bounded_and_the_rest_is_owed(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, "quotas/users/ada", "consumer_byte_rate=1000\n");
    assert_int_equal(take(fixture, FC_QUOTA_CONSUME, "ada", "app", 31000), 10000);
    pass(fixture, 10000);
    assert_int_equal(take(fixture, FC_QUOTA_CONSUME, "ada", "app", 0), 10000);
    pass(fixture, 15000);
    assert_int_equal(take(fixture, FC_QUOTA_CONSUME, "ada", "app", 0), 5000);
}

static void who_shares_a_quota_shares_its_bucket(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, "quotas/users/<default>", "producer_byte_rate=1000\n");
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "one", 1000), 0);
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "two", 1000), 1000);
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "bob", "one", 1000), 0); /* his own */
    set(fixture, "quotas/users/<default>/clients/<default>", "producer_byte_rate=1000\n");
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "one", 1000), 0);
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "two", 1000), 0);
    set(fixture, "quotas/clients/batch", "consumer_byte_rate=1000\n");
    assert_int_equal(take(fixture, FC_QUOTA_CONSUME, "ada", "batch", 1000), 0);
    assert_int_equal(take(fixture, FC_QUOTA_CONSUME, "bob", "batch", 1000), 1000);
}

static void request_time_is_a_part_of_a_thread(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, "quotas/users/ada", "request_percentage=50\n");
    assert_int_equal(take(fixture, FC_QUOTA_REQUEST, "ada", "app", 5e8), 0);
    assert_int_equal(take(fixture, FC_QUOTA_REQUEST, "ada", "app", 1e8), 200);
}

static void a_quota_that_is_changed_counts_at_once(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, "quotas/users/ada", "producer_byte_rate=1000\n");
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 5000), 4000);
    set(fixture, "quotas/users/ada", "producer_byte_rate=4000\n");
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 0), 1000);
    assert_int_equal(fc_store_put(fixture->store, fc_slice_text("quotas/users/ada"),
                                  fc_slice_null(), FC_STORE_ANYTHING, &fixture->err),
                     FC_OK);
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "app", 5000), 0);
}

static void clients_that_make_up_names_do_not_fill_the_memory(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, "quotas/clients/<default>", "producer_byte_rate=1000\n");
    for (unsigned index = 0; index < 25000; index++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "client-%u", index);
        assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", name, 1000), 0);
    }
    assert_int_equal(take(fixture, FC_QUOTA_PRODUCE, "ada", "client-24999", 1000), 1000);
}

static bool take_strictly(struct fixture *fixture, double amount, int32_t *out_wait_ms)
{
    return fc_quotas_take_strictly(fixture->quotas, FC_QUOTA_MUTATE, fc_slice_text("ada"),
                                   fc_slice_text("app"), amount, out_wait_ms);
}

static void who_is_in_debt_for_partitions_is_refused_until_it_is_paid(void **state)
{
    struct fixture *fixture = *state;
    int32_t wait_ms = 0;
    assert_true(take_strictly(fixture, 1e6, &wait_ms));
    set(fixture, "quotas/users/ada", "controller_mutation_rate=2\n");
    assert_true(take_strictly(fixture, 22, &wait_ms)); /* eleven seconds' worth */
    assert_true(take_strictly(fixture, 6, &wait_ms));  /* the last one may overdraw */
    assert_int_equal(wait_ms, 0);
    assert_false(take_strictly(fixture, 1, &wait_ms));
    assert_int_equal(wait_ms, 3001);
    pass(fixture, 2000);
    assert_false(take_strictly(fixture, 1, &wait_ms)); /* what was refused does not count */
    assert_int_equal(wait_ms, 1001);
    pass(fixture, wait_ms);
    assert_true(take_strictly(fixture, 1, &wait_ms));
}

static void less_than_a_partition_a_second_can_be_had_too(void **state)
{
    struct fixture *fixture = *state;
    int32_t wait_ms = 0;
    set(fixture, "quotas/users/ada", "controller_mutation_rate=0.5\n");
    assert_true(take_strictly(fixture, 5.5, &wait_ms));
    assert_true(take_strictly(fixture, 1, &wait_ms));
    assert_false(take_strictly(fixture, 1, &wait_ms));
    assert_int_equal(wait_ms, 2001);
}

static void old_requests_for_partitions_are_done_and_wait_then(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, "quotas/users/ada", "controller_mutation_rate=2\n");
    assert_int_equal(take(fixture, FC_QUOTA_MUTATE, "ada", "app", 22), 0);
    assert_int_equal(take(fixture, FC_QUOTA_MUTATE, "ada", "app", 4), 2000);
    assert_int_equal(take(fixture, FC_QUOTA_MUTATE, "ada", "app", 2), 3000);
}

static int64_t connect_from(struct fixture *fixture, const char *ip)
{
    return fc_quotas_connect(fixture->quotas, fc_slice_text(ip));
}

static void connections_of_an_address_come_one_after_the_other(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(connect_from(fixture, "10.0.0.8"), 0);
    set(fixture, "quotas/ips/10.0.0.8", "connection_creation_rate=2\n");
    assert_int_equal(connect_from(fixture, "10.0.0.8"), 0);
    assert_int_equal(connect_from(fixture, "10.0.0.8"), 0);
    assert_int_equal(connect_from(fixture, "10.0.0.8"), 500);
    assert_int_equal(connect_from(fixture, "10.0.0.8"), 1000);
    assert_int_equal(connect_from(fixture, "10.0.0.9"), 0);
    pass(fixture, 2000);
    assert_int_equal(connect_from(fixture, "10.0.0.8"), 0);
    set(fixture, "quotas/ips/<default>", "connection_creation_rate=1\n");
    assert_int_equal(connect_from(fixture, "10.0.0.9"), 0);
    assert_int_equal(connect_from(fixture, "::1"), 0); /* each its own */
    assert_int_equal(connect_from(fixture, "10.0.0.9"), 1000);
}

static void a_flood_of_connections_is_refused_and_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, "quotas/ips/<default>", "connection_creation_rate=1\n");
    for (int index = 0; index <= 10; index++) {
        assert_int_equal(connect_from(fixture, "10.0.0.8"), index * 1000);
    }
    for (int index = 0; index < 1000; index++) {
        assert_int_equal(connect_from(fixture, "10.0.0.8"), -1);
    }
    pass(fixture, 1000);
    assert_int_equal(connect_from(fixture, "10.0.0.8"), 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_quota_nobody_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_seconds_worth_is_free_and_debts_are_paid_at_the_quotas_rate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(over_a_minute_the_rate_is_the_quotas, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_wait_is_bounded_and_the_rest_is_owed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_shares_a_quota_shares_its_bucket, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(request_time_is_a_part_of_a_thread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_quota_that_is_changed_counts_at_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            who_is_in_debt_for_partitions_is_refused_until_it_is_paid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(less_than_a_partition_a_second_can_be_had_too, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(old_requests_for_partitions_are_done_and_wait_then,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(connections_of_an_address_come_one_after_the_other,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flood_of_connections_is_refused_and_does_not_count,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(clients_that_make_up_names_do_not_fill_the_memory,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
