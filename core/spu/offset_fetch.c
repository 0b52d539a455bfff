/* SPDX-License-Identifier: Apache-2.0 */
/* OffsetFetch: what a group, or in newer versions several groups, have committed. */
#include <stdlib.h>

#include "core/spu/access.h"
#include "core/spu/coordinator.h"
#include "core/spu/handlers.h"

enum { OWN_ERROR_VERSION = 2, GROUPS_VERSION = 8, IDS_VERSION = 10 };

/* What is asked of one group, whatever the version calls it. */
struct asked {
    struct fc_slice group_id;
    bool all;
    bool stable; /* not while a transaction may change it */
};

static void set_nothing(struct fc_msg_offset_fetch_response_group_partition *out,
                        int32_t partition, fc_kafka_error error)
{
    out->partition_index = partition;
    out->committed_offset = -1;
    out->committed_leader_epoch = -1;
    out->metadata = fc_slice_text("");
    out->error_code = (int16_t)error;
}

/* Under the lock, so that texts are copied. */
static bool set_committed(struct fc_request *request, const struct fc_coordinated *group,
                          struct fc_slice topic, int32_t partition, bool stable,
                          struct fc_msg_offset_fetch_response_group_partition *out)
{
    const struct fc_committed *committed =
        group == NULL ? NULL : fc_group_offsets_get(&group->offsets, topic, partition);
    if (group != NULL && stable &&
        fc_group_offsets_is_pending(&group->offsets, topic, partition)) {
        set_nothing(out, partition, FC_KAFKA_UNSTABLE_OFFSET_COMMIT);
        return true;
    }
    if (committed == NULL) {
        set_nothing(out, partition, FC_KAFKA_NONE);
        return true;
    }
    out->partition_index = partition;
    out->committed_offset = committed->offset;
    out->committed_leader_epoch = committed->leader_epoch;
    out->metadata = committed->metadata.data == NULL
                        ? fc_slice_text("")
                        : fc_arena_copy(&request->arena, committed->metadata);
    return out->metadata.data != NULL;
}

static bool fill_topic(struct fc_spu *spu, struct fc_request *request,
                       const struct fc_coordinated *group, const struct asked *asked,
                       const struct fc_msg_offset_fetch_request_group_topic *topic,
                       struct fc_msg_offset_fetch_response_group_topic *out)
{
    struct fc_slice name = topic->name;
    fc_kafka_error error = FC_KAFKA_NONE;
    bool fits = true;
    if (request->api_version >= IDS_VERSION) {
        struct fc_log_topic *found = NULL;
        error = fc_spu_topic(spu, request, fc_slice_null(), topic->topic_id, &found);
        if (found != NULL) {
            name = fc_arena_copy(&request->arena, fc_slice_text(fc_log_topic_name(found)));
        }
        fc_log_topic_unref(found);
    }
    if (error == FC_KAFKA_NONE &&
        !fc_access_may(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TOPIC, name)) {
        error = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    }
    out->name = topic->name;
    out->topic_id = topic->topic_id;
    out->partitions =
        fc_wire_array(&request->arena, &fc_msg_offset_fetch_response_group_partition_type,
                      topic->partition_indexes_count);
    if (out->partitions == NULL) {
        return false;
    }
    out->partitions_count = topic->partition_indexes_count;
    for (int32_t index = 0; fits && index < topic->partition_indexes_count; index++) {
        if (error != FC_KAFKA_NONE) {
            set_nothing(&out->partitions[index], topic->partition_indexes[index], error);
        } else {
            fits = set_committed(request, group, name, topic->partition_indexes[index],
                                 asked->stable, &out->partitions[index]);
        }
    }
    return fits;
}

/* One that the group has; the name is the group's. */
struct found {
    struct fc_slice topic;
    int32_t partition;
};

static int by_topic(const void *a, const void *b)
{
    const struct found *left = a;
    const struct found *right = b;
    size_t len = left->topic.len < right->topic.len ? left->topic.len : right->topic.len;
    int order = memcmp(left->topic.data, right->topic.data, len);
    if (order == 0) {
        order = (left->topic.len > right->topic.len) - (left->topic.len < right->topic.len);
    }
    return order != 0
               ? order
               : (left->partition > right->partition) - (left->partition < right->partition);
}

/* Those of one topic, the first `count` of `found`. */
static bool fill_found(struct fc_spu *spu, struct fc_request *request,
                       const struct fc_coordinated *group, const struct asked *asked,
                       const struct found *found, size_t count,
                       struct fc_msg_offset_fetch_response_group_topic *out)
{
    bool fits;
    out->name = fc_arena_copy(&request->arena, found->topic);
    out->partitions = fc_wire_array(
        &request->arena, &fc_msg_offset_fetch_response_group_partition_type, (int32_t)count);
    fits = out->name.data != NULL && out->partitions != NULL;
    for (size_t index = 0; fits && index < count; index++) {
        fits = set_committed(request, group, found->topic, found[index].partition,
                             asked->stable, &out->partitions[out->partitions_count++]);
    }
    if (fits && request->api_version >= IDS_VERSION) {
        struct fc_log_topic *topic = NULL;
        if (fc_spu_topic(spu, request, out->name, (struct fc_uuid){ { 0 } }, &topic) ==
            FC_KAFKA_NONE) {
            out->topic_id = fc_log_topic_id(topic);
        }
        fc_log_topic_unref(topic);
    }
    return fits;
}

/* All that the group has, by topic. */
static bool fill_all(struct fc_spu *spu, struct fc_request *request,
                     const struct fc_coordinated *group, const struct asked *asked,
                     struct fc_msg_offset_fetch_response_group *out)
{
    size_t count = group == NULL ? 0 : fc_group_offsets_count(&group->offsets);
    struct found *found = fc_arena_alloc(&request->arena, (count + 1) * sizeof(*found));
    const struct fc_committed *committed = NULL;
    size_t cursor = 0;
    size_t topics = 0;
    size_t same;
    bool fits = found != NULL;
    for (size_t index = 0; fits && index < count; index++) {
        (void)fc_group_offsets_next(&group->offsets, &cursor, &found[index].topic,
                                    &found[index].partition, &committed);
    }
    if (fits) {
        qsort(found, count, sizeof(*found), by_topic);
    }
    for (size_t index = 0; fits && index < count; index++) {
        topics += index == 0 || !fc_slice_equal(found[index].topic, found[index - 1].topic);
    }
    if (fits) {
        out->topics = fc_wire_array(
            &request->arena, &fc_msg_offset_fetch_response_group_topic_type, (int32_t)topics);
        fits = out->topics != NULL;
    }
    for (size_t index = 0; fits && index < count; index += same) {
        same = 1;
        while (index + same < count &&
               fc_slice_equal(found[index + same].topic, found[index].topic)) {
            same++;
        }
        if (fc_access_sees(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TOPIC,
                           found[index].topic)) {
            fits = fill_found(spu, request, group, asked, &found[index], same,
                              &out->topics[out->topics_count++]);
        }
    }
    return fits;
}

/* Who may not see the group; the first versions have no other place to say so. */
static bool fill_refused(struct fc_request *request,
                         const struct fc_msg_offset_fetch_request_group_topic *topics,
                         int32_t count, struct fc_msg_offset_fetch_response_group *out)
{
    out->error_code = FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
    if (request->api_version >= OWN_ERROR_VERSION) {
        return true;
    }
    out->topics =
        fc_wire_array(&request->arena, &fc_msg_offset_fetch_response_group_topic_type, count);
    for (int32_t index = 0; out->topics != NULL && index < count; index++) {
        struct fc_msg_offset_fetch_response_group_topic *topic = &out->topics[index];
        int32_t partitions = topics[index].partition_indexes_count;
        topic->name = topics[index].name;
        topic->partitions = fc_wire_array(
            &request->arena, &fc_msg_offset_fetch_response_group_partition_type, partitions);
        if (topic->partitions == NULL) {
            return false;
        }
        topic->partitions_count = partitions;
        out->topics_count++;
        for (int32_t which = 0; which < partitions; which++) {
            set_nothing(&topic->partitions[which], topics[index].partition_indexes[which],
                        FC_KAFKA_GROUP_AUTHORIZATION_FAILED);
        }
    }
    return out->topics != NULL;
}

static bool fill_group(struct fc_spu *spu, struct fc_request *request,
                       const struct asked *asked,
                       const struct fc_msg_offset_fetch_request_group_topic *topics,
                       int32_t count, struct fc_msg_offset_fetch_response_group *out)
{
    const struct fc_coordinated *group;
    bool fits = true;
    out->group_id = asked->group_id;
    if (!fc_access_may(spu, request, FC_OPERATION_DESCRIBE, FC_RESOURCE_GROUP,
                       asked->group_id)) {
        return fill_refused(request, topics, count, out);
    }
    fc_coordinator_lock(spu->coordinator);
    group = fc_coordinator_find(spu->coordinator, asked->group_id);
    if (asked->all) {
        fits = fill_all(spu, request, group, asked, out);
    } else {
        out->topics = fc_wire_array(&request->arena,
                                    &fc_msg_offset_fetch_response_group_topic_type, count);
        fits = out->topics != NULL;
        out->topics_count = fits ? count : 0;
        for (int32_t index = 0; fits && index < count; index++) {
            fits = fill_topic(spu, request, group, asked, &topics[index], &out->topics[index]);
        }
    }
    fc_coordinator_unlock(spu->coordinator);
    return fits;
}

/* Before version 8: one group, and other structs for the same. */
static bool answer_one(struct fc_spu *spu, struct fc_request *request,
                       const struct fc_msg_offset_fetch_request *ask,
                       struct fc_msg_offset_fetch_response *response)
{
    struct asked asked = { ask->group_id, ask->topics_count < 0, ask->require_stable };
    struct fc_msg_offset_fetch_response_group group;
    struct fc_msg_offset_fetch_request_group_topic *topics =
        fc_wire_array(&request->arena, &fc_msg_offset_fetch_request_group_topic_type,
                      asked.all ? 0 : ask->topics_count);
    if (topics == NULL) {
        return false;
    }
    for (int32_t index = 0; index < ask->topics_count; index++) {
        topics[index].name = ask->topics[index].name;
        topics[index].partition_indexes = ask->topics[index].partition_indexes;
        topics[index].partition_indexes_count = ask->topics[index].partition_indexes_count;
    }
    fc_wire_init(&fc_msg_offset_fetch_response_group_type, &group);
    if (!fill_group(spu, request, &asked, topics, ask->topics_count, &group)) {
        return false;
    }
    response->error_code = group.error_code;
    response->topics = fc_wire_array(&request->arena, &fc_msg_offset_fetch_response_topic_type,
                                     group.topics_count);
    if (response->topics == NULL) {
        return false;
    }
    response->topics_count = group.topics_count;
    for (int32_t index = 0; index < group.topics_count; index++) {
        struct fc_msg_offset_fetch_response_topic *out = &response->topics[index];
        const struct fc_msg_offset_fetch_response_group_topic *from = &group.topics[index];
        out->name = from->name;
        out->partitions =
            fc_wire_array(&request->arena, &fc_msg_offset_fetch_response_partition_type,
                          from->partitions_count);
        if (out->partitions == NULL) {
            return false;
        }
        out->partitions_count = from->partitions_count;
        for (int32_t which = 0; which < from->partitions_count; which++) {
            out->partitions[which].partition_index = from->partitions[which].partition_index;
            out->partitions[which].committed_offset = from->partitions[which].committed_offset;
            out->partitions[which].committed_leader_epoch =
                from->partitions[which].committed_leader_epoch;
            out->partitions[which].metadata = from->partitions[which].metadata;
            out->partitions[which].error_code = from->partitions[which].error_code;
        }
    }
    return true;
}

void fc_handle_offset_fetch(struct fc_spu *spu, struct fc_request *request, const void *message)
{
    const struct fc_msg_offset_fetch_request *ask = message;
    struct fc_msg_offset_fetch_response response;
    bool fits = true;
    fc_wire_init(&fc_msg_offset_fetch_response_type, &response);
    if (request->api_version < GROUPS_VERSION) {
        fits = answer_one(spu, request, ask, &response);
    } else {
        response.groups = fc_wire_array(
            &request->arena, &fc_msg_offset_fetch_response_group_type, ask->groups_count);
        fits = response.groups != NULL;
        response.groups_count = fits ? ask->groups_count : 0;
    }
    for (int32_t index = 0; fits && index < response.groups_count; index++) {
        const struct fc_msg_offset_fetch_request_group *group = &ask->groups[index];
        struct asked asked = { group->group_id, group->topics_count < 0, ask->require_stable };
        fits = fill_group(spu, request, &asked, group->topics,
                          asked.all ? 0 : group->topics_count, &response.groups[index]);
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
