/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetch: find where the batches stand in the files, and send them from there. When there is less
 * than the client asks for, the request waits, watching its partitions, until there is enough or
 * its time is over.
 *
 * A waiting request belongs to its connection's loop. Partitions tell it from other threads that
 * something has moved; it then looks again on its own loop.
 */
#include "core/log/fetch.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/log/watch.h"
#include "core/spu/access.h"
#include "core/spu/fetch_session.h"
#include "core/spu/handlers.h"
#include "core/spu/quotas.h"

enum { READ_COMMITTED = 1, VERSION_WITH_IDS = 13, VERSION_WITH_SESSIONS = 7 };

/* What was found of one partition. */
struct found {
    struct fc_log_topic *topic; /* a reference, or NULL */
    struct fc_partition *partition;
    struct fc_fetch_range range;
    fc_kafka_error error;
    struct fc_aborted *aborted; /* to be freed */
    size_t aborted_count;
    struct fc_watch watch;
};

/* One request on its way; in its arena. Owned by the connection's loop. */
struct fetch {
    struct fc_spu *spu;
    struct fc_request *request;
    struct fc_loop *loop;
    const struct fc_msg_fetch_request *ask;
    struct fc_fetch_plan plan;
    struct found *found; /* by the plan's items */
    int32_t last;        /* the last item in turn that has bytes; -1: none */
    uint64_t bytes;
    bool failed; /* some partition has an error, which is told at once */
    struct fc_loop_timer timer;
    struct fc_loop_task task;
    atomic_bool posted; /* the task is on its way to the loop */
    bool watching;
    bool over; /* answered as soon as the task has arrived */
    bool closed;
};

/* --- looking --- */

static fc_kafka_error open_item(struct fetch *fetch, const struct fc_fetch_item *item,
                                struct found *found)
{
    struct fc_slice name;
    fc_kafka_error error;
    fc_code code;
    if (item->name.data != NULL && !fc_access_may(fetch->spu, fetch->request, FC_OPERATION_READ,
                                                  FC_RESOURCE_TOPIC, item->name)) {
        return FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    error = fc_spu_topic(fetch->spu, fetch->request, item->name, item->id, &found->topic);
    if (error != FC_KAFKA_NONE) {
        return error;
    }
    name = fc_slice_text(fc_log_topic_name(found->topic));
    if (item->name.data == NULL && !fc_access_may(fetch->spu, fetch->request, FC_OPERATION_READ,
                                                  FC_RESOURCE_TOPIC, name)) {
        return FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    if (item->partition < 0) {
        return FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (item->leader_epoch > 0) {
        return FC_KAFKA_UNKNOWN_LEADER_EPOCH; /* ours is always 0 */
    }
    code = fc_log_topic_partition(found->topic, (uint32_t)item->partition, &found->partition,
                                  NULL);
    return fc_kafka_error_of(code);
}

static void look_at(struct fetch *fetch, const struct fc_fetch_item *item, struct found *found)
{
    uint64_t left =
        fetch->ask->max_bytes <= 0 || (uint64_t)fetch->ask->max_bytes <= fetch->bytes
            ? 0
            : (uint64_t)fetch->ask->max_bytes - fetch->bytes;
    uint64_t most = item->bytes_max <= 0 ? 0 : (uint64_t)item->bytes_max;
    bool committed = fetch->ask->isolation_level == READ_COMMITTED;
    struct fc_fetch how = { item->offset, left < most ? left : most, fetch->bytes == 0,
                            committed ? FC_ISOLATION_STABLE : FC_ISOLATION_HIGH_WATERMARK };
    if (found->partition == NULL) {
        found->error = open_item(fetch, item, found);
        if (found->error != FC_KAFKA_NONE) {
            found->range.offsets.high_watermark = -1;
            found->range.offsets.stable = -1;
            found->range.offsets.start = -1;
            return;
        }
    }
    if (fc_partition_fetch(found->partition, &how, &found->range, NULL) != FC_OK) {
        found->error = found->range.error;
    }
    fetch->bytes += found->range.size;
}

static void let_go(struct found *found)
{
    fc_fetch_range_release(&found->range);
    free(found->aborted);
    found->aborted = NULL;
    found->aborted_count = 0;
    found->error = FC_KAFKA_NONE;
}

/* Look at every partition, beginning with the one whose turn it is. */
static void look(struct fetch *fetch)
{
    fetch->bytes = 0;
    fetch->failed = false;
    fetch->last = -1;
    for (int32_t step = 0; step < fetch->plan.count; step++) {
        int32_t index = (fetch->plan.first + step) % fetch->plan.count;
        struct found *found = &fetch->found[index];
        let_go(found);
        look_at(fetch, &fetch->plan.items[index], found);
        fetch->failed = fetch->failed || found->error != FC_KAFKA_NONE;
        if (found->range.size > 0) {
            fetch->last = index;
        }
    }
}

/* --- answering --- */

static bool has_news(const struct fetch *fetch, int32_t index)
{
    const struct fc_fetch_item *item = &fetch->plan.items[index];
    const struct found *found = &fetch->found[index];
    const struct fc_partition_offsets *offsets = &found->range.offsets;
    return !fetch->plan.incremental || found->error != FC_KAFKA_NONE || found->range.size > 0 ||
           !item->told || item->told_high_watermark != offsets->high_watermark ||
           item->told_stable != offsets->stable || item->told_start != offsets->start;
}

static bool fill_aborted(struct fetch *fetch, struct found *found,
                         struct fc_msg_fetch_response_partition *out)
{
    if (fetch->ask->isolation_level != READ_COMMITTED || found->range.size == 0) {
        return true;
    }
    if (fc_partition_aborted(found->partition, found->range.base_offset,
                             found->range.next_offset, &found->aborted, &found->aborted_count,
                             NULL) != FC_OK) {
        /* Without the list a reader would take what was aborted for committed. */
        fc_fetch_range_release(&found->range);
        out->error_code = FC_KAFKA_KAFKA_STORAGE_ERROR;
        return true;
    }
    out->aborted_transactions =
        fc_wire_array(&fetch->request->arena, &fc_msg_fetch_response_aborted_transaction_type,
                      (int32_t)found->aborted_count);
    if (out->aborted_transactions == NULL) {
        return false;
    }
    out->aborted_transactions_count = (int32_t)found->aborted_count;
    for (size_t index = 0; index < found->aborted_count; index++) {
        out->aborted_transactions[index].producer_id = found->aborted[index].producer_id;
        out->aborted_transactions[index].first_offset = found->aborted[index].first_offset;
    }
    return true;
}

/* What the answer's partition stands for; its records are found again by this order. */
static bool fill_partition(struct fetch *fetch, int32_t index,
                           struct fc_msg_fetch_response_partition *out)
{
    struct fc_fetch_item *item = &fetch->plan.items[index];
    struct found *found = &fetch->found[index];
    const struct fc_partition_offsets *offsets = &found->range.offsets;
    static const uint8_t nothing[1] = { 0 };
    out->partition_index = item->partition;
    out->error_code = (int16_t)found->error;
    out->high_watermark = offsets->high_watermark;
    out->last_stable_offset = offsets->stable;
    out->log_start_offset = offsets->start;
    out->aborted_transactions_count = -1;
    if (!fill_aborted(fetch, found, out)) {
        return false;
    }
    out->records = fc_slice_of(nothing, found->range.size);
    item->told = found->error == FC_KAFKA_NONE;
    item->told_high_watermark = offsets->high_watermark;
    item->told_stable = offsets->stable;
    item->told_start = offsets->start;
    return true;
}

static bool same_topic(const struct fc_msg_fetch_response_topic *topic,
                       const struct fc_fetch_item *item)
{
    return fc_uuid_equal(topic->topic_id, item->id) &&
           (item->name.data == NULL || fc_slice_equal(topic->topic, item->name));
}

/* order: which item each partition of the answer is, as they come. */
static bool fill(struct fetch *fetch, struct fc_msg_fetch_response *response, int32_t *order)
{
    struct fc_arena *arena = &fetch->request->arena;
    struct fc_msg_fetch_response_topic *topic = NULL;
    struct fc_msg_fetch_response_partition *partitions;
    int32_t count = 0;
    response->responses =
        fc_wire_array(arena, &fc_msg_fetch_response_topic_type, fetch->plan.count);
    partitions = fc_wire_array(arena, &fc_msg_fetch_response_partition_type, fetch->plan.count);
    if (response->responses == NULL || partitions == NULL) {
        return false;
    }
    for (int32_t step = 0; step < fetch->plan.count; step++) {
        int32_t index = (fetch->plan.first + step) % fetch->plan.count;
        const struct fc_fetch_item *item = &fetch->plan.items[index];
        if (!has_news(fetch, index)) {
            continue;
        }
        if (topic == NULL || !same_topic(topic, item)) {
            topic = &response->responses[response->responses_count++];
            topic->topic = item->name;
            topic->topic_id = item->id;
            topic->partitions = &partitions[count];
            topic->partitions_count = 0;
        }
        if (!fill_partition(fetch, index, &partitions[count])) {
            return false;
        }
        topic->partitions_count++;
        order[count++] = index;
    }
    return true;
}

static void unref_file(void *ctx)
{
    fc_fetch_file_unref(ctx);
}

/* The encoded answer with the files' bytes where the records belong. */
static void weave(struct fetch *fetch, struct fc_reply *reply, struct fc_slice encoded,
                  const struct fc_wire_splices *splices, const int32_t *order,
                  const struct fc_msg_fetch_response_partition *first)
{
    struct fc_buf *to = &reply->bytes;
    size_t at = 0;
    for (int32_t which = 0; which < splices->count; which++) {
        const struct fc_wire_splice *splice = &splices->items[which];
        const struct fc_msg_fetch_response_partition *of = splice->records_of;
        struct found *found = &fetch->found[order[of - first]];
        fc_buf_append(to, encoded.data + at, splice->at - at);
        at = splice->at;
        fc_reply_add_file(reply, found->range.fd, found->range.at, found->range.size,
                          unref_file, fc_fetch_file_ref(found->range.file));
    }
    fc_buf_append(to, encoded.data + at, encoded.len - at);
}

static void free_fetch(struct fetch *fetch)
{
    for (int32_t index = 0; index < fetch->plan.count; index++) {
        let_go(&fetch->found[index]);
        fc_log_topic_unref(fetch->found[index].topic);
    }
}

static void send_answer(struct fetch *fetch)
{
    struct fc_request *request = fetch->request;
    struct fc_msg_fetch_response response;
    struct fc_wire_splices splices = { .arena = &request->arena };
    struct fc_reply reply = { 0 };
    struct fc_buf encoded;
    struct fc_error err;
    int32_t *order =
        fc_arena_alloc(&request->arena, sizeof(int32_t) * ((size_t)fetch->plan.count + 1));
    bool fits;
    fc_buf_init(&encoded, fetch->spu->config.net.reply_max);
    fc_wire_init(&fc_msg_fetch_response_type, &response);
    response.session_id = fetch->plan.session_id;
    fc_quota_charge(fetch->spu, request, FC_QUOTA_CONSUME, (double)fetch->bytes);
    response.throttle_time_ms = request->throttle_ms;
    fits = order != NULL && fill(fetch, &response, order) &&
           fc_wire_encode_spliced(&fc_msg_fetch_response_type, request->api_version, &response,
                                  &encoded, &splices, &err) == FC_OK;
    if (fits) {
        const struct fc_msg_fetch_response_partition *first =
            response.responses_count == 0 ? NULL : response.responses[0].partitions;
        (void)fc_reply_begin(&reply, request);
        weave(fetch, &reply, fc_buf_slice(&encoded), &splices, order, first);
    }
    fc_buf_release(&encoded);
    free_fetch(fetch);
    fc_fetch_plan_end(fetch->spu->sessions, &fetch->plan, fetch->last);
    if (fits) {
        fc_request_reply(request, &reply);
    } else {
        fc_answer_too_large(request);
    }
}

/* --- waiting --- */

static void on_moved(void *ctx)
{
    struct fetch *fetch = ctx;
    if (!atomic_exchange(&fetch->posted, true)) {
        fc_loop_post(fetch->loop, &fetch->task);
    }
}

static void stop_watching(struct fetch *fetch)
{
    for (int32_t index = 0; fetch->watching && index < fetch->plan.count; index++) {
        if (fetch->found[index].partition != NULL) {
            fc_partition_unwatch(fetch->found[index].partition, &fetch->found[index].watch);
        }
    }
    fetch->watching = false;
    fc_loop_timer_clear(fetch->loop, &fetch->timer);
}

/* Nobody can wake it any more once it does not watch; but the task may be on its way. */
static void finish(struct fetch *fetch)
{
    stop_watching(fetch);
    fetch->over = true;
    if (!atomic_load(&fetch->posted)) {
        fc_request_on_close(fetch->request, NULL, NULL);
        send_answer(fetch);
    }
}

static bool is_enough(const struct fetch *fetch)
{
    return fetch->failed ||
           fetch->bytes >= (uint64_t)(fetch->ask->min_bytes < 0 ? 0 : fetch->ask->min_bytes);
}

static void on_task(void *ctx)
{
    struct fetch *fetch = ctx;
    atomic_store(&fetch->posted, false);
    if (fetch->over) {
        finish(fetch);
        return;
    }
    look(fetch);
    if (is_enough(fetch)) {
        finish(fetch);
    }
}

static void on_time(void *ctx)
{
    struct fetch *fetch = ctx;
    look(fetch);
    finish(fetch);
}

static void on_closed(void *ctx, struct fc_request *request)
{
    (void)request;
    finish(ctx); /* the answer goes nowhere */
}

static void wait_for_more(struct fetch *fetch)
{
    fc_loop_timer_init(&fetch->timer, on_time, fetch);
    fc_loop_timer_set(fetch->loop, &fetch->timer,
                      fc_loop_now_ms(fetch->loop) + fetch->ask->max_wait_ms);
    fetch->task.on_run = on_task;
    fetch->task.ctx = fetch;
    fc_request_on_close(fetch->request, on_closed, fetch);
    fetch->watching = true;
    for (int32_t index = 0; index < fetch->plan.count; index++) {
        struct found *found = &fetch->found[index];
        if (found->partition != NULL) {
            found->watch.fn = on_moved;
            found->watch.ctx = fetch;
            fc_partition_watch(found->partition, &found->watch);
        }
    }
    on_moved(fetch); /* something may have moved before the watch began */
}

static void refuse(struct fc_request *request, fc_kafka_error error)
{
    struct fc_msg_fetch_response response;
    fc_wire_init(&fc_msg_fetch_response_type, &response);
    response.error_code = (int16_t)error;
    fc_answer(request, &response);
}

void fc_handle_fetch(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    struct fetch *fetch = fc_arena_alloc(&request->arena, sizeof(*fetch));
    fc_kafka_error error;
    if (fetch == NULL) {
        fc_answer_too_large(request);
        return;
    }
    memset(fetch, 0, sizeof(*fetch));
    fetch->spu = spu;
    fetch->request = request;
    fetch->loop = fc_connection_loop(request->connection);
    fetch->ask = message;
    error = fc_fetch_plan_begin(spu->sessions, request, fetch->ask, &fetch->plan);
    if (error != FC_KAFKA_NONE) {
        refuse(request, error);
        return;
    }
    fetch->found =
        fc_arena_alloc(&request->arena, sizeof(struct found) * ((size_t)fetch->plan.count + 1));
    if (fetch->plan.items == NULL || fetch->found == NULL) {
        fc_fetch_plan_end(spu->sessions, &fetch->plan, -1);
        fc_answer_too_large(request);
        return;
    }
    memset(fetch->found, 0, sizeof(struct found) * ((size_t)fetch->plan.count + 1));
    look(fetch);
    if (is_enough(fetch) || fetch->ask->max_wait_ms <= 0 || fetch->plan.count == 0) {
        send_answer(fetch);
    } else {
        wait_for_more(fetch);
    }
}
