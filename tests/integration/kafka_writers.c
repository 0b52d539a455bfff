/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a writer on a real cluster promises through kills, its own and the broker's, and beside
 * another writer: kafka_writers NODE_DIR NODE_SCRIPT.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/cluster_stream.h"

static void nothing_is_lost_or_doubled_when_the_broker_is_killed(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 1);
    struct fc_error err = { 0 };
    fc_code code;
    (void)state;
    write_numbers(topic, 0, 0, 10000);
    node("kill"); /* most of it was not acknowledged yet */
    write_numbers(topic, 0, 10000, 20000);
    assert_int_equal(fc_stream_flush(stream, &err), FC_ERR_TIMEOUT);
    assert_true(err.retriable);
    node("again");
    do {
        code = fc_stream_flush(stream, &err);
    } while (code == FC_ERR_TIMEOUT);
    if (code != FC_OK) { /* librdkafka before 2.3 may give up its producer */
        int64_t there;
        assert_true(err.retriable);
        renew(stream);
        there = count_numbers(topic, 0);
        assert_true(there == 0 || there == 20000);
        write_numbers(topic, 0, there, 20000);
        flush(stream);
    }
    write_numbers(topic, 0, 20000, 30000);
    flush(stream);
    expect_numbers(topic, 0, 30000);
    fc_stream_close(stream);
}

static void what_is_not_flushed_is_not_read(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 1);
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    int64_t base = 0;
    struct fc_error err = { 0 };
    (void)state;
    write_numbers(topic, 0, 0, 1000);
    while (base < 1000) { /* until all are acknowledged */
        must(fc_stream_append(batch, &base, &err), &err);
    }
    assert_int_equal(end_of(topic), 0);
    assert_int_equal(count_numbers(topic, 0), 0);
    flush(stream);
    expect_numbers(topic, 0, 1000);
    fc_stream_batch_free(batch);
    fc_stream_close(stream);
}

static void what_a_dead_writer_sent_never_arrives(void **state)
{
    struct fc_stream *stream;
    struct fc_topic *topic;
    int status = 0;
    char name[FC_TOPIC_NAME_MAX + 1];
    (void)state;
    stream = open_stream("test");
    topic = fresh_topic(stream, 1);
    (void)snprintf(name, sizeof(name), "%s", fc_topic_name(topic));
    fc_stream_close(stream);
    pid_t pid = fork();
    if (pid == 0) {
        struct fc_error err = { 0 };
        stream = open_stream("test");
        must(fc_stream_topic(stream, name, &topic, &err), &err);
        write_numbers(topic, 0, 0, 2000);
        flush(stream);
        write_numbers(topic, 0, 2000, 3000); /* the transaction is open */
        node("pause");
        write_numbers(topic, 0, 3000, 8000);
        assert_int_equal(fc_stream_flush(stream, &err), FC_ERR_TIMEOUT); /* it is sent */
        (void)kill(getpid(), SIGKILL);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_true(WIFSIGNALED(status));
    node("resume");
    stream = open_stream("test");
    {
        struct fc_error err = { 0 };
        renew(stream);
        must(fc_stream_topic(stream, name, &topic, &err), &err);
    }
    assert_int_equal(count_numbers(topic, 0), 2000);
    write_numbers(topic, 0, 2000, 9000);
    flush(stream);
    expect_numbers(topic, 0, 9000);
    fc_stream_close(stream);
}

static void of_two_writers_the_older_is_refused(void **state)
{
    struct fc_stream *older = open_stream("test");
    struct fc_stream *newer = open_stream("test");
    struct fc_topic *topic = fresh_topic(older, 1);
    struct fc_topic *same = NULL;
    struct fc_error err = { 0 };
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    int64_t base = 0;
    fc_code code;
    (void)state;
    must(fc_stream_topic(newer, fc_topic_name(topic), &same, &err), &err);
    write_numbers(topic, 0, 0, 1000);
    flush(older);
    write_numbers(topic, 0, 1000, 2000); /* not flushed when it is taken over */
    renew(newer);
    expect_numbers(same, 0, 1000);
    write_numbers(same, 0, 1000, 3000);
    flush(newer);
    add(batch, 2000, "number");
    must(fc_stream_batch_seal(batch, &err), &err);
    do {
        code = fc_stream_append(batch, &base, &err);
        code = code == FC_OK ? fc_stream_flush(older, &err) : code;
    } while (code == FC_ERR_TIMEOUT);
    assert_int_equal(code, FC_ERR_REFUSED);
    assert_false(err.retriable);
    assert_non_null(strstr(err.message, "taken over as writer test"));
    expect_numbers(same, 0, 3000);
    fc_stream_batch_free(batch);
    fc_stream_close(older);
    fc_stream_close(newer);
}

static void a_stream_renewed_goes_on_behind_what_is_there(void **state)
{
    struct fc_stream *stream = open_stream("test");
    struct fc_topic *topic = fresh_topic(stream, 1);
    struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
    struct fc_error err = { 0 };
    int64_t base = 0;
    (void)state;
    write_numbers(topic, 0, 0, 3000);
    flush(stream);
    write_numbers(topic, 0, 3000, 5000);
    while (base < 5000) { /* until all are acknowledged */
        must(fc_stream_append(batch, &base, &err), &err);
    }
    renew(stream);
    must(fc_stream_append(batch, &base, &err), &err);
    assert_int_equal(base, 0); /* what was acknowledged says nothing about the log now */
    assert_int_equal(count_numbers(topic, 0), 3000);
    write_numbers(topic, 0, 3000, 6000);
    flush(stream);
    expect_numbers(topic, 0, 6000);
    fc_stream_batch_free(batch);
    fc_stream_close(stream);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_doubled_when_the_broker_is_killed),
        cmocka_unit_test(what_is_not_flushed_is_not_read),
        cmocka_unit_test(what_a_dead_writer_sent_never_arrives),
        cmocka_unit_test(of_two_writers_the_older_is_refused),
        cmocka_unit_test(a_stream_renewed_goes_on_behind_what_is_there),
    };
    return cluster_stream_args(argc, argv)
               ? cmocka_run_group_tests(tests, cluster_stream_set_up, NULL)
               : 2;
}
