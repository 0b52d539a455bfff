/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use a data directory, what topics it has, and what is damaged in it. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "tests/support/stream_fixture.h"

enum { DEADLINE_MS = 30000 };

static char *path_of(const struct stream_fixture *fixture, const char *name)
{
    return fc_asprintf("%s/%s", fixture->dir, name);
}

static void flip_byte(const struct stream_fixture *fixture, const char *name, off_t at)
{
    char *path = path_of(fixture, name);
    int fd = open(path, O_RDWR);
    char byte = 0;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x20;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
    free(path);
}

static void a_directory_in_use_is_refused_with_the_pid(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_embedded_config config = { .dir = fixture->dir };
    struct fc_stream *stream = NULL;
    char pid[32];
    int status = 0;
    pid_t child;
    (void)snprintf(pid, sizeof(pid), "process %ld;", (long)getpid());
    child = fork();
    if (child == 0) {
        struct fc_error err = { 0 };
        fc_code code = fc_embedded_open(&config, &stream, &err);
        _exit(code == FC_ERR_REFUSED && strstr(err.message, pid) != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    stream_fixture_close(fixture); /* and is free again afterwards */
    stream_fixture_open(fixture);
}

static void missing_directories_are_made_with_all_above_them(void **state)
{
    struct stream_fixture *fixture = *state;
    char *dir = path_of(fixture, "a/b/c");
    struct fc_embedded_config config = { .dir = dir };
    struct fc_stream *stream = NULL;
    assert_int_equal(fc_embedded_open(&config, &stream, &fixture->err), FC_OK);
    fc_stream_close(stream);
    free(dir);
    config.dir = "/nowhere-at-all";
    config.read_only = true;
    assert_int_equal(fc_embedded_open(&config, &stream, &fixture->err), FC_ERR_NOT_FOUND);
    assert_non_null(strstr(fixture->err.message, "/nowhere-at-all"));
}

/* Names, sizes and times of all files. */
static void describe(const char *path, struct fc_buf *to);

static int describe_entry(void *ctx, const char *name)
{
    fc_buf_append_text(ctx, name);
    fc_buf_append_text(ctx, "\n");
    return 0;
}

static void describe(const char *path, struct fc_buf *to)
{
    static const char *const files[] = { "manifest", "topic.json", "00000000000000000000.log",
                                         "00000000000000000000.index" };
    struct fc_fs *fs = fc_fs_system();
    assert_int_equal(fs->ops->list(fs, path, describe_entry, to, NULL), FC_OK);
    for (size_t index = 0; index < sizeof(files) / sizeof(files[0]); index++) {
        char *file = fc_asprintf("%s/%s", path, files[index]);
        struct stat info;
        if (stat(file, &info) == 0) {
            fc_buf_append_fmt(to, "%s %lld %lld.%09ld\n", files[index], (long long)info.st_size,
                              (long long)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
        }
        free(file);
    }
}

static void reading_only_takes_no_lock_and_changes_nothing(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 4096);
    struct fc_topic_config config;
    struct fc_stream *stream;
    struct fc_stream_batch *batch;
    struct fc_buf before;
    struct fc_buf after;
    int64_t base = 0;
    char *dir = path_of(fixture, "t-0");
    for (int64_t number = 0; number < 500; number += 10) {
        stream_fixture_append(fixture, topic, number, 10);
    }
    stream_fixture_flush(fixture);
    fc_buf_init(&before, 1 << 16);
    fc_buf_init(&after, 1 << 16);
    describe(dir, &before);
    stream = stream_fixture_open_read_only(fixture);
    assert_int_equal(fc_stream_topic(stream, "t", &topic, &fixture->err), FC_OK);
    stream_fixture_expect(fixture, topic, 0, 500);
    fc_topic_config_init(&config);
    assert_int_equal(fc_stream_topic_ensure(stream, "new", &config, &topic, &fixture->err),
                     FC_ERR_REFUSED);
    assert_int_equal(fc_stream_topic(stream, "t", &topic, &fixture->err), FC_OK);
    batch = fc_stream_batch_new(topic, 0);
    assert_int_equal(fc_stream_batch_seal(batch, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_append(batch, &base, &fixture->err), FC_ERR_REFUSED);
    fc_stream_batch_free(batch);
    fc_stream_close(stream);
    describe(dir, &after);
    assert_true(fc_slice_equal(fc_buf_slice(&before), fc_buf_slice(&after)));
    fc_buf_release(&before);
    fc_buf_release(&after);
    free(dir);
}

/* Another process that appends until it has written `total` records, or is killed. */
static pid_t start_writer(struct stream_fixture *fixture, int64_t total)
{
    pid_t child;
    stream_fixture_close(fixture);
    child = fork();
    if (child == 0) {
        struct fc_topic *topic;
        stream_fixture_open(fixture);
        topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 20000);
        for (int64_t number = stream_fixture_offsets(fixture, topic).end; number < total;
             number += 7) {
            stream_fixture_append(fixture, topic, number, 7);
        }
        stream_fixture_close(fixture);
        _exit(0);
    }
    return child;
}

static void reading_only_follows_a_writer_in_another_process(void **state)
{
    enum { TOTAL = 70000 };
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 20000);
    struct fc_stream_reader *reader = NULL;
    struct fc_stream *stream;
    int64_t deadline = fc_clock_steady_ms(fc_clock_system()) + DEADLINE_MS;
    int64_t next = 0;
    int status = 0;
    pid_t child = start_writer(fixture, TOTAL);
    stream = stream_fixture_open_read_only(fixture);
    assert_int_equal(fc_stream_topic(stream, "t", &topic, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_reader_open(topic, 0, 0, &reader, &fixture->err), FC_OK);
    while (next < TOTAL && fc_clock_steady_ms(fc_clock_system()) < deadline) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        if (fc_stream_reader_next(reader, 100, &records, &count, &fixture->err) != FC_OK) {
            fail_msg("%s", fixture->err.message);
        }
        next += stream_fixture_check(records, count, next);
    }
    assert_int_equal(next, TOTAL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(stream_fixture_offsets(fixture, topic).durable, TOTAL);
    stream_fixture_expect(fixture, topic, TOTAL / 2, TOTAL);
    fc_stream_reader_close(reader);
    fc_stream_close(stream);
}

static void what_a_killed_writer_left_is_read_and_continued(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 20000);
    int64_t end = 0;
    for (int round = 0; round < 5; round++) {
        int64_t target = end + 2000;
        int64_t deadline = fc_clock_steady_ms(fc_clock_system()) + DEADLINE_MS;
        struct fc_stream *stream;
        pid_t child = start_writer(fixture, INT64_MAX / 2);
        stream = stream_fixture_open_read_only(fixture);
        assert_int_equal(fc_stream_topic(stream, "t", &topic, &fixture->err), FC_OK);
        while (end < target && fc_clock_steady_ms(fc_clock_system()) < deadline) {
            end = stream_fixture_offsets(fixture, topic).end;
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        fc_stream_close(stream);
        stream_fixture_open(fixture);
        topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_LZ4, 20000);
        assert_true(stream_fixture_offsets(fixture, topic).end >= end);
        end = stream_fixture_offsets(fixture, topic).end;
        assert_true(end >= target);
        stream_fixture_expect(fixture, topic, 0, end);
    }
}

static void a_damaged_partition_does_not_stop_the_others(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *bad = stream_fixture_topic(fixture, "bad", FC_COMPRESSION_NONE, 1 << 20);
    struct fc_topic *good = stream_fixture_topic(fixture, "good", FC_COMPRESSION_NONE, 1 << 20);
    struct fc_stream_reader *reader = NULL;
    struct fc_stream *stream;
    struct fc_offsets offsets;
    const struct fc_record *records = NULL;
    uint32_t count = 0;
    stream_fixture_append(fixture, bad, 0, 10);
    stream_fixture_append(fixture, bad, 10, 10);
    stream_fixture_append(fixture, good, 0, 10);
    stream_fixture_close(fixture);
    flip_byte(fixture, "bad-0/00000000000000000000.log", 400);
    stream_fixture_open(fixture);
    assert_non_null(strstr(fixture->notices, "bad-0/00000000000000000000.log"));
    assert_int_equal(fc_stream_topic(fixture->stream, "bad", &bad, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_offsets(bad, 0, &offsets, &fixture->err), FC_ERR_CORRUPT);
    assert_non_null(strstr(fixture->err.message, "at byte"));
    assert_int_equal(fc_stream_topic(fixture->stream, "good", &good, &fixture->err), FC_OK);
    stream_fixture_append(fixture, good, 10, 10);
    stream_fixture_flush(fixture);
    stream_fixture_expect(fixture, good, 0, 20);
    /* Reading only gives what is not damaged, and stops there. */
    stream = stream_fixture_open_read_only(fixture);
    assert_int_equal(fc_stream_topic(stream, "bad", &bad, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_reader_open(bad, 0, 0, &reader, &fixture->err), FC_OK);
    assert_int_equal(fc_stream_reader_next(reader, 0, &records, &count, &fixture->err), FC_OK);
    assert_int_equal(stream_fixture_check(records, count, 0), 10);
    assert_int_equal(fc_stream_reader_next(reader, 0, &records, &count, &fixture->err),
                     FC_ERR_CORRUPT);
    fc_stream_reader_close(reader);
    fc_stream_close(stream);
}

static void a_damaged_topic_file_is_named_and_changed_by_nobody(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic *topic = stream_fixture_topic(fixture, "t", FC_COMPRESSION_NONE, 1 << 20);
    struct fc_topic_config config;
    char *path = path_of(fixture, "t-0/topic.json");
    fc_topic_config_init(&config);
    stream_fixture_append(fixture, topic, 0, 10);
    stream_fixture_close(fixture);
    flip_byte(fixture, "t-0/topic.json", 20);
    stream_fixture_open(fixture);
    assert_non_null(strstr(fixture->notices, path));
    assert_int_equal(fc_stream_topic(fixture->stream, "t", &topic, &fixture->err),
                     FC_ERR_CORRUPT);
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, "t", &config, &topic, &fixture->err),
        FC_ERR_CORRUPT);
    stream_fixture_close(fixture);
    assert_int_equal(remove(path), 0); /* as good as damaged: the data is still there */
    stream_fixture_open(fixture);
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, "t", &config, &topic, &fixture->err),
        FC_ERR_CORRUPT);
    assert_non_null(strstr(fixture->err.message, path));
    free(path);
}

static void a_topic_keeps_its_settings_and_its_number_of_partitions(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    fc_topic_config_init(&config);
    config.partitions = 3;
    config.record_bytes_max = 50;
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, "t", &config, &topic, &fixture->err), FC_OK);
    stream_fixture_close(fixture);
    stream_fixture_open(fixture);
    assert_int_equal(fc_stream_topic(fixture->stream, "t", &topic, &fixture->err), FC_OK);
    assert_int_equal(fc_topic_partitions(topic), 3);
    assert_string_equal(fc_topic_name(topic), "t");
    for (int changed = 0; changed < 2; changed++) {
        struct fc_stream_batch *batch = fc_stream_batch_new(topic, 0);
        char value[60] = "";
        struct fc_record record = { .value = fc_slice_of(value, sizeof(value)) };
        assert_int_equal(fc_stream_batch_add(batch, &record, &fixture->err),
                         changed ? FC_OK : FC_ERR_LIMIT);
        fc_stream_batch_free(batch);
        config.record_bytes_max = 100;
        assert_int_equal(
            fc_stream_topic_ensure(fixture->stream, "t", &config, &topic, &fixture->err),
            FC_OK);
    }
    config.partitions = 4;
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, "t", &config, &topic, &fixture->err),
        FC_ERR_CONFIG);
    assert_non_null(strstr(fixture->err.message, "3 partitions"));
}

static void bad_topic_names_and_settings_are_refused(void **state)
{
    static const char *const bad[] = { "", ".", "..", "a/b", "a b", "\xc3\xa4" };
    struct stream_fixture *fixture = *state;
    struct fc_topic_config config;
    struct fc_topic *topic = NULL;
    char longest[FC_TOPIC_NAME_MAX + 2];
    fc_topic_config_init(&config);
    for (size_t index = 0; index < sizeof(bad) / sizeof(bad[0]); index++) {
        assert_int_equal(
            fc_stream_topic_ensure(fixture->stream, bad[index], &config, &topic, &fixture->err),
            FC_ERR_CONFIG);
    }
    memset(longest, 'x', sizeof(longest));
    longest[FC_TOPIC_NAME_MAX + 1] = '\0';
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, longest, &config, &topic, &fixture->err),
        FC_ERR_CONFIG);
    longest[FC_TOPIC_NAME_MAX] = '\0';
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, longest, &config, &topic, &fixture->err),
        FC_OK);
    config.segment_bytes = (uint64_t)1 << 31;
    assert_int_equal(
        fc_stream_topic_ensure(fixture->stream, "t", &config, &topic, &fixture->err),
        FC_ERR_CONFIG);
    assert_int_equal(fc_stream_topic(fixture->stream, "t", &topic, &fixture->err),
                     FC_ERR_NOT_FOUND);
}

static fc_code collect_name(void *ctx, struct fc_topic *topic, struct fc_error *err)
{
    (void)err;
    fc_buf_append_text(ctx, fc_topic_name(topic));
    fc_buf_append_text(ctx, " ");
    return FC_OK;
}

static void topics_are_listed_by_name_also_when_reading_only(void **state)
{
    struct stream_fixture *fixture = *state;
    struct fc_stream *stream;
    struct fc_buf names;
    fc_buf_init(&names, 1000);
    (void)stream_fixture_topic(fixture, "shop.orders", FC_COMPRESSION_LZ4, 1 << 20);
    (void)stream_fixture_topic(fixture, "a-0", FC_COMPRESSION_LZ4, 1 << 20);
    (void)stream_fixture_topic(fixture, "a", FC_COMPRESSION_LZ4, 1 << 20);
    stream = stream_fixture_open_read_only(fixture);
    (void)stream_fixture_topic(fixture, "later", FC_COMPRESSION_LZ4, 1 << 20);
    assert_int_equal(fc_stream_topics(fixture->stream, collect_name, &names, &fixture->err),
                     FC_OK);
    assert_int_equal(fc_stream_topics(stream, collect_name, &names, &fixture->err), FC_OK);
    fc_buf_append_u8(&names, 0);
    assert_string_equal(names.data, "a a-0 later shop.orders a a-0 later shop.orders ");
    fc_stream_close(stream);
    fc_buf_release(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name)                                                                                \
    cmocka_unit_test_setup_teardown(name, stream_fixture_set_up, stream_fixture_tear_down)
        T(a_directory_in_use_is_refused_with_the_pid),
        T(missing_directories_are_made_with_all_above_them),
        T(reading_only_takes_no_lock_and_changes_nothing),
        T(reading_only_follows_a_writer_in_another_process),
        T(what_a_killed_writer_left_is_read_and_continued),
        T(a_damaged_partition_does_not_stop_the_others),
        T(a_damaged_topic_file_is_named_and_changed_by_nobody),
        T(a_topic_keeps_its_settings_and_its_number_of_partitions),
        T(bad_topic_names_and_settings_are_refused),
        T(topics_are_listed_by_name_also_when_reading_only),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
