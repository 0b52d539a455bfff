/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins are compiled while the test runs, each wrong in its own way. */
#include <setjmp.h>
#include <spawn.h>
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
#include "runner/plugin.h"
#include "tests/support/temp_dir.h"
#include "tests/support/temp_file.h"

extern char **environ;

struct fixture {
    char *dir;
    struct fc_plugin_search search;
    struct fc_plugin *plugin;
    struct fc_error error;
};

static int set_up(void **state)
{
    struct fixture *fixture = fc_new(struct fixture);
    fixture->dir = temp_dir_new();
    fixture->search.plugin_dir = fixture->dir;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fc_plugin_unload(fixture->plugin);
    temp_dir_free(fixture->dir);
    free(fixture);
    return 0;
}

/* Compile source into dir/<name>.so with the project's headers. */
static void compile(const char *dir, const char *name, const char *source)
{
    char *c_path = NULL;
    char *so_path = fc_asprintf("%s/%s.so", dir, name);
    char *file = fc_asprintf("%s.c", name);
    pid_t pid = 0;
    int status = -1;
    c_path = temp_file_write(dir, file, source, 0600);
    char *const argv[] = { (char[]){ "cc" },
                           (char[]){ "-std=c17" },
                           (char[]){ "-shared" },
                           (char[]){ "-fPIC" },
                           (char[]){ "-I." },
                           (char[]){ "-Irunner/include" },
                           (char[]){ "-o" },
                           so_path,
                           c_path,
                           NULL };
    assert_int_equal(posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    free(c_path);
    free(so_path);
    free(file);
}

#define INCLUDES "#include \"fc/connector.h\"\n"
#define OPS                                                                                    \
    "static const struct fc_source_field F[] = {{0}};\n"                                       \
    "static const struct fc_option O[] = {{0}};\n"                                             \
    "static fc_code op(const struct fc_host *h, struct fc_slice s, struct fc_source **o, "     \
    "struct fc_error *e) { (void)h; (void)s; (void)o; (void)e; return FC_OK; }\n"              \
    "static fc_code re(struct fc_source *s, int w, struct fc_batch *b, struct fc_error *e) "   \
    "{ (void)s; (void)w; (void)b; (void)e; return FC_OK; }\n"                                  \
    "static fc_code ac(struct fc_source *s, struct fc_slice p, struct fc_error *e) "           \
    "{ (void)s; (void)p; (void)e; return FC_OK; }\n"                                           \
    "static void in(struct fc_source *s) { (void)s; }\n"                                       \
    "static const char *en(const struct fc_source *s) { (void)s; return \"x\"; }\n"            \
    "static void st(struct fc_source *s, struct fc_source_status *o) { (void)s; (void)o; }\n"  \
    "static fc_code ch(const struct fc_host *h, struct fc_slice r, void (*f)(void *, "         \
    "fc_check_result, const char *, const char *, const char *), void *c, struct fc_error *e)" \
    "{ (void)h; (void)r; (void)f; (void)c; (void)e; return FC_OK; }\n"
#define SOURCE(size, read)                                                                     \
    "static const struct fc_source_ops S = { .size = " size ", .fields = F, .open = op, "      \
    ".read = " read ", .ack = ac, .interrupt = in, .engine = en, .status = st, .close = in, "  \
    ".check = ch };\n"
#define CONNECTOR(abi, size, name)                                                             \
    "static const struct fc_connector C = { .abi = " abi ", .size = " size ", .name = \"" name \
    "\", .options = O, .source = &S };\n"                                                      \
    "const struct fc_connector *fc_connector_entry(void) { return &C; }\n"
#define WHOLE "sizeof(struct fc_connector)"
#define WHOLE_OPS "sizeof(struct fc_source_ops)"

static fc_code load(struct fixture *fixture, const char *name)
{
    return fc_plugin_load(&fixture->search, name, &fixture->plugin, &fixture->error);
}

static void assert_refused(struct fixture *fixture, const char *name, const char *reason)
{
    assert_int_equal(load(fixture, name), FC_ERR_CONFIG);
    if (strstr(fixture->error.message, reason) == NULL) {
        fail_msg("`%s` is not in `%s`", reason, fixture->error.message);
    }
}

static void a_whole_plugin_loads(void **state)
{
    struct fixture *fixture = *state;
    char *path = fc_asprintf("%s/good.so", fixture->dir);
    const struct fc_connector *connector;
    compile(fixture->dir, "good",
            INCLUDES OPS SOURCE(WHOLE_OPS, "re") CONNECTOR("FC_CONNECTOR_ABI", WHOLE, "good"));
    if (load(fixture, "good") != FC_OK) {
        fail_msg("%s", fixture->error.message);
    }
    connector = fc_plugin_connector(fixture->plugin);
    assert_string_equal(connector->name, "good");
    assert_string_equal(connector->version, "");
    assert_non_null(connector->source);
    assert_null(connector->target);
    assert_string_equal(fc_plugin_path(fixture->plugin), path);
    free(path);
}

static void another_abi_is_refused_with_both_numbers(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture->dir, "old",
            INCLUDES OPS SOURCE(WHOLE_OPS, "re") CONNECTOR("7", WHOLE, "old"));
    assert_refused(
        fixture, "old",
        "old.so was built for connector ABI 7, this runner has ABI 2: build it again "
        "with this version's headers");
}

static void members_that_the_plugin_was_built_without_are_zero(void **state)
{
    struct fixture *fixture = *state;
    /* It says that its struct ends before `target`, and garbage stands there. */
    compile(fixture->dir, "small",
            INCLUDES OPS SOURCE(
                WHOLE_OPS,
                "re") "static struct { struct fc_connector c; } X = { { .abi = "
                      "FC_CONNECTOR_ABI, .size = "
                      "offsetof(struct fc_connector, target), .name = \"small\", .options = O, "
                      ".source = "
                      "&S, .target = (const void *)1 } };\n"
                      "const struct fc_connector *fc_connector_entry(void) { return &X.c; }\n");
    if (load(fixture, "small") != FC_OK) {
        fail_msg("%s", fixture->error.message);
    }
    assert_null(fc_plugin_connector(fixture->plugin)->target);
    assert_non_null(fc_plugin_connector(fixture->plugin)->source);
}

static void a_plugin_that_lacks_a_function_is_refused(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture->dir, "half",
            INCLUDES OPS SOURCE(WHOLE_OPS, "0") CONNECTOR("FC_CONNECTOR_ABI", WHOLE, "half"));
    assert_refused(fixture, "half", "half.so lacks a function that ABI 2 has");
}

static void ops_that_end_too_early_are_refused(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture->dir, "short",
            INCLUDES OPS SOURCE("offsetof(struct fc_source_ops, check)", "re")
                CONNECTOR("FC_CONNECTOR_ABI", WHOLE, "short"));
    assert_refused(fixture, "short", "short.so lacks a function that ABI 2 has");
}

static void another_name_than_its_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture->dir, "alias",
            INCLUDES OPS SOURCE(WHOLE_OPS, "re") CONNECTOR("FC_CONNECTOR_ABI", WHOLE, "real"));
    assert_refused(fixture, "alias", "alias.so calls itself `real`");
}

static void an_object_without_the_entry_is_no_connector(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture->dir, "other", "int other(void); int other(void) { return 1; }\n");
    assert_refused(fixture, "other",
                   "other.so is not a connector: it does not export fc_connector_entry");
}

static void an_entry_that_gives_nothing_is_refused(void **state)
{
    struct fixture *fixture = *state;
    compile(fixture->dir, "none",
            INCLUDES "const struct fc_connector *fc_connector_entry(void) { return 0; }\n");
    assert_refused(fixture, "none", "none.so: fc_connector_entry gave nothing");
}

static void what_is_no_shared_object_is_refused_with_the_loaders_reason(void **state)
{
    struct fixture *fixture = *state;
    free(temp_file_write(fixture->dir, "text.so", "not an object\n", 0600));
    assert_refused(fixture, "text", "cannot load connector ");
}

static void a_missing_plugin_names_those_that_are_there_and_where_it_looked(void **state)
{
    struct fixture *fixture = *state;
    char *expected =
        fc_asprintf("no connector `mysqk`, did you mean `mysql`?; there is: mysql, "
                    "other; looked for mysqk.so in %s",
                    fixture->dir);
    free(temp_file_write(fixture->dir, "other.so", "", 0600));
    free(temp_file_write(fixture->dir, "mysql.so", "", 0600));
    free(temp_file_write(fixture->dir, "readme.txt", "", 0600));
    assert_int_equal(load(fixture, "mysqk"), FC_ERR_NOT_FOUND);
    assert_string_equal(fixture->error.message, expected);
    free(expected);
}

static void a_name_with_a_slash_is_never_looked_for(void **state)
{
    struct fixture *fixture = *state;
    char *name = fc_asprintf("..%s/x", fixture->dir);
    free(temp_file_write(fixture->dir, "x.so", "", 0600));
    assert_int_equal(load(fixture, name), FC_ERR_NOT_FOUND);
    free(name);
}

static fc_code note_name(void *ctx, const char *name, const char *path, struct fc_error *err)
{
    (void)err;
    fc_buf_append_fmt(ctx, "%s=%s\n", name, path);
    return FC_OK;
}

static void places_are_searched_in_order_and_each_name_counts_once(void **state)
{
    struct fixture *fixture = *state;
    char *flag = fc_asprintf("%s/flag", fixture->dir);
    char *env = fc_asprintf("%s/env", fixture->dir);
    char *connectors = fc_asprintf("%s/connectors", fixture->dir);
    char *list = fc_asprintf("/nonexistent:%s", env);
    struct fc_plugin_search search = { flag, list, fixture->dir };
    struct fc_buf names;
    char *expected;
    assert_int_equal(mkdir(flag, 0700) | mkdir(env, 0700) | mkdir(connectors, 0700), 0);
    free(temp_file_write(flag, "b.so", "", 0600));
    free(temp_file_write(env, "a.so", "", 0600));
    free(temp_file_write(env, "b.so", "", 0600));
    free(temp_file_write(connectors, "a.so", "", 0600));
    free(temp_file_write(connectors, "c.so", "", 0600));
    fc_buf_init(&names, 4096);
    assert_int_equal(fc_plugin_each(&search, note_name, &names, &fixture->error), FC_OK);
    expected = fc_asprintf("a=%s/a.so\nb=%s/b.so\nc=%s/c.so\n", env, flag, connectors);
    assert_true(fc_slice_equal_text(fc_buf_slice(&names), expected));
    fc_buf_release(&names);
    free(expected);
    free(flag);
    free(env);
    free(connectors);
    free(list);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_whole_plugin_loads),
        T(another_abi_is_refused_with_both_numbers),
        T(members_that_the_plugin_was_built_without_are_zero),
        T(a_plugin_that_lacks_a_function_is_refused),
        T(ops_that_end_too_early_are_refused),
        T(another_name_than_its_file_is_refused),
        T(an_object_without_the_entry_is_no_connector),
        T(an_entry_that_gives_nothing_is_refused),
        T(what_is_no_shared_object_is_refused_with_the_loaders_reason),
        T(a_missing_plugin_names_those_that_are_there_and_where_it_looked),
        T(a_name_with_a_slash_is_never_looked_for),
        T(places_are_searched_in_order_and_each_name_counts_once),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
