/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/preflight.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/fs.h"
#include "core/base/terminal.h"
#include "core/spu/spu.h"
#include "core/stream/embedded.h"
#include "runner/checkpoint.h"
#include "runner/log_open.h"
#include "runner/preflight_kafka.h"
#include "runner/topic_name.h"

enum {
    DETAIL_SIZE = 640,
    FILES_FEW = 256,     /* too few for one connector's topics */
    FILES_ENOUGH = 4096, /* for a topic a table, a few files each */
    YEAR_BUILT = 2024    /* a clock before this was never set */
};

static const uint64_t SPACE_FAIL = UINT64_C(256) * 1024 * 1024;
static const uint64_t SPACE_WARN = UINT64_C(5) * 1024 * 1024 * 1024;

FC_PRINTF(4, 5)
static void tell(const struct fc_preflight *preflight, fc_check_result result, const char *what,
                 const char *fmt, ...)
{
    char text[2 * DETAIL_SIZE];
    char *fix;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fix = strchr(text, '\n'); /* detail and fix come as two lines */
    if (fix != NULL) {
        *fix++ = '\0';
    }
    preflight->on_result(preflight->ctx, result, what, text, fix);
}

/* --- the data directory ------------------------------------------------------------------- */

/* The directory itself, or the nearest one above it that is there. */
static char *nearest_dir(const char *dir)
{
    char *path = fc_strdup(dir);
    while (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        char *slash = strrchr(path, '/');
        if (slash == NULL || slash == path) {
            char *top = fc_strdup(slash == NULL ? "." : "/");
            free(path);
            return top;
        }
        *slash = '\0';
    }
    return path;
}

/* The lock is held for the moment between two calls: a capture that starts just then is refused,
 * and starts at its next try. */
static bool in_use(const char *dir)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_file *file = NULL;
    struct fc_error error = { 0 };
    char *path = fc_asprintf("%s/%s", dir, FC_EMBEDDED_LOCK_NAME);
    bool locked = false;
    if (fs->ops->open(fs, path, FC_FS_READ, &file, &error) == FC_OK) {
        locked = fs->ops->lock(file, &error) == FC_ERR_REFUSED;
        fs->ops->close(file);
    }
    free(path);
    return locked;
}

static void check_dir(const struct fc_preflight *preflight, const char *nearest)
{
    const char *dir = preflight->config->log_dir;
    struct stat info = { 0 };
    if (stat(nearest, &info) != 0 || !S_ISDIR(info.st_mode)) {
        tell(preflight, FC_CHECK_FAIL, "data directory", "%s is not a directory\nmv %s %s.old",
             nearest, nearest, nearest);
        return;
    }
    if (access(nearest, W_OK | X_OK) != 0) {
        tell(preflight, FC_CHECK_FAIL, "data directory",
             "%s: %s\ninstall -d -o $(id -un) -m 700 %s  (as root)", nearest,
             strerrordesc_np(errno), dir);
        return;
    }
    if (in_use(dir)) {
        tell(preflight, FC_CHECK_FAIL, "data directory",
             "%s is in use by a running fluvio-connect\nfluvio-connect status --dir %s  tells "
             "its pid; stop it with SIGTERM",
             dir, dir);
        return;
    }
    tell(preflight, FC_CHECK_OK, "data directory", "%s %s", dir,
         strcmp(dir, nearest) == 0 ? "can be written" : "will be created");
}

/* A capture that runs holds it, and is told of with its directory. */
static void check_listen(const struct fc_preflight *preflight)
{
    const struct fc_config *config = preflight->config;
    struct fc_listener_config listener = { .name = "log.embedded.listen",
                                           .host = config->log_listen_host,
                                           .port = config->log_listen_port };
    struct fc_error error = { 0 };
    if (config->log_listen_host == NULL || in_use(config->log_dir)) {
        return;
    }
    if (fc_listener_try(&listener, &error) == FC_OK) {
        tell(preflight, FC_CHECK_OK, "listen", "%s:%u is free", listener.host, listener.port);
    } else {
        tell(preflight, FC_CHECK_FAIL, "listen",
             "%s\nss -ltnp 'sport = :%u'  tells whose it is; or set log.embedded.listen to "
             "another address",
             error.message, listener.port);
    }
}

static void check_space(const struct fc_preflight *preflight, const char *nearest)
{
    struct fc_fs *fs = fc_fs_system();
    struct fc_error error = { 0 };
    uint64_t bytes = 0;
    char human[FC_HUMAN_SIZE];
    fc_check_result result = FC_CHECK_OK;
    if (fs->ops->free_space(fs, nearest, &bytes, &error) != FC_OK) {
        tell(preflight, FC_CHECK_WARN, "disk space", "%s", error.message);
        return;
    }
    if (bytes < SPACE_WARN) {
        result = bytes < SPACE_FAIL ? FC_CHECK_FAIL : FC_CHECK_WARN;
    }
    (void)fc_human_bytes(bytes, human);
    if (result == FC_CHECK_OK) {
        tell(preflight, result, "disk space", "%s free", human);
    } else {
        tell(preflight, result, "disk space",
             "%s free; a full disk stops the capture until there is room again\nmake room at "
             "%s, or set log.embedded.dir to another disk",
             human, nearest);
    }
}

/* --- this process and machine ------------------------------------------------------------- */

static void check_files(const struct fc_preflight *preflight)
{
    struct rlimit limit = { 0 };
    fc_check_result result = FC_CHECK_OK;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        tell(preflight, FC_CHECK_WARN, "open files", "%s", strerrordesc_np(errno));
        return;
    }
    if (limit.rlim_cur < FILES_FEW) {
        result = FC_CHECK_FAIL;
    } else if (limit.rlim_cur < FILES_ENOUGH &&
               fc_topic_name_is_template(preflight->config->topic)) {
        result = FC_CHECK_WARN;
    }
    if (result == FC_CHECK_OK) {
        tell(preflight, result, "open files", "%" PRIu64 " allowed", (uint64_t)limit.rlim_cur);
    } else {
        tell(preflight, result, "open files", "only %" PRIu64 " allowed\nulimit -n 65536",
             (uint64_t)limit.rlim_cur);
    }
}

static void check_clock(const struct fc_preflight *preflight)
{
    time_t now = (time_t)(preflight->clock->wall_ns(preflight->clock) / 1000000000);
    struct tm parts = { 0 };
    char text[32];
    (void)gmtime_r(&now, &parts);
    (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
    if (parts.tm_year + 1900 < YEAR_BUILT) {
        tell(preflight, FC_CHECK_FAIL, "clock", "it shows %s\ntimedatectl set-ntp true", text);
    } else {
        tell(preflight, FC_CHECK_OK, "clock", "%s", text);
    }
}

/* --- the log and the transforms ----------------------------------------------------------- */

static void check_topic(const struct fc_preflight *preflight)
{
    const struct fc_config *config = preflight->config;
    struct fc_stream *stream = NULL;
    struct fc_topic *topic = NULL;
    struct fc_error error = { 0 };
    fc_code code;
    if (fc_topic_name_is_template(config->topic)) {
        tell(preflight, FC_CHECK_OK, "topic", "%s, one a %s", config->topic,
             strstr(config->topic, "${topic}") == NULL ? "table" : "topic");
        return;
    }
    code = fc_log_open_reader(config, preflight->clock, &stream, &error);
    code = code == FC_OK ? fc_stream_topic(stream, config->topic, &topic, &error) : code;
    if (code == FC_ERR_NOT_FOUND) {
        tell(preflight, FC_CHECK_OK, "topic", "%s will be created", config->topic);
    } else if (code != FC_OK) {
        tell(preflight, FC_CHECK_FAIL, "log", "%s", error.message);
    } else if (fc_topic_partitions(topic) != config->topic_config.partitions) {
        tell(preflight, FC_CHECK_FAIL, "topic",
             "%s has %u partitions, the file says %u\nset meta.producer.partitions to %u",
             config->topic, fc_topic_partitions(topic), config->topic_config.partitions,
             fc_topic_partitions(topic));
    } else {
        tell(preflight, FC_CHECK_OK, "topic", "%s is there", config->topic);
    }
    fc_stream_close(stream);
}

/* False when the cluster does not answer. */
static bool check_cluster(const struct fc_preflight *preflight)
{
    bool answers;
    struct fc_stream *stream = NULL;
    struct fc_error error = { 0 };
    if (fc_log_open_reader(preflight->config, preflight->clock, &stream, &error) != FC_OK) {
        tell(preflight, FC_CHECK_FAIL, "cluster", "%s", error.message);
        return false;
    }
    answers = fc_preflight_kafka(preflight, stream);
    fc_stream_close(stream);
    return answers;
}

static void check_transforms(const struct fc_preflight *preflight)
{
    const struct fc_config *config = preflight->config;
    struct fc_transform_config transforms = { .base_dir = config->dir,
                                              .ready_made_dir = preflight->ready_made_dir };
    struct fc_transform_chain *chain = NULL;
    struct fc_error error = { 0 };
    const char **names;
    size_t count = 0;
    while (preflight->fields != NULL && preflight->fields[count].name != NULL) {
        count++;
    }
    names = fc_new_array(const char *, count + 1);
    for (size_t index = 0; index < count; index++) {
        names[index] = preflight->fields[index].name;
    }
    transforms.source_fields = names;
    if (config->step_count == 0) {
        tell(preflight, FC_CHECK_OK, "transforms", "none");
    } else if (fc_transform_chain_new(config->steps, config->step_count, &transforms, &chain,
                                      &error) != FC_OK) {
        tell(preflight, FC_CHECK_FAIL, "transforms", "%s: %s", config->path, error.message);
    } else {
        tell(preflight, FC_CHECK_OK, "transforms", "%u compiled", config->step_count);
    }
    fc_transform_chain_free(chain);
    free(names);
}

/* A sink only looks at its log, which may be in use and has its topics. */
static void check_read(const struct fc_preflight *preflight)
{
    char place[FC_LOG_PLACE_TEXT_SIZE];
    struct fc_stream *stream = NULL;
    struct fc_error error = { 0 };
    if (fc_log_open_reader(preflight->config, preflight->clock, &stream, &error) != FC_OK) {
        tell(preflight, FC_CHECK_FAIL, "log", "%s", error.message);
        return;
    }
    tell(preflight, FC_CHECK_OK, "log", "%s can be read",
         fc_log_place(preflight->config, place));
    fc_stream_close(stream);
}

bool fc_preflight_run(const struct fc_preflight *preflight)
{
    bool answers = true;
    char *nearest;
    if (preflight->config->is_sink) {
        check_read(preflight);
        check_files(preflight);
        check_clock(preflight);
        return true;
    }
    nearest = nearest_dir(preflight->config->log_dir);
    check_dir(preflight, nearest);
    if (preflight->config->kafka == NULL) {
        check_space(preflight, nearest);
        check_listen(preflight);
    }
    free(nearest);
    check_files(preflight);
    check_clock(preflight);
    if (preflight->config->kafka == NULL) {
        check_topic(preflight);
    } else {
        answers = check_cluster(preflight);
    }
    check_transforms(preflight);
    return answers;
}

fc_code fc_preflight_position(const struct fc_config *config, struct fc_buf *out_position,
                              struct fc_error *err)
{
    struct fc_stream *stream = NULL;
    struct fc_checkpoint checkpoint;
    fc_code code = fc_log_open_whole(config, NULL, &stream, err);
    if (code == FC_ERR_NOT_FOUND) {
        return FC_OK;
    }
    if (code != FC_OK) {
        return code;
    }
    fc_checkpoint_init(&checkpoint);
    code = fc_checkpoint_read(stream, config->name, &checkpoint, err);
    if (code == FC_OK && checkpoint.present) {
        fc_buf_append_slice(out_position, fc_buf_slice(&checkpoint.position));
        code = fc_buf_check(out_position, "the position", err);
    }
    fc_checkpoint_release(&checkpoint);
    fc_stream_close(stream);
    return code;
}
