/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of opening matters while a capture appends: the checkpoint first, then the ends of
 * the partitions (which hold at least what it calls complete), then the schemas (which hold at
 * least those of the records before the ends).
 */
#include "runner/restore/log_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/alloc.h"
#include "runner/topic_name.h"

static bool is_ours(const struct fc_log_view *view, const struct fc_identity *identity)
{
    return fc_slice_equal_text(identity->connector, view->connector);
}

const char *fc_log_view_place(const struct fc_log_view *view, uint32_t index, char *to)
{
    (void)snprintf(to, FC_LOG_PLACE_SIZE, "%s/%" PRIu32,
                   fc_topic_name(view->partitions[index].topic),
                   view->partitions[index].partition);
    return to;
}

/* --- open -------------------------------------------------------------------------------- */

static bool has_topic(const struct fc_log_view *view, const struct fc_topic *topic)
{
    for (uint32_t index = 0; index < view->partition_count; index++) {
        if (view->partitions[index].topic == topic) {
            return true;
        }
    }
    return false;
}

/* A topic that does not exist (yet) holds nothing. */
static fc_code add_topic(struct fc_log_view *view, const struct fc_log_view_config *config,
                         const char *name, struct fc_error *err)
{
    struct fc_topic *topic = NULL;
    uint32_t count;
    fc_code code = fc_stream_topic(view->stream, name, &topic, err);
    if (code == FC_ERR_NOT_FOUND || (code == FC_OK && has_topic(view, topic))) {
        return FC_OK;
    }
    if (code != FC_OK) {
        return code;
    }
    count = fc_topic_partitions(topic);
    view->partitions = fc_realloc_array(view->partitions, view->partition_count + count,
                                        sizeof(*view->partitions));
    for (uint32_t partition = 0; partition < count; partition++) {
        struct fc_log_partition *entry = &view->partitions[view->partition_count];
        struct fc_offsets offsets;
        code = fc_stream_offsets(topic, partition, &offsets, err);
        if (code != FC_OK) {
            return code;
        }
        entry->topic = topic;
        entry->partition = partition;
        entry->start = offsets.start;
        entry->end = offsets.end;
        entry->ddl = strcmp(name, config->connector) == 0;
        entry->data = !entry->ddl || strcmp(config->topic, config->connector) == 0;
        view->partition_count++;
    }
    return FC_OK;
}

static fc_code add_topics(struct fc_log_view *view, const struct fc_log_view_config *config,
                          struct fc_error *err)
{
    fc_code code = FC_OK;
    for (size_t index = 0; code == FC_OK && index < view->checkpoint.topic_count; index++) {
        const char *name = view->checkpoint.topics[index].name;
        if (config->dead_letter_topic != NULL && strcmp(name, config->dead_letter_topic) == 0) {
            code = fc_stream_topic(view->stream, name, &view->dead_letters, err);
            code = code == FC_ERR_NOT_FOUND ? FC_OK : code;
        } else {
            code = add_topic(view, config, name, err);
        }
    }
    if (code == FC_OK) {
        code = add_topic(view, config, config->connector, err);
    }
    if (code == FC_OK && !fc_topic_name_is_template(config->topic)) {
        code = add_topic(view, config, config->topic, err);
    }
    return code;
}

struct tail {
    uint64_t seq; /* of the record before, 0: none */
    bool ended;   /* its transaction ends there */
};

/* False when what is known to be complete ends before this record. */
static bool note_tail(struct fc_log_view *view, struct tail *tail,
                      const struct fc_identity *identity)
{
    if (identity->seq != tail->seq) {
        if (identity->seq < tail->seq || (tail->seq != 0 && !tail->ended)) {
            return false;
        }
        tail->seq = identity->seq;
    }
    tail->ended = identity->tx_last || fc_slice_equal_text(identity->tx_id, "-");
    if (tail->ended && tail->seq > view->complete_seq) {
        view->complete_seq = tail->seq;
    }
    return true;
}

/*
 * With one partition the log's order is the order of the transactions, so what follows the
 * checkpoint can be judged, too: a transaction whose last record is there is complete.
 */
static fc_code extend_complete(struct fc_log_view *view, struct fc_error *err)
{
    const struct fc_log_partition *partition = &view->partitions[0];
    const struct fc_checkpoint_topic *known =
        fc_checkpoint_topic(&view->checkpoint, fc_topic_name(partition->topic));
    struct fc_stream_reader *reader = NULL;
    struct tail tail = { 0, true };
    int64_t from = known == NULL ? partition->start : known->ends[partition->partition];
    bool go_on = true;
    fc_code code;
    if (from < partition->start) {
        from = partition->start;
    }
    if (from >= partition->end) {
        return FC_OK;
    }
    code = fc_stream_reader_open(partition->topic, partition->partition, from, &reader, err);
    while (code == FC_OK && go_on && fc_stream_reader_offset(reader) < partition->end) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        code = fc_stream_reader_next(reader, 0, &records, &count, err);
        for (uint32_t index = 0; code == FC_OK && go_on && index < count; index++) {
            struct fc_identity identity;
            if (fc_identity_of(&records[index], &identity, err) == FC_OK &&
                is_ours(view, &identity) && identity.seq > view->checkpoint.seq) {
                go_on = note_tail(view, &tail, &identity);
            }
        }
        go_on = go_on && count > 0;
    }
    fc_stream_reader_close(reader);
    return code;
}

/* A restore marker right after what is complete is complete, too, though no checkpoint has said
 * so yet. */
static fc_code extend_by_markers(struct fc_log_view *view, struct fc_error *err)
{
    fc_code code = FC_OK;
    for (uint32_t index = 0; code == FC_OK && index < view->partition_count; index++) {
        struct fc_log_mark mark;
        int64_t offset;
        if (!view->partitions[index].ddl) {
            continue;
        }
        code = fc_log_view_seek(view, index, view->complete_seq, &offset, &mark, err);
        while (code == FC_OK) {
            code = fc_log_view_at(view, index, offset, &mark, err);
            if (code != FC_OK || !mark.present || mark.op != 'm' ||
                mark.seq != view->complete_seq + 1) {
                break;
            }
            view->complete_seq = mark.seq;
            offset = mark.offset + 1;
        }
    }
    return code;
}

fc_code fc_log_view_open(const struct fc_log_view_config *config, struct fc_log_view **out_view,
                         struct fc_error *err)
{
    struct fc_log_view *view = fc_new(struct fc_log_view);
    fc_code code;
    view->stream = config->stream;
    view->connector = fc_strdup(config->connector);
    fc_checkpoint_init(&view->checkpoint);
    code = fc_checkpoint_read(view->stream, config->connector, &view->checkpoint, err);
    view->complete_seq = view->checkpoint.seq;
    if (code == FC_OK) {
        code = add_topics(view, config, err);
    }
    if (code == FC_OK) {
        code = fc_schema_store_open(view->stream, config->clock, &view->schemas, err);
    }
    if (code == FC_OK && view->partition_count == 1) {
        code = extend_complete(view, err);
    }
    if (code == FC_OK && view->complete_seq > 0) {
        code = extend_by_markers(view, err);
    }
    if (code == FC_OK && (view->partition_count == 0 || view->complete_seq == 0)) {
        code = fc_fail(
            err, FC_ERR_REJECTED,
            "the log holds no complete transaction of connector %s: run `fluvio-connect "
            "run` with this file first",
            config->connector);
    }
    if (code != FC_OK) {
        fc_log_view_close(view);
        return code;
    }
    *out_view = view;
    return FC_OK;
}

void fc_log_view_close(struct fc_log_view *view)
{
    if (view != NULL) {
        fc_schema_store_close(view->schemas);
        fc_checkpoint_release(&view->checkpoint);
        free(view->partitions);
        free(view->connector);
        free(view);
    }
}

/* --- looking ----------------------------------------------------------------------------- */

static void set_mark(struct fc_log_mark *mark, const struct fc_record *record,
                     const struct fc_identity *identity)
{
    mark->present = true;
    mark->seq = identity->seq;
    mark->offset = record->offset;
    mark->time_ms = record->timestamp_ms;
    mark->op = identity->op;
    (void)snprintf(mark->tx_id, sizeof(mark->tx_id), "%.*s", (int)identity->tx_id.len,
                   (const char *)identity->tx_id.data);
}

/* The first record of ours from `offset` up to `limit` by the reader. */
static fc_code first_ours(const struct fc_log_view *view, struct fc_stream_reader *reader,
                          int64_t offset, int64_t limit, struct fc_log_mark *out_mark,
                          struct fc_error *err)
{
    struct fc_error ignored;
    fc_code code = fc_stream_reader_seek(reader, offset, err);
    out_mark->present = false;
    while (code == FC_OK && fc_stream_reader_offset(reader) < limit) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        code = fc_stream_reader_next(reader, 0, &records, &count, err);
        if (count == 0) {
            break;
        }
        for (uint32_t index = 0; code == FC_OK && index < count; index++) {
            struct fc_identity identity;
            if (records[index].offset >= limit) {
                return FC_OK;
            }
            if (records[index].offset >= offset &&
                fc_identity_of(&records[index], &identity, &ignored) == FC_OK &&
                is_ours(view, &identity)) {
                set_mark(out_mark, &records[index], &identity);
                return FC_OK;
            }
        }
    }
    return code;
}

fc_code fc_log_view_at(const struct fc_log_view *view, uint32_t index, int64_t offset,
                       struct fc_log_mark *out_mark, struct fc_error *err)
{
    const struct fc_log_partition *partition = &view->partitions[index];
    struct fc_stream_reader *reader = NULL;
    fc_code code;
    out_mark->present = false;
    if (offset >= partition->end) {
        return FC_OK;
    }
    code = fc_stream_reader_open(partition->topic, partition->partition, offset, &reader, err);
    if (code == FC_OK) {
        code = first_ours(view, reader, offset, partition->end, out_mark, err);
    }
    fc_stream_reader_close(reader);
    return code;
}

fc_code fc_log_view_seek(const struct fc_log_view *view, uint32_t index, uint64_t seq,
                         int64_t *out_offset, struct fc_log_mark *out_before,
                         struct fc_error *err)
{
    const struct fc_log_partition *partition = &view->partitions[index];
    struct fc_stream_reader *reader = NULL;
    int64_t low = partition->start; /* everything before it has a number up to seq */
    int64_t high = partition->end;  /* everything from it on has a higher one */
    fc_code code = FC_OK;
    out_before->present = false;
    if (low < high) {
        code = fc_stream_reader_open(partition->topic, partition->partition, low, &reader, err);
    }
    while (code == FC_OK && low < high) {
        int64_t middle = low + (high - low) / 2;
        struct fc_log_mark mark;
        code = first_ours(view, reader, middle, high, &mark, err);
        if (code == FC_OK && mark.present && mark.seq <= seq) {
            low = mark.offset + 1;
            *out_before = mark;
        } else {
            high = middle;
        }
    }
    fc_stream_reader_close(reader);
    if (code == FC_OK) {
        *out_offset = low;
    }
    return code;
}

fc_code fc_log_view_range(const struct fc_log_view *view, struct fc_log_mark *out_first,
                          struct fc_log_mark *out_last, struct fc_error *err)
{
    fc_code code = FC_OK;
    out_first->present = false;
    out_last->present = false;
    for (uint32_t index = 0; code == FC_OK && index < view->partition_count; index++) {
        struct fc_log_mark mark;
        int64_t offset;
        code = fc_log_view_at(view, index, view->partitions[index].start, &mark, err);
        if (code == FC_OK && mark.present &&
            (!out_first->present || mark.seq < out_first->seq)) {
            *out_first = mark;
        }
        if (code == FC_OK) {
            code = fc_log_view_seek(view, index, view->complete_seq, &offset, &mark, err);
        }
        if (code == FC_OK && mark.present && (!out_last->present || mark.seq > out_last->seq)) {
            *out_last = mark;
        }
    }
    return code;
}

/* --- for people -------------------------------------------------------------------------- */

const char *fc_time_text(int64_t time_ms, char *to)
{
    char date[40] = "";
    char zone[16] = "";
    struct tm local;
    int64_t fraction = ((time_ms % 1000) + 1000) % 1000;
    time_t seconds = (time_t)((time_ms - fraction) / 1000);
    if (localtime_r(&seconds, &local) == NULL) {
        (void)snprintf(to, FC_TIME_TEXT_SIZE, "%" PRId64 " ms since 1970", time_ms);
        return to;
    }
    (void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
    (void)strftime(zone, sizeof(zone), "%Z", &local);
    if (fraction != 0) {
        (void)snprintf(to, FC_TIME_TEXT_SIZE, "%s.%03d %s", date, (int)fraction, zone);
    } else {
        (void)snprintf(to, FC_TIME_TEXT_SIZE, "%s %s", date, zone);
    }
    return to;
}

const char *fc_log_mark_text(const struct fc_log_mark *mark, char *to)
{
    char when[FC_TIME_TEXT_SIZE];
    const char *what = mark->op == 'm'                 ? "a restore"
                       : strcmp(mark->tx_id, "-") == 0 ? "snapshot rows"
                                                       : "transaction ";
    bool transaction = what[0] == 't';
    (void)snprintf(to, FC_LOG_MARK_TEXT_SIZE, "number %" PRIu64 ", %s%s, %s", mark->seq, what,
                   transaction ? mark->tx_id : "", fc_time_text(mark->time_ms, when));
    return to;
}
