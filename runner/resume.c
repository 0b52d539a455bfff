/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/resume.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum { ROW_KEY_LIMIT = 1024 };

struct held_tx {
    uint64_t seq;
    bool seen;
};

struct held_row {
    uint64_t row;
    uint32_t part;
};

void fc_resume_init(struct fc_resume *resume)
{
    memset(resume, 0, sizeof(*resume));
    fc_hashmap_init(&resume->transactions);
    fc_hashmap_init(&resume->rows);
    fc_hashmap_init(&resume->numbers);
}

void fc_resume_release(struct fc_resume *resume)
{
    fc_hashmap_release(&resume->transactions, free);
    fc_hashmap_release(&resume->rows, free);
    fc_hashmap_release(&resume->numbers, NULL);
}

/* "<topic>/<partition>/<tx id>" in `buffer`; a longer one cannot be (both are bounded). */
static struct fc_slice row_key(char *buffer, const char *topic, uint32_t partition,
                               struct fc_slice tx_id)
{
    int length = snprintf(buffer, ROW_KEY_LIMIT, "%s/%" PRIu32 "/%.*s", topic, partition,
                          (int)tx_id.len, (const char *)tx_id.data);
    fc_assert(length > 0 && length < ROW_KEY_LIMIT);
    return fc_slice_of(buffer, (size_t)length);
}

static void remember(struct fc_resume *resume, const char *topic, uint32_t partition,
                     const struct fc_identity *identity)
{
    char buffer[ROW_KEY_LIMIT];
    struct fc_slice key = row_key(buffer, topic, partition, identity->tx_id);
    struct held_tx *tx = fc_hashmap_get(&resume->transactions, identity->tx_id);
    struct held_row *row = fc_hashmap_get(&resume->rows, key);
    if (tx == NULL) {
        tx = fc_new(struct held_tx);
        tx->seq = identity->seq;
        tx->seen = identity->seq <= resume->checkpoint_seq;
        resume->unseen += tx->seen ? 0 : 1;
        (void)fc_hashmap_put(&resume->transactions, identity->tx_id, tx);
    }
    if (row == NULL) {
        row = fc_new(struct held_row);
        (void)fc_hashmap_put(&resume->rows, key, row);
        row->row = identity->row;
        row->part = identity->part;
    } else if (identity->row > row->row ||
               (identity->row == row->row && identity->part > row->part)) {
        row->row = identity->row;
        row->part = identity->part;
    }
}

static fc_code note_record(struct fc_resume *resume, const char *connector, const char *topic,
                           uint32_t partition, const struct fc_record *record,
                           struct fc_error *err)
{
    struct fc_identity identity;
    fc_code code = fc_identity_of(record, &identity, err);
    if (code == FC_ERR_NOT_FOUND) {
        return FC_OK; /* somebody else's */
    }
    if (code != FC_OK) {
        return fc_wrap(err, "%s/%" PRIu32 " offset %" PRId64, topic, partition, record->offset);
    }
    if (!fc_slice_equal_text(identity.connector, connector)) {
        return FC_OK;
    }
    if (identity.seq > resume->seq_max) {
        resume->seq_max = identity.seq;
    }
    resume->records++;
    (void)fc_hashmap_put(&resume->numbers, fc_slice_of(&identity.seq, sizeof(identity.seq)),
                         resume);
    if (!fc_slice_equal_text(identity.tx_id, "-")) {
        remember(resume, topic, partition, &identity);
    }
    return FC_OK;
}

static fc_code scan_partition(struct fc_resume *resume, struct fc_topic *topic,
                              uint32_t partition, int64_t from, const char *connector,
                              struct fc_error *err)
{
    struct fc_stream_reader *reader = NULL;
    struct fc_offsets offsets;
    fc_code code = fc_stream_offsets(topic, partition, &offsets, err);
    if (code == FC_OK && from > offsets.end) {
        return fc_fail(err, FC_ERR_CORRUPT,
                       "%s/%" PRIu32 " ends at %" PRId64
                       " but the checkpoint says it reached %" PRId64 ": records are missing",
                       fc_topic_name(topic), partition, offsets.end, from);
    }
    if (code == FC_OK) {
        code = fc_stream_reader_open(topic, partition,
                                     from < offsets.start ? offsets.start : from, &reader, err);
    }
    while (code == FC_OK && fc_stream_reader_offset(reader) < offsets.end) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        code = fc_stream_reader_next(reader, 0, &records, &count, err);
        if (code == FC_OK && count == 0) {
            break;
        }
        for (uint32_t index = 0; code == FC_OK && index < count; index++) {
            code = note_record(resume, connector, fc_topic_name(topic), partition,
                               &records[index], err);
        }
    }
    fc_stream_reader_close(reader);
    return code;
}

fc_code fc_resume_scan(struct fc_resume *resume, struct fc_stream *stream,
                       const char *connector, struct fc_checkpoint *checkpoint,
                       struct fc_error *err)
{
    fc_code code = FC_OK;
    fc_resume_release(resume);
    fc_resume_init(resume);
    resume->seq_max = checkpoint->seq;
    resume->checkpoint_seq = checkpoint->seq;
    for (size_t index = 0; code == FC_OK && index < checkpoint->topic_count; index++) {
        struct fc_checkpoint_topic *entry = &checkpoint->topics[index];
        struct fc_topic *topic = NULL;
        code = fc_stream_topic(stream, entry->name, &topic, err);
        if (code == FC_OK && fc_topic_partitions(topic) != entry->partitions) {
            code =
                fc_fail(err, FC_ERR_CORRUPT,
                        "topic %s has %" PRIu32 " partitions but the checkpoint knows %" PRIu32,
                        entry->name, fc_topic_partitions(topic), entry->partitions);
        }
        for (uint32_t partition = 0; code == FC_OK && partition < entry->partitions;
             partition++) {
            code = scan_partition(resume, topic, partition, entry->ends[partition], connector,
                                  err);
        }
    }
    return code == FC_OK ? FC_OK : fc_wrap(err, "resume connector %s", connector);
}

uint64_t fc_resume_take_seq(struct fc_resume *resume, struct fc_slice tx_id)
{
    struct held_tx *tx = fc_hashmap_get(&resume->transactions, tx_id);
    if (tx == NULL) {
        return 0;
    }
    if (!tx->seen && resume->unseen > 0) {
        tx->seen = true;
        resume->unseen--;
    }
    return tx->seq;
}

uint64_t fc_resume_free_seq(const struct fc_resume *resume, uint64_t seq)
{
    do {
        seq++;
    } while (seq <= resume->seq_max &&
             fc_hashmap_get(&resume->numbers, fc_slice_of(&seq, sizeof(seq))) != NULL);
    return seq;
}

bool fc_resume_knows(const struct fc_resume *resume, struct fc_slice tx_id)
{
    return resume->transactions.count > 0 &&
           fc_hashmap_get(&resume->transactions, tx_id) != NULL;
}

bool fc_resume_holds(const struct fc_resume *resume, const char *topic, uint32_t partition,
                     struct fc_slice tx_id, uint64_t row, uint32_t part)
{
    char buffer[ROW_KEY_LIMIT];
    const struct held_row *held;
    if (resume->rows.count == 0) {
        return false;
    }
    held = fc_hashmap_get(&resume->rows, row_key(buffer, topic, partition, tx_id));
    return held != NULL && (row < held->row || (row == held->row && part <= held->part));
}
