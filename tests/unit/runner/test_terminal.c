/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/terminal.h"
#include "runner/statusline.h"

enum { DEADLINE_MS = 20000 };

/* A clock that stands still until it is moved. */
struct moved_clock {
    struct fc_clock clock;
    int64_t ms;
};

static int64_t moved_ns(const struct fc_clock *clock)
{
    return ((const struct moved_clock *)(const void *)clock)->ms * 1000000;
}

/* A stream of which the test reads the other end: a terminal, or a pipe. */
struct fixture {
    int read_fd;
    FILE *stream;
    struct fc_diag *diag;
    struct moved_clock clock;
    char seen[8192];
};

static int set_up(void **state, bool terminal)
{
    struct fixture *fixture = fc_new(struct fixture);
    struct winsize size = { .ws_row = 24, .ws_col = 100 };
    struct termios raw = { 0 };
    int fds[2] = { -1, -1 };
    cfmakeraw(&raw);
    assert_int_equal(terminal ? openpty(&fds[0], &fds[1], NULL, &raw, &size) : pipe(fds), 0);
    fixture->read_fd = fds[0];
    fixture->stream = fdopen(fds[1], "w");
    fixture->diag = fc_diag_new(fixture->stream, FC_DIAG_INFO);
    fixture->clock.clock.steady_ns = moved_ns;
    fixture->clock.clock.wall_ns = moved_ns;
    *state = fixture;
    return 0;
}

static int set_up_terminal(void **state)
{
    return set_up(state, true);
}

static int set_up_pipe(void **state)
{
    return set_up(state, false);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_diag_free(fixture->diag);
    (void)fclose(fixture->stream);
    (void)close(fixture->read_fd);
    free(fixture);
    return 0;
}

/* What was written since the last call. A terminal hands over what is written to it a little later
 * and in pieces, so a mark is written behind it and waited for. */
static const char *seen(struct fixture *fixture)
{
    const char mark = '\1';
    size_t len = 0;
    assert_int_equal(write(fileno(fixture->stream), &mark, 1), 1);
    while (len == 0 || fixture->seen[len - 1] != mark) {
        struct pollfd ready = { .fd = fixture->read_fd, .events = POLLIN };
        ssize_t got;
        assert_int_equal(poll(&ready, 1, DEADLINE_MS), 1);
        got = read(fixture->read_fd, fixture->seen + len, sizeof(fixture->seen) - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    fixture->seen[len - 1] = '\0';
    return fixture->seen;
}

static struct fc_progress *progress_of(struct fixture *fixture, uint64_t total)
{
    struct fc_progress_config config = { .diag = fixture->diag,
                                         .clock = &fixture->clock.clock,
                                         .stream = fixture->stream,
                                         .unit = "rows" };
    return fc_progress_new(&config, "reading shop/0", total);
}

static void numbers_are_for_people(void **state)
{
    char text[FC_HUMAN_SIZE];
    (void)state;
    assert_string_equal(fc_human_count(0, text), "0");
    assert_string_equal(fc_human_count(999, text), "999");
    assert_string_equal(fc_human_count(1000, text), "1,000");
    assert_string_equal(fc_human_count(UINT64_MAX, text), "18,446,744,073,709,551,615");
    assert_string_equal(fc_human_bytes(1023, text), "1023 B");
    assert_string_equal(fc_human_bytes(1536, text), "1.5 KiB");
    assert_string_equal(fc_human_bytes(1024 * 1024 - 1, text), "1.0 MiB");
    assert_string_equal(fc_human_bytes(UINT64_MAX, text), "16.0 EiB");
    assert_string_equal(fc_human_duration(850, text), "850 ms");
    assert_string_equal(fc_human_duration(12345, text), "12.3 s");
    assert_string_equal(fc_human_duration(185000, text), "3 m 05 s");
    assert_string_equal(fc_human_duration(7260000, text), "2 h 01 m");
    assert_string_equal(fc_human_duration(-5, text), "0 ms");
}

static void nothing_is_drawn_in_the_first_second(void **state)
{
    struct fixture *fixture = *state;
    struct fc_progress *progress = progress_of(fixture, 100);
    fixture->clock.ms = 999;
    fc_progress_set(progress, 50);
    assert_string_equal(seen(fixture), "");
    fc_progress_end(progress);
    assert_string_equal(seen(fixture), "");
}

static void a_bar_is_drawn_five_times_a_second_and_removed(void **state)
{
    struct fixture *fixture = *state;
    struct fc_progress *progress = progress_of(fixture, 100000);
    fixture->clock.ms = 2000;
    fc_progress_set(progress, 25000);
    assert_string_equal(seen(fixture),
                        "\r\033[Kreading shop/0  [======>                 ]  25 %  25,000 "
                        "rows  12,500/s  6.0 s left");
    fixture->clock.ms = 2199;
    fc_progress_set(progress, 30000);
    assert_string_equal(seen(fixture), "");
    fixture->clock.ms = 2200;
    fc_progress_set(progress, 100000);
    assert_non_null(strstr(seen(fixture), "[========================] 100 %"));
    fc_progress_end(progress);
    assert_string_equal(seen(fixture), "\r\033[K");
}

static void a_line_reported_meanwhile_goes_above_the_bar(void **state)
{
    struct fixture *fixture = *state;
    fc_diag_footer(fixture->diag, "the bar");
    assert_string_equal(seen(fixture), "\r\033[Kthe bar");
    fc_diag_report(fixture->diag, FC_DIAG_WARN, "disk is slow");
    assert_int_equal(strncmp(seen(fixture), "\r\033[K20", 6), 0);
    assert_non_null(strstr(fixture->seen, "warn  disk is slow\nthe bar"));
    fc_diag_footer(fixture->diag, NULL);
    assert_string_equal(seen(fixture), "\r\033[K");
    fc_diag_report(fixture->diag, FC_DIAG_WARN, "again");
    assert_int_equal(strncmp(seen(fixture), "20", 2), 0);
}

static void without_a_terminal_there_is_a_line_each_ten_seconds(void **state)
{
    struct fixture *fixture = *state;
    struct fc_progress *progress = progress_of(fixture, 1000);
    fixture->clock.ms = 9999;
    fc_progress_set(progress, 100);
    assert_string_equal(seen(fixture), "");
    fixture->clock.ms = 10000;
    fc_progress_set(progress, 200);
    assert_non_null(strstr(seen(fixture), "info  reading shop/0 20 % rows=200 per_second=20 "
                                          "left=40.0 s\n"));
    fc_progress_set_total(progress, 0);
    fixture->clock.ms = 20000;
    fc_progress_set(progress, 400);
    assert_non_null(strstr(seen(fixture), "info  reading shop/0  400 rows  20/s\n"));
    fc_progress_end(progress);
    assert_string_equal(seen(fixture), "");
}

static struct fc_pipeline_status sample_status(void)
{
    struct fc_pipeline_status status = {
        .changes_read = 2000, .records_written = 1900, .lag_us = 2500, .connected = true
    };
    (void)snprintf(status.source.phase, sizeof(status.source.phase), "streaming");
    (void)snprintf(status.source.position, sizeof(status.source.position), "gtid 0-1-42");
    return status;
}

static void the_status_line_shows_rate_lag_and_position(void **state)
{
    struct fixture *fixture = *state;
    struct fc_pipeline_status status = sample_status();
    struct fc_statusline *line =
        fc_statusline_new("shop", fixture->diag, fixture->stream, &fixture->clock.clock);
    fixture->clock.ms = 2000;
    fc_statusline_tick(line, &status);
    assert_int_equal(fc_statusline_rate(line), 1000);
    assert_string_equal(
        seen(fixture),
        "\r\033[Kshop  streaming  1,000 rows/s  lag 2 ms  2,000 rows  gtid 0-1-42");
    fixture->clock.ms = 2100;
    fc_statusline_tick(line, &status);
    assert_string_equal(seen(fixture), "");
    fc_statusline_free(line);
    assert_string_equal(seen(fixture), "\r\033[K");
}

static void a_source_that_cannot_go_on_says_why(void **state)
{
    struct fc_pipeline_status status = sample_status();
    char text[FC_STATUSLINE_SIZE];
    (void)state;
    status.connected = false;
    assert_string_equal(fc_statusline_text("shop", &status, 0, text), "shop  connecting");
    (void)snprintf(status.waiting, sizeof(status.waiting), "disk full");
    assert_string_equal(fc_statusline_text("shop", &status, 0, text),
                        "shop  waiting: disk full");
}

static void a_plain_status_comes_each_ten_seconds(void **state)
{
    struct fixture *fixture = *state;
    struct fc_pipeline_status status = sample_status();
    struct fc_statusline *line =
        fc_statusline_new("shop", fixture->diag, fixture->stream, &fixture->clock.clock);
    fixture->clock.ms = 9800;
    fc_statusline_tick(line, &status);
    assert_string_equal(seen(fixture), "");
    fixture->clock.ms = 10000;
    fc_statusline_tick(line, &status);
    assert_non_null(strstr(seen(fixture), "info  shop streaming rows_per_second=200 lag_ms=2 "
                                          "rows=2000 records=1900 position=\"gtid 0-1-42\"\n"));
    fc_statusline_free(line);
}

int main(void)
{
#define ON_TERMINAL(name) cmocka_unit_test_setup_teardown(name, set_up_terminal, tear_down)
#define ON_PIPE(name) cmocka_unit_test_setup_teardown(name, set_up_pipe, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_for_people),
        ON_TERMINAL(nothing_is_drawn_in_the_first_second),
        ON_TERMINAL(a_bar_is_drawn_five_times_a_second_and_removed),
        ON_TERMINAL(a_line_reported_meanwhile_goes_above_the_bar),
        ON_PIPE(without_a_terminal_there_is_a_line_each_ten_seconds),
        ON_TERMINAL(the_status_line_shows_rate_lag_and_position),
        cmocka_unit_test(a_source_that_cannot_go_on_says_why),
        ON_PIPE(a_plain_status_comes_each_ten_seconds),
    };
#undef ON_TERMINAL
#undef ON_PIPE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
