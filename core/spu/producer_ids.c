/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/producer_ids.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/quantity.h"

enum { BLOCK = 1000, TEXT_SIZE = 32 };

struct fc_producer_ids {
    struct fc_fs *fs;
    char *path;
    pthread_mutex_t lock;
    /* Guarded by lock. */
    int64_t next;
    int64_t end; /* of the block; next == end: a new one is to be taken */
};

static fc_code read_file(struct fc_producer_ids *ids, struct fc_error *err)
{
    struct fc_file *file = NULL;
    char text[TEXT_SIZE] = "";
    size_t size = 0;
    fc_code code = ids->fs->ops->open(ids->fs, ids->path, FC_FS_READ, &file, err);
    if (code == FC_ERR_NOT_FOUND) {
        return FC_OK;
    }
    if (code == FC_OK) {
        code = ids->fs->ops->read(file, 0, text, sizeof(text) - 1, &size, err);
    }
    if (code == FC_OK) {
        text[size] = '\0';
        text[strcspn(text, "\n")] = '\0';
        if (!fc_quantity_int(text, &ids->next) || ids->next < 0) {
            code = fc_fail(err, FC_ERR_CORRUPT, "%s does not hold a number", ids->path);
        }
        ids->end = ids->next;
    }
    ids->fs->ops->close(file);
    return code;
}

fc_code fc_producer_ids_open(struct fc_fs *fs, const char *dir,
                             struct fc_producer_ids **out_ids, struct fc_error *err)
{
    struct fc_producer_ids *ids = fc_new(struct fc_producer_ids);
    fc_code code;
    ids->fs = fs;
    ids->path = fc_asprintf("%s/producer.ids", dir);
    (void)pthread_mutex_init(&ids->lock, NULL); /* cannot fail on Linux */
    code = read_file(ids, err);
    if (code == FC_OK) {
        *out_ids = ids;
    } else {
        fc_producer_ids_close(ids);
    }
    return code;
}

void fc_producer_ids_close(struct fc_producer_ids *ids)
{
    if (ids != NULL) {
        (void)pthread_mutex_destroy(&ids->lock); /* nobody uses it any more */
        free(ids->path);
        free(ids);
    }
}

/* The lock is held. */
static fc_code take_block(struct fc_producer_ids *ids, struct fc_error *err)
{
    char text[TEXT_SIZE];
    int length = snprintf(text, sizeof(text), "%" PRId64 "\n", ids->next + BLOCK);
    fc_code code = fc_fs_replace(ids->fs, ids->path, text, (size_t)length, err);
    if (code == FC_OK) {
        ids->end = ids->next + BLOCK;
    }
    return code;
}

fc_code fc_producer_ids_take(struct fc_producer_ids *ids, int64_t *out_id, struct fc_error *err)
{
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&ids->lock);
    if (ids->next == ids->end) {
        code = take_block(ids, err);
    }
    if (code == FC_OK) {
        *out_id = ids->next++;
    }
    (void)pthread_mutex_unlock(&ids->lock);
    return code;
}
