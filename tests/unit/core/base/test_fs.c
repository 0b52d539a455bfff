/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/fs.h"

static char directory[128];

static int make_directory(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    (void)snprintf(directory, sizeof(directory), "%s/test-fs-XXXXXX",
                   base == NULL ? "/tmp" : base);
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int remove_entry(void *ctx, const char *name)
{
    char path[400];
    struct fc_error err;
    (void)ctx;
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return fc_fs_system()->ops->remove(fc_fs_system(), path, &err) == FC_OK ? 0 : 1;
}

static int remove_directory(void **state)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_error err;
    (void)state;
    return fs->ops->list(fs, directory, remove_entry, NULL, &err) == FC_OK &&
                   fs->ops->remove(fs, directory, &err) == FC_OK
               ? 0
               : -1;
}

static const char *path_of(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static struct fc_file *open_file(const char *name, int flags)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *file = NULL;
    struct fc_error err;
    assert_int_equal(fs->ops->open(fs, path_of(name), flags, &file, &err), FC_OK);
    return file;
}

static void what_is_written_at_a_place_is_read_there(void **state)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *file = open_file("a", FC_FS_WRITE | FC_FS_CREATE);
    char first[] = "hello ";
    char second[] = "world";
    struct iovec parts[3] = { { first, 6 }, { NULL, 0 }, { second, 5 } };
    char text[32] = "";
    size_t size = 0;
    uint64_t file_size = 0;
    struct fc_error err;
    (void)state;
    assert_int_equal(fs->ops->write(file, 3, parts, 3, &err), FC_OK);
    assert_int_equal(fs->ops->sync(file, &err), FC_OK);
    assert_int_equal(fs->ops->size(file, &file_size, &err), FC_OK);
    assert_int_equal(file_size, 14);
    assert_int_equal(fs->ops->read(file, 9, text, sizeof(text), &size, &err), FC_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(text, "world", 5);
    assert_int_equal(fs->ops->read(file, 14, text, sizeof(text), &size, &err), FC_OK);
    assert_int_equal(size, 0);
    assert_int_equal(fs->ops->truncate(file, 5, &err), FC_OK);
    assert_int_equal(fs->ops->read(file, 0, text, sizeof(text), &size, &err), FC_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(text, "\0\0\0he", 5);
    fs->ops->close(file);
    fs->ops->close(NULL);
}

static uint64_t bytes_on_disk(const char *name)
{
    struct stat info;
    assert_int_equal(stat(path_of(name), &info), 0);
    return (uint64_t)info.st_blocks * 512;
}

static void room_behind_the_end_is_given_back(void **state)
{
    enum { ROOM = 4 * 1024 * 1024 };
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *file = open_file("room", FC_FS_WRITE | FC_FS_CREATE);
    char text[] = "hello";
    struct iovec part = { text, 5 };
    uint64_t size = 0;
    struct fc_error err;
    (void)state;
    assert_int_equal(fs->ops->write(file, 0, &part, 1, &err), FC_OK);
    fs->ops->reserve(file, 5, ROOM);
    assert_true(bytes_on_disk("room") >= ROOM);
    assert_int_equal(fs->ops->size(file, &size, &err), FC_OK);
    assert_int_equal(size, 5);
    assert_int_equal(fs->ops->truncate(file, 5, &err), FC_OK);
    assert_true(bytes_on_disk("room") < ROOM);
    fs->ops->reserve(file, 5, ROOM);
    assert_int_equal(fs->ops->write(file, 5, &part, 1, &err), FC_OK);
    fs->ops->close(file);
    assert_true(bytes_on_disk("room") < ROOM);
    file = open_file("room", FC_FS_READ);
    assert_int_equal(fs->ops->size(file, &size, &err), FC_OK);
    assert_int_equal(size, 10);
    fs->ops->close(file);
}

static void room_that_a_process_left_is_given_back_by_the_next(void **state)
{
    enum { ROOM = 4 * 1024 * 1024 };
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *file;
    uint64_t size = 1;
    struct fc_error err;
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        fs->ops->reserve(open_file("left", FC_FS_WRITE | FC_FS_CREATE), 0, ROOM);
        _exit(0);
    }
    assert_true(child > 0 && waitpid(child, NULL, 0) == child);
    assert_true(bytes_on_disk("left") >= ROOM);
    file = open_file("left", FC_FS_READ); /* who reads leaves it alone */
    assert_int_equal(fs->ops->size(file, &size, &err), FC_OK);
    fs->ops->close(file);
    assert_true(bytes_on_disk("left") >= ROOM);
    file = open_file("left", FC_FS_WRITE);
    assert_int_equal(fs->ops->size(file, &size, &err), FC_OK);
    assert_int_equal(size, 0);
    fs->ops->close(file);
    assert_true(bytes_on_disk("left") < ROOM);
}

static void flags_say_what_must_exist(void **state)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *file = NULL;
    struct fc_error err;
    (void)state;
    assert_int_equal(fs->ops->open(fs, path_of("none"), FC_FS_READ, &file, &err),
                     FC_ERR_NOT_FOUND);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_non_null(strstr(err.message, path_of("none")));
    assert_int_equal(fs->ops->open(fs, path_of("none"), FC_FS_WRITE, &file, &err),
                     FC_ERR_NOT_FOUND);
    fs->ops->close(open_file("there", FC_FS_CREATE | FC_FS_EXCLUSIVE));
    assert_int_equal(
        fs->ops->open(fs, path_of("there"), FC_FS_CREATE | FC_FS_EXCLUSIVE, &file, &err),
        FC_ERR_IO);
    assert_int_equal(err.sys_errno, EEXIST);
    assert_null(file);
}

static void a_locked_file_refuses_a_second_lock(void **state)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *first = open_file("lock", FC_FS_CREATE);
    struct fc_file *second = open_file("lock", FC_FS_WRITE);
    struct fc_error err;
    (void)state;
    assert_int_equal(fs->ops->lock(first, &err), FC_OK);
    assert_int_equal(fs->ops->lock(second, &err), FC_ERR_REFUSED);
    fs->ops->close(first);
    assert_int_equal(fs->ops->lock(second, &err), FC_OK);
    fs->ops->close(second);
}

static void writing_to_a_full_device_is_its_own_error(void **state)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *file = NULL;
    char text[] = "x";
    struct iovec parts[2] = { { text, 1 }, { text, 1 } };
    struct fc_error err;
    (void)state;
    assert_int_equal(fs->ops->open(fs, "/dev/full", FC_FS_WRITE, &file, &err), FC_OK);
    assert_int_equal(fs->ops->write(file, 0, parts, 1, &err), FC_ERR_FULL);
    assert_int_equal(err.sys_errno, ENOSPC);
    assert_true(err.retriable);
    assert_int_equal(fs->ops->write(file, 0, parts, 2, &err), FC_ERR_FULL);
    fs->ops->close(file);
}

static int count_entry(void *ctx, const char *name)
{
    int *count = ctx;
    assert_string_not_equal(name, ".");
    assert_string_not_equal(name, "..");
    (*count)++;
    return *count == 2 ? 1 : 0;
}

static void a_directory_lists_its_names_until_told_to_stop(void **state)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_error err;
    int count = 0;
    (void)state;
    fs->ops->close(open_file("l1", FC_FS_CREATE));
    assert_int_equal(fs->ops->rename(fs, path_of("l1"), directory, &err), FC_ERR_IO);
    fs->ops->close(open_file("l2", FC_FS_CREATE));
    fs->ops->close(open_file("l3", FC_FS_CREATE));
    assert_int_equal(fs->ops->list(fs, directory, count_entry, &count, &err), FC_OK);
    assert_int_equal(count, 2);
    assert_int_equal(fs->ops->list(fs, path_of("none"), count_entry, &count, &err),
                     FC_ERR_NOT_FOUND);
    assert_int_equal(fs->ops->make_dir(fs, path_of("sub"), &err), FC_OK);
    assert_int_equal(fs->ops->make_dir(fs, path_of("sub"), &err), FC_OK);
    assert_int_equal(fs->ops->sync_dir(fs, path_of("sub"), &err), FC_OK);
    assert_int_equal(fs->ops->remove(fs, path_of("sub"), &err), FC_OK);
    assert_int_equal(fs->ops->remove(fs, path_of("sub"), &err), FC_ERR_NOT_FOUND);
}

static void a_file_is_replaced_as_a_whole(void **state)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *file;
    char text[32];
    size_t size = 0;
    uint64_t space = 0;
    struct fc_error err;
    (void)state;
    assert_int_equal(fc_fs_replace(fs, path_of("r"), "a longer text", 13, &err), FC_OK);
    assert_int_equal(fc_fs_replace(fs, path_of("r"), "short", 5, &err), FC_OK);
    file = open_file("r", FC_FS_READ);
    assert_int_equal(fs->ops->read(file, 0, text, sizeof(text), &size, &err), FC_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(text, "short", 5);
    fs->ops->close(file);
    assert_int_not_equal(access(path_of("r.tmp"), F_OK), 0);
    assert_int_equal(fc_fs_replace(fs, path_of("none/r"), "x", 1, &err), FC_ERR_NOT_FOUND);
    assert_int_equal(fs->ops->free_space(fs, directory, &space, &err), FC_OK);
    assert_true(space > 0);
}

static void a_want_of_descriptors_passes_and_changes_nothing(void **state)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *file = NULL;
    struct fc_buf bytes;
    struct rlimit limit;
    struct rlimit none;
    struct fc_error err;
    int count = 0;
    (void)state;
    assert_int_equal(fc_fs_replace(fs, path_of("s"), "old", 3, &err), FC_OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(fs->ops->open(fs, path_of("s"), FC_FS_READ, &file, &err), FC_ERR_FULL);
    assert_true(err.retriable && fc_fs_is_shortage(&err));
    assert_int_equal(fs->ops->sync_dir(fs, directory, &err), FC_ERR_FULL);
    assert_int_equal(fs->ops->list(fs, directory, count_entry, &count, &err), FC_ERR_FULL);
    assert_int_equal(fc_fs_replace(fs, path_of("s"), "new", 3, &err), FC_ERR_FULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    fc_buf_init(&bytes, 10);
    assert_int_equal(fc_fs_read_whole(fs, path_of("s"), &bytes, &err), FC_OK);
    assert_memory_equal(bytes.data, "old", 3);
    fc_buf_release(&bytes);
}

static void a_file_is_read_as_a_whole_or_not(void **state)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_error err;
    struct fc_buf bytes;
    (void)state;
    fc_buf_init(&bytes, 10);
    assert_int_equal(fc_fs_read_whole(fs, path_of("no such file"), &bytes, &err),
                     FC_ERR_NOT_FOUND);
    assert_int_equal(fc_fs_replace(fs, path_of("w"), "", 0, &err), FC_OK);
    assert_int_equal(fc_fs_read_whole(fs, path_of("w"), &bytes, &err), FC_OK);
    assert_int_equal(bytes.len, 0);
    assert_int_equal(fc_fs_replace(fs, path_of("w"), "seven..", 7, &err), FC_OK);
    assert_int_equal(fc_fs_read_whole(fs, path_of("w"), &bytes, &err), FC_OK);
    assert_int_equal(bytes.len, 7);
    assert_memory_equal(bytes.data, "seven..", 7);
    assert_int_equal(fc_fs_read_whole(fs, path_of("w"), &bytes, &err), FC_ERR_CORRUPT);
    assert_non_null(strstr(err.message, "of 7 bytes"));
    assert_int_equal(bytes.len, 7);
    fc_buf_release(&bytes);
}

static void a_file_says_when_it_was_changed(void **state)
{
    const struct timespec times[2] = { { 0, UTIME_OMIT }, { 1700000000, 123456789 } };
    struct fc_fs *fs = fc_fs_system();
    struct fc_error err;
    int64_t changed_ms = 0;
    (void)state;
    assert_int_equal(fc_fs_replace(fs, path_of("old"), "", 0, &err), FC_OK);
    assert_int_equal(utimensat(AT_FDCWD, path_of("old"), times, 0), 0);
    assert_int_equal(fs->ops->modified(fs, path_of("old"), &changed_ms, &err), FC_OK);
    assert_int_equal(changed_ms, 1700000000123);
    assert_int_equal(fs->ops->modified(fs, path_of("no such file"), &changed_ms, &err),
                     FC_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_at_a_place_is_read_there),
        cmocka_unit_test(room_behind_the_end_is_given_back),
        cmocka_unit_test(room_that_a_process_left_is_given_back_by_the_next),
        cmocka_unit_test(flags_say_what_must_exist),
        cmocka_unit_test(a_locked_file_refuses_a_second_lock),
        cmocka_unit_test(writing_to_a_full_device_is_its_own_error),
        cmocka_unit_test(a_directory_lists_its_names_until_told_to_stop),
        cmocka_unit_test(a_file_is_replaced_as_a_whole),
        cmocka_unit_test(a_want_of_descriptors_passes_and_changes_nothing),
        cmocka_unit_test(a_file_is_read_as_a_whole_or_not),
        cmocka_unit_test(a_file_says_when_it_was_changed),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
