/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"
#include "core/base/path.h"

static void expect_beside(const char *file, const char *path, const char *expected)
{
    char *got = fc_path_beside(file, path);
    assert_string_equal(got, expected);
    free(got);
}

static void a_path_of_a_file_starts_at_its_directory(void **state)
{
    (void)state;
    expect_beside("spu.yaml", "data", "data");
    expect_beside("sub/spu.yaml", "data", "sub/data");
    expect_beside("sub/spu.yaml", "./data", "sub/data");
    expect_beside("/spu.yaml", "data", "/data");
    expect_beside("/etc/spu.yaml", "../data", "/etc/../data");
    expect_beside("/etc/spu.yaml", "/data", "/data");
}

static void an_absolute_path_starts_at_the_root(void **state)
{
    struct fc_error err = { 0 };
    char *here = getcwd(NULL, 0);
    char *expected = fc_asprintf("%s/a/b", here);
    char *got = NULL;
    (void)state;
    assert_int_equal(fc_path_absolute("./a/b", &got, &err), FC_OK);
    assert_string_equal(got, expected);
    free(got);
    assert_int_equal(fc_path_absolute("/a", &got, &err), FC_OK);
    assert_string_equal(got, "/a");
    free(got);
    free(expected);
    free(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_of_a_file_starts_at_its_directory),
        cmocka_unit_test(an_absolute_path_starts_at_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
