/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/server_program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/alloc.h"

enum { WORDS_SIZE = 400 };

char *fc_server_program_find(const struct fc_cli *cli, const char *given)
{
    const char *at = cli->env.path;
    char *path;
    if (given != NULL) {
        return fc_strdup(given);
    }
    if (cli->exe_dir != NULL) {
        path = fc_asprintf("%s/fluvio-spu", cli->exe_dir);
        if (access(path, X_OK) == 0) {
            return path;
        }
        free(path);
    }
    while (at != NULL && *at != '\0') {
        size_t len = strcspn(at, ":");
        path = fc_asprintf("%.*s/fluvio-spu", (int)len, at);
        if (access(path, X_OK) == 0) {
            return path;
        }
        free(path);
        at += len + (at[len] == ':' ? 1 : 0);
    }
    return NULL;
}

/* What comes from the pipe until its other end is closed; the first of it is kept. */
static void read_words(int fd, char words[WORDS_SIZE])
{
    char rest[WORDS_SIZE];
    size_t len = 0;
    ssize_t got;
    do {
        bool room = len < WORDS_SIZE - 1;
        got = read(fd, room ? words + len : rest, room ? WORDS_SIZE - 1 - len : sizeof(rest));
        len += room && got > 0 ? (size_t)got : 0;
    } while (got > 0 || (got < 0 && errno == EINTR));
    words[len] = '\0';
    words[strcspn(words, "\n")] = '\0';
}

static int spawn(const char *program, const char *file, int words_fd, pid_t *out_pid)
{
    char check[] = "--check";
    char config[] = "--config";
    char *argv[] = { fc_unconst(program), check, config, fc_unconst(file), NULL };
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0) {
        return failed;
    }
    failed = posix_spawn_file_actions_adddup2(&actions, words_fd, STDERR_FILENO);
    if (failed == 0) {
        failed = posix_spawn(out_pid, program, &actions, NULL, argv, environ);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

fc_code fc_server_program_check(const char *program, const char *file, struct fc_error *err)
{
    static const char prefix[] = "fluvio-spu: ";
    char words[WORDS_SIZE] = "";
    int ends[2];
    int status = 0;
    int failed;
    pid_t pid = 0;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return fc_fail(err, FC_ERR_IO, "pipe: %s", strerrordesc_np(errno));
    }
    failed = spawn(program, file, ends[1], &pid);
    (void)close(ends[1]); /* ours; the child's ends with it */
    if (failed == 0) {
        read_words(ends[0], words);
        failed = waitpid(pid, &status, 0) < 0 ? errno : 0;
    }
    (void)close(ends[0]); /* only read from */
    if (failed != 0) {
        return fc_fail(err, FC_ERR_IO, "%s: %s", program, strerrordesc_np(failed));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return FC_OK;
    }
    return fc_fail(err, FC_ERR_REJECTED, "%s",
                   words + (strncmp(words, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0));
}
