/* SPDX-License-Identifier: Apache-2.0 */
/* cluster check: is this machine fit for a server? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/cli/cluster_local.h"
#include "core/cli/commands.h"
#include "core/cli/host_check.h"
#include "core/cli/output.h"
#include "core/cli/server_program.h"

/* This command reads the file leniently; its program is strict. */
static void check_file(struct fc_cli *cli, const char *path, json_t *results)
{
    struct fc_error why = { 0 };
    struct stat info;
    char *program;
    if (stat(path, &info) != 0) {
        return; /* cluster start will write it */
    }
    program = fc_server_program_find(cli, NULL);
    if (program == NULL) {
        fc_check_add(results, "server's file", FC_VERDICT_WARN, NULL,
                     "%s is not checked: fluvio-spu is neither beside this program nor on PATH",
                     path);
    } else if (fc_server_program_check(program, path, &why) == FC_OK) {
        fc_check_add(results, "server's file", FC_VERDICT_OK, NULL, "%s", path);
    } else {
        fc_check_add(results, "server's file", FC_VERDICT_FAIL,
                     "mend that line; fluvio-spu --options lists what can stand there", "%s",
                     why.message);
    }
    free(program);
}

void fc_cluster_check_host(struct fc_cli *cli, const struct fc_local *local,
                           const struct fc_local_file *file, json_t *results)
{
    struct fc_local_process process = { .pid = 0 };
    struct fc_error ignored = { 0 };
    /* Whose pid file cannot be read has no server of ours. */
    bool own = fc_local_find(local, &process, &ignored) == FC_OK && process.ours;
    check_file(cli, local->config_path, results);
    fc_check_data_dir(results, file->data_dir, own);
    fc_check_disk(results, file->data_dir, cli->clock);
    fc_check_limits(results);
    for (int index = 0; index < file->listener_count; index++) {
        const struct fc_local_listener *listener = &file->listeners[index];
        fc_check_port(results, listener->host, listener->port, own);
        if (listener->certificate != NULL) {
            fc_check_tls(results, listener->certificate, listener->key, listener->client_ca,
                         cli->clock);
        }
    }
    fc_check_clock(results, cli->clock);
}

fc_code fc_cluster_local_file(const struct fc_local *local, const char *port,
                              struct fc_local_file *out_file, struct fc_error *err)
{
    struct stat info;
    int64_t number = 9092;
    fc_code code = FC_OK;
    if (port != NULL) {
        code = fc_cli_number("--port", port, 1, UINT16_MAX, &number, err);
    }
    if (code != FC_OK) {
        return code;
    }
    if (stat(local->config_path, &info) == 0) {
        code = fc_local_file_read(local->config_path, out_file, err);
        if (code == FC_OK && port != NULL && out_file->listener_count > 0) {
            out_file->listeners[0].port = (int)number;
        }
        return code;
    }
    out_file->data_dir = fc_asprintf("%s/data", local->dir);
    out_file->listener_count = 1;
    out_file->listeners[0].host = fc_strdup("127.0.0.1");
    out_file->listeners[0].port = (int)number;
    return FC_OK;
}

static void print(struct fc_cli *cli, json_t *results)
{
    static const struct fc_column columns[] = {
        { "RESULT", "result", FC_COLUMN_TEXT },
        { "CHECK", "check", FC_COLUMN_TEXT },
        { "FOUND", "found", FC_COLUMN_TEXT },
        { .title = NULL },
    };
    size_t index;
    json_t *result;
    fc_output_rows(cli, results, columns);
    if (cli->format != FC_CLI_TABLE) {
        return;
    }
    json_array_foreach(results, index, result)
    {
        const char *fix = json_string_value(json_object_get(result, "fix"));
        if (fix != NULL) {
            (void)fprintf(cli->out, "\n%s: %s\n  fix: %s\n",
                          json_string_value(json_object_get(result, "check")),
                          json_string_value(json_object_get(result, "found")), fix);
        }
    }
}

int fc_cmd_cluster_check(struct fc_cli *cli, int argc, char **argv)
{
    const char *dir = NULL;
    const char *config = NULL;
    const char *port = NULL;
    const struct fc_flag flags[] = {
        { "dir", 'd', FC_FLAG_TEXT, &dir, "DIR", "where it is (~/.local/share/fluvio/local)" },
        { "config", 'c', FC_FLAG_TEXT, &config, "FILE", "for a server with this file" },
        { "port", 'p', FC_FLAG_TEXT, &port, "N", "of its first listener" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "cluster check [FLAGS]",
                   "Look whether this machine is fit for a server: room, sync speed, limits,\n"
                   "ports, clock, data directory, its file, TLS. Tells how to mend what is "
                   "not.\n"
                   "Writes 64 MiB beside the data for a moment. Exit code 1 when one fails.",
                   flags, 0, 0 },
        .examples = "  fluvio cluster check\n  fluvio cluster check -c /etc/fluvio/spu.yaml",
    };
    struct fc_local local = { .dir = NULL };
    struct fc_local_file file = { .data_dir = NULL };
    struct fc_error error = { 0 };
    int result = FC_EXIT_DONE;
    json_t *results;
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    if (config != NULL && *config != '\0' && access(config, R_OK) != 0) {
        return fc_cli_wrong(cli, "--config: %s: %s", config, strerrordesc_np(errno));
    }
    results = json_array();
    code = fc_local_init(cli, dir, config, &local, &error);
    if (code == FC_OK) {
        code = fc_cluster_local_file(&local, port, &file, &error);
    }
    if (code == FC_OK) {
        fc_cluster_check_host(cli, &local, &file, results);
        print(cli, results);
        result = fc_check_any_failed(results) ? FC_EXIT_FAILED : FC_EXIT_DONE;
    }
    json_decref(results);
    fc_local_file_release(&file);
    fc_local_release(&local);
    return code == FC_OK ? result : fc_cli_fail(cli, &error);
}
