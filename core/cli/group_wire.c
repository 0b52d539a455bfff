/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each server is asked for the groups that it coordinates, and then for what it knows of them. A
 * server that loads its groups just now is asked again.
 */
#include "core/cli/group_wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/kafka_error.h"
#include "core/base/reader.h"
#include "core/link/wire_client.h"
#include "core/wire/messages.h"

enum { AGAIN_MS = 100 };

struct asking {
    struct fc_cluster *cluster;
    const char *const *names; /* NULL: all */
    size_t name_count;
    json_t *groups; /* the answer */
};

static json_t *text_of(struct fc_slice bytes)
{
    return bytes.len == 0 ? json_null() : fc_output_text((const char *)bytes.data, bytes.len);
}

/* --- one group ---------------------------------------------------------------------------- */

/* Kafka's ConsumerProtocolAssignment: version, topics (name, partitions), what the assignor adds. */
static json_t *assigned(struct fc_slice assignment)
{
    json_t *partitions = json_array();
    struct fc_reader reader;
    uint64_t topics;
    fc_reader_init(&reader, assignment);
    fc_reader_skip(&reader, sizeof(int16_t));
    topics = fc_reader_be(&reader, sizeof(int32_t));
    for (uint64_t topic = 0; topic < topics && !reader.failed; topic++) {
        struct fc_slice name =
            fc_reader_slice(&reader, (size_t)fc_reader_be(&reader, sizeof(int16_t)));
        uint64_t count = fc_reader_be(&reader, sizeof(int32_t));
        for (uint64_t index = 0; index < count && !reader.failed; index++) {
            json_int_t number = (json_int_t)fc_reader_be(&reader, sizeof(int32_t));
            json_t *partition = json_object();
            json_object_set_new(partition, "topic",
                                fc_output_text((const char *)name.data, name.len));
            json_object_set_new(partition, "partition", json_integer(number));
            if (!reader.failed) {
                json_array_append(partitions, partition);
            }
            json_decref(partition);
        }
    }
    return partitions;
}

/* Kafka gives an address as Java prints one: "/127.0.0.1". */
static struct fc_slice bare_host(struct fc_slice host)
{
    bool slash = host.len > 1 && host.data[0] == '/';
    return slash ? fc_slice_of(host.data + 1, host.len - 1) : host;
}

static json_t *member_of(const struct fc_msg_describe_groups_response_member *member,
                         bool of_consumers)
{
    json_t *row = json_object();
    json_object_set_new(row, "member", text_of(member->member_id));
    json_object_set_new(row, "instance", text_of(member->group_instance_id));
    json_object_set_new(row, "client", text_of(member->client_id));
    json_object_set_new(row, "host", text_of(bare_host(member->client_host)));
    json_object_set_new(row, "partitions",
                        of_consumers ? assigned(member->member_assignment) : json_array());
    return row;
}

/* Into the row that the list gave. What this request is not for (the members of the newer protocol
 * of consumers) stays as it is. */
static void take_group(json_t *row, const struct fc_msg_describe_groups_response_group *group)
{
    bool of_consumers = fc_slice_equal_text(group->protocol_type, "consumer");
    json_t *members = json_array();
    if (group->error_code != FC_KAFKA_NONE || fc_slice_equal_text(group->group_state, "Dead")) {
        json_decref(members);
        return;
    }
    for (int32_t index = 0; index < group->members_count; index++) {
        json_array_append_new(members, member_of(&group->members[index], of_consumers));
    }
    json_object_set_new(row, "state", text_of(group->group_state));
    json_object_set_new(row, "type", text_of(group->protocol_type));
    json_object_set_new(row, "protocol", text_of(group->protocol_data));
    json_object_set_new(row, "members", members);
}

static json_t *row_of(struct fc_slice name, json_t *type, json_t *state, json_t *coordinator)
{
    json_t *row = json_object();
    json_object_set_new(row, "group", fc_output_text((const char *)name.data, name.len));
    json_object_set_new(row, "type", type);
    json_object_set_new(row, "state", state);
    json_object_set_new(row, "protocol", json_null());
    json_object_set_new(row, "coordinator", coordinator);
    json_object_set_new(row, "members", json_null());
    return row;
}

/* --- one server --------------------------------------------------------------------------- */

static bool is_wanted(const struct asking *asking, struct fc_slice name)
{
    bool wanted = asking->names == NULL;
    for (size_t index = 0; index < asking->name_count && !wanted; index++) {
        wanted = fc_slice_equal_text(name, asking->names[index]);
    }
    return wanted;
}

/* Those that it coordinates, in `rows`. */
static fc_code list(const struct asking *asking, struct fc_wire_client *client, int32_t node,
                    json_t *rows, struct fc_error *err)
{
    const struct fc_clock *clock = fc_clock_system();
    int64_t until_ms = fc_clock_steady_ms(clock) + asking->cluster->timeout_ms;
    struct fc_msg_list_groups_request request;
    struct fc_msg_list_groups_response response;
    fc_code code;
    fc_wire_init(&fc_msg_list_groups_request_type, &request);
    do {
        rd_kafka_event_t *other = NULL;
        code = fc_wire_client_call(client, FC_API_LIST_GROUPS, &request, &response, err);
        if (code != FC_OK || !fc_kafka_error_is_retriable(response.error_code)) {
            break;
        }
        other = rd_kafka_queue_poll(asking->cluster->queue, AGAIN_MS); /* only waits */
        if (other != NULL) {
            rd_kafka_event_destroy(other);
        }
    } while (fc_clock_steady_ms(clock) < until_ms);
    if (code == FC_OK) {
        code =
            fc_wire_client_check(response.error_code, fc_slice_null(), "list the groups", err);
    }
    for (int32_t index = 0; code == FC_OK && index < response.groups_count; index++) {
        const struct fc_msg_list_groups_response_group *group = &response.groups[index];
        if (is_wanted(asking, group->group_id)) {
            json_array_append_new(rows,
                                  row_of(group->group_id, text_of(group->protocol_type),
                                         text_of(group->group_state), json_integer(node)));
        }
    }
    return code;
}

static fc_code refuse(const struct fc_cluster *cluster, struct fc_slice name,
                      struct fc_error *err)
{
    char text[FC_ERROR_MESSAGE_SIZE];
    (void)snprintf(text, sizeof(text), "%.*s", (int)name.len, (const char *)name.data);
    return fc_cluster_fail(cluster, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, NULL, text,
                           err);
}

/* What the server knows of the groups in `rows`. Who may list all may still not look at one: the
 * list shows what it can, who asks for the group is refused. */
static fc_code describe(const struct asking *asking, struct fc_wire_client *client,
                        json_t *rows, struct fc_error *err)
{
    size_t count = json_array_size(rows);
    struct fc_slice *names = fc_new_array(struct fc_slice, count + 1);
    struct fc_msg_describe_groups_request request;
    struct fc_msg_describe_groups_response response = { .groups_count = 0 };
    fc_code code = FC_OK;
    for (size_t index = 0; index < count; index++) {
        names[index] = fc_slice_text(
            json_string_value(json_object_get(json_array_get(rows, index), "group")));
    }
    fc_wire_init(&fc_msg_describe_groups_request_type, &request);
    request.groups = names;
    request.groups_count = (int32_t)count;
    if (count > 0) {
        code = fc_wire_client_call(client, FC_API_DESCRIBE_GROUPS, &request, &response, err);
    }
    for (int32_t index = 0; code == FC_OK && index < response.groups_count; index++) {
        const struct fc_msg_describe_groups_response_group *group = &response.groups[index];
        if (asking->names != NULL && group->error_code == FC_KAFKA_GROUP_AUTHORIZATION_FAILED) {
            code = refuse(asking->cluster, group->group_id, err);
        }
        for (size_t at = 0; at < count; at++) {
            if (fc_slice_equal(group->group_id, names[at])) {
                take_group(json_array_get(rows, at), group);
            }
        }
    }
    free(names);
    return code;
}

static fc_code ask_server(const struct asking *asking,
                          const struct rd_kafka_metadata_broker *broker, struct fc_error *err)
{
    const struct fc_link_settings link = fc_settings_link(&asking->cluster->settings);
    struct fc_wire_client *client = NULL;
    json_t *rows = json_array();
    char port[12];
    fc_code code;
    (void)snprintf(port, sizeof(port), "%d", broker->port);
    code = fc_wire_client_open_at(&link, asking->cluster->timeout_ms, broker->host, port,
                                  &client, err);
    code = code == FC_OK ? list(asking, client, broker->id, rows, err) : code;
    code = code == FC_OK ? describe(asking, client, rows, err) : code;
    if (code == FC_OK) {
        json_array_extend(asking->groups, rows);
    }
    json_decref(rows);
    fc_wire_client_close(client);
    return code;
}

/* --- the cluster -------------------------------------------------------------------------- */

static json_t *find(json_t *groups, const char *name)
{
    size_t index;
    json_t *group;
    json_array_foreach(groups, index, group)
    {
        if (strcmp(json_string_value(json_object_get(group, "group")), name) == 0) {
            return group;
        }
    }
    return NULL;
}

/* In the order in which they were asked for. One that no server lists is not there, or is not for
 * this user to see: any server says which. */
static fc_code give_named(const struct asking *asking,
                          const struct rd_kafka_metadata_broker *any, json_t *out,
                          struct fc_error *err)
{
    const struct fc_link_settings link = fc_settings_link(&asking->cluster->settings);
    struct fc_wire_client *client = NULL;
    char port[12];
    fc_code code = FC_OK;
    (void)snprintf(port, sizeof(port), "%d", any->port);
    for (size_t index = 0; code == FC_OK && index < asking->name_count; index++) {
        const char *name = asking->names[index];
        json_t *group = find(asking->groups, name);
        json_t *one = json_array();
        json_array_append_new(one, group != NULL ? json_incref(group)
                                                 : row_of(fc_slice_text(name), json_null(),
                                                          json_string("Dead"), json_null()));
        if (group == NULL && client == NULL) {
            code = fc_wire_client_open_at(&link, asking->cluster->timeout_ms, any->host, port,
                                          &client, err);
        }
        if (group == NULL && code == FC_OK) {
            code = describe(asking, client, one, err);
        }
        json_array_extend(out, one);
        json_decref(one);
    }
    fc_wire_client_close(client);
    return code;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(json_string_value(json_object_get(*(const json_t *const *)a, "group")),
                  json_string_value(json_object_get(*(const json_t *const *)b, "group")));
}

static void give_all(json_t *groups, json_t *out)
{
    size_t count = json_array_size(groups);
    json_t **sorted = fc_new_array(json_t *, count + 1);
    for (size_t index = 0; index < count; index++) {
        sorted[index] = json_array_get(groups, index);
    }
    qsort(sorted, count, sizeof(json_t *), by_name);
    for (size_t index = 0; index < count; index++) {
        json_array_append(out, sorted[index]);
    }
    free(sorted);
}

/* Whether all that were asked for are there; of all groups it is not known. */
static bool has_all(const struct asking *asking)
{
    bool all = asking->names != NULL;
    for (size_t index = 0; index < asking->name_count && all; index++) {
        all = find(asking->groups, asking->names[index]) != NULL;
    }
    return all;
}

/* A server that is away matters only when it could have what is missing. out_any: one that answered. */
static fc_code ask_servers(const struct asking *asking,
                           const struct rd_kafka_metadata *metadata,
                           const struct rd_kafka_metadata_broker **out_any,
                           struct fc_error *err)
{
    struct fc_error away = { 0 };
    for (int index = 0; index < metadata->broker_cnt; index++) {
        fc_code code = ask_server(asking, &metadata->brokers[index], err);
        if (code == FC_OK) {
            *out_any = &metadata->brokers[index];
        } else if (code == FC_ERR_IO || code == FC_ERR_TIMEOUT) {
            away = *err;
        } else {
            return code;
        }
    }
    if (away.code != FC_OK && (*out_any == NULL || !has_all(asking))) {
        *err = away;
        return fc_wrap(err, "a server that may have groups is away");
    }
    return FC_OK;
}

fc_code fc_group_wire(struct fc_cluster *cluster, const char *const *names, size_t count,
                      json_t *groups, struct fc_error *err)
{
    struct asking asking = { cluster, names, count, json_array() };
    const struct rd_kafka_metadata *metadata = NULL;
    const struct rd_kafka_metadata_broker *any = NULL;
    fc_code code = fc_cluster_metadata(cluster, &metadata, err);
    code = code == FC_OK ? ask_servers(&asking, metadata, &any, err) : code;
    if (code == FC_OK && names == NULL) {
        give_all(asking.groups, groups);
    } else if (code == FC_OK && any != NULL) {
        code = give_named(&asking, any, groups, err);
    }
    if (metadata != NULL) {
        rd_kafka_metadata_destroy(metadata);
    }
    json_decref(asking.groups);
    return code;
}
