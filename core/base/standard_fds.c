/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/standard_fds.h"

#include <fcntl.h>
#include <unistd.h>

void fc_standard_fds_keep(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) { /* the lowest that is free is the one that is opened */
            int opened = open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
            if (opened >= 0 && opened != fd) {
                (void)close(opened); /* without /dev/null: as it was */
            }
        }
    }
}
