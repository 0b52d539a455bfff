/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/temp_dir.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"

enum { OPEN_DIRS = 16 };

char *fc_temp_dir_make(void)
{
    const char *base = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): tests set nothing */
    char *dir = fc_asprintf("%s/fluvio-test-XXXXXX", base == NULL ? "/tmp" : base);
    fc_assert(mkdtemp(dir) != NULL);
    return dir;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void fc_temp_dir_remove(char *dir)
{
    if (dir != NULL) {
        /* What cannot be removed stays behind in the temporary directory. */
        (void)nftw(dir, remove_entry, OPEN_DIRS, FTW_DEPTH | FTW_PHYS);
        free(dir);
    }
}

char *fc_temp_file(const char *dir, const char *name, const char *text, mode_t mode)
{
    char *path = fc_asprintf("%s/%s", dir, name);
    size_t len = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fc_assert(fd >= 0);
    fc_assert(write(fd, text, len) == (ssize_t)len);
    fc_assert(fchmod(fd, mode) == 0);
    (void)close(fd);
    return path;
}
