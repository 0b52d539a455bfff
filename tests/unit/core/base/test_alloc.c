/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"

static void new_memory_is_zeroed_and_never_null(void **state)
{
    uint64_t *numbers = fc_new_array(uint64_t, 100);
    void *nothing = fc_alloc_zeroed(0, 8);
    (void)state;
    for (int index = 0; index < 100; index++) {
        assert_true(numbers[index] == 0);
    }
    assert_non_null(nothing);
    free(nothing);
    numbers[99] = 7;
    numbers = fc_realloc_array(numbers, 1000, sizeof(*numbers));
    assert_true(numbers[99] == 7);
    free(numbers);
}

static void texts_are_copied(void **state)
{
    char *copy = fc_strdup("hello");
    char *cut = fc_strndup("hello", 4);
    char *printed = fc_asprintf("%s %d", "n", 12);
    (void)state;
    assert_string_equal(copy, "hello");
    assert_string_equal(cut, "hell");
    assert_string_equal(printed, "n 12");
    free(copy);
    free(cut);
    free(printed);
}

/* Run fn in a process of its own: the signal that ended it, 0 when it went through, else -1. */
static int run_apart(void (*fn)(void), char *said, size_t size)
{
    int ends[2];
    int status = 0;
    ssize_t len;
    pid_t child;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        fn();
        _exit(0);
    }
    (void)close(ends[1]);
    len = read(ends[0], said, size - 1);
    said[len < 0 ? 0 : len] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status);
    }
    return WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void break_an_assertion(void)
{
    int two = 2;
    fc_assert(two + two == 5);
}

static void ask_for_too_much(void)
{
    free(fc_realloc_array(NULL, SIZE_MAX / 2, 4)); /* the product overflows */
}

static void a_broken_assertion_names_its_place_and_aborts(void **state)
{
    char said[256];
    (void)state;
    assert_int_equal(run_apart(break_an_assertion, said, sizeof(said)), SIGABRT);
    assert_non_null(strstr(said, "test_alloc.c:"));
    assert_non_null(strstr(said, "assertion failed: two + two == 5"));
}

static void a_product_that_overflows_does_not_go_through(void **state)
{
    char said[256];
    (void)state;
    assert_int_not_equal(run_apart(ask_for_too_much, said, sizeof(said)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zeroed_and_never_null),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(a_broken_assertion_names_its_place_and_aborts),
        cmocka_unit_test(a_product_that_overflows_does_not_go_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
