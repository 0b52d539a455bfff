/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Method, as Kafka's log cleaner: the closed segments are clean up to some point, dirty behind
 * it. A table of the last offset of each key is built from the dirty ones, as far as memory
 * allows; then all segments up to there are written anew, in order, group by group, without what
 * the table supersedes. Each group replaces its segments on its own, durably, before the next
 * one is begun. So at any time everything that was dropped is superseded by a record that is
 * still there: a tombstone goes only after what it deletes.
 *
 * Nothing at or above the last stable offset or the high watermark is touched, nothing of the
 * active segment, and nothing that producers would have to be found out from again.
 */
#include "core/log/compact.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/log/compact_filter.h"
#include "core/log/compact_output.h"
#include "core/log/compact_swap.h"
#include "core/log/fetch.h"
#include "core/log/lookup.h"
#include "core/log/producer_state.h"
#include "core/log/wire_append.h"

enum {
    MAP_BYTES_DEFAULT = 64 * 1024 * 1024,
    RETRY_MS = 15 * 1000, /* after something went wrong */
    IO_WHO_THREAD = 1,
    IO_CLASS_IDLE = 3,
    IO_CLASS_SHIFT = 13
};

/* What is to be done to a partition. */
struct plan {
    struct fc_segment *segments; /* that may be written anew; the array is owned */
    size_t count;
    size_t dirty; /* the first that is not clean */
    uint64_t group_bytes;
};

struct run {
    struct fc_partition *partition;
    const struct fc_compact_job *job;
    struct fc_compact_input input;
    struct fc_compact_map map;
    struct fc_compact_knowledge known;
    struct fc_compact_filter filter;
    struct plan plan;
};

/* The disk serves this thread when nobody else wants anything; not while others wait for it. */
static void set_idle(bool idle)
{
    /* Without it, compaction is in the way more often, and nothing else. */
    (void)syscall(SYS_ioprio_set, IO_WHO_THREAD, 0, idle ? IO_CLASS_IDLE << IO_CLASS_SHIFT : 0);
}

static bool is_stopped(const struct run *run)
{
    return run->job->stopped != NULL && run->job->stopped(run->job->ctx);
}

/* --- what there is to do --- */

/* How many of the closed segments may be written anew. lock is held. */
static size_t count_cleanable(const struct fc_partition *partition)
{
    int64_t stable = fc_partition_stable(partition, partition->high.offset);
    int64_t newest_ms =
        fc_clock_wall_ms(partition->env->clock) - partition->config.compaction_lag_min_ms;
    size_t candidates = partition->closed_count - partition->pending;
    size_t count = 0;
    while (count < candidates) {
        const struct fc_segment *segment = &partition->closed[count];
        bool too_new =
            partition->config.compaction_lag_min_ms > 0 && !segment->clean &&
            fc_segment_newest_ms(partition->env->fs, partition->dir, segment) > newest_ms;
        if (segment->end > stable || too_new ||
            !fc_producer_state_covers(partition, segment->end)) {
            break;
        }
        count++;
    }
    return count;
}

/* Both locks are held. */
static void make_plan(const struct fc_partition *partition, struct plan *out_plan)
{
    size_t count = count_cleanable(partition);
    size_t dirty = 0;
    while (dirty < count && partition->closed[dirty].clean) {
        dirty++;
    }
    out_plan->count = count;
    out_plan->dirty = dirty;
    out_plan->group_bytes = partition->config.segment_bytes;
    out_plan->segments = fc_new_array(struct fc_segment, count + 1);
    if (count > 0) {
        memcpy(out_plan->segments, partition->closed, count * sizeof(*out_plan->segments));
    }
}

/* The time of the first record that was not compacted yet, or where it has none, of its segment;
 * INT64_MAX when it is not known. */
static int64_t oldest_dirty_ms(struct fc_partition *partition, const struct fc_segment *segment)
{
    struct fc_file *file = NULL;
    struct fc_batch_header header;
    uint8_t bytes[FC_BATCH_HEADER_SIZE];
    size_t got = 0;
    fc_code code = fc_compact_open_log(partition, segment, &file, NULL);
    if (code == FC_OK) {
        code = file->fs->ops->read(file, 0, bytes, sizeof(bytes), &got, NULL);
        file->fs->ops->close(file);
    }
    if (code != FC_OK || got < sizeof(bytes)) {
        return INT64_MAX;
    }
    fc_batch_header_decode(bytes, &header);
    return header.base_timestamp_ms >= 0
               ? header.base_timestamp_ms
               : fc_segment_newest_ms(partition->env->fs, partition->dir, segment);
}

static bool is_worth_it(struct fc_partition *partition, const struct plan *plan,
                        const struct fc_partition_config *config)
{
    uint64_t clean = 0;
    uint64_t dirty = 0;
    int64_t lag_ms = config->compaction_lag_max_ms;
    for (size_t index = 0; index < plan->count; index++) {
        *(index < plan->dirty ? &clean : &dirty) += plan->segments[index].size;
    }
    if (plan->dirty == plan->count) {
        return false;
    }
    if (dirty > 0 && (double)dirty > config->cleanable_ratio_min * (double)(clean + dirty)) {
        return true;
    }
    return lag_ms < INT64_MAX && oldest_dirty_ms(partition, &plan->segments[plan->dirty]) <
                                     fc_clock_wall_ms(partition->env->clock) - lag_ms;
}

bool fc_compact_is_wanted(struct fc_partition *partition)
{
    struct fc_partition_config config;
    struct plan plan = { 0 };
    bool wanted;
    (void)pthread_mutex_lock(&partition->lock);
    config = partition->config;
    wanted = config.compact && !partition->failed && partition->closed_count > 0;
    (void)pthread_mutex_unlock(&partition->lock);
    if (!wanted || fc_clock_steady_ms(partition->env->clock) < partition->compact_after_ms) {
        return false;
    }
    (void)pthread_mutex_lock(&partition->sync_lock);
    (void)pthread_mutex_lock(&partition->lock);
    make_plan(partition, &plan);
    (void)pthread_mutex_unlock(&partition->lock);
    (void)pthread_mutex_unlock(&partition->sync_lock);
    wanted = is_worth_it(partition, &plan, &config);
    free(plan.segments);
    return wanted;
}

/* --- the table of keys --- */

static void map_batch(struct run *run, const struct fc_compact_batch *batch)
{
    if ((batch->header.attributes & FC_BATCH_CONTROL) != 0 || batch->opaque ||
        fc_compact_is_aborted(&run->known, &batch->header)) {
        return;
    }
    for (uint32_t index = 0; index < batch->count; index++) {
        if (!fc_slice_is_null(batch->records[index].key)) {
            fc_compact_map_put(&run->map, batch->records[index].key,
                               batch->records[index].offset);
        }
    }
}

/* Fill the table from offset `from` on; mapped_end is how far that went. */
static fc_code build_map(struct run *run, int64_t from, struct fc_error *err)
{
    fc_code code = FC_OK;
    bool full = false;
    fc_compact_map_clear(&run->map);
    run->known.mapped_end = from;
    for (size_t index = 0; code == FC_OK && !full && index < run->plan.count; index++) {
        const struct fc_segment *segment = &run->plan.segments[index];
        bool end = segment->end <= from;
        code = end ? FC_OK : fc_compact_input_open(&run->input, segment, err);
        while (code == FC_OK && !end && !full) {
            struct fc_compact_batch batch;
            code = fc_compact_input_next(&run->input, &batch, &end, err);
            if (code == FC_OK && !end && batch.header.base_offset >= from) {
                map_batch(run, &batch);
                run->known.mapped_end = fc_batch_last_offset(&batch.header) + 1;
                full = fc_compact_map_is_full(&run->map);
            }
            if (is_stopped(run)) {
                code = fc_fail(err, FC_ERR_CLOSED, "stopped");
            }
        }
        if (code == FC_OK && !full && segment->end > from) {
            run->known.mapped_end = segment->end;
        }
    }
    return code;
}

/* --- writing anew --- */

/* Its transaction's data is gone; whoever meets the marker has to know that it was aborted. */
static void list_aborted(const struct run *run, struct fc_compact_output *output,
                         const struct fc_batch_header *marker)
{
    const struct fc_aborted *aborted = (marker->attributes & FC_BATCH_CONTROL) == 0
                                           ? NULL
                                           : fc_compact_aborted_by(&run->known, marker);
    if (aborted != NULL) {
        fc_compact_output_abort(output, aborted);
    }
}

/* *out_changed: something was left out or written in another way. */
static fc_code copy_segment(struct run *run, const struct fc_segment *segment,
                            struct fc_compact_output *output, bool *out_changed,
                            struct fc_error *err)
{
    bool end = false;
    fc_code code = fc_compact_input_open(&run->input, segment, err);
    while (code == FC_OK && !end) {
        struct fc_compact_batch batch;
        struct fc_slice bytes = { NULL, 0 };
        code = fc_compact_input_next(&run->input, &batch, &end, err);
        if (code != FC_OK || end) {
            break;
        }
        code = fc_compact_filter_run(&run->filter, &batch, &bytes, err);
        if (code == FC_OK && bytes.len > 0) {
            code = fc_compact_output_add(output, bytes, err);
        }
        if (code == FC_OK && bytes.len > 0) {
            list_aborted(run, output, &batch.header);
        }
        *out_changed =
            *out_changed || bytes.data != batch.bytes.data || bytes.len != batch.bytes.len;
        if (code == FC_OK && is_stopped(run)) {
            code = fc_fail(err, FC_ERR_CLOSED, "stopped");
        }
    }
    return code;
}

static bool has_aborted_file(struct fc_partition *partition, int64_t base, int64_t end)
{
    bool found = false;
    (void)pthread_mutex_lock(&partition->lock);
    for (size_t index = 0; index < partition->aborted_files_count; index++) {
        int64_t file = partition->aborted_files[index];
        found = found || (file >= base && file < end);
    }
    (void)pthread_mutex_unlock(&partition->lock);
    return found;
}

/* Write the group's segments as one, and put that in their place. */
static fc_code clean_group(struct run *run, const struct fc_segment *group, size_t count,
                           struct fc_error *err)
{
    struct fc_partition *partition = run->partition;
    struct fc_fs *fs = partition->env->fs;
    const struct fc_segment *last = &group[count - 1];
    struct fc_compact_swap swap = { .old = group, .count = count };
    struct fc_compact_output output;
    bool changed = count > 1;
    fc_code code;
    fc_compact_swap_drop(partition, group->base); /* what a failed attempt may have left */
    code = fc_compact_output_open(&output, partition, group->base, last->end, err);
    for (size_t index = 0; code == FC_OK && index < count; index++) {
        code = copy_segment(run, &group[index], &output, &changed, err);
    }
    swap.has_files = changed;
    if (code == FC_OK && changed) {
        swap.has_aborted =
            output.aborted.len > 0 || has_aborted_file(partition, group->base, last->end);
        code = fc_compact_output_finish(&output, swap.has_aborted, err);
        if (code == FC_OK) {
            code = fs->ops->sync_dir(fs, partition->dir, err);
        }
    }
    swap.made = changed ? output.made : *group;
    swap.made.clean = last->end <= run->known.mapped_end;
    fc_compact_output_release(&output);
    if (code == FC_OK && (changed || swap.made.clean != group->clean)) {
        set_idle(false);
        code = fc_compact_swap_run(partition, &swap, err);
        set_idle(true);
    }
    if ((code != FC_OK && code != FC_ERR_IO) || !changed) {
        fc_compact_swap_drop(partition, group->base);
    }
    return code;
}

/* How many segments from `first` on become one. */
static size_t group_size(const struct run *run, size_t first)
{
    const struct plan *plan = &run->plan;
    uint64_t bytes = plan->segments[first].size;
    size_t next = first + 1;
    while (next < plan->count && plan->segments[next].end <= run->known.mapped_end &&
           bytes + plan->segments[next].size <= plan->group_bytes &&
           plan->segments[next].end - plan->segments[first].base <= INT32_MAX) {
        bytes += plan->segments[next].size;
        next++;
    }
    return next - first;
}

static fc_code clean_segments(struct run *run, struct fc_error *err)
{
    fc_code code = FC_OK;
    for (size_t first = 0; code == FC_OK && first < run->plan.count &&
                           run->plan.segments[first].base < run->known.mapped_end;) {
        size_t count = group_size(run, first);
        code = clean_group(run, &run->plan.segments[first], count, err);
        first += count;
    }
    return code;
}

/* --- a run --- */

/* Segments up to `end` (INT64_MAX: all that may be), and what is known of transactions and
 * producers in them. */
static fc_code learn(struct run *run, int64_t end, struct fc_error *err)
{
    struct fc_partition *partition = run->partition;
    struct fc_compact_knowledge *known = &run->known;
    struct fc_producer *producers = NULL;
    fc_code code;
    free(run->plan.segments);
    (void)pthread_mutex_lock(&partition->sync_lock);
    (void)pthread_mutex_lock(&partition->lock);
    make_plan(partition, &run->plan);
    known->delete_retention_ms = partition->config.delete_retention_ms;
    (void)pthread_mutex_unlock(&partition->lock);
    (void)pthread_mutex_unlock(&partition->sync_lock);
    while (run->plan.count > 0 && run->plan.segments[run->plan.count - 1].end > end) {
        run->plan.count--;
    }
    known->map = &run->map;
    known->now_ms = fc_clock_wall_ms(partition->env->clock);
    free(known->aborted);
    known->aborted = NULL;
    known->aborted_count = 0;
    free(known->producers);
    known->producers = NULL;
    known->producers_count = 0;
    if (run->plan.count == 0) {
        return FC_OK;
    }
    code = fc_partition_aborted(partition, run->plan.segments[0].base,
                                run->plan.segments[run->plan.count - 1].end, &known->aborted,
                                &known->aborted_count, err);
    if (code == FC_ERR_CORRUPT) {
        code = FC_ERR_IO; /* of a list: the log itself is whole */
    }
    if (code == FC_OK) {
        fc_compact_sort_aborted(known);
        code = fc_partition_producers(partition, &producers, &known->producers_count, err);
        known->producers = producers;
    }
    return code;
}

static fc_code run_passes(struct run *run, struct fc_error *err)
{
    int64_t from;
    int64_t end;
    fc_code code = learn(run, INT64_MAX, err);
    if (code != FC_OK || run->plan.dirty >= run->plan.count) {
        return code;
    }
    from = run->plan.segments[run->plan.dirty].base;
    end = run->plan.segments[run->plan.count - 1].end;
    while (code == FC_OK && from < end && run->plan.count > 0) {
        code = build_map(run, from, err);
        if (code == FC_OK) {
            fc_compact_filter_init(&run->filter, &run->known);
            code = clean_segments(run, err);
            fc_compact_filter_release(&run->filter);
        }
        from = run->known.mapped_end;
        if (code == FC_OK && from < end) {
            code = learn(run, end, err);
        }
    }
    return code;
}

static void report(struct fc_partition *partition, fc_code code, struct fc_error *why)
{
    if (code == FC_ERR_CORRUPT) {
        fc_partition_fail(partition, why, true);
    } else if (code == FC_ERR_FULL) {
        fc_log_notice(partition->env, "%s: there is no room to compact it: %s", partition->dir,
                      why->message);
    } else if (code != FC_OK && code != FC_ERR_CLOSED && code != FC_ERR_NOT_FOUND) {
        fc_log_notice(partition->env, "%s: it cannot be compacted: %s", partition->dir,
                      why->message);
    }
    if (code != FC_OK) {
        partition->compact_after_ms = fc_clock_steady_ms(partition->env->clock) + RETRY_MS;
    }
}

void fc_compact_run(struct fc_partition *partition, const struct fc_compact_job *job)
{
    struct run run = { .partition = partition, .job = job };
    struct fc_error why = { 0 };
    fc_code code = fc_compact_swap_settle(partition, &why);
    if (code != FC_OK) {
        report(partition, code == FC_ERR_CORRUPT ? FC_ERR_CLOSED : code, &why);
        return;
    }
    fc_compact_input_init(&run.input, partition);
    fc_compact_map_init(&run.map, job->map_bytes == 0 ? MAP_BYTES_DEFAULT : job->map_bytes);
    set_idle(true);
    code = run_passes(&run, &why);
    set_idle(false);
    report(partition, code, &why);
    fc_compact_map_release(&run.map);
    fc_compact_input_release(&run.input);
    free(run.plan.segments);
    free(run.known.aborted);
    free(run.known.producers);
}
