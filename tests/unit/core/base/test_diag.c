/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/diag.h"

/* Everything that was reported; the caller frees it. */
static char *read_all(FILE *file)
{
    static const size_t size = 1 << 20;
    char *text = calloc(1, size);
    assert_non_null(text);
    rewind(file);
    assert_true(fread(text, 1, size - 1, file) < size - 1);
    return text;
}

static void a_line_has_time_level_and_text(void **state)
{
    FILE *file = tmpfile();
    struct fc_diag *diag;
    char *text;
    int year = 0;
    int end = 0;
    (void)state;
    assert_non_null(file);
    diag = fc_diag_new(file, FC_DIAG_INFO);
    fc_diag_report(diag, FC_DIAG_WARN, "slow disk path=%s", "/x");
    text = read_all(file);
    assert_int_equal(sscanf(text, "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ %n", &year, &end), 1);
    assert_in_range(year, 2020, 2200);
    assert_string_equal(text + end, "warn  slow disk path=/x\n");
    free(text);
    fc_diag_free(diag);
    (void)fclose(file);
}

static void lines_below_the_lowest_level_are_dropped(void **state)
{
    FILE *file = tmpfile();
    struct fc_diag *diag;
    char *text;
    (void)state;
    assert_non_null(file);
    diag = fc_diag_new(file, FC_DIAG_WARN);
    fc_diag_report(diag, FC_DIAG_DEBUG, "one");
    fc_diag_report(diag, FC_DIAG_INFO, "two");
    fc_diag_report(diag, FC_DIAG_ERROR, "three");
    fc_diag_report(NULL, FC_DIAG_ERROR, "nobody hears this");
    text = read_all(file);
    assert_null(strstr(text, "one"));
    assert_null(strstr(text, "two"));
    assert_non_null(strstr(text, "error three\n"));
    free(text);
    fc_diag_free(diag);
    (void)fclose(file);
}

static void a_footer_stays_below_what_is_reported(void **state)
{
    static const char below[] = "info  hello\n10 rows/s\r\033[K20 rows/s\r\033[K";
    FILE *file = tmpfile();
    struct fc_diag *diag;
    char *text;
    char *line;
    (void)state;
    assert_non_null(file);
    diag = fc_diag_new(file, FC_DIAG_INFO);
    fc_diag_footer(diag, NULL);
    fc_diag_footer(NULL, "nobody sees this");
    fc_diag_footer(diag, "10 rows/s");
    fc_diag_report(diag, FC_DIAG_INFO, "hello");
    fc_diag_footer(diag, "20 rows/s");
    fc_diag_footer(diag, NULL);
    fc_diag_report(diag, FC_DIAG_INFO, "bye");
    text = read_all(file);
    assert_memory_equal(text, "\r\033[K10 rows/s\r\033[K2", 18);
    line = strstr(text, "info  hello\n");
    assert_non_null(line);
    assert_memory_equal(line, below, sizeof(below) - 1);
    assert_non_null(strstr(line, "info  bye\n"));
    assert_string_equal(strstr(line, "info  bye\n"), "info  bye\n");
    free(text);
    fc_diag_free(diag);
    (void)fclose(file);
}

enum { LINES = 500 };

static void *report_many(void *ctx)
{
    for (int line = 0; line < LINES; line++) {
        fc_diag_report(ctx, FC_DIAG_INFO, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    }
    return NULL;
}

static void lines_of_two_threads_do_not_interleave(void **state)
{
    FILE *file = tmpfile();
    struct fc_diag *diag;
    pthread_t threads[2];
    char *text;
    size_t line_len;
    int lines = 0;
    (void)state;
    assert_non_null(file);
    diag = fc_diag_new(file, FC_DIAG_INFO);
    for (int index = 0; index < 2; index++) {
        assert_int_equal(pthread_create(&threads[index], NULL, report_many, diag), 0);
    }
    for (int index = 0; index < 2; index++) {
        assert_int_equal(pthread_join(threads[index], NULL), 0);
    }
    text = read_all(file);
    line_len = strcspn(text, "\n");
    for (char *at = text; *at != '\0'; at += line_len + 1, lines++) {
        assert_int_equal(strcspn(at, "\n"), line_len);
    }
    assert_int_equal(lines, 2 * LINES);
    free(text);
    fc_diag_free(diag);
    (void)fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_and_text),
        cmocka_unit_test(lines_below_the_lowest_level_are_dropped),
        cmocka_unit_test(a_footer_stays_below_what_is_reported),
        cmocka_unit_test(lines_of_two_threads_do_not_interleave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
