/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/spu/txn/txn.h"

enum { TIMEOUT_MS = 60000, ID = 7, FRESH = 8 };

static const struct fc_txn_producer NOBODY = { -1, -1 };

static struct fc_slice text(const char *chars)
{
    return fc_slice_text(chars);
}

static struct fc_txn_producer now_of(const struct fc_txn *txn)
{
    struct fc_txn_producer producer = { txn->producer_id, txn->epoch };
    return producer;
}

/* A transactional id that its first producer has just got. */
static struct fc_txn *begun(void)
{
    struct fc_txn *txn = fc_txn_new(text("t"), ID);
    fc_txn_step step;
    assert_int_equal(fc_txn_init(txn, &NOBODY, TIMEOUT_MS, -1, 0, &step), FC_KAFKA_NONE);
    assert_int_equal(step, FC_TXN_STEP_STORE);
    assert_int_equal(txn->epoch, 0);
    return txn;
}

static void add(struct fc_txn *txn, const char *topic, int32_t partition, fc_txn_step wanted)
{
    struct fc_txn_producer producer = now_of(txn);
    fc_txn_step step;
    assert_int_equal(fc_txn_add(txn, &producer, text(topic), partition, 1000, &step),
                     FC_KAFKA_NONE);
    assert_int_equal(step, wanted);
}

static fc_kafka_error end(struct fc_txn *txn, struct fc_txn_producer producer, bool commit,
                          bool bumps, fc_txn_step *out_step)
{
    return fc_txn_end(txn, &producer, commit, bumps, -1, 2000, out_step);
}

static void a_transaction_is_ongoing_from_its_first_partition_to_its_end(void **state)
{
    struct fc_txn *txn = begun();
    fc_txn_step step;
    (void)state;
    assert_int_equal(txn->state, FC_TXN_EMPTY);
    add(txn, "a", 0, FC_TXN_STEP_STORE);
    add(txn, "a", 1, FC_TXN_STEP_STORE);
    add(txn, "a", 0, FC_TXN_STEP_NONE);
    assert_int_equal(txn->state, FC_TXN_ONGOING);
    assert_int_equal(txn->start_ms, 1000);
    assert_true(fc_txn_has(txn, text("a"), 1));
    assert_false(fc_txn_has(txn, text("b"), 1));
    assert_int_equal(end(txn, now_of(txn), true, false, &step), FC_KAFKA_NONE);
    assert_int_equal(step, FC_TXN_STEP_END);
    assert_int_equal(txn->state, FC_TXN_PREPARE_COMMIT);
    fc_txn_complete(txn, 3000);
    assert_int_equal(txn->state, FC_TXN_COMPLETE_COMMIT);
    assert_int_equal(txn->partitions_count, 0);
    fc_txn_free(txn);
}

static void an_end_that_is_asked_for_again_is_answered_alike(void **state)
{
    struct fc_txn *txn = begun();
    fc_txn_step step;
    (void)state;
    add(txn, "a", 0, FC_TXN_STEP_STORE);
    assert_int_equal(end(txn, now_of(txn), true, false, &step), FC_KAFKA_NONE);
    assert_int_equal(end(txn, now_of(txn), true, false, &step),
                     FC_KAFKA_CONCURRENT_TRANSACTIONS);
    fc_txn_complete(txn, 0);
    assert_int_equal(end(txn, now_of(txn), true, false, &step), FC_KAFKA_NONE);
    assert_int_equal(step, FC_TXN_STEP_NONE);
    assert_int_equal(end(txn, now_of(txn), false, false, &step), FC_KAFKA_INVALID_TXN_STATE);
    fc_txn_free(txn);
}

static void an_end_without_a_beginning_is_an_error(void **state)
{
    struct fc_txn *txn = begun();
    fc_txn_step step;
    (void)state;
    assert_int_equal(end(txn, now_of(txn), true, false, &step), FC_KAFKA_INVALID_TXN_STATE);
    assert_int_equal(end(txn, now_of(txn), false, false, &step), FC_KAFKA_INVALID_TXN_STATE);
    assert_int_equal(end(txn, now_of(txn), true, true, &step), FC_KAFKA_INVALID_TXN_STATE);
    fc_txn_free(txn);
}

static void another_process_fences_the_first(void **state)
{
    struct fc_txn *txn = begun();
    struct fc_txn_producer old = now_of(txn);
    fc_txn_step step;
    (void)state;
    assert_int_equal(fc_txn_init(txn, &NOBODY, TIMEOUT_MS, -1, 0, &step), FC_KAFKA_NONE);
    assert_int_equal(txn->epoch, 1);
    assert_int_equal(fc_txn_add(txn, &old, text("a"), 0, 0, &step), FC_KAFKA_PRODUCER_FENCED);
    assert_int_equal(end(txn, old, true, false, &step), FC_KAFKA_PRODUCER_FENCED);
    assert_int_equal(end(txn, old, true, true, &step), FC_KAFKA_PRODUCER_FENCED);
    assert_int_equal(fc_txn_init(txn, &old, TIMEOUT_MS, -1, 0, &step),
                     FC_KAFKA_PRODUCER_FENCED);
    fc_txn_free(txn);
}

static void what_the_first_left_open_is_aborted_before_the_second_begins(void **state)
{
    struct fc_txn *txn = begun();
    fc_txn_step step;
    (void)state;
    add(txn, "a", 0, FC_TXN_STEP_STORE);
    assert_int_equal(fc_txn_init(txn, &NOBODY, TIMEOUT_MS, -1, 0, &step),
                     FC_KAFKA_CONCURRENT_TRANSACTIONS);
    assert_int_equal(step, FC_TXN_STEP_END);
    assert_int_equal(txn->state, FC_TXN_PREPARE_ABORT);
    assert_int_equal(fc_txn_marker_producer(txn).epoch, 1); /* fences what is under way */
    assert_int_equal(fc_txn_init(txn, &NOBODY, TIMEOUT_MS, -1, 0, &step),
                     FC_KAFKA_CONCURRENT_TRANSACTIONS);
    assert_int_equal(step, FC_TXN_STEP_NONE);
    fc_txn_complete(txn, 0);
    assert_int_equal(fc_txn_init(txn, &NOBODY, TIMEOUT_MS, -1, 0, &step), FC_KAFKA_NONE);
    assert_int_equal(txn->epoch, 2);
    fc_txn_free(txn);
}

static void a_producer_that_missed_the_answer_gets_the_same_epoch(void **state)
{
    struct fc_txn *txn = begun();
    struct fc_txn_producer asked = now_of(txn);
    fc_txn_step step;
    (void)state;
    assert_int_equal(fc_txn_init(txn, &asked, TIMEOUT_MS, -1, 0, &step), FC_KAFKA_NONE);
    assert_int_equal(txn->epoch, 1);
    assert_int_equal(fc_txn_init(txn, &asked, TIMEOUT_MS, -1, 0, &step), FC_KAFKA_NONE);
    assert_int_equal(step, FC_TXN_STEP_NONE);
    assert_int_equal(txn->epoch, 1);
    fc_txn_free(txn);
}

static void an_id_that_was_forgotten_takes_a_producer_back(void **state)
{
    struct fc_txn *txn = fc_txn_new(text("t"), ID);
    struct fc_txn_producer stranger = { 99, 5 };
    fc_txn_step step;
    (void)state;
    assert_int_equal(fc_txn_init(txn, &stranger, TIMEOUT_MS, -1, 0, &step), FC_KAFKA_NONE);
    assert_int_equal(txn->producer_id, ID);
    assert_int_equal(txn->epoch, 0);
    fc_txn_free(txn);
}

static void the_epoch_grows_with_each_end_for_clients_that_know_it(void **state)
{
    struct fc_txn *txn = begun();
    struct fc_txn_producer first = now_of(txn);
    fc_txn_step step;
    (void)state;
    add(txn, "a", 0, FC_TXN_STEP_STORE);
    assert_int_equal(end(txn, first, true, true, &step), FC_KAFKA_NONE);
    assert_int_equal(step, FC_TXN_STEP_END);
    assert_int_equal(txn->epoch, 1);
    assert_int_equal(fc_txn_marker_producer(txn).epoch, 1);
    assert_int_equal(end(txn, first, true, true, &step), FC_KAFKA_CONCURRENT_TRANSACTIONS);
    fc_txn_complete(txn, 0);
    assert_int_equal(end(txn, first, true, true, &step),
                     FC_KAFKA_NONE); /* the answer was lost */
    assert_int_equal(step, FC_TXN_STEP_NONE);
    assert_int_equal(end(txn, first, false, true, &step), FC_KAFKA_INVALID_TXN_STATE);
    assert_int_equal(fc_txn_add(txn, &first, text("a"), 0, 0, &step),
                     FC_KAFKA_PRODUCER_FENCED); /* a late batch opens nothing */
    assert_int_equal(end(txn, now_of(txn), false, true, &step), FC_KAFKA_NONE);
    assert_int_equal(txn->epoch, 2);
    fc_txn_free(txn);
}

static void the_last_epoch_is_followed_by_another_producer_id(void **state)
{
    struct fc_txn *txn = begun();
    struct fc_txn_producer last;
    fc_txn_step step;
    (void)state;
    txn->epoch = FC_TXN_EPOCH_MAX;
    last = now_of(txn);
    add(txn, "a", 0, FC_TXN_STEP_STORE);
    assert_int_equal(fc_txn_end(txn, &last, true, true, -1, 0, &step), FC_KAFKA_NONE);
    assert_int_equal(step, FC_TXN_STEP_NEW_ID);
    assert_int_equal(txn->state, FC_TXN_ONGOING);
    assert_int_equal(fc_txn_end(txn, &last, true, true, FRESH, 0, &step), FC_KAFKA_NONE);
    assert_int_equal(step, FC_TXN_STEP_END);
    assert_int_equal(txn->producer_id, FRESH);
    assert_int_equal(txn->epoch, 0);
    assert_int_equal(fc_txn_marker_producer(txn).id, ID);
    assert_int_equal(fc_txn_marker_producer(txn).epoch, INT16_MAX);
    fc_txn_complete(txn, 0);
    assert_int_equal(end(txn, last, true, true, &step), FC_KAFKA_NONE);
    fc_txn_free(txn);
}

/* Its first transaction goes on, under an id that followed the last epoch of another. */
static struct fc_txn *begun_under_a_fresh_id(void)
{
    struct fc_txn *txn = begun();
    struct fc_txn_producer last;
    fc_txn_step step;
    txn->epoch = FC_TXN_EPOCH_MAX;
    last = now_of(txn);
    add(txn, "a", 0, FC_TXN_STEP_STORE);
    assert_int_equal(fc_txn_end(txn, &last, true, true, FRESH, 0, &step), FC_KAFKA_NONE);
    fc_txn_complete(txn, 0);
    add(txn, "a", 0, FC_TXN_STEP_STORE);
    return txn;
}

static void what_a_fresh_id_has_open_is_its_own(void **state)
{
    struct fc_txn *txn = begun_under_a_fresh_id();
    (void)state;
    assert_int_equal(fc_txn_marker_producer(txn).id, FRESH);
    assert_int_equal(fc_txn_marker_producer(txn).epoch, 0);
    fc_txn_free(txn);
}

static void what_a_fresh_id_left_open_is_aborted_under_that_id(void **state)
{
    struct fc_txn *txn = begun_under_a_fresh_id();
    fc_txn_step step;
    (void)state;
    assert_int_equal(fc_txn_init(txn, &NOBODY, TIMEOUT_MS, -1, 0, &step),
                     FC_KAFKA_CONCURRENT_TRANSACTIONS);
    assert_int_equal(step, FC_TXN_STEP_END);
    assert_int_equal(fc_txn_marker_producer(txn).id, FRESH);
    assert_int_equal(fc_txn_marker_producer(txn).epoch, 1);
    fc_txn_free(txn);
}

static void a_transaction_that_is_too_old_is_aborted_under_a_higher_epoch(void **state)
{
    struct fc_txn *txn = begun();
    struct fc_txn_producer old = now_of(txn);
    fc_txn_step step;
    (void)state;
    assert_int_equal(fc_txn_deadline_ms(txn), INT64_MAX);
    add(txn, "a", 0, FC_TXN_STEP_STORE);
    assert_int_equal(fc_txn_deadline_ms(txn), 1000 + TIMEOUT_MS);
    assert_false(fc_txn_time_out(txn, 1000 + TIMEOUT_MS - 1));
    assert_true(fc_txn_time_out(txn, 1000 + TIMEOUT_MS));
    assert_int_equal(txn->state, FC_TXN_PREPARE_ABORT);
    assert_int_equal(txn->epoch, 1);
    fc_txn_complete(txn, 0);
    assert_int_equal(end(txn, old, true, false, &step), FC_KAFKA_PRODUCER_FENCED);
    fc_txn_free(txn);
}

static void another_producer_id_is_not_this_ones(void **state)
{
    struct fc_txn *txn = begun();
    struct fc_txn_producer stranger = { 99, 0 };
    fc_txn_step step;
    (void)state;
    assert_int_equal(fc_txn_add(txn, &stranger, text("a"), 0, 0, &step),
                     FC_KAFKA_INVALID_PRODUCER_ID_MAPPING);
    assert_int_equal(end(txn, stranger, true, false, &step),
                     FC_KAFKA_INVALID_PRODUCER_ID_MAPPING);
    fc_txn_free(txn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_is_ongoing_from_its_first_partition_to_its_end),
        cmocka_unit_test(an_end_that_is_asked_for_again_is_answered_alike),
        cmocka_unit_test(an_end_without_a_beginning_is_an_error),
        cmocka_unit_test(another_process_fences_the_first),
        cmocka_unit_test(what_the_first_left_open_is_aborted_before_the_second_begins),
        cmocka_unit_test(a_producer_that_missed_the_answer_gets_the_same_epoch),
        cmocka_unit_test(an_id_that_was_forgotten_takes_a_producer_back),
        cmocka_unit_test(the_epoch_grows_with_each_end_for_clients_that_know_it),
        cmocka_unit_test(the_last_epoch_is_followed_by_another_producer_id),
        cmocka_unit_test(what_a_fresh_id_has_open_is_its_own),
        cmocka_unit_test(what_a_fresh_id_left_open_is_aborted_under_that_id),
        cmocka_unit_test(a_transaction_that_is_too_old_is_aborted_under_a_higher_epoch),
        cmocka_unit_test(another_producer_id_is_not_this_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
