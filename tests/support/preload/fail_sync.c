/* SPDX-License-Identifier: Apache-2.0 */
/* To be preloaded: while the file that SYNC_FAIL names is there, syncs of files whose path contains
 * SYNC_FAIL_PATH fail. */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, LINK_SIZE = 64 };

__attribute__((visibility("default"))) int fsync(int fd);
__attribute__((visibility("default"))) int fdatasync(int fd);

static bool fails(int fd)
{
    const char *gate = getenv("SYNC_FAIL");
    const char *part = getenv("SYNC_FAIL_PATH");
    char link[LINK_SIZE];
    char path[PATH_SIZE];
    ssize_t size;
    if (gate == NULL || part == NULL || access(gate, F_OK) != 0) {
        return false;
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    size = readlink(link, path, sizeof(path) - 1);
    path[size < 0 ? 0 : size] = '\0';
    return strstr(path, part) != NULL;
}

static int sync_or_fail(const char *name, int fd)
{
    int (*real)(int fd) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (fails(fd)) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int fsync(int fd)
{
    return sync_or_fail("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_or_fail("fdatasync", fd);
}
