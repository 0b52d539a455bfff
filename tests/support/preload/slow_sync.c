/* SPDX-License-Identifier: Apache-2.0 */
/* To be preloaded: while the file that SYNC_GATE names is there, syncs wait. */
#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOK_MS = 5 };

__attribute__((visibility("default"))) int fsync(int fd);
__attribute__((visibility("default"))) int fdatasync(int fd);

static int wait_and(const char *name, int fd)
{
    const char *gate = getenv("SYNC_GATE");
    int (*real)(int fd) = (int (*)(int))dlsym(RTLD_NEXT, name);
    while (gate != NULL && access(gate, F_OK) == 0) {
        (void)poll(NULL, 0, LOOK_MS);
    }
    return real(fd);
}

int fsync(int fd)
{
    return wait_and("fsync", fd);
}

int fdatasync(int fd)
{
    return wait_and("fdatasync", fd);
}
