/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/coordinator_records.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/log/producers.h"

enum {
    COMMIT_KEY_VERSION = 1,
    COMMIT_VALUE_VERSION = 3,
    GROUP_KEY_VERSION = 2,
    GROUP_VALUE_VERSION = 3,
    RECORD_BYTES_MAX = 16 * 1024 * 1024
};

/* --- writing --- */

static fc_code encode(struct fc_buf *to, const struct fc_wire_type *type, int16_t version,
                      const void *message, struct fc_error *err)
{
    fc_buf_append_be16(to, (uint16_t)version);
    return fc_wire_encode(type, version, message, to, err);
}

static fc_code encode_commit_key(struct fc_buf *to, struct fc_slice group_id,
                                 struct fc_slice topic, int32_t partition, struct fc_error *err)
{
    struct fc_msg_offset_commit_key key;
    fc_wire_init(&fc_msg_offset_commit_key_type, &key);
    key.group = group_id;
    key.topic = topic;
    key.partition = partition;
    return encode(to, &fc_msg_offset_commit_key_type, COMMIT_KEY_VERSION, &key, err);
}

static fc_code encode_commit(struct fc_buf *to, const struct fc_committed *committed,
                             struct fc_error *err)
{
    struct fc_msg_offset_commit_value value;
    fc_wire_init(&fc_msg_offset_commit_value_type, &value);
    value.offset = committed->offset;
    value.leader_epoch = committed->leader_epoch;
    value.metadata = committed->metadata.data == NULL ? fc_slice_text("") : committed->metadata;
    value.commit_timestamp = committed->commit_ms;
    return encode(to, &fc_msg_offset_commit_value_type, COMMIT_VALUE_VERSION, &value, err);
}

/* Where a record's key and value are in the buffer, which may move while it grows. */
struct place {
    size_t key;
    size_t value;
    size_t end;
};

fc_code fc_coordinator_store_commits(struct fc_journal *journal, struct fc_slice group_id,
                                     const struct fc_commit *commits, int32_t count,
                                     const struct fc_journal_producer *producer,
                                     int64_t *out_base, struct fc_error *err)
{
    struct fc_record *records = fc_new_array(struct fc_record, (size_t)count);
    struct place *places = fc_new_array(struct place, (size_t)count);
    struct fc_buf bytes;
    fc_code code = FC_OK;
    fc_buf_init(&bytes, RECORD_BYTES_MAX);
    for (int32_t index = 0; code == FC_OK && index < count; index++) {
        places[index].key = bytes.len;
        code = encode_commit_key(&bytes, group_id, commits[index].topic,
                                 commits[index].partition, err);
        places[index].value = bytes.len;
        if (code == FC_OK) {
            code = encode_commit(&bytes, &commits[index].committed, err);
        }
        places[index].end = bytes.len;
    }
    for (int32_t index = 0; code == FC_OK && index < count; index++) {
        const struct place *place = &places[index];
        records[index].timestamp_ms = commits[index].committed.commit_ms;
        records[index].key = fc_slice_of(bytes.data + place->key, place->value - place->key);
        records[index].value =
            fc_slice_of(bytes.data + place->value, place->end - place->value);
    }
    if (code == FC_OK) {
        code = fc_journal_write(journal, fc_journal_partition_of(journal, group_id), records,
                                (uint32_t)count, producer, out_base, err);
    }
    fc_buf_release(&bytes);
    free(places);
    free(records);
    return code;
}

static fc_code write_one(struct fc_journal *journal, struct fc_slice group_id,
                         struct fc_slice key, struct fc_slice value, int64_t now_ms,
                         struct fc_error *err)
{
    struct fc_record record = { .timestamp_ms = now_ms, .key = key, .value = value };
    int64_t base = 0;
    return fc_journal_write(journal, fc_journal_partition_of(journal, group_id), &record, 1,
                            NULL, &base, err);
}

fc_code fc_coordinator_store_forgotten(struct fc_journal *journal, struct fc_slice group_id,
                                       struct fc_slice topic, int32_t partition, int64_t now_ms,
                                       struct fc_error *err)
{
    struct fc_buf key;
    fc_code code;
    fc_buf_init(&key, RECORD_BYTES_MAX);
    code = encode_commit_key(&key, group_id, topic, partition, err);
    if (code == FC_OK) {
        code = write_one(journal, group_id, fc_buf_slice(&key), fc_slice_null(), now_ms, err);
    }
    fc_buf_release(&key);
    return code;
}

static fc_code encode_group_key(struct fc_buf *to, struct fc_slice group_id,
                                struct fc_error *err)
{
    struct fc_msg_group_metadata_key key;
    fc_wire_init(&fc_msg_group_metadata_key_type, &key);
    key.group = group_id;
    return encode(to, &fc_msg_group_metadata_key_type, GROUP_KEY_VERSION, &key, err);
}

static struct fc_slice not_null(struct fc_slice bytes)
{
    return bytes.data == NULL ? fc_slice_text("") : bytes;
}

static fc_code encode_group(struct fc_buf *to, const struct fc_group *group, int64_t now_ms,
                            struct fc_error *err)
{
    struct fc_msg_group_metadata_value_member *members = fc_new_array(
        struct fc_msg_group_metadata_value_member, (size_t)group->members_count + 1);
    struct fc_msg_group_metadata_value value;
    fc_code code;
    fc_wire_init(&fc_msg_group_metadata_value_type, &value);
    value.protocol_type = not_null(group->protocol_type);
    value.generation = group->generation;
    value.protocol = group->protocol;
    value.leader = group->leader == NULL ? fc_slice_null() : group->leader->id;
    value.current_state_timestamp = now_ms;
    value.members = members;
    value.members_count = group->members_count;
    for (int32_t index = 0; index < group->members_count; index++) {
        const struct fc_group_member *member = group->members[index];
        members[index].member_id = member->id;
        members[index].group_instance_id = member->instance_id;
        members[index].client_id = not_null(member->client_id);
        members[index].client_host = not_null(member->client_host);
        members[index].rebalance_timeout = member->rebalance_timeout_ms;
        members[index].session_timeout = member->session_timeout_ms;
        members[index].subscription = not_null(fc_group_metadata_of(member, group->protocol));
        members[index].assignment = not_null(member->assignment);
    }
    code = encode(to, &fc_msg_group_metadata_value_type, GROUP_VALUE_VERSION, &value, err);
    free(members);
    return code;
}

fc_code fc_coordinator_store_group(struct fc_journal *journal, const struct fc_group *group,
                                   int64_t now_ms, struct fc_error *err)
{
    struct fc_buf key;
    struct fc_buf value;
    fc_code code;
    fc_buf_init(&key, RECORD_BYTES_MAX);
    fc_buf_init(&value, RECORD_BYTES_MAX);
    code = encode_group_key(&key, group->id, err);
    if (code == FC_OK) {
        code = encode_group(&value, group, now_ms, err);
    }
    if (code == FC_OK) {
        code = write_one(journal, group->id, fc_buf_slice(&key), fc_buf_slice(&value), now_ms,
                         err);
    }
    fc_buf_release(&key);
    fc_buf_release(&value);
    return code;
}

fc_code fc_coordinator_store_deleted(struct fc_journal *journal, struct fc_slice group_id,
                                     int64_t now_ms, struct fc_error *err)
{
    struct fc_buf key;
    fc_code code;
    fc_buf_init(&key, RECORD_BYTES_MAX);
    code = encode_group_key(&key, group_id, err);
    if (code == FC_OK) {
        code = write_one(journal, group_id, fc_buf_slice(&key), fc_slice_null(), now_ms, err);
    }
    fc_buf_release(&key);
    return code;
}

/* --- reading --- */

/* One of which only commits are known has never changed its state: how old it is, its commits say. */
static struct fc_coordinated *group_of_commit(struct fc_coordinator *coordinator,
                                              struct fc_slice group_id)
{
    struct fc_coordinated *group = fc_coordinator_find(coordinator, group_id);
    if (group == NULL) {
        group = fc_coordinator_ensure(coordinator, group_id);
        group->group->state_ms = 0;
    }
    return group;
}

static fc_code load_commit(struct fc_coordinator *coordinator,
                           const struct fc_batch_header *header, const struct fc_record *record,
                           struct fc_reader *key_reader, struct fc_arena *arena,
                           int16_t version, struct fc_error *err)
{
    struct fc_msg_offset_commit_key key;
    struct fc_msg_offset_commit_value value;
    struct fc_coordinated *group;
    struct fc_committed committed;
    struct fc_reader reader;
    fc_code code = fc_wire_decode_from(&fc_msg_offset_commit_key_type, version, key_reader,
                                       arena, &key, err);
    if (code != FC_OK) {
        return code;
    }
    group = group_of_commit(coordinator, key.group);
    if (record->value.data == NULL) {
        (void)fc_group_offsets_remove(&group->offsets, key.topic, key.partition);
        return FC_OK;
    }
    fc_reader_init(&reader, record->value);
    version = (int16_t)fc_reader_be(&reader, 2);
    code = fc_wire_decode_from(&fc_msg_offset_commit_value_type, version, &reader, arena,
                               &value, err);
    if (code != FC_OK) {
        return code;
    }
    committed = (struct fc_committed){ value.offset, value.leader_epoch, value.metadata,
                                       value.commit_timestamp, record->offset };
    if ((header->attributes & FC_BATCH_TRANSACTIONAL) != 0) {
        fc_group_offsets_commit_later(&group->offsets, header->producer_id, key.topic,
                                      key.partition, &committed);
    } else {
        fc_group_offsets_commit(&group->offsets, key.topic, key.partition, &committed);
    }
    return FC_OK;
}

static void restore_members(struct fc_group *group,
                            const struct fc_msg_group_metadata_value *value, int64_t now_ms)
{
    struct fc_group_restored restored = { value->protocol_type, value->protocol, value->leader,
                                          value->generation, value->current_state_timestamp };
    fc_group_restore_begin(group);
    for (int32_t index = 0; index < value->members_count; index++) {
        const struct fc_msg_group_metadata_value_member *stored = &value->members[index];
        struct fc_group_protocol protocol = { value->protocol, stored->subscription };
        struct fc_group_join join = { .member_id = stored->member_id,
                                      .instance_id = stored->group_instance_id,
                                      .client_id = stored->client_id,
                                      .client_host = stored->client_host,
                                      .protocol_type = value->protocol_type,
                                      .protocols = &protocol,
                                      .protocols_count = value->protocol.data == NULL ? 0 : 1,
                                      .session_timeout_ms = stored->session_timeout,
                                      .rebalance_timeout_ms = stored->rebalance_timeout };
        fc_group_restore_member(group, &join, stored->assignment, now_ms);
    }
    fc_group_restore_end(group, &restored);
}

static fc_code load_group(struct fc_coordinator *coordinator, const struct fc_record *record,
                          struct fc_reader *key_reader, struct fc_arena *arena, int64_t now_ms,
                          struct fc_error *err)
{
    struct fc_msg_group_metadata_key key;
    struct fc_msg_group_metadata_value value;
    struct fc_reader reader;
    int16_t version;
    fc_code code = fc_wire_decode_from(&fc_msg_group_metadata_key_type, GROUP_KEY_VERSION,
                                       key_reader, arena, &key, err);
    if (code != FC_OK || record->value.data == NULL) {
        return code; /* one without offsets goes once all is read */
    }
    fc_reader_init(&reader, record->value);
    version = (int16_t)fc_reader_be(&reader, 2);
    code = fc_wire_decode_from(&fc_msg_group_metadata_value_type, version, &reader, arena,
                               &value, err);
    if (code == FC_OK) {
        restore_members(fc_coordinator_ensure(coordinator, key.group)->group, &value, now_ms);
    }
    return code;
}

static fc_code load_record(const struct fc_coordinator_load *into,
                           const struct fc_batch_header *header, const struct fc_record *record,
                           struct fc_arena *arena, struct fc_error *err)
{
    struct fc_reader reader;
    int16_t version;
    fc_arena_clear(arena);
    fc_reader_init(&reader, record->key);
    version = (int16_t)fc_reader_be(&reader, 2);
    if (reader.failed) {
        return fc_fail(err, FC_ERR_CORRUPT, "a key without a version");
    }
    if (version == GROUP_KEY_VERSION) {
        return load_group(into->coordinator, record, &reader, arena, into->now_ms, err);
    }
    if (version < GROUP_KEY_VERSION) {
        return load_commit(into->coordinator, header, record, &reader, arena, version, err);
    }
    return FC_OK; /* of a group protocol that is not spoken here */
}

/* Groups of other partitions were read already: what they have pending is of a transaction whose end
 * is in their own. */
static void load_marker(const struct fc_coordinator_load *into,
                        const struct fc_batch_header *header, const struct fc_record *record)
{
    struct fc_reader reader;
    bool commit;
    fc_reader_init(&reader, record->key);
    (void)fc_reader_be(&reader, 2);         /* version */
    commit = fc_reader_be(&reader, 2) == 1; /* 0 aborts, 1 commits */
    if (!reader.failed) {
        fc_coordinator_end_locked(into->coordinator, into->partition, header->producer_id,
                                  commit);
    }
}

fc_code fc_coordinator_load_batch(void *ctx, const struct fc_batch_header *header,
                                  const struct fc_record *records, uint32_t count,
                                  struct fc_error *err)
{
    const struct fc_coordinator_load *into = ctx;
    struct fc_arena arena;
    fc_code code = FC_OK;
    fc_arena_init(&arena, RECORD_BYTES_MAX);
    for (uint32_t index = 0; code == FC_OK && index < count; index++) {
        if ((header->attributes & FC_BATCH_CONTROL) != 0) {
            load_marker(into, header, &records[index]);
        } else {
            code = load_record(into, header, &records[index], &arena, err);
        }
    }
    fc_arena_release(&arena);
    return code;
}
