/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/coordinator.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/wire_append.h"
#include "core/spu/coordinator_records.h"
#include "core/spu/group_answer.h"
#include "core/spu/journal.h"

/* How often offsets are looked at that nobody wants any more. */
enum { EXPIRY_CHECK_MS = 600000 };

struct fc_coordinator {
    struct fc_spu *spu;
    struct fc_journal *journal;
    struct fc_group_host host;
    struct fc_loop *loop; /* of the timer; NULL until it is started */
    struct fc_loop_timer timer;
    struct fc_loop_task rearm;

    pthread_mutex_t lock;
    /* Guarded by lock. */
    struct fc_hashmap groups; /* to struct fc_coordinated */
    bool rearming;            /* the task is on its way to the loop */
    int64_t expiry_ms;        /* steady: when offsets are looked at next */
};

int64_t fc_coordinator_now_ms(const struct fc_coordinator *coordinator)
{
    return fc_clock_steady_ms(coordinator->spu->config.net.clock);
}

static int64_t wall_ms(const struct fc_coordinator *coordinator)
{
    return fc_clock_wall_ms(coordinator->spu->config.net.clock);
}

/* --- what a group says; the lock is held --- */

static void on_changed(void *ctx, struct fc_group *group)
{
    struct fc_coordinator *coordinator = ctx;
    struct fc_error err;
    group->state_ms = wall_ms(coordinator);
    if (fc_journal_is_open(coordinator->journal) &&
        fc_coordinator_store_group(coordinator->journal, group, wall_ms(coordinator), &err) !=
            FC_OK) {
        /* Members that find their group lost after a restart join again. */
        fc_diag_report(coordinator->spu->config.net.diag, FC_DIAG_WARN,
                       "cannot store a consumer group: %s", err.message);
    }
}

/* --- groups; the lock is held --- */

static void free_coordinated(void *value)
{
    struct fc_coordinated *group = value;
    if (group != NULL) {
        fc_group_free(group->group);
        fc_group_offsets_release(&group->offsets);
        free(group);
    }
}

struct fc_coordinated *fc_coordinator_find(struct fc_coordinator *coordinator,
                                           struct fc_slice group_id)
{
    return fc_hashmap_get(&coordinator->groups, group_id);
}

struct fc_coordinated *fc_coordinator_ensure(struct fc_coordinator *coordinator,
                                             struct fc_slice group_id)
{
    struct fc_coordinated *group = fc_coordinator_find(coordinator, group_id);
    if (group == NULL) {
        group = fc_new(struct fc_coordinated);
        group->group = fc_group_new(&coordinator->host, group_id,
                                    coordinator->spu->config.group_initial_delay_ms);
        group->group->state_ms = wall_ms(coordinator);
        fc_group_offsets_init(&group->offsets);
        (void)fc_hashmap_put(&coordinator->groups, group_id, group);
    }
    return group;
}

bool fc_coordinator_next(struct fc_coordinator *coordinator, size_t *cursor,
                         struct fc_coordinated **out_group)
{
    struct fc_slice key;
    void *value = NULL;
    bool found = fc_hashmap_next(&coordinator->groups, cursor, &key, &value);
    *out_group = value;
    return found;
}

/* --- time --- */

static int64_t next_ms(const struct fc_coordinator *coordinator)
{
    int64_t next = coordinator->groups.count == 0 ? INT64_MAX : coordinator->expiry_ms;
    size_t cursor = 0;
    struct fc_slice key;
    void *value = NULL;
    while (fc_hashmap_next(&coordinator->groups, &cursor, &key, &value)) {
        int64_t due = fc_group_next_ms(((struct fc_coordinated *)value)->group);
        next = due < next ? due : next;
    }
    return next;
}

/* An empty group's offsets that are older than the topic keeps them. */
static bool is_expired(const struct fc_coordinator *coordinator,
                       const struct fc_coordinated *group, const struct fc_committed *committed,
                       int64_t now_ms)
{
    int64_t since = committed->commit_ms > group->group->state_ms ? committed->commit_ms
                                                                  : group->group->state_ms;
    return group->group->state == FC_GROUP_EMPTY &&
           now_ms - since >= coordinator->spu->config.offsets_retention_ms;
}

static void expire_offsets(struct fc_coordinator *coordinator, struct fc_coordinated *group)
{
    int64_t now_ms = wall_ms(coordinator);
    bool more = true;
    while (more) {
        size_t cursor = 0;
        struct fc_slice topic;
        int32_t partition = 0;
        const struct fc_committed *committed = NULL;
        more = false;
        while (!more && fc_group_offsets_next(&group->offsets, &cursor, &topic, &partition,
                                              &committed)) {
            more = is_expired(coordinator, group, committed, now_ms) &&
                   fc_coordinator_forget(coordinator, group, topic, partition, NULL) == FC_OK;
        }
    }
}

/* A group that nobody is in and that has committed nothing is forgotten. */
static bool is_done(const struct fc_coordinated *group)
{
    return group->group->state == FC_GROUP_EMPTY && group->group->pending_count == 0 &&
           fc_group_offsets_count(&group->offsets) == 0 &&
           !fc_group_offsets_any_pending(&group->offsets);
}

static void expire(struct fc_coordinator *coordinator)
{
    bool more = true;
    while (more) {
        size_t cursor = 0;
        struct fc_coordinated *group = NULL;
        more = false;
        while (!more && fc_coordinator_next(coordinator, &cursor, &group)) {
            expire_offsets(coordinator, group);
            more = is_done(group) && fc_coordinator_delete(coordinator, group, NULL) == FC_OK;
        }
    }
}

static void on_time(void *ctx)
{
    struct fc_coordinator *coordinator = ctx;
    size_t cursor = 0;
    struct fc_coordinated *group = NULL;
    int64_t now_ms = fc_coordinator_now_ms(coordinator);
    fc_coordinator_lock(coordinator);
    while (fc_coordinator_next(coordinator, &cursor, &group)) {
        fc_group_on_time(group->group, now_ms);
    }
    if (now_ms >= coordinator->expiry_ms) {
        coordinator->expiry_ms = now_ms + EXPIRY_CHECK_MS;
        expire(coordinator);
    }
    fc_coordinator_unlock(coordinator);
}

static void on_rearm(void *ctx)
{
    struct fc_coordinator *coordinator = ctx;
    int64_t due;
    (void)pthread_mutex_lock(&coordinator->lock);
    coordinator->rearming = false;
    due = next_ms(coordinator);
    (void)pthread_mutex_unlock(&coordinator->lock);
    if (due == INT64_MAX) {
        fc_loop_timer_clear(coordinator->loop, &coordinator->timer);
    } else {
        fc_loop_timer_set(coordinator->loop, &coordinator->timer, due);
    }
}

void fc_coordinator_start_timer(struct fc_coordinator *coordinator, struct fc_loop *loop)
{
    fc_loop_timer_init(&coordinator->timer, on_time, coordinator);
    coordinator->rearm.on_run = on_rearm;
    coordinator->rearm.ctx = coordinator;
    fc_coordinator_lock(coordinator);
    coordinator->loop = loop;
    fc_coordinator_unlock(coordinator);
}

void fc_coordinator_lock(struct fc_coordinator *coordinator)
{
    (void)pthread_mutex_lock(&coordinator->lock);
}

void fc_coordinator_unlock(struct fc_coordinator *coordinator)
{
    bool rearm = coordinator->loop != NULL && !coordinator->rearming;
    coordinator->rearming = coordinator->rearming || rearm;
    (void)pthread_mutex_unlock(&coordinator->lock);
    if (rearm) {
        fc_loop_post(coordinator->loop, &coordinator->rearm);
    }
}

/* --- the log --- */

bool fc_coordinator_is_ready(struct fc_coordinator *coordinator)
{
    return fc_journal_is_open(coordinator->journal);
}

fc_code fc_coordinator_make_ready(struct fc_coordinator *coordinator, struct fc_error *err)
{
    return fc_journal_open(coordinator->journal, true, err);
}

int32_t fc_coordinator_partition_of(struct fc_coordinator *coordinator,
                                    struct fc_slice group_id)
{
    return fc_journal_partition_of(coordinator->journal, group_id);
}

struct fc_log_topic *fc_coordinator_topic(struct fc_coordinator *coordinator)
{
    return fc_journal_topic(coordinator->journal);
}

fc_code fc_coordinator_commit(struct fc_coordinator *coordinator, struct fc_coordinated *group,
                              struct fc_commit *commits, int32_t count, int64_t producer_id,
                              int16_t producer_epoch, struct fc_error *err)
{
    struct fc_journal_producer producer = { producer_id, producer_epoch };
    int64_t base = 0;
    fc_code code;
    if (count == 0) {
        return FC_OK;
    }
    code = fc_coordinator_store_commits(coordinator->journal, group->group->id, commits, count,
                                        producer_id < 0 ? NULL : &producer, &base, err);
    for (int32_t index = 0; code == FC_OK && index < count; index++) {
        struct fc_commit *commit = &commits[index];
        commit->committed.log_offset = base + index;
        if (producer_id < 0) {
            fc_group_offsets_commit(&group->offsets, commit->topic, commit->partition,
                                    &commit->committed);
        } else {
            fc_group_offsets_commit_later(&group->offsets, producer_id, commit->topic,
                                          commit->partition, &commit->committed);
        }
    }
    return code;
}

fc_code fc_coordinator_forget(struct fc_coordinator *coordinator, struct fc_coordinated *group,
                              struct fc_slice topic, int32_t partition, struct fc_error *err)
{
    fc_code code = fc_coordinator_store_forgotten(coordinator->journal, group->group->id, topic,
                                                  partition, wall_ms(coordinator), err);
    if (code == FC_OK) {
        (void)fc_group_offsets_remove(&group->offsets, topic, partition);
    }
    return code;
}

fc_code fc_coordinator_delete(struct fc_coordinator *coordinator, struct fc_coordinated *group,
                              struct fc_error *err)
{
    fc_code code = FC_OK;
    while (code == FC_OK && fc_group_offsets_count(&group->offsets) > 0) {
        size_t cursor = 0;
        struct fc_slice topic;
        int32_t partition = 0;
        const struct fc_committed *committed = NULL;
        (void)fc_group_offsets_next(&group->offsets, &cursor, &topic, &partition, &committed);
        code = fc_coordinator_forget(coordinator, group, topic, partition, err);
    }
    if (code == FC_OK && fc_journal_is_open(coordinator->journal)) {
        code = fc_coordinator_store_deleted(coordinator->journal, group->group->id,
                                            wall_ms(coordinator), err);
    }
    if (code == FC_OK) {
        fc_group_kill(group->group, FC_KAFKA_COORDINATOR_NOT_AVAILABLE);
        (void)fc_hashmap_remove(&coordinator->groups, group->group->id);
        free_coordinated(group);
    }
    return code;
}

/* Forget one commit of the topic; false when there is none. The lock is held. */
static bool forget_one(struct fc_coordinator *coordinator, struct fc_coordinated *group,
                       struct fc_slice topic)
{
    const struct fc_committed *committed = NULL;
    struct fc_slice name;
    int32_t partition = 0;
    size_t cursor = 0;
    while (fc_group_offsets_next(&group->offsets, &cursor, &name, &partition, &committed)) {
        if (fc_slice_equal(name, topic)) {
            return fc_coordinator_forget(coordinator, group, topic, partition, NULL) == FC_OK;
        }
    }
    return false;
}

void fc_coordinator_forget_topic(struct fc_coordinator *coordinator, struct fc_slice topic)
{
    struct fc_coordinated *group = NULL;
    size_t cursor = 0;
    fc_coordinator_lock(coordinator);
    while (fc_coordinator_next(coordinator, &cursor, &group)) {
        while (forget_one(coordinator, group, topic)) {
        }
    }
    fc_coordinator_unlock(coordinator);
}

void fc_coordinator_end_locked(struct fc_coordinator *coordinator, int32_t partition,
                               int64_t producer_id, bool commit)
{
    size_t cursor = 0;
    struct fc_coordinated *group = NULL;
    while (fc_coordinator_next(coordinator, &cursor, &group)) {
        if (partition == FC_COORDINATOR_ALL_PARTITIONS ||
            partition == fc_coordinator_partition_of(coordinator, group->group->id)) {
            fc_group_offsets_end(&group->offsets, producer_id, commit);
        }
    }
}

void fc_coordinator_end_transaction(struct fc_coordinator *coordinator, int32_t partition,
                                    int64_t producer_id, bool commit)
{
    fc_coordinator_lock(coordinator);
    fc_coordinator_end_locked(coordinator, partition, producer_id, commit);
    fc_coordinator_unlock(coordinator);
}

fc_code fc_coordinator_append_marker(struct fc_coordinator *coordinator, int32_t index,
                                     const struct fc_marker_request *request,
                                     struct fc_append_result *out_result, struct fc_error *err)
{
    struct fc_partition *partition = NULL;
    fc_code code = fc_log_topic_partition(fc_coordinator_topic(coordinator), (uint32_t)index,
                                          &partition, err);
    if (code != FC_OK) {
        out_result->error = fc_kafka_error_of(code);
        return code;
    }
    fc_coordinator_lock(coordinator);
    code = fc_partition_append_marker(partition, request, out_result, err);
    if (code == FC_OK) {
        fc_coordinator_end_locked(coordinator, index, request->producer_id, request->commit);
    }
    fc_coordinator_unlock(coordinator);
    return code;
}

/* --- begin and end --- */

/* The log tells of groups that were deleted until compaction has taken that, too. */
static void drop_done(struct fc_coordinator *coordinator)
{
    struct fc_coordinated **done =
        fc_new_array(struct fc_coordinated *, coordinator->groups.count + 1);
    struct fc_coordinated *group = NULL;
    size_t count = 0;
    size_t cursor = 0;
    while (fc_coordinator_next(coordinator, &cursor, &group)) {
        if (is_done(group)) {
            done[count++] = group;
        }
    }
    for (size_t index = 0; index < count; index++) {
        (void)fc_hashmap_remove(&coordinator->groups, done[index]->group->id);
        free_coordinated(done[index]);
    }
    free(done);
}

static fc_code load(struct fc_coordinator *coordinator, struct fc_error *err)
{
    struct fc_coordinator_load into = { coordinator, fc_coordinator_now_ms(coordinator), 0 };
    uint32_t partitions;
    fc_code code = fc_journal_open(coordinator->journal, false, err);
    if (code == FC_ERR_NOT_FOUND) {
        return FC_OK; /* made when the first group comes */
    }
    partitions = code == FC_OK ? fc_journal_partitions(coordinator->journal) : 0;
    for (uint32_t index = 0; code == FC_OK && index < partitions; index++) {
        into.partition = (int32_t)index;
        code = fc_journal_scan(coordinator->journal, (int32_t)index, fc_coordinator_load_batch,
                               &into, err);
    }
    drop_done(coordinator);
    return code;
}

fc_code fc_coordinator_new(struct fc_spu *spu, struct fc_coordinator **out_coordinator,
                           struct fc_error *err)
{
    struct fc_coordinator *coordinator = fc_new(struct fc_coordinator);
    fc_code code;
    coordinator->spu = spu;
    coordinator->journal =
        fc_journal_new(spu, FC_OFFSETS_TOPIC, spu->config.offsets_partitions);
    (void)pthread_mutex_init(&coordinator->lock, NULL); /* cannot fail on Linux */
    fc_hashmap_init(&coordinator->groups);
    fc_group_answer_host(&coordinator->host, coordinator);
    coordinator->host.on_changed = on_changed;
    code = load(coordinator, err);
    coordinator->expiry_ms = fc_coordinator_now_ms(coordinator) + EXPIRY_CHECK_MS;
    if (code == FC_OK) {
        *out_coordinator = coordinator;
    } else {
        fc_coordinator_free(coordinator);
    }
    return code;
}

void fc_coordinator_stop(struct fc_coordinator *coordinator)
{
    size_t cursor = 0;
    struct fc_coordinated *group = NULL;
    fc_coordinator_lock(coordinator);
    while (fc_coordinator_next(coordinator, &cursor, &group)) {
        fc_group_kill(group->group, FC_KAFKA_NOT_COORDINATOR);
    }
    fc_coordinator_unlock(coordinator);
}

void fc_coordinator_free(struct fc_coordinator *coordinator)
{
    if (coordinator != NULL) {
        fc_hashmap_release(&coordinator->groups, free_coordinated);
        fc_journal_free(coordinator->journal);
        (void)pthread_mutex_destroy(&coordinator->lock); /* nobody uses it any more */
        free(coordinator);
    }
}
