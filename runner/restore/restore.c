/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables are taken in groups of `parallel`, the largest first. For a group the log is read once;
 * its rows go to the group's loaders by their feeds. A table whose last row has been read is
 * finished and compared while the others go on.
 */
#include "runner/restore/restore.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/deadline.h"

enum {
    WAIT_MS = 100,
    TARGETS_MAX = 64,
    LIVE_TOGETHER_MAX = 64 /* each table that waits to become live holds a connection */
};

/* A table of the group and its thread. */
struct slot {
    struct fc_restore *restore;
    uint32_t table; /* of the fold */
    struct fc_table_load *load;
    struct fc_target *target;
    uint64_t to_read; /* records of it that have not been read */
    pthread_t thread;
    bool started;
    fc_code code;
    struct fc_error error;
};

struct fc_restore {
    struct fc_restore_config config;
    uint32_t target_count;
    struct fc_target **targets;   /* set by new, closed by free */
    struct fc_table_load **loads; /* one a table of the fold */
    uint32_t *order;              /* tables, the largest first */
    struct slot *slots;           /* of the group under way */
    uint32_t slot_count;
    uint64_t total_rows;
    uint64_t rows_read;
    uint32_t live; /* tables */
    atomic_bool stop;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    uint32_t running; /* threads of the group */
    bool committing;  /* interrupts are passed over */
    bool feeding;     /* slots have feeds that interrupt may stop */
};

/* --- life -------------------------------------------------------------------------------- */

static uint32_t *order_by_size(const struct fc_fold *fold)
{
    uint32_t *order = fc_new_array(uint32_t, fold->table_count + 1);
    for (uint32_t index = 0; index < fold->table_count; index++) {
        uint32_t at = index;
        for (; at > 0 && fold->tables[order[at - 1]]->rows < fold->tables[index]->rows; at--) {
            order[at] = order[at - 1];
        }
        order[at] = index;
    }
    return order;
}

fc_code fc_restore_new(const struct fc_restore_config *config, struct fc_restore **out_restore,
                       struct fc_error *err)
{
    struct fc_restore *restore = fc_new(struct fc_restore);
    const struct fc_fold *fold = config->fold;
    uint32_t wanted = config->parallel < 1 ? 1 : config->parallel;
    fc_code code = FC_OK;
    wanted = wanted < TARGETS_MAX ? wanted : TARGETS_MAX;
    wanted = wanted < fold->table_count ? wanted : fold->table_count;
    restore->config = *config;
    restore->targets = fc_new_array(struct fc_target *, wanted + 1);
    restore->loads = fc_new_array(struct fc_table_load *, fold->table_count + 1);
    restore->order = order_by_size(fold);
    restore->slots = fc_new_array(struct slot, wanted + 1);
    (void)pthread_mutex_init(&restore->lock, NULL);
    fc_deadline_cond_init(&restore->changed);
    for (uint32_t index = 0; index < fold->table_count; index++) {
        restore->total_rows += fold->tables[index]->rows;
    }
    while (code == FC_OK && restore->target_count < wanted) {
        struct fc_target *target = NULL;
        code = config->ops->open(config->host, &target, err);
        if (code == FC_OK) {
            restore->targets[restore->target_count++] = target;
        }
    }
    if (code != FC_OK) {
        fc_restore_free(restore);
        return code;
    }
    *out_restore = restore;
    return FC_OK;
}

void fc_restore_free(struct fc_restore *restore)
{
    if (restore != NULL) {
        for (uint32_t index = 0; index < restore->config.fold->table_count; index++) {
            fc_table_load_free(restore->loads[index]);
        }
        for (uint32_t index = 0; index < restore->target_count; index++) {
            restore->config.ops->close(restore->targets[index]);
        }
        (void)pthread_cond_destroy(&restore->changed);
        (void)pthread_mutex_destroy(&restore->lock);
        free(restore->targets);
        free(restore->loads);
        free(restore->order);
        free(restore->slots);
        free(restore);
    }
}

const struct fc_table_load_result *fc_restore_result(const struct fc_restore *restore,
                                                     uint32_t index)
{
    return restore->loads[index] == NULL ? NULL : &restore->loads[index]->result;
}

/* With the lock held. */
static void stop_slots(struct fc_restore *restore)
{
    if (restore->committing) {
        return;
    }
    for (uint32_t index = 0; restore->feeding && index < restore->slot_count; index++) {
        fc_row_feed_stop(restore->slots[index].load->feed);
    }
    for (uint32_t index = 0; index < restore->target_count; index++) {
        restore->config.ops->interrupt(restore->targets[index]);
    }
}

void fc_restore_interrupt(struct fc_restore *restore)
{
    atomic_store(&restore->stop, true);
    (void)pthread_mutex_lock(&restore->lock);
    stop_slots(restore);
    (void)pthread_mutex_unlock(&restore->lock);
}

/* --- looking ----------------------------------------------------------------------------- */

static fc_code check_one(struct fc_restore *restore, uint32_t index,
                         struct fc_table_info *out_info, struct fc_error *err)
{
    const struct fc_restore_place *place = &restore->config.into[index];
    fc_code code;
    for (uint32_t other = 0; other < index; other++) {
        if (strcmp(place->db, restore->config.into[other].db) == 0 &&
            strcmp(place->table, restore->config.into[other].table) == 0) {
            return fc_fail(err, FC_ERR_CONFIG, "%s and %s would both be restored into %s.%s",
                           restore->config.fold->tables[other]->name,
                           restore->config.fold->tables[index]->name, place->db, place->table);
        }
    }
    code = restore->config.ops->inspect(restore->targets[0], place->db, place->table, out_info,
                                        err);
    if (code == FC_OK && out_info->exists && !out_info->empty && !restore->config.replace) {
        code = fc_fail(err, FC_ERR_REFUSED,
                       "%s.%s exists and holds rows; give --replace to exchange it, or --into "
                       "another name",
                       place->db, place->table);
    }
    return code;
}

fc_code fc_restore_check(struct fc_restore *restore, struct fc_table_info *out_infos,
                         struct fc_error *err)
{
    fc_code code = FC_OK;
    for (uint32_t index = 0; code == FC_OK && index < restore->config.fold->table_count;
         index++) {
        code = check_one(restore, index, &out_infos[index], err);
    }
    return code;
}

/* --- a group ----------------------------------------------------------------------------- */

static void *run_slot(void *arg)
{
    struct slot *slot = arg;
    struct fc_restore *restore = slot->restore;
    slot->code = fc_table_load_run(slot->load, slot->target, &slot->error);
    (void)pthread_mutex_lock(&restore->lock);
    if (slot->code != FC_OK) {
        stop_slots(restore); /* one for all */
    }
    restore->running--;
    (void)pthread_cond_broadcast(&restore->changed);
    (void)pthread_mutex_unlock(&restore->lock);
    return NULL;
}

static void prepare_slot(struct fc_restore *restore, struct slot *slot, uint32_t table)
{
    const struct fc_fold_table *folded = restore->config.fold->tables[table];
    struct fc_table_load_plan plan;
    memset(&plan, 0, sizeof(plan));
    plan.table = folded;
    plan.db = restore->config.into[table].db;
    plan.into = restore->config.into[table].table;
    plan.replace = restore->config.replace;
    plan.write_binlog = restore->config.write_binlog;
    plan.verify = restore->config.verify;
    memset(slot, 0, sizeof(*slot));
    slot->restore = restore;
    slot->table = table;
    slot->target = restore->targets[slot - restore->slots];
    slot->load = fc_table_load_new(restore->config.ops, &plan);
    restore->loads[table] = slot->load;
    slot->to_read = fc_fold_table_survivor_count(folded);
}

static fc_code start_slots(struct fc_restore *restore, struct fc_error *err)
{
    fc_code code = FC_OK;
    (void)pthread_mutex_lock(&restore->lock);
    restore->feeding = true;
    if (atomic_load(&restore->stop)) {
        code = fc_fail(err, FC_ERR_CLOSED, "stopped");
    }
    for (uint32_t index = 0; code == FC_OK && index < restore->slot_count; index++) {
        struct slot *slot = &restore->slots[index];
        if (pthread_create(&slot->thread, NULL, run_slot, slot) != 0) {
            code = fc_fail(err, FC_ERR_NOMEM, "no thread for table %s",
                           slot->load->plan.table->name);
        } else {
            slot->started = true;
            restore->running++;
        }
    }
    if (code != FC_OK) {
        stop_slots(restore);
    }
    (void)pthread_mutex_unlock(&restore->lock);
    return code;
}

static void report(struct fc_restore *restore, fc_restore_phase phase)
{
    uint64_t done = 0;
    uint64_t total = restore->total_rows;
    if (restore->config.on_progress == NULL) {
        return;
    }
    for (uint32_t index = 0; index < restore->config.fold->table_count; index++) {
        struct fc_table_load *load = restore->loads[index];
        if (load != NULL) {
            done += phase == FC_RESTORE_LOADING ? atomic_load(&load->rows_loaded)
                                                : atomic_load(&load->rows_verified);
        }
    }
    restore->config.on_progress(restore->config.ctx, phase, done, total);
}

static fc_code on_row(void *ctx, const struct fc_emit_row *row, struct fc_error *err)
{
    struct fc_restore *restore = ctx;
    struct slot *slot = &restore->slots[row->table_index];
    struct fc_fed_row fed = { row->key, row->image, row->copies, row->version };
    fc_code code = fc_row_feed_put(slot->load->feed, &fed, err);
    if (code == FC_OK && --slot->to_read == 0) {
        code = fc_row_feed_end(slot->load->feed, err);
    }
    if (++restore->rows_read % 4096 == 0) {
        report(restore, FC_RESTORE_LOADING);
    }
    return code;
}

/* A target that is given rows of another form begins another statement, so these stay together. */
static uint32_t group_of(void *ctx, uint32_t table_index, uint32_t version)
{
    const struct fc_restore *restore = ctx;
    const struct fc_row_forms *forms = restore->slots[table_index].load->forms;
    return forms->items[version].plain ? forms->count : version;
}

static fc_code read_rows(struct fc_restore *restore, struct fc_error *err)
{
    struct fc_fold_table **tables =
        fc_new_array(struct fc_fold_table *, restore->slot_count + 1);
    struct fc_emit_config emit;
    fc_code code = FC_OK;
    memset(&emit, 0, sizeof(emit));
    for (uint32_t index = 0; index < restore->slot_count; index++) {
        struct slot *slot = &restore->slots[index];
        tables[index] = restore->config.fold->tables[slot->table];
        if (slot->to_read == 0 && code == FC_OK) {
            code = fc_row_feed_end(slot->load->feed, err);
        }
    }
    emit.view = restore->config.view;
    emit.tables = tables;
    emit.table_count = restore->slot_count;
    emit.sort_bytes = restore->config.sort_bytes;
    emit.sort_dir = restore->config.sort_dir;
    emit.group_of = group_of;
    emit.on_row = on_row;
    emit.ctx = restore;
    emit.stop = &restore->stop;
    if (code == FC_OK) {
        code = fc_emit(&emit, err);
    }
    free(tables);
    if (code != FC_OK) {
        (void)pthread_mutex_lock(&restore->lock);
        stop_slots(restore);
        (void)pthread_mutex_unlock(&restore->lock);
    }
    return code;
}

static void wait_for_slots(struct fc_restore *restore)
{
    bool running = true;
    while (running) {
        struct timespec until = fc_deadline_in_ms(WAIT_MS);
        bool verifying = true;
        (void)pthread_mutex_lock(&restore->lock);
        if (restore->running > 0) {
            (void)pthread_cond_timedwait(&restore->changed, &restore->lock, &until);
        }
        running = restore->running > 0;
        (void)pthread_mutex_unlock(&restore->lock);
        for (uint32_t index = 0; index < restore->slot_count; index++) {
            struct fc_table_load *load = restore->slots[index].load;
            verifying = verifying &&
                        (atomic_load(&load->rows_verified) > 0 || load->plan.table->rows == 0);
        }
        report(restore,
               verifying && restore->config.verify ? FC_RESTORE_VERIFYING : FC_RESTORE_LOADING);
    }
    for (uint32_t index = 0; index < restore->slot_count; index++) {
        if (restore->slots[index].started) {
            (void)pthread_join(restore->slots[index].thread, NULL);
        }
    }
}

static fc_code fail_interrupted(const struct fc_restore *restore, struct fc_error *err)
{
    if (restore->live > 0) {
        return fc_fail(err, FC_ERR_IO,
                       "interrupted when %" PRIu32 " of %" PRIu32
                       " tables were live; the others "
                       "are as they were",
                       restore->live, restore->config.fold->table_count);
    }
    return fc_fail(err, FC_ERR_CLOSED, "interrupted; nothing was changed");
}

/* The error that made the others stop. */
static fc_code first_cause(const struct fc_restore *restore, fc_code code, struct fc_error *err)
{
    if (atomic_load(&restore->stop)) {
        return fail_interrupted(restore, err);
    }
    for (uint32_t index = 0; index < restore->slot_count; index++) {
        const struct slot *slot = &restore->slots[index];
        if (slot->code != FC_OK && (code == FC_OK || code == FC_ERR_CLOSED)) {
            code = slot->code;
            *err = slot->error;
        }
    }
    return code;
}

static fc_code run_group(struct fc_restore *restore, uint32_t first, struct fc_error *err)
{
    uint32_t left = restore->config.fold->table_count - first;
    fc_code code;
    restore->slot_count = left < restore->target_count ? left : restore->target_count;
    for (uint32_t index = 0; index < restore->slot_count; index++) {
        prepare_slot(restore, &restore->slots[index], restore->order[first + index]);
    }
    code = start_slots(restore, err);
    if (code == FC_OK) {
        code = read_rows(restore, err);
    }
    wait_for_slots(restore);
    (void)pthread_mutex_lock(&restore->lock);
    restore->feeding = false;
    (void)pthread_mutex_unlock(&restore->lock);
    return first_cause(restore, code, err);
}

/* --- all of it --------------------------------------------------------------------------- */

/* From here on an interrupt would only leave more to think about; the exchange is short. */
static fc_code begin_commit(struct fc_restore *restore, struct fc_error *err)
{
    bool stop;
    (void)pthread_mutex_lock(&restore->lock);
    stop = atomic_load(&restore->stop);
    restore->committing = !stop;
    (void)pthread_mutex_unlock(&restore->lock);
    return stop ? fail_interrupted(restore, err) : FC_OK;
}

static void end_commit(struct fc_restore *restore)
{
    (void)pthread_mutex_lock(&restore->lock);
    restore->committing = false;
    (void)pthread_mutex_unlock(&restore->lock);
}

/* Make live what is finished. */
static fc_code commit_finished(struct fc_restore *restore, struct fc_error *err)
{
    const struct fc_fold *fold = restore->config.fold;
    fc_code code = begin_commit(restore, err);
    if (code != FC_OK) {
        return code;
    }
    for (uint32_t index = 0; code == FC_OK && index < fold->table_count; index++) {
        struct fc_table_load *load = restore->loads[index];
        if (load == NULL || load->load == NULL) {
            continue;
        }
        code = fc_table_load_commit(load, err);
        if (code != FC_OK) {
            code = fc_wrap(err,
                           "%s could not be put in place (%" PRIu32 " of %" PRIu32
                           " tables are live)",
                           fold->tables[index]->name, restore->live, fold->table_count);
        } else {
            restore->live++;
        }
    }
    end_commit(restore);
    return code;
}

fc_code fc_restore_run(struct fc_restore *restore, struct fc_error *err)
{
    uint32_t count = restore->config.fold->table_count;
    uint32_t pending = 0;
    fc_code code = FC_OK;
    for (uint32_t first = 0; code == FC_OK && first < count; first += restore->target_count) {
        code = run_group(restore, first, err);
        pending += restore->slot_count;
        if (code == FC_OK && pending >= LIVE_TOGETHER_MAX) {
            code = commit_finished(restore, err);
            pending = 0;
        }
    }
    return code == FC_OK ? commit_finished(restore, err) : code;
}
