/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/temp_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"

char *temp_file_write(const char *dir, const char *name, const char *text, mode_t mode)
{
    char *path = fc_asprintf("%s/%s", dir, name);
    size_t len = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fc_assert(fd >= 0);
    fc_assert(write(fd, text, len) == (ssize_t)len);
    fc_assert(fchmod(fd, mode) == 0);
    (void)close(fd); /* what was written is read back by the test */
    return path;
}
