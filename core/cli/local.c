/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/base/path.h"
#include "core/base/quantity.h"
#include "core/base/text_file.h"

enum { COMMAND_LINE_MAX = 64 * 1024, TAIL_SIZE = 4096, EXEC_FAILED = 127 };

fc_code fc_local_init(const struct fc_cli *cli, const char *dir, const char *config,
                      struct fc_local *out_local, struct fc_error *err)
{
    const struct fc_cli_environment *env = &cli->env;
    struct fc_local local = { .dir = NULL };
    fc_code code = FC_OK;
    if ((dir != NULL && *dir == '\0') || (config != NULL && *config == '\0')) {
        return fc_fail(err, FC_ERR_CONFIG, "%s needs a name",
                       config != NULL && *config == '\0' ? "--config" : "--dir");
    }
    /* The server outlives this working directory's time, and is asked for from others. */
    if (dir != NULL) {
        code = fc_path_absolute(dir, &local.dir, err);
    } else if (env->data_home != NULL && env->data_home[0] == '/') {
        local.dir = fc_asprintf("%s/fluvio/local", env->data_home);
    } else if (env->home != NULL && *env->home != '\0') {
        local.dir = fc_asprintf("%s/.local/share/fluvio/local", env->home);
    } else {
        code = fc_fail(err, FC_ERR_CONFIG, "where to put the cluster? Give --dir, or set HOME");
    }
    if (code == FC_OK && config != NULL) {
        code = fc_path_absolute(config, &local.config_path, err);
    } else if (code == FC_OK) {
        local.config_path = fc_asprintf("%s/spu.yaml", local.dir);
    }
    if (code != FC_OK) {
        fc_local_release(&local);
        return code;
    }
    local.pid_path = fc_asprintf("%s/spu.pid", local.dir);
    local.report_path = fc_asprintf("%s/spu.log", local.dir);
    *out_local = local;
    return FC_OK;
}

void fc_local_release(struct fc_local *local)
{
    free(local->dir);
    free(local->config_path);
    free(local->pid_path);
    free(local->report_path);
    memset(local, 0, sizeof(*local));
}

/* --- whose process ------------------------------------------------------------------------ */

static bool same_file(const char *a, const char *b)
{
    struct stat first;
    struct stat second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static bool is_file(const struct fc_local *local, const char *argument)
{
    return strcmp(argument, local->config_path) == 0 ||
           (*argument == '/' && same_file(argument, local->config_path));
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/*
 * A pid may have been given to another process since: ours has our file among its arguments,
 * and a server with another file is known by its name and first argument.
 */
static void look_at(const struct fc_local *local, pid_t pid, struct fc_local_process *process)
{
    char path[64];
    char *text = fc_new_array(char, COMMAND_LINE_MAX + 1);
    bool server = false;
    ssize_t size = -1;
    ssize_t at = 0;
    int fd;
    (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        size = read(fd, text, COMMAND_LINE_MAX);
        (void)close(fd); /* only read from */
    }
    for (int index = 0; at < size && !process->ours; index++) {
        process->ours = is_file(local, text + at);
        if (index == 1 && strcmp(text + at, "--config") == 0) {
            server = strcmp(name_of(text), "fluvio-spu") == 0;
        } else if (index == 2 && server) {
            (void)snprintf(process->config, sizeof(process->config), "%s", text + at);
        }
        at += (ssize_t)strlen(text + at) + 1;
    }
    process->pid = process->ours || server ? pid : 0;
    free(text);
}

fc_code fc_local_find(const struct fc_local *local, struct fc_local_process *out_process,
                      struct fc_error *err)
{
    struct fc_local_process process = { .pid = 0 };
    struct fc_buf text;
    char digits[16] = { 0 };
    int64_t pid = 0;
    fc_code code;
    fc_buf_init(&text, sizeof(digits));
    code = fc_text_file_read(local->pid_path, "", &text, NULL, err);
    if (code == FC_OK && text.len < sizeof(digits)) {
        memcpy(digits, text.data, text.len);
        digits[strcspn(digits, "\n")] = '\0';
        /* Another user's process cannot be signalled, but it is there. */
        if (fc_quantity_int(digits, &pid) && pid > 0 && pid <= INT32_MAX &&
            (kill((pid_t)pid, 0) == 0 || errno == EPERM)) {
            look_at(local, (pid_t)pid, &process);
        }
    }
    fc_buf_release(&text);
    if (code == FC_OK || code == FC_ERR_NOT_FOUND) {
        *out_process = process;
        return FC_OK;
    }
    (void)fc_wrap(err, "whether a cluster runs is not known");
    err->code = FC_ERR_IO; /* it is no mistake in a file */
    return err->code;
}

fc_code fc_local_other(const struct fc_local *local, const struct fc_local_process *process,
                       struct fc_error *err)
{
    return fc_fail(err, FC_ERR_REFUSED,
                   "the cluster in %s runs with another file, %s (pid %d): stop it by `fluvio "
                   "cluster shutdown -d %s -c %s`",
                   local->dir, process->config, (int)process->pid, local->dir, process->config);
}

fc_code fc_local_keep_pid(const struct fc_local *local, pid_t pid, struct fc_error *err)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%d\n", (int)pid);
    return fc_fs_replace(fc_fs_system(), local->pid_path, text, (size_t)len, err);
}

/* --- starting and ending ------------------------------------------------------------------ */

/* In the child: only what may be called between fork and exec. */
_Noreturn static void become(const struct fc_local *local, const char *program, int report_fd,
                             int failure_fd)
{
    char flag[] = "--config";
    char *argv[] = { fc_unconst(program), flag, local->config_path, NULL };
    int null_fd = open("/dev/null", O_RDONLY);
    int reason;
    sigset_t none;
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    (void)setsid(); /* the terminal's Ctrl-C is not for it */
    if (null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
        dup2(report_fd, STDOUT_FILENO) >= 0 && dup2(report_fd, STDERR_FILENO) >= 0) {
        (void)execv(program, argv); /* returns only on failure */
    }
    reason = errno;
    if (write(failure_fd, &reason, sizeof(reason)) < 0) {
        _exit(EXEC_FAILED); /* the parent sees that we ended */
    }
    _exit(EXEC_FAILED);
}

fc_code fc_local_spawn(const struct fc_local *local, const char *program, pid_t *out_pid,
                       struct fc_error *err)
{
    int failure[2] = { -1, -1 };
    int reason = 0;
    int report_fd = open(local->report_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    fc_code code = FC_OK;
    pid_t pid = -1;
    if (report_fd < 0) {
        return fc_fail(err, FC_ERR_IO, "%s: %s", local->report_path, strerrordesc_np(errno));
    }
    if (pipe2(failure, O_CLOEXEC) != 0) {
        code = fc_fail(err, FC_ERR_IO, "pipe: %s", strerrordesc_np(errno));
    } else {
        pid = fork();
        if (pid == 0) {
            become(local, program, report_fd, failure[1]);
        }
        (void)close(failure[1]); /* ours; the child's ends with exec */
        if (pid < 0) {
            code = fc_fail(err, FC_ERR_IO, "fork: %s", strerrordesc_np(errno));
        } else if (read(failure[0], &reason, sizeof(reason)) == (ssize_t)sizeof(reason)) {
            (void)waitpid(pid, NULL, 0);
            code = fc_fail(err, FC_ERR_IO, "%s: %s", program, strerrordesc_np(reason));
        }
        (void)close(failure[0]);
    }
    (void)close(report_fd); /* not written by us */
    if (code == FC_OK) {
        *out_pid = pid;
    }
    return code;
}

bool fc_local_await_end(pid_t pid, int wait_ms)
{
    struct pollfd wait = { .events = POLLIN };
    bool ended;
    wait.fd = pidfd_open(pid, 0);
    if (wait.fd < 0) {
        return errno == ESRCH;
    }
    ended = poll(&wait, 1, wait_ms) > 0;
    (void)close(wait.fd);
    if (ended) {
        (void)waitpid(pid, NULL, WNOHANG); /* fails when it is no child of ours */
    }
    return ended;
}

char *fc_local_last_words(const struct fc_local *local)
{
    char text[TAIL_SIZE + 1] = { 0 };
    const char *line;
    int fd = open(local->report_path, O_RDONLY | O_CLOEXEC);
    ssize_t size = 0;
    if (fd >= 0) {
        off_t end = lseek(fd, 0, SEEK_END);
        size = pread(fd, text, TAIL_SIZE, end > TAIL_SIZE ? end - TAIL_SIZE : 0);
        (void)close(fd); /* only read from */
    }
    while (size > 0 && text[size - 1] == '\n') {
        text[--size] = '\0';
    }
    if (size <= 0) {
        return NULL;
    }
    line = strrchr(text, '\n');
    return fc_strdup(line == NULL ? text : line + 1);
}
