/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Produce: append each partition's batch from the request's own bytes, then answer once the disk
 * has all of them. acks=1 waits for it, too: there is one node, and what it acknowledges it keeps.
 *
 * The answer is made by the thread that syncs, so that a connection's next request can be served
 * meanwhile.
 *
 * The first append to a partition makes its files, and waits for the disk: the thread for slow
 * requests does that, and everything that the connection produces until it is done, in order.
 */
#include <stdatomic.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/log/wire_append.h"
#include "core/spu/access.h"
#include "core/spu/dispatch.h"
#include "core/spu/handlers.h"
#include "core/spu/produce_check.h"
#include "core/spu/quotas.h"
#include "core/spu/task_queue.h"

enum { VERSION_WITH_IDS = 13, VERSION_MIN = 3, DISK_FULL_AGAIN_MS = 60000 };

/* A partition that was appended to, so that its durable offset can be looked at. */
struct appended {
    struct fc_log_topic *topic; /* a reference; NULL: nothing to wait for */
    struct fc_partition *partition;
    int64_t last_offset;
    struct fc_msg_produce_response_partition *out;
};

/* One request on its way; in its arena. */
struct produce {
    struct fc_spu *spu;
    struct fc_request *request;
    const struct fc_msg_produce_request *ask;
    struct fc_msg_produce_response response;
    struct appended *appended;
    int32_t appended_count;
    struct fc_task ack;
    bool failed; /* some batch was refused */
    bool detour; /* on the thread for slow requests, counted by the connection */
};

static void set_error(struct fc_request *request, struct fc_msg_produce_response_partition *out,
                      fc_kafka_error error, const struct fc_error *err)
{
    out->error_code = (int16_t)error;
    out->base_offset = -1;
    if (err != NULL) {
        out->error_message = fc_answer_message(request, err);
    }
}

static void set_record_error(struct fc_request *request,
                             struct fc_msg_produce_response_partition *out, int32_t record)
{
    out->record_errors =
        fc_wire_array(&request->arena, &fc_msg_produce_response_record_error_type, 1);
    if (out->record_errors != NULL) {
        out->record_errors_count = 1;
        out->record_errors[0].batch_index = record;
        out->record_errors[0].batch_index_error_message = out->error_message;
    }
}

/* An operator learns of a full disk, or table of open files, here, once a minute at most where small batches still fit. */
static void note_disk(struct fc_spu *spu, fc_code code, const struct fc_error *err)
{
    if (code == FC_ERR_FULL && !spu->disk_full) {
        int64_t now_ms = fc_clock_steady_ms(fc_clock_system());
        int64_t told_ms = spu->disk_full_told_ms;
        if ((told_ms == 0 || now_ms - told_ms >= DISK_FULL_AGAIN_MS) &&
            !atomic_exchange(&spu->disk_full, true)) {
            spu->disk_full_told_ms = now_ms;
            fc_diag_report(spu->config.net.diag, FC_DIAG_WARN,
                           "%s; records are refused until there is room: %s",
                           fc_fs_is_shortage(err) ? "the log can open no more files"
                                                  : "the log's disk is full",
                           err->message);
        }
    } else if (code == FC_OK && spu->disk_full && atomic_exchange(&spu->disk_full, false)) {
        fc_diag_report(spu->config.net.diag, FC_DIAG_INFO,
                       "there is room on the log's disk again");
    }
}

static void append(struct produce *produce, struct fc_log_topic *topic,
                   const struct fc_log_topic_config *config,
                   const struct fc_msg_produce_request_partition *asked,
                   struct fc_msg_produce_response_partition *out)
{
    struct fc_append_result result;
    struct fc_append_rules rules;
    struct fc_partition *partition = NULL;
    struct appended *appended;
    struct fc_error err;
    fc_kafka_error error;
    fc_code code;
    out->index = asked->index;
    if (asked->records.data == NULL || asked->records.len == 0) {
        set_error(produce->request, out, FC_KAFKA_INVALID_RECORD, NULL);
        return;
    }
    if (asked->index < 0 ||
        fc_log_topic_partition(topic, (uint32_t)asked->index, &partition, &err) != FC_OK) {
        set_error(produce->request, out,
                  asked->index < 0 ? FC_KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                                   : fc_kafka_error_of(err.code),
                  asked->index < 0 ? NULL : &err);
        return;
    }
    fc_append_rules_of(config, &rules);
    error = fc_produce_check(produce->spu, produce->request, produce->ask, topic, partition,
                             asked, &rules);
    if (error != FC_KAFKA_NONE) {
        set_error(produce->request, out, error, NULL);
        return;
    }
    /* The records lie in the request's frame, which is ours to change. */
    code = fc_partition_append_wire(partition, fc_unconst(asked->records.data),
                                    asked->records.len, &rules, &result, &err);
    note_disk(produce->spu, code, &err);
    if (code != FC_OK) {
        set_error(produce->request, out, result.error, &err);
        out->log_start_offset = result.log_start;
        if (result.bad_record >= 0) {
            set_record_error(produce->request, out, result.bad_record);
        }
        return;
    }
    out->base_offset = result.base_offset;
    out->log_append_time_ms = result.log_append_time_ms;
    out->log_start_offset = result.log_start;
    appended = &produce->appended[produce->appended_count++];
    appended->topic = config->flush_os ? NULL : fc_log_topic_ref(topic);
    appended->partition = partition;
    appended->last_offset = result.last_offset;
    appended->out = out;
}

static bool append_topic(struct produce *produce,
                         const struct fc_msg_produce_request_topic *asked,
                         struct fc_msg_produce_response_topic *out)
{
    struct fc_request *request = produce->request;
    struct fc_log_topic *topic = NULL;
    struct fc_log_topic_config config;
    bool by_id = request->api_version >= VERSION_WITH_IDS;
    bool internal;
    struct fc_slice name;
    fc_kafka_error error;
    out->name = asked->name;
    out->topic_id = asked->topic_id;
    out->partition_responses_count = asked->partition_data_count;
    out->partition_responses = fc_wire_array(
        &request->arena, &fc_msg_produce_response_partition_type, asked->partition_data_count);
    if (out->partition_responses == NULL) {
        return false;
    }
    error = fc_spu_topic(produce->spu, request, by_id ? fc_slice_null() : asked->name,
                         asked->topic_id, &topic);
    name = topic == NULL ? asked->name : fc_slice_text(fc_log_topic_name(topic));
    internal = topic != NULL && fc_log_topic_is_internal(topic);
    if ((!internal && produce->spu->config.clients_read_only) ||
        ((topic != NULL || !by_id) &&
         !fc_access_may(produce->spu, request, FC_OPERATION_WRITE, FC_RESOURCE_TOPIC, name))) {
        error = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    } else if (internal) {
        error = FC_KAFKA_INVALID_TOPIC_EXCEPTION;
    }
    if (error == FC_KAFKA_NONE) {
        fc_log_topic_config(topic, &config);
    }
    for (int32_t index = 0; index < asked->partition_data_count; index++) {
        struct fc_msg_produce_response_partition *partition = &out->partition_responses[index];
        if (error == FC_KAFKA_NONE) {
            append(produce, topic, &config, &asked->partition_data[index], partition);
        } else {
            partition->index = asked->partition_data[index].index;
            set_error(request, partition, error, NULL);
        }
        produce->failed = produce->failed || partition->error_code != FC_KAFKA_NONE;
    }
    fc_log_topic_unref(topic);
    return true;
}

/* A client that asked for no answer learns of a failure by losing its connection. */
static void answer(struct produce *produce)
{
    fc_quota_charge(produce->spu, produce->request, FC_QUOTA_PRODUCE,
                    (double)produce->request->frame_size);
    if (produce->ask->acks != 0) {
        fc_answer(produce->request, &produce->response);
    } else if (produce->failed) {
        fc_request_drop(produce->request, "a batch with acks=0 could not be appended");
    } else {
        fc_request_no_reply(produce->request);
    }
}

static void on_durable(void *ctx)
{
    struct produce *produce = ctx;
    for (int32_t index = 0; index < produce->appended_count; index++) {
        struct appended *appended = &produce->appended[index];
        struct fc_partition_offsets offsets;
        struct fc_error err;
        fc_code code = FC_OK;
        if (appended->topic == NULL) {
            continue;
        }
        code = fc_partition_offsets(appended->partition, &offsets, &err);
        if (code != FC_OK) {
            set_error(produce->request, appended->out, fc_kafka_error_of(code), &err);
        } else if (offsets.durable <= appended->last_offset) {
            set_error(produce->request, appended->out, FC_KAFKA_KAFKA_STORAGE_ERROR, NULL);
        }
        fc_log_topic_unref(appended->topic);
    }
    answer(produce);
}

static bool must_wait(const struct produce *produce)
{
    bool wait = false;
    for (int32_t index = 0; produce->ask->acks != 0 && index < produce->appended_count;
         index++) {
        wait = wait || produce->appended[index].topic != NULL;
    }
    return wait;
}

static int32_t count_partitions(const struct fc_msg_produce_request *ask)
{
    int64_t count = 0;
    for (int32_t index = 0; index < ask->topic_data_count; index++) {
        count += ask->topic_data[index].partition_data_count;
    }
    return (int32_t)count;
}

/* Appended, and waiting for the disk: the answer names topics by copies, so that the frame's memory
 * can take the next one. Of a request on another thread the loop gets it back with the answer. */
static void release_body(struct produce *produce)
{
    bool fits = !produce->detour;
    for (int32_t index = 0; fits && index < produce->response.responses_count; index++) {
        struct fc_slice *name = &produce->response.responses[index].name;
        struct fc_slice copy = fc_arena_copy(&produce->request->arena, *name);
        fits = fc_slice_is_null(copy) == fc_slice_is_null(*name);
        *name = fits ? copy : *name;
    }
    if (fits) {
        fc_request_release_body(produce->request);
    }
}

/* What the connection produces from now on may be appended on its loop's thread again. Before the
 * answer, with which the connection may go. */
static void end_detour(struct fc_request *request, bool detour)
{
    if (detour) {
        (void)atomic_fetch_sub(fc_connection_detours(request->connection), 1);
    }
}

/* All that comes after the request was looked at as a whole. */
static void run(struct produce *produce)
{
    const struct fc_msg_produce_request *ask = produce->ask;
    bool fits = true;
    for (int32_t index = 0; fits && index < ask->topic_data_count; index++) {
        fits =
            append_topic(produce, &ask->topic_data[index], &produce->response.responses[index]);
    }
    end_detour(produce->request, produce->detour);
    if (!fits) {
        for (int32_t index = 0; index < produce->appended_count; index++) {
            fc_log_topic_unref(produce->appended[index].topic);
        }
        fc_answer_too_large(produce->request);
    } else if (must_wait(produce)) {
        produce->ack.on_run = on_durable;
        produce->ack.ctx = produce;
        release_body(produce);
        fc_task_queue_add(produce->spu->acks, &produce->ack);
    } else {
        for (int32_t index = 0; index < produce->appended_count; index++) {
            fc_log_topic_unref(produce->appended[index].topic);
        }
        answer(produce);
    }
}

static bool refuse_all(struct produce *produce, fc_kafka_error error)
{
    const struct fc_msg_produce_request *ask = produce->ask;
    for (int32_t index = 0; index < ask->topic_data_count; index++) {
        const struct fc_msg_produce_request_topic *asked = &ask->topic_data[index];
        struct fc_msg_produce_response_topic *out = &produce->response.responses[index];
        out->name = asked->name;
        out->topic_id = asked->topic_id;
        out->partition_responses_count = asked->partition_data_count;
        out->partition_responses =
            fc_wire_array(&produce->request->arena, &fc_msg_produce_response_partition_type,
                          asked->partition_data_count);
        if (out->partition_responses == NULL) {
            return false;
        }
        for (int32_t which = 0; which < asked->partition_data_count; which++) {
            out->partition_responses[which].index = asked->partition_data[which].index;
            set_error(produce->request, &out->partition_responses[which], error, NULL);
        }
    }
    produce->failed = true;
    return true;
}

static fc_kafka_error check_whole(struct fc_spu *spu, struct fc_request *request,
                                  const struct fc_msg_produce_request *ask)
{
    if (request->api_version < VERSION_MIN) {
        return FC_KAFKA_UNSUPPORTED_FOR_MESSAGE_FORMAT;
    }
    if (ask->acks < -1 || ask->acks > 1) {
        return FC_KAFKA_INVALID_REQUIRED_ACKS;
    }
    if (ask->transactional_id.data != NULL &&
        !fc_access_may(spu, request, FC_OPERATION_WRITE, FC_RESOURCE_TRANSACTIONAL_ID,
                       ask->transactional_id)) {
        return FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    }
    return FC_KAFKA_NONE;
}

/* Whether some partition has no files yet. */
static bool is_first(struct fc_spu *spu, struct fc_request *request,
                     const struct fc_msg_produce_request_topic *asked)
{
    struct fc_log_topic *topic = NULL;
    bool by_id = request->api_version >= VERSION_WITH_IDS;
    bool first = false;
    if (fc_spu_topic(spu, request, by_id ? fc_slice_null() : asked->name, asked->topic_id,
                     &topic) == FC_KAFKA_NONE) {
        for (int32_t index = 0; !first && index < asked->partition_data_count; index++) {
            struct fc_partition *partition = NULL;
            int32_t number = asked->partition_data[index].index;
            first =
                number >= 0 &&
                fc_log_topic_partition(topic, (uint32_t)number, &partition, NULL) == FC_OK &&
                fc_partition_is_fresh(partition);
        }
    }
    fc_log_topic_unref(topic);
    return first;
}

static bool must_detour(struct fc_spu *spu, struct fc_request *request,
                        const struct fc_msg_produce_request *ask)
{
    bool detour = atomic_load(fc_connection_detours(request->connection)) > 0;
    for (int32_t index = 0; !detour && index < ask->topic_data_count; index++) {
        detour = is_first(spu, request, &ask->topic_data[index]);
    }
    return detour;
}

static void handle(struct fc_spu *spu, struct fc_request *request, const void *message,
                   bool detour);

static void handle_slowly(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    handle(spu, request, message, true);
}

void fc_handle_produce(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    if (must_detour(spu, request, message)) {
        (void)atomic_fetch_add(fc_connection_detours(request->connection), 1);
        fc_dispatch_slowly(spu, request, handle_slowly, message);
    } else {
        handle(spu, request, message, false);
    }
}

static void handle(struct fc_spu *spu, struct fc_request *request, const void *message,
                   bool detour)
{
    struct produce *produce = fc_arena_alloc(&request->arena, sizeof(*produce));
    fc_kafka_error error;
    if (produce == NULL) {
        end_detour(request, detour);
        fc_answer_too_large(request);
        return;
    }
    memset(produce, 0, sizeof(*produce));
    produce->spu = spu;
    produce->request = request;
    produce->ask = message;
    produce->detour = detour;
    fc_wire_init(&fc_msg_produce_response_type, &produce->response);
    produce->response.responses_count = produce->ask->topic_data_count;
    produce->response.responses = fc_wire_array(
        &request->arena, &fc_msg_produce_response_topic_type, produce->ask->topic_data_count);
    produce->appended =
        fc_arena_alloc(&request->arena,
                       sizeof(struct appended) * ((size_t)count_partitions(produce->ask) + 1));
    if (produce->response.responses == NULL || produce->appended == NULL) {
        end_detour(request, detour);
        fc_answer_too_large(request);
        return;
    }
    error = check_whole(spu, request, produce->ask);
    if (error == FC_KAFKA_NONE) {
        run(produce);
        return;
    }
    end_detour(request, detour);
    if (refuse_all(produce, error)) {
        answer(produce);
    } else {
        fc_answer_too_large(request);
    }
}
