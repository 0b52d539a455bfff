/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/log_open.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/spu/spu.h"
#include "core/stream/embedded.h"

enum { PID_TEXT_SIZE = 32, STOP_WAIT_MS = 2000 };

/* --- the lock of who writes to a cluster -------------------------------------------------- */

static fc_code fail_in_use(const char *dir, struct fc_file *file, struct fc_error *err)
{
    struct fc_fs *fs = fc_fs_system();
    char pid[PID_TEXT_SIZE] = "";
    size_t size = 0;
    if (fs->ops->read(file, 0, pid, sizeof(pid) - 1, &size, NULL) != FC_OK) {
        size = 0;
    }
    pid[size] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return fc_fail(err, FC_ERR_REFUSED,
                   "a capture of this connector runs as process %s (its state is in %s); stop "
                   "it first",
                   pid[0] == '\0' ? "(unknown)" : pid, dir);
}

static fc_code take_lock(const char *dir, struct fc_file **out_file, struct fc_error *err)
{
    struct fc_fs *fs = fc_fs_system();
    char *path = fc_asprintf("%s/%s", dir, FC_EMBEDDED_LOCK_NAME);
    char pid[PID_TEXT_SIZE];
    struct iovec part = { pid, 0 };
    struct fc_file *file = NULL;
    fc_code code = fs->ops->make_dir(fs, dir, err);
    if (code == FC_ERR_NOT_FOUND) { /* of what it is to be in; nobody asked for that */
        code = err->code = FC_ERR_IO;
    }
    if (code == FC_OK) {
        code = fs->ops->open(fs, path, FC_FS_WRITE | FC_FS_CREATE, &file, err);
    }
    if (code == FC_OK) {
        code = fs->ops->lock(file, err);
        code = code == FC_ERR_REFUSED ? fail_in_use(dir, file, err) : code;
    }
    if (code == FC_OK) {
        code = fs->ops->truncate(file, 0, err);
    }
    if (code == FC_OK) {
        part.iov_len = (size_t)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
        code = fs->ops->write(file, 0, &part, 1, err);
        code = code == FC_ERR_FULL ? FC_OK : code; /* it only helps a person */
    }
    free(path);
    if (code != FC_OK) {
        fs->ops->close(file);
        return code;
    }
    *out_file = file;
    return FC_OK;
}

/* --- either log --------------------------------------------------------------------------- */

static fc_code open_kafka(const struct fc_config *config, const char *writer,
                          const struct fc_log_notices *notices, struct fc_stream **out_stream,
                          struct fc_error *err)
{
    struct fc_kafka_config kafka = { .properties = config->kafka,
                                     .property_count = config->kafka_count,
                                     .replication_factor = config->kafka_replication,
                                     .writer = writer };
    fc_code code;
    if (notices != NULL) {
        kafka.on_notice = notices->on_notice;
        kafka.notice_ctx = notices->ctx;
    }
    code = fc_kafka_open(&kafka, out_stream, err);
    return code == FC_OK ? FC_OK : fc_wrap(err, "%s", config->path);
}

/* Others read while we write: topics are ours, groups and their offsets are the clients'. */
static fc_code serve(const struct fc_config *config, const struct fc_clock *clock,
                     const struct fc_log_notices *notices, struct fc_log *log,
                     struct fc_error *err)
{
    struct fc_listener_config listener = { .name = "PLAINTEXT",
                                           .host = config->log_listen_host,
                                           .port = config->log_listen_port };
    struct fc_spu_config spu;
    fc_code code;
    fc_spu_config_init(&spu);
    spu.net.listeners = &listener;
    spu.net.listeners_count = 1;
    spu.net.loops = 1;
    spu.net.clock = clock;
    spu.net.diag = notices->diag;
    spu.clients_read_only = true;
    spu.auto_create_topics = false;
    code = fc_spu_start(&spu, fc_embedded_data_dir(log->stream), &log->spu, err);
    return code == FC_OK ? FC_OK : fc_wrap(err, "%s: log.embedded.listen", config->path);
}

fc_code fc_log_open(const struct fc_config *config, const struct fc_clock *clock,
                    const struct fc_log_notices *notices, struct fc_log *out_log,
                    struct fc_error *err)
{
    struct fc_embedded_config embedded = { .dir = config->log_dir, .clock = clock };
    fc_code code;
    if (config->kafka == NULL) {
        if (notices != NULL) {
            embedded.on_notice = notices->on_notice;
            embedded.notice_ctx = notices->ctx;
        }
        code = fc_embedded_open(&embedded, &out_log->stream, err);
        if (code == FC_OK && config->log_listen_host != NULL && notices != NULL) {
            code = serve(config, clock, notices, out_log, err);
        }
        if (code != FC_OK) {
            fc_log_close(out_log);
        }
        return code;
    }
    code = take_lock(config->log_dir, &out_log->lock_file, err);
    if (code == FC_OK) {
        char *writer = fc_asprintf(FC_LOG_WRITER_PREFIX "%s", config->name);
        code = open_kafka(config, writer, notices, &out_log->stream, err);
        free(writer);
    }
    if (code != FC_OK) {
        fc_log_close(out_log);
    }
    return code;
}

fc_code fc_log_lock(const struct fc_config *config, struct fc_log *out_log,
                    struct fc_error *err)
{
    return take_lock(config->state_dir, &out_log->lock_file, err);
}

void fc_log_close(struct fc_log *log)
{
    fc_spu_stop(log->spu, STOP_WAIT_MS);
    fc_stream_close(log->stream);
    fc_fs_system()->ops->close(log->lock_file);
    memset(log, 0, sizeof(*log));
}

static fc_code open_reader(const struct fc_config *config, const struct fc_clock *clock,
                           bool whole, struct fc_stream **out_stream, struct fc_error *err)
{
    struct fc_embedded_config embedded = {
        .dir = config->log_dir, .read_only = true, .read_whole = whole, .clock = clock
    };
    return config->kafka == NULL ? fc_embedded_open(&embedded, out_stream, err)
                                 : open_kafka(config, NULL, NULL, out_stream, err);
}

fc_code fc_log_open_reader(const struct fc_config *config, const struct fc_clock *clock,
                           struct fc_stream **out_stream, struct fc_error *err)
{
    return open_reader(config, clock, false, out_stream, err);
}

fc_code fc_log_open_whole(const struct fc_config *config, const struct fc_clock *clock,
                          struct fc_stream **out_stream, struct fc_error *err)
{
    return open_reader(config, clock, true, out_stream, err);
}

static const char *get_property(const void *ctx, const char *name)
{
    const struct fc_config *config = ctx;
    for (uint32_t index = 0; index < config->kafka_count; index++) {
        const char *key = config->kafka[index].name;
        if (strcmp(key, name) == 0 ||
            (strcmp(name, "sasl.mechanism") == 0 && strcmp(key, "sasl.mechanisms") == 0) ||
            (strcmp(name, "bootstrap.servers") == 0 &&
             strcmp(key, "metadata.broker.list") == 0)) {
            return config->kafka[index].value;
        }
    }
    return NULL;
}

struct fc_link_settings fc_log_link(const struct fc_config *config)
{
    const struct fc_link_settings settings = { get_property, config, "log.kafka" };
    return settings;
}

const char *fc_log_place(const struct fc_config *config, char to[FC_LOG_PLACE_TEXT_SIZE])
{
    (void)snprintf(to, FC_LOG_PLACE_TEXT_SIZE, "%s", config->log_dir);
    for (uint32_t index = 0; config->kafka != NULL && index < config->kafka_count; index++) {
        const char *name = config->kafka[index].name;
        if (strcmp(name, "bootstrap.servers") == 0 ||
            strcmp(name, "metadata.broker.list") == 0) {
            (void)snprintf(to, FC_LOG_PLACE_TEXT_SIZE, "Kafka %s", config->kafka[index].value);
        }
    }
    return to;
}
