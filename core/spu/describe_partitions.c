/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeTopicPartitions: topics in the order of their names, a page of partitions at a time. */
#include <stdlib.h>

#include "core/spu/access.h"
#include "core/spu/handlers.h"

enum { PAGE_MAX = 2000 };

/* A page on its way. */
struct page {
    struct fc_spu *spu;
    struct fc_request *request;
    struct fc_msg_describe_topic_partitions_response response;
    int32_t *self; /* the one replica */
    int32_t left;  /* room for partitions */
};

static int compare(struct fc_slice left, struct fc_slice right)
{
    size_t both = left.len < right.len ? left.len : right.len;
    int order = both == 0 ? 0 : memcmp(left.data, right.data, both);
    return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

static int compare_names(const void *left, const void *right)
{
    return compare(*(const struct fc_slice *)left, *(const struct fc_slice *)right);
}

/* Names of all topics that may be seen, copied. */
static bool all_names(struct page *page, struct fc_slice **out_names, int32_t *out_count)
{
    struct fc_log_topic **topics = NULL;
    size_t count = 0;
    struct fc_slice *names;
    bool fits;
    if (fc_data_dir_topics(page->spu->data, &topics, &count, NULL) != FC_OK) {
        count = 0;
    }
    names = fc_wire_array(&page->request->arena, &fc_wire_string_type, (int32_t)count);
    fits = names != NULL;
    *out_count = 0;
    for (size_t index = 0; fits && index < count; index++) {
        struct fc_slice name = fc_slice_text(fc_log_topic_name(topics[index]));
        if (fc_access_sees(page->spu, page->request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TOPIC,
                           name)) {
            names[*out_count] = fc_arena_copy(&page->request->arena, name);
            fits = names[(*out_count)++].data != NULL;
        }
    }
    fc_log_topics_free(topics, count);
    *out_names = names;
    return fits;
}

static bool asked_names(struct page *page,
                        const struct fc_msg_describe_topic_partitions_request *ask,
                        struct fc_slice **out_names, int32_t *out_count)
{
    struct fc_slice *names =
        fc_wire_array(&page->request->arena, &fc_wire_string_type, ask->topics_count);
    if (names == NULL) {
        return false;
    }
    for (int32_t index = 0; index < ask->topics_count; index++) {
        names[index] = ask->topics[index].name;
    }
    *out_names = names;
    *out_count = ask->topics_count;
    return true;
}

/* The partitions from `first` on, as far as there is room; where the page ends, the next one
 * begins. */
static bool add_partitions(struct page *page, struct fc_log_topic *topic, int32_t first,
                           struct fc_msg_describe_topic_partitions_response_topic *out)
{
    int32_t end = (int32_t)fc_log_topic_partitions(topic);
    int32_t count = end - first < page->left ? end - first : page->left;
    if (count < 0) {
        count = 0;
    }
    out->partitions =
        fc_wire_array(&page->request->arena,
                      &fc_msg_describe_topic_partitions_response_partition_type, count);
    if (out->partitions == NULL) {
        return false;
    }
    out->partitions_count = count;
    for (int32_t index = 0; index < count; index++) {
        struct fc_msg_describe_topic_partitions_response_partition *partition =
            &out->partitions[index];
        partition->partition_index = first + index;
        partition->leader_id = *page->self;
        partition->leader_epoch = 0;
        partition->replica_nodes = page->self;
        partition->replica_nodes_count = 1;
        partition->isr_nodes = page->self;
        partition->isr_nodes_count = 1;
        partition->eligible_leader_replicas_count = 0; /* Java clients trip over null */
        partition->last_known_elr_count = 0;
    }
    page->left -= count;
    return true;
}

static bool set_cursor(struct page *page, struct fc_slice name, int32_t partition)
{
    struct fc_msg_describe_topic_partitions_response_cursor *cursor = fc_wire_array(
        &page->request->arena, &fc_msg_describe_topic_partitions_response_cursor_type, 1);
    if (cursor != NULL) {
        cursor->topic_name = name;
        cursor->partition_index = partition;
    }
    page->response.next_cursor = cursor;
    return cursor != NULL;
}

static bool add_topic(struct page *page, struct fc_slice name, int32_t first)
{
    struct fc_msg_describe_topic_partitions_response_topic *out =
        &page->response.topics[page->response.topics_count++];
    struct fc_log_topic *topic = NULL;
    fc_kafka_error error = FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    bool fits = true;
    out->name = name;
    if (fc_access_may(page->spu, page->request, FC_OPERATION_DESCRIBE, FC_RESOURCE_TOPIC,
                      name)) {
        error = fc_spu_topic(page->spu, page->request, name, (struct fc_uuid){ { 0 } }, &topic);
    }
    if (error == FC_KAFKA_NONE) {
        out->topic_id = fc_log_topic_id(topic);
        out->is_internal = fc_log_topic_is_internal(topic);
        out->topic_authorized_operations =
            fc_access_operations(page->spu, page->request, FC_RESOURCE_TOPIC, name);
        fits = add_partitions(page, topic, first, out);
        if (fits && first + out->partitions_count < (int32_t)fc_log_topic_partitions(topic)) {
            fits = set_cursor(page, name, first + out->partitions_count);
        }
    }
    fc_log_topic_unref(topic);
    out->error_code = (int16_t)error;
    return fits;
}

static bool fill(struct page *page, const struct fc_msg_describe_topic_partitions_request *ask)
{
    struct fc_slice *names = NULL;
    int32_t count = 0;
    bool fits = ask->topics_count == 0 ? all_names(page, &names, &count)
                                       : asked_names(page, ask, &names, &count);
    page->self = fc_wire_array(&page->request->arena, &fc_wire_int32_type, 1);
    page->response.topics =
        fits ? fc_wire_array(&page->request->arena,
                             &fc_msg_describe_topic_partitions_response_topic_type, count)
             : NULL;
    fits = fits && page->self != NULL && page->response.topics != NULL;
    if (!fits) {
        return false;
    }
    *page->self = page->spu->config.node_id;
    qsort(names, (size_t)count, sizeof(*names), compare_names);
    for (int32_t index = 0; fits && index < count && page->response.next_cursor == NULL;
         index++) {
        int order = ask->cursor == NULL ? 1 : compare(names[index], ask->cursor->topic_name);
        if (index > 0 && compare(names[index], names[index - 1]) == 0) {
            continue;
        }
        if (order >= 0 && page->left == 0) {
            fits = set_cursor(page, names[index], 0);
        } else if (order >= 0) {
            fits = add_topic(page, names[index], order == 0 ? ask->cursor->partition_index : 0);
        }
    }
    return fits;
}

void fc_handle_describe_topic_partitions(struct fc_spu *spu, struct fc_request *request,
                                         const void *message)
{
    const struct fc_msg_describe_topic_partitions_request *ask = message;
    struct page page = { .spu = spu, .request = request, .left = PAGE_MAX };
    if (ask->cursor != NULL && ask->cursor->partition_index < 0) {
        fc_request_drop(request, "describe_topic_partitions with a negative cursor");
        return;
    }
    if (ask->response_partition_limit > 0 && ask->response_partition_limit < PAGE_MAX) {
        page.left = ask->response_partition_limit;
    }
    fc_wire_init(&fc_msg_describe_topic_partitions_response_type, &page.response);
    if (fill(&page, ask)) {
        fc_answer(request, &page.response);
    } else {
        fc_answer_too_large(request);
    }
}
