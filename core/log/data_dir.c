/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/data_dir.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/log/data_dir_state.h"

enum { PID_TEXT_SIZE = 32 };

/* Create the directory and what is missing above it; each new name is made durable. */
static fc_code make_dirs(struct fc_fs *fs, const char *dir, struct fc_error *err)
{
    char *above = fc_strdup(dir);
    char *slash = strrchr(above, '/');
    fc_code code = fs->ops->make_dir(fs, dir, err);
    if (slash != NULL) {
        slash[slash == above ? 1 : 0] = '\0';
    }
    if (code == FC_ERR_NOT_FOUND && slash != NULL && strlen(above) < strlen(dir)) {
        code = make_dirs(fs, above, err);
        if (code == FC_OK) {
            code = fs->ops->make_dir(fs, dir, err);
        }
    }
    if (code == FC_OK) {
        code = fs->ops->sync_dir(fs, slash == NULL ? "." : above, err);
    }
    free(above);
    return code;
}

static fc_code fail_in_use(struct fc_data_dir *dir, struct fc_error *err)
{
    char pid[PID_TEXT_SIZE] = "";
    size_t size = 0;
    if (dir->env.fs->ops->read(dir->lock_file, 0, pid, sizeof(pid) - 1, &size, NULL) != FC_OK) {
        size = 0;
    }
    pid[size] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return fc_fail(
        err, FC_ERR_REFUSED,
        "data directory %s is in use by process %s; stop it, or use another directory",
        dir->path, pid[0] == '\0' ? "(unknown)" : pid);
}

/* The file's content only helps a person; the lock goes with the process. */
static fc_code take_lock(struct fc_data_dir *dir, struct fc_error *err)
{
    struct fc_fs *fs = dir->env.fs;
    char *path = fc_asprintf("%s/%s", dir->path, FC_DATA_DIR_LOCK_NAME);
    char pid[PID_TEXT_SIZE];
    struct iovec part = { pid, 0 };
    fc_code code = fs->ops->open(fs, path, FC_FS_WRITE | FC_FS_CREATE, &dir->lock_file, err);
    free(path);
    if (code == FC_OK) {
        code = fs->ops->lock(dir->lock_file, err);
        if (code == FC_ERR_REFUSED) {
            return fail_in_use(dir, err);
        }
    }
    if (code == FC_OK) {
        code = fs->ops->truncate(dir->lock_file, 0, err);
    }
    if (code == FC_OK) {
        part.iov_len = (size_t)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
        code = fs->ops->write(dir->lock_file, 0, &part, 1, err);
        if (code == FC_ERR_FULL) {
            code = FC_OK; /* reads go on while the disk is full */
        }
    }
    return code;
}

static fc_code check_dir_exists(const struct fc_data_dir *dir, struct fc_error *err)
{
    uint64_t bytes = 0;
    fc_code code = dir->env.fs->ops->free_space(dir->env.fs, dir->path, &bytes, err);
    if (code == FC_ERR_NOT_FOUND) {
        return fc_fail(err, code, "there is no data directory %s", dir->path);
    }
    return code;
}

static void free_dir(struct fc_data_dir *dir)
{
    fc_keeper_free(dir->keeper);
    fc_data_dir_free_topics(dir);
    fc_group_sync_free(dir->env.group);
    dir->env.fs->ops->close(dir->lock_file);
    (void)pthread_mutex_destroy(&dir->lock); /* nobody uses the directory any more */
    (void)pthread_mutex_destroy(&dir->change_lock);
    free(dir->path);
    free(dir);
}

static fc_code open_for_writing(struct fc_data_dir *dir, struct fc_error *err)
{
    fc_code code;
    dir->env.group = fc_group_sync_new();
    code = make_dirs(dir->env.fs, dir->path, err);
    if (code == FC_ERR_NOT_FOUND) { /* nobody asked for something that is there */
        code = FC_ERR_IO;
        if (err != NULL) {
            err->code = code;
        }
    }
    if (code == FC_OK) {
        code = take_lock(dir, err);
    }
    if (code == FC_OK) {
        code = fc_keeper_new(&dir->env, &dir->keeper, err);
    }
    if (code == FC_OK) {
        code = fc_data_dir_open_topics(dir, err);
    }
    return code;
}

fc_code fc_data_dir_open(const struct fc_data_dir_config *config, struct fc_data_dir **out_dir,
                         struct fc_error *err)
{
    struct fc_data_dir *dir = fc_new(struct fc_data_dir);
    fc_code code;
    dir->path = fc_strdup(config->dir);
    dir->env.fs = config->fs == NULL ? fc_fs_system() : config->fs;
    dir->env.clock = config->clock == NULL ? fc_clock_system() : config->clock;
    dir->env.read_only = config->read_only;
    dir->env.read_whole = config->read_whole;
    dir->env.producer_expiration_ms = config->producer_expiration_ms;
    dir->env.on_notice = config->on_notice;
    dir->env.on_failure = config->on_failure;
    dir->env.notice_ctx = config->notice_ctx;
    if (config->defaults != NULL) {
        dir->defaults = *config->defaults;
    } else {
        fc_log_topic_config_init(&dir->defaults);
    }
    (void)pthread_mutex_init(&dir->change_lock, NULL); /* cannot fail on Linux */
    (void)pthread_mutex_init(&dir->lock, NULL);
    code = config->read_only ? check_dir_exists(dir, err) : open_for_writing(dir, err);
    if (code != FC_OK) {
        free_dir(dir);
        return code;
    }
    *out_dir = dir;
    return FC_OK;
}

void fc_data_dir_close(struct fc_data_dir *dir)
{
    struct fc_error why;
    if (dir == NULL) {
        return;
    }
    /* One sync for all; each partition is then closed with nothing left to wait for. */
    if (!dir->env.read_only && fc_group_sync_flush(dir->env.group, &why) != FC_OK) {
        fc_log_notice(&dir->env, "%s: not everything could be synced: %s", dir->path,
                      why.message);
    }
    free_dir(dir);
}

const char *fc_data_dir_path(const struct fc_data_dir *dir)
{
    return dir->path;
}

bool fc_data_dir_is_read_only(const struct fc_data_dir *dir)
{
    return dir->env.read_only;
}

void fc_data_dir_defaults(const struct fc_data_dir *dir, struct fc_log_topic_config *out_config)
{
    *out_config = dir->defaults;
}

uint64_t fc_data_dir_generation(const struct fc_data_dir *dir)
{
    return dir->generation;
}

fc_code fc_data_dir_flush(struct fc_data_dir *dir, struct fc_error *err)
{
    return dir->env.read_only ? FC_OK : fc_group_sync_flush(dir->env.group, err);
}

void fc_data_dir_wake(struct fc_data_dir *dir)
{
    (void)pthread_mutex_lock(&dir->lock);
    for (size_t topic = 0; topic < dir->topics_count; topic++) {
        uint32_t count = dir->topics[topic]->partitions_count;
        for (uint32_t index = 0; index < count; index++) {
            struct fc_partition *partition = dir->topics[topic]->slots[index]->partition;
            if (partition != NULL) {
                fc_partition_wake(partition);
            }
        }
    }
    (void)pthread_mutex_unlock(&dir->lock);
}
