/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cluster on this machine: one server in a directory of its own.
 *
 *     <dir>/spu.yaml   the server's file
 *     <dir>/spu.pid    its process, while it runs
 *     <dir>/spu.log    what it reports
 *     <dir>/data/      the log
 */
#ifndef FC_CLI_LOCAL_H
#define FC_CLI_LOCAL_H

#include <sys/types.h>

#include "core/cli/command.h"
#include "core/cli/local_file.h"

struct fc_local {
    char *dir;
    char *config_path;
    char *pid_path;
    char *report_path;
};

/* dir NULL: ~/.local/share/fluvio/local; config NULL: the one in it. All paths in it are
 * absolute. FC_ERR_CONFIG without a home directory. */
FC_MUST_CHECK fc_code fc_local_init(const struct fc_cli *cli, const char *dir,
                                    const char *config, struct fc_local *out_local,
                                    struct fc_error *err);
void fc_local_release(struct fc_local *local);

struct fc_local_process {
    pid_t pid; /* 0: none runs */
    bool ours; /* with our file; otherwise with the one below */
    char config[512];
};

/* The server that the pid file names, while it runs. FC_ERR_IO when that file cannot be read. */
FC_MUST_CHECK fc_code fc_local_find(const struct fc_local *local,
                                    struct fc_local_process *out_process, struct fc_error *err);

/* FC_ERR_REFUSED: the server in our directory is that of another file. */
fc_code fc_local_other(const struct fc_local *local, const struct fc_local_process *process,
                       struct fc_error *err);

/* Write the pid file. */
FC_MUST_CHECK fc_code fc_local_keep_pid(const struct fc_local *local, pid_t pid,
                                        struct fc_error *err);

/*
 * Start `program` with the local cluster's file, detached from this process, its output appended
 * to the report file.
 */
FC_MUST_CHECK fc_code fc_local_spawn(const struct fc_local *local, const char *program,
                                     pid_t *out_pid, struct fc_error *err);

/* Wait until the process ends. False: it still runs. Its status is taken when it is a child. */
bool fc_local_await_end(pid_t pid, int wait_ms);

/* The last line of the report file, to be freed; NULL when there is none. */
char *fc_local_last_words(const struct fc_local *local);

#endif
