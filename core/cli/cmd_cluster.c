/* SPDX-License-Identifier: Apache-2.0 */
/* cluster start and shutdown: the cluster on this machine. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/fs.h"
#include "core/cli/commands.h"
#include "core/cli/local.h"
#include "core/cli/server_program.h"
#include "core/cli/settings.h"
#include "core/link/wire_client.h"

enum { START_MS = 30000, STOP_MS = 30000, TRY_MS = 2000, PAUSE_MS = 50, PORT_DEFAULT = 9092 };

static const char LOCAL_PROFILE[] = "local";

struct start {
    const char *dir;
    const char *config;
    const char *program;
    const char *port;
    bool local; /* what is started anyhow; taken, as Fluvio has it */
    bool keep_profile;
    bool wrote_file; /* there was none before */
};

/* --- start -------------------------------------------------------------------------------- */

static fc_code make_dirs(const char *path, struct fc_error *err)
{
    struct fc_fs *fs = fc_fs_system();
    char *copy = fc_asprintf("%s/", path);
    fc_code code = FC_OK;
    for (char *slash = strchr(copy + 1, '/'); slash != NULL && code == FC_OK;
         slash = strchr(slash + 1, '/')) {
        struct stat info;
        *slash = '\0';
        if (stat(copy, &info) != 0) {
            code = fs->ops->make_dir(fs, copy, err);
        }
        *slash = '/';
    }
    free(copy);
    return code;
}

/* Write the server's file unless there is one; a port that was asked for must be its. */
static fc_code prepare_file(struct start *start, const struct fc_local *local,
                            struct fc_local_file *file, struct fc_error *err)
{
    int64_t port = PORT_DEFAULT;
    struct stat info;
    fc_code code = FC_OK;
    if (start->port != NULL &&
        fc_cli_number("--port", start->port, 1, UINT16_MAX, &port, err) != FC_OK) {
        return err->code;
    }
    if (start->config == NULL && stat(local->config_path, &info) != 0) {
        char *data_dir = fc_asprintf("%s/data", local->dir);
        char *text = fc_local_file_text(data_dir, (int)port);
        code = make_dirs(local->dir, err);
        if (code == FC_OK) {
            code = fc_fs_replace(fc_fs_system(), local->config_path, text, strlen(text), err);
            start->wrote_file = code == FC_OK;
        }
        free(text);
        free(data_dir);
    }
    if (code == FC_OK) {
        code = make_dirs(local->dir, err);
    }
    if (code == FC_OK) {
        code = fc_local_file_read(local->config_path, file, err);
    }
    if (code == FC_OK && file->listener_count == 0) {
        code = fc_fail(err, FC_ERR_CONFIG, "%s has no listener", local->config_path);
    }
    if (code == FC_OK && start->port != NULL && file->listeners[0].port != (int)port) {
        code = fc_fail(err, FC_ERR_CONFIG,
                       "%s says port %d: change it there, or use another "
                       "--dir",
                       local->config_path, file->listeners[0].port);
    }
    return code;
}

static const char *reachable_host(const struct fc_local_listener *listener)
{
    bool any;
    fc_assert(listener->host != NULL); /* reading the file has set it */
    any = strcmp(listener->host, "0.0.0.0") == 0 || strcmp(listener->host, "::") == 0;
    return any ? "127.0.0.1" : listener->host;
}

/* True when a server of the Kafka protocol answers there. A TLS listener is only connected to. */
static bool answers(const struct fc_local_listener *listener, int wait_ms)
{
    struct fc_settings settings = { .where = NULL };
    struct fc_wire_client *client = NULL;
    struct fc_error ignored = { 0 };
    char port[12];
    struct fc_link_settings link = fc_settings_link(&settings);
    bool good;
    (void)snprintf(port, sizeof(port), "%d", listener->port);
    if (listener->certificate != NULL) {
        fc_profile_set(&settings.profile, "security.protocol", "ssl");
        fc_profile_set(&settings.profile, "enable.ssl.certificate.verification", "false");
    }
    good = fc_wire_client_open_at(&link, wait_ms, reachable_host(listener), port, &client,
                                  &ignored) == FC_OK;
    fc_wire_client_close(client);
    fc_settings_release(&settings);
    return good;
}

static fc_code await_answer(struct fc_cli *cli, const struct fc_local *local,
                            const struct fc_local_listener *listener, pid_t pid,
                            struct fc_error *err)
{
    int64_t wait_ms = cli->timeout == NULL ? START_MS : cli->timeout_ms;
    int64_t deadline_ms = fc_clock_steady_ms(cli->clock) + wait_ms;
    while (!answers(listener, TRY_MS)) {
        if (fc_local_await_end(pid, PAUSE_MS)) {
            char *words = fc_local_last_words(local);
            fc_code code =
                fc_fail(err, FC_ERR_IO, "the server ended at once: %s (all of it: %s)",
                        words == NULL ? "it said nothing" : words, local->report_path);
            free(words);
            return code;
        }
        if (fc_clock_steady_ms(cli->clock) >= deadline_ms) {
            return fc_fail(err, FC_ERR_TIMEOUT,
                           "the server (pid %d) does not answer at %s:%d after %d s: see %s",
                           (int)pid, listener->host, listener->port, (int)(wait_ms / 1000),
                           local->report_path);
        }
    }
    return FC_OK;
}

static fc_code add_profile(struct fc_cli *cli, const struct fc_local_listener *listener,
                           struct fc_error *err)
{
    struct fc_profiles profiles = { 0 };
    struct fc_profile *profile;
    char *servers = fc_asprintf("%s:%d", reachable_host(listener), listener->port);
    char *path = NULL;
    fc_code code = fc_settings_read_file(cli, &path, &profiles, err);
    if (code == FC_OK) {
        profile = fc_profiles_find(&profiles, LOCAL_PROFILE);
        profile = profile == NULL ? fc_profiles_add(&profiles, LOCAL_PROFILE) : profile;
        fc_profile_set(profile, "bootstrap.servers", servers);
        free(profiles.current);
        profiles.current = fc_strdup(LOCAL_PROFILE);
        code = fc_profiles_write(path, &profiles, err);
    }
    fc_profiles_release(&profiles);
    free(path);
    free(servers);
    return code;
}

/* To a listener that wants to know more than its address only its user can make a profile. */
static fc_code switch_profile(struct fc_cli *cli, const struct fc_local_listener *listener,
                              struct fc_error *err)
{
    fc_code code;
    if (listener->sasl || listener->certificate != NULL) {
        fc_cli_note(
            cli, "the profile is not changed: %s by `fluvio profile add NAME %s:%d%s%s`",
            listener->sasl ? "log in" : "say who signs its certificate",
            reachable_host(listener), listener->port, listener->sasl ? " --user USER" : "",
            listener->certificate != NULL ? " --ca FILE" : "");
        return FC_OK;
    }
    code = add_profile(cli, listener, err);
    if (code == FC_OK) {
        fc_cli_note(cli, "profile %s is used from now on", LOCAL_PROFILE);
    }
    return code;
}

static fc_code launch(struct fc_cli *cli, const struct start *start,
                      const struct fc_local *local, const struct fc_local_file *file,
                      struct fc_error *err)
{
    char *program = fc_server_program_find(cli, start->program);
    pid_t pid = 0;
    fc_code code;
    if (program == NULL) {
        return fc_fail(
            err, FC_ERR_CONFIG,
            "fluvio-spu is neither beside this program nor on PATH: give --spu FILE");
    }
    if (answers(&file->listeners[0], TRY_MS)) {
        free(program);
        return fc_fail(err, FC_ERR_REFUSED,
                       "another server answers at %s:%d already: stop it, or give --port and "
                       "--dir",
                       file->listeners[0].host, file->listeners[0].port);
    }
    code = fc_local_spawn(local, program, &pid, err);
    free(program);
    if (code == FC_OK) {
        code = fc_local_keep_pid(local, pid, err);
        if (code != FC_OK) { /* nobody could end it later */
            (void)kill(pid, SIGTERM);
            (void)fc_local_await_end(pid, STOP_MS);
        }
    }
    if (code == FC_OK) {
        code = await_answer(cli, local, &file->listeners[0], pid, err);
    }
    if (code == FC_OK) {
        fc_cli_note(cli, "the cluster runs at %s:%d (pid %d, %s)", file->listeners[0].host,
                    file->listeners[0].port, (int)pid, local->dir);
    }
    return code;
}

/* Before anything is written. */
static fc_code check_program(const struct start *start, struct fc_error *err)
{
    return start->program == NULL || access(start->program, X_OK) == 0
               ? FC_OK
               : fc_fail(err, FC_ERR_CONFIG, "--spu: %s: %s", start->program,
                         strerrordesc_np(errno));
}

static fc_code start_cluster(struct fc_cli *cli, struct start *start, struct fc_error *err)
{
    struct fc_local local = { .dir = NULL };
    struct fc_local_file file = { .data_dir = NULL };
    struct fc_local_process process = { .pid = 0 };
    fc_code code = check_program(start, err);
    code = code == FC_OK ? fc_local_init(cli, start->dir, start->config, &local, err) : code;
    if (code == FC_OK) {
        code = fc_local_find(&local, &process, err);
    }
    if (code == FC_OK && process.pid != 0 && !process.ours) {
        code = fc_local_other(&local, &process, err);
    }
    if (code == FC_OK) {
        code = prepare_file(start, &local, &file, err);
    }
    if (code == FC_OK && process.pid != 0) {
        fc_cli_note(cli, "the cluster runs already (pid %d, %s)", (int)process.pid, local.dir);
    } else if (code == FC_OK) {
        code = launch(cli, start, &local, &file, err);
    }
    /* A port that is taken is no choice that binds the next start; a server that is only late
     * has read the file. */
    if (code != FC_OK && code != FC_ERR_TIMEOUT && start->wrote_file) {
        (void)unlink(local.config_path);
    }
    if (code == FC_OK && !start->keep_profile) {
        code = switch_profile(cli, &file.listeners[0], err);
    }
    fc_local_file_release(&file);
    fc_local_release(&local);
    return code;
}

int fc_cmd_cluster_start(struct fc_cli *cli, int argc, char **argv)
{
    struct start start = { .dir = NULL };
    const struct fc_flag flags[] = {
        { "local", 0, FC_FLAG_BOOL, &start.local, NULL, "on this machine (the default)" },
        { "dir", 'd', FC_FLAG_TEXT, &start.dir, "DIR",
          "where all of it is (~/.local/share/fluvio/local)" },
        { "port", 'p', FC_FLAG_TEXT, &start.port, "N", "of a new cluster (9092)" },
        { "config", 'c', FC_FLAG_TEXT, &start.config, "FILE",
          "this server's file, instead of DIR/spu.yaml" },
        { "spu", 0, FC_FLAG_TEXT, &start.program, "FILE", "the program (fluvio-spu)" },
        { "keep-profile", 0, FC_FLAG_BOOL, &start.keep_profile, NULL,
          "do not switch to profile local" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "cluster start [FLAGS]",
                   "Start a cluster of one node on this machine, in the background, reachable\n"
                   "from this machine only; wait until it answers; switch to profile local. "
                   "What\n"
                   "it says goes to DIR/spu.log.",
                   flags, 0, 0 },
        .examples =
            "  fluvio cluster start\n  fluvio cluster start --dir /tmp/try --port 19092",
    };
    struct fc_error error = { 0 };
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    return start_cluster(cli, &start, &error) == FC_OK ? FC_EXIT_DONE
                                                       : fc_cli_fail(cli, &error);
}

/* --- shutdown ----------------------------------------------------------------------------- */

static fc_code shut_down(struct fc_cli *cli, const struct fc_local *local, struct fc_error *err)
{
    int wait_ms = cli->timeout == NULL ? STOP_MS : cli->timeout_ms;
    struct fc_local_process process = { .pid = 0 };
    pid_t pid;
    if (fc_local_find(local, &process, err) != FC_OK) {
        return err->code;
    }
    if (process.pid != 0 && !process.ours) {
        return fc_local_other(local, &process, err);
    }
    pid = process.pid;
    if (pid == 0) {
        fc_cli_note(cli, "no cluster runs in %s with %s", local->dir, local->config_path);
        return FC_OK;
    }
    if (kill(pid, SIGTERM) != 0 && errno != ESRCH) {
        return fc_fail(err, FC_ERR_IO, "the server (pid %d): %s", (int)pid,
                       strerrordesc_np(errno));
    }
    if (!fc_local_await_end(pid, wait_ms)) {
        return fc_fail(err, FC_ERR_TIMEOUT,
                       "the server (pid %d) still runs after %d s: wait, or kill -9 %d, which "
                       "loses nothing that was acknowledged",
                       (int)pid, wait_ms / 1000, (int)pid);
    }
    (void)unlink(local->pid_path); /* when it stays, it names a process that is gone */
    fc_cli_note(cli, "the cluster in %s has ended; its data stays", local->dir);
    return FC_OK;
}

int fc_cmd_cluster_shutdown(struct fc_cli *cli, int argc, char **argv)
{
    const char *dir = NULL;
    const char *config = NULL;
    const struct fc_flag flags[] = {
        { "dir", 'd', FC_FLAG_TEXT, &dir, "DIR", "where it is (~/.local/share/fluvio/local)" },
        { "config", 'c', FC_FLAG_TEXT, &config, "FILE", "as it was started with" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "cluster shutdown [FLAGS]",
                   "Stop the cluster that `cluster start` started, and wait until it has "
                   "ended.\n"
                   "Its data stays.",
                   flags, 0, 0 },
        .examples = "  fluvio cluster shutdown",
    };
    struct fc_local local = { .dir = NULL };
    struct fc_error error = { 0 };
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    code = fc_local_init(cli, dir, config, &local, &error);
    if (code == FC_OK) {
        code = shut_down(cli, &local, &error);
    }
    fc_local_release(&local);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}
