/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster diagnostics: what a bug report needs, in one file, without secrets and without records.
 *
 * What cannot be had is noted in errors.json; the rest is collected all the same.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/time_text.h"
#include "core/cli/cluster_local.h"
#include "core/cli/collect.h"
#include "core/cli/commands.h"
#include "core/cli/groups.h"
#include "core/cli/partitions.h"
#include "core/cli/tar_gz.h"

enum { REPORT_BYTES_MAX = 1024 * 1024, NAME_SIZE = 100 };

struct collection {
    struct fc_cli *cli;
    struct fc_tar_gz *tar;
    char folder[48];
    json_t *errors;
};

static void note_error(struct collection *collection, const char *what,
                       const struct fc_error *error)
{
    json_t *row = json_object();
    json_object_set_new(row, "what", json_string(what));
    json_object_set_new(row, "error", fc_output_string(error->message));
    json_array_append_new(collection->errors, row);
}

static fc_code add_bytes(struct collection *collection, const char *name, struct fc_slice bytes,
                         struct fc_error *err)
{
    char full[NAME_SIZE];
    (void)snprintf(full, sizeof(full), "%s/%s", collection->folder, name);
    return fc_tar_gz_add(collection->tar, full, bytes,
                         fc_clock_wall_ms(collection->cli->clock) / 1000, err);
}

static fc_code add_tree(struct collection *collection, const char *name, const json_t *tree,
                        struct fc_error *err)
{
    char *text = json_dumps(tree, JSON_INDENT(2) | JSON_ENCODE_ANY);
    fc_code code = add_bytes(collection, name, fc_slice_text(text == NULL ? "" : text), err);
    free(text);
    return code;
}

/* --- parts -------------------------------------------------------------------------------- */

static json_t *host_of(const struct collection *collection)
{
    struct utsname system;
    char stamp[FC_TIME_STAMP_SIZE];
    json_t *host = json_object();
    if (uname(&system) == 0) {
        json_object_set_new(host, "system", fc_output_string(system.sysname));
        json_object_set_new(host, "release", fc_output_string(system.release));
        json_object_set_new(host, "machine", fc_output_string(system.machine));
    }
    json_object_set_new(host, "processors", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    json_object_set_new(
        host, "memory_bytes",
        json_integer((json_int_t)sysconf(_SC_PHYS_PAGES) * (json_int_t)sysconf(_SC_PAGESIZE)));
    json_object_set_new(
        host, "time",
        json_string(fc_time_format_ms(fc_clock_wall_ms(collection->cli->clock), stamp)));
    json_object_set_new(host, "fluvio", json_string(FC_VERSION));
    json_object_set_new(host, "librdkafka", json_string(rd_kafka_version_str()));
    return host;
}

static json_t *settings_of(const struct fc_settings *settings)
{
    json_t *tree = json_object();
    for (size_t index = 0; index < settings->profile.count; index++) {
        const struct fc_property *property = &settings->profile.properties[index];
        json_object_set_new(tree, property->name,
                            fc_property_is_secret(property->name)
                                ? json_string("(secret)")
                                : fc_output_string(property->value));
    }
    return tree;
}

static void collect_topics(struct collection *collection, struct fc_cluster *cluster,
                           json_t *topics)
{
    const struct rd_kafka_metadata *metadata = NULL;
    struct fc_error error = { 0 };
    if (fc_cluster_metadata(cluster, &metadata, &error) != FC_OK) {
        note_error(collection, "topics", &error);
        return;
    }
    for (int index = 0; index < metadata->topic_cnt; index++) {
        const char *name = metadata->topics[index].topic;
        json_t *topic;
        if (fc_collect_topic(cluster, metadata, name, topics, &error) != FC_OK) {
            note_error(collection, name, &error);
            continue;
        }
        topic = json_array_get(topics, json_array_size(topics) - 1);
        fc_partitions_add_sizes(collection->cli, cluster, json_object_get(topic, "partitions"));
    }
    rd_kafka_metadata_destroy(metadata);
}

static void collect_groups(struct collection *collection, struct fc_cluster *cluster,
                           json_t *groups)
{
    struct fc_error error = { 0 };
    size_t index;
    json_t *group;
    if (fc_groups_describe(cluster, NULL, 0, groups, &error) != FC_OK) {
        note_error(collection, "groups", &error);
    }
    json_array_foreach(groups, index, group)
    {
        if (fc_collect_offsets(cluster, group, &error) != FC_OK) {
            note_error(collection, json_string_value(json_object_get(group, "group")), &error);
        }
    }
}

static fc_code add_cluster(struct collection *collection, struct fc_error *err)
{
    struct fc_cluster *cluster = NULL;
    struct fc_error error = { 0 };
    json_t *status = json_object();
    json_t *topics = json_array();
    json_t *groups = json_array();
    json_t *settings = NULL;
    fc_code code = FC_OK;
    if (fc_cluster_open_groups(collection->cli, &cluster, &error) != FC_OK) {
        note_error(collection, "cluster", &error);
    } else {
        settings = settings_of(&cluster->settings);
        if (fc_collect_status(cluster, status, &error) != FC_OK) {
            note_error(collection, "status", &error);
        }
        collect_topics(collection, cluster, topics);
        collect_groups(collection, cluster, groups);
        code = add_tree(collection, "settings.json", settings, err);
    }
    if (cluster != NULL && code == FC_OK) {
        code = add_tree(collection, "status.json", status, err);
    }
    if (cluster != NULL && code == FC_OK) {
        code = add_tree(collection, "topics.json", topics, err);
    }
    if (cluster != NULL && code == FC_OK) {
        code = add_tree(collection, "consumers.json", groups, err);
    }
    fc_cluster_close(cluster);
    json_decref(status);
    json_decref(topics);
    json_decref(groups);
    json_decref(settings);
    return code;
}

/* The end of what the server reported. */
static fc_code add_report(struct collection *collection, const struct fc_local *local,
                          struct fc_error *err)
{
    int fd = open(local->report_path, O_RDONLY | O_CLOEXEC);
    uint8_t *text;
    off_t end;
    ssize_t size;
    fc_code code;
    if (fd < 0) {
        return FC_OK; /* no server was started here */
    }
    text = fc_new_array(uint8_t, REPORT_BYTES_MAX);
    end = lseek(fd, 0, SEEK_END);
    size =
        pread(fd, text, REPORT_BYTES_MAX, end > REPORT_BYTES_MAX ? end - REPORT_BYTES_MAX : 0);
    (void)close(fd); /* only read from */
    code =
        add_bytes(collection, "spu.log", fc_slice_of(text, size > 0 ? (size_t)size : 0), err);
    free(text);
    return code;
}

static fc_code add_local(struct collection *collection, const struct fc_local *local,
                         struct fc_error *err)
{
    struct fc_local_file file = { .data_dir = NULL };
    struct fc_error error = { 0 };
    json_t *tree = NULL;
    json_t *checks = json_array();
    fc_code code = FC_OK;
    if (access(local->config_path, F_OK) == 0) {
        if (fc_local_file_redacted(local->config_path, &tree, &error) != FC_OK) {
            note_error(collection, local->config_path, &error);
        } else {
            code = add_tree(collection, "spu.json", tree, err);
        }
    }
    if (code == FC_OK && fc_cluster_local_file(local, NULL, &file, &error) == FC_OK) {
        fc_cluster_check_host(collection->cli, local, &file, checks);
        code = add_tree(collection, "checks.json", checks, err);
    }
    if (code == FC_OK) {
        code = add_report(collection, local, err);
    }
    json_decref(tree);
    json_decref(checks);
    fc_local_file_release(&file);
    return code;
}

/* --- all ---------------------------------------------------------------------------------- */

static fc_code collect(struct fc_cli *cli, const struct fc_local *local, const char *path,
                       const char *folder, struct fc_error *err)
{
    struct collection collection = { .cli = cli, .errors = json_array() };
    struct fc_error ended = { 0 };
    json_t *host = NULL;
    fc_code code = fc_tar_gz_new(path, &collection.tar, err);
    if (code != FC_OK) {
        json_decref(collection.errors);
        return code;
    }
    (void)snprintf(collection.folder, sizeof(collection.folder), "%s", folder);
    host = host_of(&collection);
    code = add_tree(&collection, "host.json", host, err);
    if (code == FC_OK) {
        code = add_cluster(&collection, err);
    }
    if (code == FC_OK) {
        code = add_local(&collection, local, err);
    }
    if (code == FC_OK) {
        code = add_tree(&collection, "errors.json", collection.errors, err);
    }
    if (fc_tar_gz_end(collection.tar, &ended) != FC_OK && code == FC_OK) {
        *err = ended;
        code = ended.code;
    }
    if (code == FC_OK && json_array_size(collection.errors) > 0) {
        fc_cli_note(cli, "%zu thing%s could not be had (errors.json)",
                    json_array_size(collection.errors),
                    json_array_size(collection.errors) == 1 ? "" : "s");
    } else if (code != FC_OK) {
        (void)unlink(path); /* half an archive is of no use */
    }
    json_decref(host);
    json_decref(collection.errors);
    return code;
}

/* "fluvio-diagnostics-20261123T140358Z" */
static void name_folder(const struct fc_cli *cli, char *to, size_t size)
{
    char stamp[FC_TIME_STAMP_SIZE];
    char digits[20];
    size_t count = 0;
    (void)fc_time_format_ms(fc_clock_wall_ms(cli->clock), stamp);
    for (const char *at = stamp; *at != '\0' && *at != '.' && count + 1 < sizeof(digits);
         at++) {
        if (*at != '-' && *at != ':') {
            digits[count++] = *at;
        }
    }
    digits[count] = '\0';
    (void)snprintf(to, size, "fluvio-diagnostics-%sZ", digits);
}

int fc_cmd_cluster_diagnostics(struct fc_cli *cli, int argc, char **argv)
{
    const char *dir = NULL;
    const char *config = NULL;
    const char *file = NULL;
    const struct fc_flag flags[] = {
        { "file", 'f', FC_FLAG_TEXT, &file, "FILE.tar.gz",
          "what to write (./fluvio-diagnostics-TIME.tar.gz)" },
        { "dir", 'd', FC_FLAG_TEXT, &dir, "DIR",
          "the local cluster's (~/.local/share/fluvio/local)" },
        { "config", 'c', FC_FLAG_TEXT, &config, "FILE", "the local server's" },
        { .name = NULL },
    };
    const struct fc_cli_usage usage = {
        .usage = { "cluster diagnostics [FLAGS]",
                   "Collect versions, settings without secrets, topics, offsets, sizes, "
                   "groups,\n"
                   "checks of this machine and the local server's reports into one file, for a "
                   "bug\n"
                   "report. No records.",
                   flags, 0, 0 },
        .examples = "  fluvio cluster diagnostics\n"
                    "  fluvio cluster diagnostics --profile production -f report.tar.gz",
    };
    struct fc_local local = { .dir = NULL };
    struct fc_error error = { 0 };
    char folder[48];
    char *path = NULL;
    fc_code code;
    if (!fc_cli_parse(cli, &usage, argc, argv)) {
        return cli->exit_code;
    }
    name_folder(cli, folder, sizeof(folder));
    path = file != NULL ? fc_strdup(file) : fc_asprintf("%s.tar.gz", folder);
    code = fc_local_init(cli, dir, config, &local, &error);
    if (code == FC_OK) {
        code = collect(cli, &local, path, folder, &error);
    }
    if (code == FC_OK) {
        (void)fprintf(cli->out, "%s\n", path);
    }
    fc_local_release(&local);
    free(path);
    return code == FC_OK ? FC_EXIT_DONE : fc_cli_fail(cli, &error);
}
