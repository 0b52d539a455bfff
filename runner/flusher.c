/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/flusher.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"

struct fc_flusher {
    struct fc_flusher_config config;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    bool busy;
    bool ending;
    struct fc_error error; /* code FC_OK: none */
};

static fc_code step_flush(void *ctx, struct fc_error *err)
{
    struct fc_flusher *flusher = ctx;
    return fc_stream_flush(flusher->config.stream, err);
}

static void flush_once(struct fc_flusher *flusher)
{
    struct fc_error error;
    fc_code code = fc_room_do(flusher->config.room, step_flush, flusher, &error);
    if (code == FC_OK) {
        flusher->config.on_flushed(flusher->config.ctx);
    }
    (void)pthread_mutex_lock(&flusher->lock);
    if (code != FC_OK) {
        flusher->error = error;
    }
    flusher->busy = false;
    (void)pthread_cond_broadcast(&flusher->changed);
    (void)pthread_mutex_unlock(&flusher->lock);
}

static void *run(void *ctx)
{
    struct fc_flusher *flusher = ctx;
    bool go_on = true;
    while (go_on) {
        (void)pthread_mutex_lock(&flusher->lock);
        while (!flusher->busy && !flusher->ending) {
            (void)pthread_cond_wait(&flusher->changed, &flusher->lock);
        }
        go_on = flusher->busy;
        (void)pthread_mutex_unlock(&flusher->lock);
        if (go_on) {
            flush_once(flusher);
        }
    }
    return NULL;
}

struct fc_flusher *fc_flusher_new(const struct fc_flusher_config *config)
{
    struct fc_flusher *flusher = fc_new(struct fc_flusher);
    int status;
    flusher->config = *config;
    flusher->error.code = FC_OK;
    (void)pthread_mutex_init(&flusher->lock, NULL); /* these cannot fail on Linux */
    (void)pthread_cond_init(&flusher->changed, NULL);
    status = pthread_create(&flusher->thread, NULL, run, flusher);
    fc_assert(status == 0);
    (void)pthread_setname_np(flusher->thread, "flusher"); /* only for people */
    return flusher;
}

void fc_flusher_free(struct fc_flusher *flusher)
{
    if (flusher != NULL) {
        (void)pthread_mutex_lock(&flusher->lock);
        flusher->ending = true;
        (void)pthread_cond_broadcast(&flusher->changed);
        (void)pthread_mutex_unlock(&flusher->lock);
        (void)pthread_join(flusher->thread, NULL);
        (void)pthread_cond_destroy(&flusher->changed);
        (void)pthread_mutex_destroy(&flusher->lock);
        free(flusher);
    }
}

bool fc_flusher_is_idle(struct fc_flusher *flusher)
{
    bool idle;
    (void)pthread_mutex_lock(&flusher->lock);
    idle = !flusher->busy;
    (void)pthread_mutex_unlock(&flusher->lock);
    return idle;
}

void fc_flusher_begin(struct fc_flusher *flusher)
{
    (void)pthread_mutex_lock(&flusher->lock);
    fc_assert(!flusher->busy && flusher->error.code == FC_OK);
    flusher->busy = true;
    (void)pthread_cond_broadcast(&flusher->changed);
    (void)pthread_mutex_unlock(&flusher->lock);
}

fc_code fc_flusher_wait(struct fc_flusher *flusher, struct fc_error *err)
{
    fc_code code;
    (void)pthread_mutex_lock(&flusher->lock);
    while (flusher->busy) {
        (void)pthread_cond_wait(&flusher->changed, &flusher->lock);
    }
    code = flusher->error.code;
    if (code != FC_OK) {
        *err = flusher->error;
    }
    (void)pthread_mutex_unlock(&flusher->lock);
    return code;
}
