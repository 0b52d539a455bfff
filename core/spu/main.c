/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fluvio-spu: one node that stores partitions and serves Kafka's protocol.
 *
 * SIGTERM and SIGINT end cleanly, the second one at once (the log is made for that); SIGHUP reads
 * the certificates again.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/base/flags.h"
#include "core/base/roles.h"
#include "core/base/standard_fds.h"
#include "core/spu/add_user.h"
#include "core/spu/setting_docs.h"
#include "core/spu/spu_file.h"

enum { STOP_WAIT_MS = 10000 };

struct task {
    const char *path;
    const char *new_user; /* NULL: serve */
    const char *role;
    bool check;
};

static const char *const EXAMPLES =
    "The file, at its smallest:\n\n"
    "  data-dir: /var/lib/fluvio\n\n"
    "listens on 127.0.0.1:9092. docs/spu.md tells the rest; `fluvio-spu --options` lists "
    "it.\n\n"
    "  fluvio-spu --config FILE --add-user admin --role admin\n\n"
    "makes the first user of a node that asks who its clients are.";

static void on_notice(void *ctx, const char *text)
{
    fc_diag_report(ctx, FC_DIAG_WARN, "%s", text);
}

static void on_failure(void *ctx, const char *text)
{
    fc_diag_report(ctx, FC_DIAG_ERROR, "%s", text);
}

/* Each connection is a descriptor, and so is each partition's file. */
static void raise_descriptors(struct fc_diag *diag)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            fc_diag_report(diag, FC_DIAG_WARN, "cannot raise the limit of open files");
        }
    }
}

static int open_signals(struct fc_error *err)
{
    sigset_t signals;
    int fd;
    (void)sigemptyset(&signals); /* these take any valid set and signal */
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    if (pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0) {
        (void)fc_fail(err, FC_ERR_IO, "cannot block signals");
        return -1;
    }
    fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (fd < 0) {
        (void)fc_fail(err, FC_ERR_IO, "cannot wait for signals");
    }
    return fd;
}

static void tell_listeners(struct fc_diag *diag, const struct fc_spu *spu)
{
    struct fc_server *server = fc_spu_server(spu);
    for (size_t index = 0; index < fc_server_listeners_count(server); index++) {
        const struct fc_listener *listener = fc_server_listener(server, index);
        fc_diag_report(diag, FC_DIAG_INFO, "listening name=%s host=%s port=%u%s",
                       listener->name, listener->host, listener->port,
                       listener->tls ? " tls" : "");
    }
}

/* Until a signal says to stop. */
static void wait_for_end(int signal_fd, struct fc_diag *diag, const struct fc_spu *spu)
{
    struct signalfd_siginfo info;
    while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGHUP) {
            fc_diag_report(diag, FC_DIAG_INFO, "stopping");
            return;
        }
        if (fc_server_reload_tls(fc_spu_server(spu), NULL) == FC_OK) {
            fc_diag_report(diag, FC_DIAG_INFO, "certificates read again");
        }
    }
}

/* A second signal does not wait for those who are still served. */
static void *end_at_once(void *arg)
{
    struct signalfd_siginfo info;
    const int *signal_fd = arg;
    while (read(*signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGHUP) {
            _exit(FC_EXIT_FAILED);
        }
    }
    return NULL;
}

static fc_code serve(struct fc_spu_file *file, struct fc_diag *diag, int signal_fd,
                     struct fc_error *err)
{
    struct fc_data_dir_config data_config = { .dir = file->data_dir,
                                              .defaults = &file->topics,
                                              .on_notice = on_notice,
                                              .on_failure = on_failure,
                                              .notice_ctx = diag };
    struct fc_data_dir *data = NULL;
    struct fc_spu *spu = NULL;
    pthread_t killer;
    fc_code code = fc_data_dir_open(&data_config, &data, err);
    if (code == FC_OK) {
        file->config.net.diag = diag;
        fc_server_spare_files(&file->config.net); /* once the log's files are open */
        code = fc_spu_start(&file->config, data, &spu, err);
    }
    if (code == FC_OK) {
        tell_listeners(diag, spu);
        fc_diag_report(diag, FC_DIAG_INFO, "serving node=%d data-dir=%s", file->config.node_id,
                       file->data_dir);
        wait_for_end(signal_fd, diag, spu);
        if (pthread_create(&killer, NULL, end_at_once, &signal_fd) == 0) {
            (void)pthread_detach(killer);
        }
    }
    fc_spu_stop(spu, STOP_WAIT_MS);
    fc_data_dir_close(data);
    return code;
}

static fc_code run_node(struct fc_spu_file *file, struct fc_error *err)
{
    struct fc_diag *diag = fc_diag_new(stderr, FC_DIAG_INFO);
    int signal_fd;
    fc_code code;
    raise_descriptors(diag);
    signal_fd = open_signals(err);
    code = signal_fd < 0 ? err->code : serve(file, diag, signal_fd, err);
    fc_diag_free(diag);
    return code;
}

static void print_option(const char *prefix, const char *key, const char *value,
                         const char *help, bool required)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s%s", prefix, key);
    (void)printf("%-41s%-10s %s%s\n", name, value == NULL ? "-" : value, help,
                 required ? " Required." : "");
}

/* Settings of topics, with what a topic has where neither it nor the file sets anything. */
static void print_topic_settings(void)
{
    struct fc_log_topic_config config;
    const char *key;
    fc_log_topic_config_init(&config);
    for (size_t index = 0; (key = fc_log_topic_config_key(index)) != NULL; index++) {
        char value[FC_TOPIC_CONFIG_TEXT_SIZE];
        const struct fc_setting_doc *doc = fc_setting_doc(key);
        (void)fc_log_topic_config_get(&config, key, value);
        print_option("topics.", key, value, doc == NULL ? "" : doc->text, false);
    }
}

static void list_options(void)
{
    const struct fc_spu_file_block *block;
    for (size_t index = 0; (block = fc_spu_file_block(index)) != NULL; index++) {
        for (const struct fc_option *option = block->options; option->key != NULL; option++) {
            print_option(block->prefix, option->key, option->default_text, option->help,
                         option->required);
        }
    }
    print_topic_settings();
}

/* What was printed for a person or a script has to arrive. */
static fc_exit end_output(const struct fc_flag_scope *scope)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return FC_EXIT_DONE;
    }
    fc_flags_tell(scope, "stdout: %s", strerrordesc_np(errno));
    return FC_EXIT_FAILED;
}

static fc_code run_file(struct fc_spu_file *file, const struct task *task, struct fc_error *err)
{
    if (task->check) {
        return FC_OK; /* it has been read */
    }
    return task->new_user == NULL ? run_node(file, err)
                                  : fc_spu_add_user(file, task->new_user, task->role, err);
}

/* NULL: it can be done. */
static const char *wrong_task(const struct task *task)
{
    if (task->path == NULL) {
        return "which file? fluvio-spu --config FILE";
    }
    if (task->role != NULL && task->new_user == NULL) {
        return "--role is for --add-user";
    }
    return task->check && task->new_user != NULL ? "--check and --add-user exclude each other"
                                                 : NULL;
}

int main(int argc, char **argv)
{
    struct task task = { .path = NULL };
    bool options = false;
    bool version = false;
    const struct fc_flag flags[] = {
        { "config", 'c', FC_FLAG_TEXT, &task.path, "FILE", "the node's file" },
        { "check", 0, FC_FLAG_BOOL, &task.check, NULL,
          "only read the file, tell what is wrong in it, and end" },
        { "add-user", 0, FC_FLAG_TEXT, &task.new_user, "NAME",
          "make a user, whose password is read from stdin, and end; the node must not run" },
        { "role", 0, FC_FLAG_TEXT, &task.role, "ROLE",
          "with --add-user: what it may do with all topics: " FC_ROLE_NAMES },
        { "options", 0, FC_FLAG_BOOL, &options, NULL, "list what can stand in the file" },
        { "version", 0, FC_FLAG_BOOL, &version, NULL, "print the version" },
        { 0 },
    };
    const struct fc_usage usage = {
        .synopsis = "--config FILE",
        .text = "One node that stores partitions on this machine's disk and serves Kafka's\n"
                "protocol to any client.",
        .flags = flags,
    };
    struct fc_flag_scope scope = { .program = "fluvio-spu",
                                   .command = "",
                                   .examples = EXAMPLES,
                                   .out = stdout,
                                   .err = stderr };
    struct fc_spu_file *file = NULL;
    struct fc_error err;
    fc_exit exit_code = FC_EXIT_DONE;
    const char *wrong;
    char **operands = NULL;
    uint32_t count = 0;
    fc_code code;
    fc_standard_fds_keep();
    if (!fc_flags_parse(&scope, &usage, argc, argv, &operands, &count, &exit_code)) {
        return (int)(exit_code == FC_EXIT_DONE ? end_output(&scope) : exit_code);
    }
    if (options || version) {
        if (version) {
            (void)printf("fluvio-spu " FC_VERSION "\n");
        } else {
            list_options();
        }
        return (int)end_output(&scope);
    }
    wrong = wrong_task(&task);
    if (wrong != NULL) {
        fc_flags_tell(&scope, "%s", wrong);
        return FC_EXIT_USAGE;
    }
    code = fc_spu_file_read(task.path, &file, &err);
    if (code == FC_OK) {
        code = run_file(file, &task, &err);
    }
    if (code != FC_OK) {
        fc_flags_tell(&scope, "%s%s", err.message,
                      code == FC_ERR_CORRUPT ? "; docs/spu.md, Damage, says how to go on" : "");
    }
    fc_spu_file_free(file);
    return code == FC_OK ? 0 : (int)fc_flags_exit(code);
}
