/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "runner/restore/cut.h"
#include "tests/support/log_fixture.h"
#include "tests/support/sample_rows.h"

static const struct fc_column id_column[] = {
    { .name = "id", .native_type = "bigint", .type = FC_TYPE_INT, .bits = 64, .key_index = 1 },
};
static const struct fc_shape keyed = {
    .db = "d", .table = "t", .columns = id_column, .column_count = 1, .key_count = 1
};

/* --- parsing ----------------------------------------------------------------------------- */

static int use_a_zone(void **state)
{
    (void)state;
    (void)setenv("TZ", "Europe/Berlin", 1); /* one thread yet */
    tzset();
    return 0;
}

static void times_are_read_with_zone_and_without(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
        bool local;
    } cases[] = {
        { "2023-11-14T22:13:20Z", 1700000000000000, false },
        { "2023-11-14T22:13:20.5Z", 1700000000500000, false },
        { "2023-11-14 22:13:20.123456Z", 1700000000123456, false },
        { "2023-11-14 22:13:20.123456789Z", 1700000000123456, false },
        { "2023-11-14T23:13:20+01:00", 1700000000000000, false },
        { "2023-11-14T17:43:20-0430", 1700000000000000, false },
        { "2023-11-14 23:13:20", 1700000000000000, true },
        { "2023-11-14 23:13", 1699999980000000, true },
        { "2023-07-14 23:13:20", 1689369200000000, true }, /* summer time */
    };
    (void)state;
    for (size_t index = 0; index < sizeof(cases) / sizeof(*cases); index++) {
        struct fc_cut_spec spec;
        struct fc_error err;
        assert_int_equal(fc_cut_parse(cases[index].text, NULL, &spec, &err), FC_OK);
        assert_int_equal(spec.kind, FC_CUT_TIME);
        assert_int_equal(spec.time_us, cases[index].us);
        assert_int_equal(spec.local, cases[index].local);
    }
}

static void transactions_offsets_and_the_end_are_told_apart(void **state)
{
    struct fc_cut_spec spec;
    struct fc_error err;
    (void)state;
    assert_int_equal(fc_cut_parse("0-1-42", NULL, &spec, &err), FC_OK);
    assert_int_equal(spec.kind, FC_CUT_TX);
    assert_false(spec.before);
    assert_int_equal(fc_cut_parse(NULL, "3e11fa47-71ca-11e1-9e33-c80aa9429562:23", &spec, &err),
                     FC_OK);
    assert_int_equal(spec.kind, FC_CUT_TX);
    assert_true(spec.before);
    assert_int_equal(fc_cut_parse("binlog.000003:1234", NULL, &spec, &err), FC_OK);
    assert_int_equal(spec.kind, FC_CUT_TX);
    assert_int_equal(fc_cut_parse("shop.orders/2/8123", NULL, &spec, &err), FC_OK);
    assert_int_equal(spec.kind, FC_CUT_OFFSET);
    assert_string_equal(spec.topic, "shop.orders");
    assert_int_equal(spec.partition, 2);
    assert_int_equal(spec.offset, 8123);
    assert_int_equal(fc_cut_parse("8123", NULL, &spec, &err), FC_OK);
    assert_int_equal(spec.kind, FC_CUT_OFFSET);
    assert_string_equal(spec.topic, "");
    assert_int_equal(fc_cut_parse("end", NULL, &spec, &err), FC_OK);
    assert_int_equal(spec.kind, FC_CUT_END);
    assert_int_equal(fc_cut_parse(NULL, NULL, &spec, &err), FC_OK);
    assert_int_equal(spec.kind, FC_CUT_END);
}

static void what_is_no_point_in_time_is_refused_with_an_example(void **state)
{
    static const char *const bad[] = {
        "2023-02-30 10:00:00",
        "2023-13-01 10:00:00",
        "2023-11-14 25:00:00",
        "2023-11-14 10:00:00x",
        "2023-11-14T10:00:00.",
        "2023-11-14 10",
        "2023-11-14 10:00:00+1",
        "2023-03-26 02:30:00", /* skipped by summer time */
        "shop/x/5",
        "shop/0/",
        "/0/5",
        "shop/0/5x",
        "shop/5",
        "99999999999999999999",
        "0-1-42,1-2-5",
        "two words",
        "",
    };
    (void)state;
    for (size_t index = 0; index < sizeof(bad) / sizeof(*bad); index++) {
        struct fc_cut_spec spec;
        struct fc_error err;
        assert_int_equal(fc_cut_parse(bad[index], NULL, &spec, &err), FC_ERR_CONFIG);
    }
    struct fc_cut_spec spec;
    struct fc_error err;
    assert_int_equal(fc_cut_parse("0-1-2", "0-1-3", &spec, &err), FC_ERR_CONFIG);
    assert_int_equal(fc_cut_parse(NULL, "", &spec, &err), FC_ERR_CONFIG);
}

/* --- resolving --------------------------------------------------------------------------- */

/* Ten transactions of three rows each. */
static void write_ten(struct fc_log_fixture *fixture)
{
    for (int64_t tx = 0; tx < 10; tx++) {
        fc_log_fixture_begin(fixture, false);
        for (int64_t row = 0; row < 3; row++) {
            struct fc_value value = fc_sample_int(tx * 3 + row);
            fc_log_writer_row(fixture->writer, FC_OP_CREATE, &keyed, NULL, &value);
        }
        fc_log_writer_commit(fixture->writer);
    }
}

static fc_code resolve(struct fc_log_fixture *fixture, const char *to, const char *before,
                       struct fc_cut *cut, struct fc_error *err)
{
    struct fc_cut_spec spec;
    assert_int_equal(fc_cut_parse(to, before, &spec, err), FC_OK);
    return fc_cut_resolve(fixture->view, &spec, cut, err);
}

static void assert_cut(struct fc_log_fixture *fixture, const char *to, const char *before,
                       uint64_t seq)
{
    struct fc_cut cut;
    struct fc_error err;
    char tx_id[32];
    assert_int_equal(resolve(fixture, to, before, &cut, &err), FC_OK);
    assert_int_equal(cut.seq, seq);
    assert_int_equal(cut.last.seq, seq);
    (void)snprintf(tx_id, sizeof(tx_id), "0-1-%d", (int)seq);
    assert_string_equal(cut.last.tx_id, tx_id);
    assert_int_equal(cut.last.time_ms, (FC_FIXTURE_TIME_S + (int64_t)seq) * 1000);
    fc_cut_release(&cut);
}

static void assert_no_cut(struct fc_log_fixture *fixture, const char *to, const char *before,
                          const char *says)
{
    struct fc_cut cut;
    struct fc_error err;
    assert_int_equal(resolve(fixture, to, before, &cut, &err), FC_ERR_NOT_FOUND);
    if (strstr(err.message, says) == NULL) {
        print_message("%s\n", err.message);
    }
    assert_non_null(strstr(err.message, says));
}

static void a_cut_is_always_between_two_transactions(void **state)
{
    (void)state;
    for (uint32_t partitions = 1; partitions <= 3; partitions += 2) {
        struct fc_log_fixture fixture;
        fc_log_fixture_init(&fixture, "cap", partitions);
        write_ten(&fixture);
        fc_log_fixture_view(&fixture);
        assert_cut(&fixture, NULL, NULL, 10);
        assert_cut(&fixture, "0-1-4", NULL, 4);
        assert_cut(&fixture, NULL, "0-1-4", 3);
        assert_cut(&fixture, "2023-11-14T22:13:24Z", NULL, 4);
        assert_cut(&fixture, "2023-11-14T22:13:24.999Z", NULL, 4);
        assert_cut(&fixture, "2023-11-14T22:13:30Z", NULL, 10);
        assert_no_cut(&fixture, "2023-11-14T22:13:20Z", NULL, "before the first");
        assert_no_cut(&fixture, NULL, "0-1-1", "before the first");
        assert_no_cut(&fixture, "2023-11-14T22:13:30.001Z", NULL, "after the last");
        assert_no_cut(&fixture, "0-1-11", NULL, "not the id of a captured transaction");
        assert_no_cut(&fixture, "0-1-11", NULL, "number 1, transaction 0-1-1");
        assert_no_cut(&fixture, "0-1-11", NULL, "number 10, transaction 0-1-10");
        fc_log_fixture_release(&fixture);
    }
}

static void an_offset_goes_down_to_the_end_of_a_transaction(void **state)
{
    struct fc_log_fixture fixture;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    write_ten(&fixture);
    fc_log_fixture_view(&fixture);
    assert_cut(&fixture, "cap/0/2", NULL, 1);
    assert_cut(&fixture, "cap/0/3", NULL, 1);
    assert_cut(&fixture, "4", NULL, 1);
    assert_cut(&fixture, "5", NULL, 2);
    assert_cut(&fixture, "29", NULL, 10);
    assert_no_cut(&fixture, "1", NULL, "before the first");
    assert_no_cut(&fixture, "30", NULL, "0 to 29");
    assert_no_cut(&fixture, "other/0/5", NULL, "no partition other/0");
    assert_no_cut(&fixture, "cap/1/5", NULL, "no partition cap/1");
    fc_log_fixture_release(&fixture);
}

static void a_bare_offset_needs_a_single_partition(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_cut cut;
    struct fc_error err;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 2);
    write_ten(&fixture);
    fc_log_fixture_view(&fixture);
    assert_int_equal(resolve(&fixture, "5", NULL, &cut, &err), FC_ERR_CONFIG);
    assert_non_null(strstr(err.message, "topic/partition/offset"));
    fc_log_fixture_release(&fixture);
}

static void a_transaction_that_is_not_whole_is_never_in(void **state)
{
    (void)state;
    for (uint32_t partitions = 1; partitions <= 3; partitions += 2) {
        struct fc_log_fixture fixture;
        struct fc_value value = fc_sample_int(1000);
        struct fc_log_view_config config;
        struct fc_error err;
        fc_log_fixture_init(&fixture, "cap", partitions);
        write_ten(&fixture);
        fc_log_fixture_view(&fixture);
        fc_log_view_close(fixture.view);
        fixture.view = NULL;
        fc_log_fixture_begin(&fixture, false); /* whole, but after the checkpoint */
        fc_log_writer_row(fixture.writer, FC_OP_CREATE, &keyed, NULL, &value);
        fc_log_writer_commit(fixture.writer);
        fc_log_fixture_begin(&fixture, false);
        fc_log_writer_row(fixture.writer, FC_OP_UPDATE, &keyed, &value, &value);
        fc_log_writer_break_off(fixture.writer);
        memset(&config, 0, sizeof(config));
        config.stream = fixture.stream;
        config.clock = fc_clock_system();
        config.connector = "cap";
        config.topic = "cap";
        assert_int_equal(fc_log_view_open(&config, &fixture.view, &err), FC_OK);
        /* With one partition the log itself shows what is whole. */
        assert_cut(&fixture, NULL, NULL, partitions == 1 ? 11 : 10);
        assert_no_cut(&fixture, "0-1-12", NULL, "not captured completely yet");
        fc_log_fixture_release(&fixture);
    }
}

static void an_empty_log_says_what_to_do(void **state)
{
    struct fc_log_fixture fixture;
    struct fc_log_view_config config;
    struct fc_error err;
    (void)state;
    fc_log_fixture_init(&fixture, "cap", 1);
    memset(&config, 0, sizeof(config));
    config.stream = fixture.stream;
    config.clock = fc_clock_system();
    config.connector = "cap";
    config.topic = "cap";
    assert_int_equal(fc_log_view_open(&config, &fixture.view, &err), FC_ERR_REJECTED);
    assert_non_null(strstr(err.message, "fluvio-connect run"));
    fc_log_fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_with_zone_and_without),
        cmocka_unit_test(transactions_offsets_and_the_end_are_told_apart),
        cmocka_unit_test(what_is_no_point_in_time_is_refused_with_an_example),
        cmocka_unit_test(a_cut_is_always_between_two_transactions),
        cmocka_unit_test(an_offset_goes_down_to_the_end_of_a_transaction),
        cmocka_unit_test(a_bare_offset_needs_a_single_partition),
        cmocka_unit_test(a_transaction_that_is_not_whole_is_never_in),
        cmocka_unit_test(an_empty_log_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, use_a_zone, NULL);
}
