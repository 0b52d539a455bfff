/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/consume_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/stopper.h"
#include "core/cli/consume_watch.h"

enum { POLL_MS = 200, PRINT_BYTES_MAX = 512 * 1024 * 1024, UNSETTLED_MAX = 1000 };

struct run {
    struct fc_cli *cli;
    const struct fc_consume *consume;
    struct fc_cluster *cluster;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    struct fc_consume_partition *partitions;
    size_t partition_count;
    size_t started; /* partitions that are being fetched */
    size_t left;    /* partitions that are not done */
    int64_t printed;
    int unsettled; /* records of a group that are printed, but not to be committed yet */
    struct fc_consume_watch watch;
    struct fc_buf text;
    /* Set by the stopper's thread. */
    atomic_bool stop;
};

static void on_stop(void *ctx)
{
    struct run *run = ctx;
    atomic_store(&run->stop, true);
}

/* --- one record --------------------------------------------------------------------------- */

static size_t read_headers(const rd_kafka_message_t *message, struct fc_record_header *headers)
{
    rd_kafka_headers_t *list = NULL;
    size_t count = 0;
    if (rd_kafka_message_headers(message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return 0;
    }
    while (count < FC_RECORD_HEADERS_MAX) {
        const void *value = NULL;
        size_t size = 0;
        if (rd_kafka_header_get_all(list, count, &headers[count].name, &value, &size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            break;
        }
        headers[count++].value = fc_slice_of(value, size);
    }
    return count;
}

static fc_code print_record(struct run *run, const rd_kafka_message_t *message,
                            struct fc_error *err)
{
    struct fc_record_header headers[FC_RECORD_HEADERS_MAX];
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    const struct fc_record_view record = {
        .topic = run->consume->topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
        .key = fc_slice_of(message->key, message->key_len),
        .value = fc_slice_of(message->payload, message->len),
        .headers = headers,
        .header_count = read_headers(message, headers)
    };
    fc_buf_clear(&run->text);
    fc_record_format_print(&run->consume->format, &record, &run->text);
    if (fc_buf_check(&run->text, "the printed record", err) != FC_OK) {
        return err->code;
    }
    if (fwrite(run->text.data, 1, run->text.len, run->cli->out) != run->text.len) {
        return fc_cli_fail_output(run->cli, err);
    }
    run->printed++;
    return FC_OK;
}

static struct fc_consume_partition *find(struct run *run, int32_t partition)
{
    for (size_t index = 0; index < run->partition_count; index++) {
        if (run->partitions[index].partition == partition) {
            return &run->partitions[index];
        }
    }
    return NULL;
}

static void finish(struct run *run, struct fc_consume_partition *partition)
{
    if (!partition->done) {
        partition->done = true;
        run->left--;
    }
}

/* Whatever came: a record, the end of a partition, an error. */
static fc_code take(struct run *run, const rd_kafka_message_t *message, struct fc_error *err)
{
    struct fc_consume_partition *partition = find(run, message->partition);
    bool once = run->consume->range.stop_at_end;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (partition != NULL && (once || message->offset >= partition->stop)) {
            finish(run, partition);
        }
        return FC_OK;
    }
    if (message->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
        message->err == RD_KAFKA_RESP_ERR__TRANSPORT) {
        return FC_OK; /* librdkafka connects again */
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fc_cluster_fail(run->cluster, message->err, rd_kafka_message_errstr(message),
                               run->consume->topic, err);
    }
    if (partition != NULL && message->offset >= partition->stop) {
        finish(run, partition);
        return FC_OK;
    }
    if ((partition == NULL || message->offset >= partition->begin) &&
        print_record(run, message, err) != FC_OK) {
        return err->code;
    }
    if (partition != NULL && message->offset + 1 >= partition->stop) {
        finish(run, partition);
    }
    return FC_OK;
}

/* --- without a group ---------------------------------------------------------------------- */

static fc_code find_partitions(struct run *run, struct fc_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    const struct rd_kafka_metadata_topic *topic = NULL;
    int32_t wanted = run->consume->partition;
    fc_code code = fc_cluster_metadata(run->cluster, &metadata, err);
    if (code != FC_OK) {
        return code;
    }
    code = fc_cluster_find_topic(run->cluster, metadata, run->consume->topic, &topic, err);
    if (code == FC_OK && wanted >= topic->partition_cnt) {
        code = fc_fail(err, FC_ERR_NOT_FOUND, "topic `%s` has no partition %d, only 0 to %d",
                       run->consume->topic, (int)wanted, topic->partition_cnt - 1);
    }
    if (code == FC_OK) {
        run->partition_count = wanted >= 0 ? 1 : (size_t)topic->partition_cnt;
        run->partitions = fc_new_array(struct fc_consume_partition, run->partition_count + 1);
        for (size_t index = 0; index < run->partition_count; index++) {
            run->partitions[index].partition = wanted >= 0 ? wanted : (int32_t)index;
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return code;
}

static void note_beyond(struct run *run)
{
    for (size_t index = 0; index < run->partition_count; index++) {
        const struct fc_consume_partition *at = &run->partitions[index];
        if (at->begin > at->next) {
            fc_cli_note(run->cli,
                        "partition %d: offset %" PRId64 " is beyond the end (%" PRId64 ")",
                        (int)at->partition, at->begin, at->next);
        }
    }
}

static fc_code start_partitions(struct run *run, struct fc_error *err)
{
    run->topic = rd_kafka_topic_new(run->cluster->rk, run->consume->topic, NULL);
    run->queue = rd_kafka_queue_new(run->cluster->rk);
    run->left = run->partition_count;
    for (size_t index = 0; index < run->partition_count; index++) {
        struct fc_consume_partition *partition = &run->partitions[index];
        if (partition->done) {
            run->left--;
        } else if (rd_kafka_consume_start_queue(run->topic, partition->partition,
                                                partition->next, run->queue) != 0) {
            return fc_cluster_fail(run->cluster, rd_kafka_last_error(), NULL,
                                   run->consume->topic, err);
        }
        run->started++;
    }
    return FC_OK;
}

static fc_code read_partitions(struct run *run, struct fc_error *err)
{
    fc_code code = FC_OK;
    while (code == FC_OK && !atomic_load(&run->stop) &&
           (run->left > 0 || run->partition_count == 0) && run->printed < run->consume->count) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(run->queue, 0);
        if (message == NULL) {
            (void)fflush(run->cli->out); /* what waits is shown; failure comes with the next */
            message = rd_kafka_consume_queue(run->queue, POLL_MS);
        }
        if (message == NULL) {
            fc_consume_watch_idle(&run->watch);
        }
        (void)rd_kafka_poll(run->cluster->rk, 0);
        if (message != NULL) {
            code = take(run, message, err);
            rd_kafka_message_destroy(message);
        }
    }
    return code;
}

static fc_code run_alone(struct run *run, struct fc_error *err)
{
    fc_code code = find_partitions(run, err);
    if (code == FC_OK) {
        code = fc_consume_plan_all(run->cluster, run->consume->topic, &run->consume->range,
                                   run->partitions, run->partition_count, err);
    }
    if (code == FC_OK) {
        note_beyond(run);
        code = start_partitions(run, err);
    }
    if (code == FC_OK) {
        code = read_partitions(run, err);
    }
    for (size_t index = 0; index < run->started; index++) {
        (void)rd_kafka_consume_stop(run->topic, run->partitions[index].partition);
    }
    if (run->queue != NULL) {
        rd_kafka_queue_destroy(run->queue);
    }
    if (run->topic != NULL) {
        rd_kafka_topic_destroy(run->topic);
    }
    return code;
}

/* --- as a member of a group --------------------------------------------------------------- */

/* Keep track of which assigned partitions have been read to their end. */
static bool all_ended(struct run *run, rd_kafka_topic_partition_list_t *ended)
{
    rd_kafka_topic_partition_list_t *assigned = NULL;
    bool all = true;
    if (rd_kafka_assignment(run->cluster->rk, &assigned) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    for (int index = 0; index < assigned->cnt; index++) {
        all =
            all && rd_kafka_topic_partition_list_find(ended, assigned->elems[index].topic,
                                                      assigned->elems[index].partition) != NULL;
    }
    all = all && assigned->cnt > 0;
    rd_kafka_topic_partition_list_destroy(assigned);
    return all;
}

/* What was taken is printed, and may be committed. */
static fc_code settle(struct run *run, rd_kafka_topic_partition_list_t *taken,
                      struct fc_error *err)
{
    if (fflush(run->cli->out) != 0) {
        return fc_cli_fail_output(run->cli, err);
    }
    if (taken->cnt > 0) { /* of a partition that went to another member it does not count */
        (void)rd_kafka_offsets_store(run->cluster->rk, taken);
    }
    while (taken->cnt > 0) {
        (void)rd_kafka_topic_partition_list_del_by_idx(taken, taken->cnt - 1);
    }
    run->unsettled = 0;
    return FC_OK;
}

static void note_taken(struct run *run, rd_kafka_topic_partition_list_t *taken,
                       const rd_kafka_message_t *message)
{
    const char *topic = rd_kafka_topic_name(message->rkt);
    rd_kafka_topic_partition_t *entry =
        rd_kafka_topic_partition_list_find(taken, topic, message->partition);
    if (entry == NULL) {
        entry = rd_kafka_topic_partition_list_add(taken, topic, message->partition);
    }
    entry->offset = message->offset + 1;
    run->unsettled++;
}

static fc_code read_group(struct run *run, rd_kafka_topic_partition_list_t *ended,
                          rd_kafka_topic_partition_list_t *taken, struct fc_error *err)
{
    fc_code code = FC_OK;
    while (code == FC_OK && !atomic_load(&run->stop) && run->printed < run->consume->count) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(run->cluster->rk, POLL_MS);
        if (message == NULL || run->unsettled >= UNSETTLED_MAX) {
            code = settle(run, taken, err);
        }
        if (message == NULL) {
            fc_consume_watch_idle(&run->watch);
            continue;
        }
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            const char *topic = rd_kafka_topic_name(message->rkt);
            if (rd_kafka_topic_partition_list_find(ended, topic, message->partition) == NULL) {
                (void)rd_kafka_topic_partition_list_add(ended, topic, message->partition);
            }
            if (run->consume->range.stop_at_end && all_ended(run, ended)) {
                rd_kafka_message_destroy(message);
                break;
            }
        } else if (code == FC_OK) {
            code = take(run, message, err);
            if (code == FC_OK && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                note_taken(run, taken, message);
            }
        }
        rd_kafka_message_destroy(message);
    }
    return code;
}

static fc_code run_in_group(struct run *run, struct fc_error *err)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_t *ended = rd_kafka_topic_partition_list_new(8);
    rd_kafka_topic_partition_list_t *taken = rd_kafka_topic_partition_list_new(8);
    rd_kafka_resp_err_t failed;
    fc_code code = find_partitions(run, err);
    run->partition_count = 0; /* the group gives them */
    (void)rd_kafka_topic_partition_list_add(topics, run->consume->topic, RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_poll_set_consumer(run->cluster->rk); /* events come with the records */
    if (code == FC_OK) {
        failed = rd_kafka_subscribe(run->cluster->rk, topics);
        code = failed == RD_KAFKA_RESP_ERR_NO_ERROR
                   ? read_group(run, ended, taken, err)
                   : fc_cluster_fail(run->cluster, failed, NULL, run->consume->topic, err);
        code = code == FC_OK ? settle(run, taken, err) : code;
        failed = rd_kafka_consumer_close(run->cluster->rk); /* commits what was stored */
        if (failed != RD_KAFKA_RESP_ERR_NO_ERROR && code == FC_OK) {
            code = fc_cluster_fail(run->cluster, failed, NULL, "commit offsets", err);
        }
    }
    rd_kafka_topic_partition_list_destroy(topics);
    rd_kafka_topic_partition_list_destroy(ended);
    rd_kafka_topic_partition_list_destroy(taken);
    return code;
}

/* --- all ---------------------------------------------------------------------------------- */

static fc_code open_cluster(struct run *run, struct fc_error *err)
{
    const struct fc_consume *consume = run->consume;
    const bool beginning = consume->range.from == FC_CONSUME_BEGINNING;
    const struct fc_cluster_property properties[] = {
        { "isolation.level", consume->isolation, false },
        { "enable.partition.eof", "true", false },
        { "auto.offset.reset", beginning || consume->group == NULL ? "earliest" : "latest",
          false },
        { "enable.auto.offset.store", "false", false },
        { "enable.auto.commit", consume->group == NULL ? "false" : "true", false },
        { "allow.auto.create.topics", "false", false },
        { "queued.max.messages.kbytes", "32768", true },
        { consume->group == NULL ? NULL : "group.id", consume->group, false },
        { .name = NULL },
    };
    const struct fc_cluster_use use = { .type = RD_KAFKA_CONSUMER, .properties = properties };
    return fc_cluster_open(run->cli, &use, &run->cluster, err);
}

fc_code fc_consume_run(struct fc_cli *cli, const struct fc_consume *consume,
                       struct fc_error *err)
{
    struct run run = { .cli = cli, .consume = consume };
    struct fc_stopper *stopper = NULL;
    fc_code code = fc_stopper_start(on_stop, &run, &stopper, err);
    fc_buf_init(&run.text, PRINT_BYTES_MAX);
    if (code == FC_OK) {
        code = open_cluster(&run, err);
    }
    if (code == FC_OK) {
        fc_consume_watch_start(cli, run.cluster, consume->topic, &run.watch);
        code = consume->group == NULL ? run_alone(&run, err) : run_in_group(&run, err);
        fc_consume_watch_end(&run.watch);
    }
    fc_cluster_close(run.cluster);
    fc_stopper_end(stopper);
    fc_buf_release(&run.text);
    free(run.partitions);
    return code;
}
