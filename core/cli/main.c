/* SPDX-License-Identifier: Apache-2.0 */
/* fluvio: gives the command what it needs of the process. */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/standard_fds.h"
#include "core/cli/commands.h"

int main(int argc, char **argv)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): one thread yet */
    struct fc_cli cli = { .clock = fc_clock_system(),
                          .env = { .home = getenv("HOME"),
                                   .config_home = getenv("XDG_CONFIG_HOME"),
                                   .data_home = getenv("XDG_DATA_HOME"),
                                   .path = getenv("PATH"),
                                   .profile = getenv("FLUVIO_PROFILE") },
                          .in = stdin,
                          .out = stdout,
                          .err = stderr };
    /* NOLINTEND(concurrency-mt-unsafe) */
    char exe[PATH_MAX] = { 0 };
    char *slash;
    int exit_code;
    fc_standard_fds_keep();
    if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0) {
        exe[0] = '\0'; /* without /proc, fluvio-spu is looked for on PATH */
    }
    slash = strrchr(exe, '/');
    if (slash != NULL) {
        *slash = '\0';
        cli.exe_dir = exe;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* a write to a closed peer is an error, not the end */
    exit_code = fc_cli_dispatch(&cli, argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && exit_code == FC_EXIT_DONE &&
        !fc_cli_is_unread(stdout)) {
        fc_cli_tell(&cli, "stdout: the results could not be written");
        exit_code = FC_EXIT_FAILED;
    }
    if (cli.abandoned) {
        _exit(exit_code); /* what exit would clean up is in use */
    }
    return exit_code;
}
