/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, which connections share with the files of a log: a flood of the ones must not leave
 * nothing for the others. */
#include <dirent.h>
#include <sys/resource.h>

#include "core/base/diag.h"
#include "core/server/server.h"

enum {
    OTHERS_SHARE = 8,      /* of all, the part that is not for connections */
    OTHERS_MIN = 128,      /* the same at least */
    CONNECTIONS_FEWEST = 8 /* with too few for everything somebody can still look */
};

/* Of the process, now; one of them is for the look itself. */
static size_t count_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;
    if (dir == NULL) {
        return 0;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): dir is ours alone */
    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count;
}

void fc_server_spare_files(struct fc_server_config *config)
{
    struct rlimit limit;
    size_t others;
    size_t fit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return;
    }
    others = (size_t)limit.rlim_cur / OTHERS_SHARE;
    others = (others < OTHERS_MIN ? OTHERS_MIN : others) + count_open();
    fit = (size_t)limit.rlim_cur > others + CONNECTIONS_FEWEST ? (size_t)limit.rlim_cur - others
                                                               : CONNECTIONS_FEWEST;
    if (config->connections_max > fit) {
        if (config->diag != NULL) {
            fc_diag_report(
                config->diag, FC_DIAG_WARN,
                "at most %zu connections, not %zu: the process may open no more than "
                "%zu files; raise that limit (ulimit -n, LimitNOFILE)",
                fit, config->connections_max, (size_t)limit.rlim_cur);
        }
        config->connections_max = fit;
    }
}
