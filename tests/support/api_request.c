/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/api_request.h"

#include "core/base/alloc.h"

enum { ANY_API = -1 };

enum { TOPIC = 1, GROUP, TRANSACTION, USER, METADATA };

/* The first row that fits says what a string is; without one it stays empty, or null. */
static const struct {
    int16_t key;
    const char *field;
    int what; /* 0: the text */
    const char *text;
} TEXTS[] = {
    { 8, "member_id", 0, "" },
    { 8, "committed_metadata", METADATA, NULL },
    { 10, "key", GROUP, NULL },
    { 10, "coordinator_keys", GROUP, NULL },
    { 11, "protocol_type", 0, "consumer" },
    { 11, "name", 0, "range" },
    { 15, "groups", GROUP, NULL },
    { 17, "mechanism", 0, "PLAIN" },
    { 18, "client_software_name", 0, "test" },
    { 18, "client_software_version", 0, "1" },
    { 28, "member_id", 0, "" },
    { 30, "principal", 0, "User:stranger" },
    { 30, "host", 0, "*" },
    { 33, "name", 0, "retention.ms" },
    { 33, "value", 0, "3600000" },
    { 34, "path", 0, "/nowhere" },
    { 42, "groups_names", GROUP, NULL },
    { 44, "name", 0, "retention.ms" },
    { 44, "value", 0, "3600000" },
    { 49, "entity_type", 0, "user" },
    { 49, "entity_name", USER, NULL },
    { 49, "key", 0, "producer_byte_rate" },
    { 50, "name", USER, NULL },
    { 51, "name", USER, NULL },
    { 57, "feature", 0, "metadata.version" },
    { 65, "transactional_ids", TRANSACTION, NULL },
    { ANY_API, "group_id", GROUP, NULL },
    { ANY_API, "transactional_id", TRANSACTION, NULL },
    { ANY_API, "v3_and_below_transactional_id", TRANSACTION, NULL },
    { ANY_API, "member_id", 0, "stranger" },
    { ANY_API, "name", TOPIC, NULL },
    { ANY_API, "topic", TOPIC, NULL },
    { ANY_API, "topic_name", TOPIC, NULL },
    { ANY_API, "topic_names", TOPIC, NULL },
    { ANY_API, "resource_name", TOPIC, NULL },
};

/* The same for numbers; without a row they have their defaults. */
static const struct {
    int16_t key;
    const char *field;
    int64_t number;
} NUMBERS[] = {
    { 0, "acks", -1 },
    { 0, "timeout_ms", 10000 },
    { 1, "partition_max_bytes", 1 << 20 },
    { 2, "timestamp", -2 },
    { 11, "session_timeout_ms", 10000 },
    { 11, "rebalance_timeout_ms", 10000 },
    { 19, "num_partitions", 1 },
    { 19, "replication_factor", 1 },
    { 20, "timeout_ms", 10000 },
    { 21, "offset", -1 },
    { 21, "timeout_ms", 10000 },
    { 22, "transaction_timeout_ms", 60000 },
    { 29, "resource_type_filter", 1 },
    { 29, "pattern_type_filter", 1 },
    { 29, "operation", 1 },
    { 29, "permission_type", 1 },
    { 30, "resource_type", 2 },
    { 30, "operation", 3 },
    { 30, "permission_type", 3 },
    { 31, "resource_type_filter", 2 },
    { 31, "operation", 1 },
    { 31, "permission_type", 2 }, /* what is denied: nothing */
    { 32, "resource_type", 2 },
    { 33, "resource_type", 2 },
    { 37, "count", 2 },
    { 37, "timeout_ms", 10000 },
    { 44, "resource_type", 2 },
    { 51, "mechanism", 1 },
    { 51, "iterations", 4096 },
    { 57, "max_version_level", 25 },
};

/* Arrays that are left empty. */
static const struct {
    int16_t key;
    const char *field;
} EMPTY[] = {
    { 1, "forgotten_topics_data" },
    { 16, "states_filter" },
    { 16, "types_filter" },
    { 19, "assignments" },
    { 19, "configs" },
    { 37, "assignments" },
    { 32, "configuration_keys" },
    { 45, "replicas" },
    { 48, "components" },
    { 51, "deletions" },
    { 66, "state_filters" },
    { 66, "producer_id_filters" },
    { 74, "resource_types" },
};

struct maker {
    int16_t key;
    int16_t version;
    const struct api_names *names;
    struct fc_arena *arena;
};

static const char *name_of(const struct api_names *names, int what)
{
    const char *const all[] = { [TOPIC] = names->topic,
                                [GROUP] = names->group,
                                [TRANSACTION] = names->transactional_id,
                                [USER] = names->user,
                                [METADATA] = names->metadata };
    return all[what];
}

static void fill_text(const struct maker *maker, const char *field, struct fc_slice *out)
{
    if (maker->key == 0 && strcmp(field, "transactional_id") == 0) {
        return; /* not in a transaction */
    }
    for (size_t index = 0; index < sizeof(TEXTS) / sizeof(TEXTS[0]); index++) {
        if ((TEXTS[index].key == maker->key || TEXTS[index].key == ANY_API) &&
            strcmp(TEXTS[index].field, field) == 0) {
            *out = fc_slice_text(TEXTS[index].what == 0
                                     ? TEXTS[index].text
                                     : name_of(maker->names, TEXTS[index].what));
            return;
        }
    }
}

static void fill_number(const struct maker *maker, const char *field, size_t size, void *out)
{
    for (size_t index = 0; index < sizeof(NUMBERS) / sizeof(NUMBERS[0]); index++) {
        if (NUMBERS[index].key == maker->key && strcmp(NUMBERS[index].field, field) == 0) {
            memcpy(out, &NUMBERS[index].number,
                   size); /* little-endian, as all that we run on */
            return;
        }
    }
}

/* Metadata and DeleteTopics have the name beside the id, and want one of both. */
static bool is_named_by_id(int16_t key)
{
    return key != 3 && key != 20;
}

static void fill(const struct maker *maker, const struct fc_wire_type *type, uint8_t *message);

static void fill_value(const struct maker *maker, const char *field,
                       const struct fc_wire_type *type, uint8_t *out)
{
    switch (type->kind) {
    case FC_WIRE_STRING:
        fill_text(maker, field, (struct fc_slice *)(void *)out);
        break;
    case FC_WIRE_BYTES:
        *(struct fc_slice *)(void *)out = fc_slice_text("0123456789abcdef0123456789abcdef");
        break;
    case FC_WIRE_RECORDS:
        *(struct fc_slice *)(void *)out = maker->names->records;
        break;
    case FC_WIRE_UUID:
        if (strcmp(field, "topic_id") == 0 && is_named_by_id(maker->key)) {
            memcpy(out, &maker->names->topic_id, sizeof(struct fc_uuid));
        }
        break;
    case FC_WIRE_STRUCT:
        fill(maker, type, out);
        break;
    case FC_WIRE_BOOL:
    case FC_WIRE_FLOAT64:
        break;
    case FC_WIRE_INT8:
    case FC_WIRE_INT16:
    case FC_WIRE_UINT16:
    case FC_WIRE_INT32:
    case FC_WIRE_UINT32:
    case FC_WIRE_INT64:
        fill_number(maker, field, type->size, out);
        break;
    }
}

static bool stays_empty(int16_t key, const char *field)
{
    for (size_t index = 0; index < sizeof(EMPTY) / sizeof(EMPTY[0]); index++) {
        if (EMPTY[index].key == key && strcmp(EMPTY[index].field, field) == 0) {
            return true;
        }
    }
    return false;
}

static void fill(const struct maker *maker, const struct fc_wire_type *type, uint8_t *message)
{
    fc_wire_init(type, message);
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        uint8_t *at = message + field->offset;
        if (!fc_wire_field_in(field, maker->version) || field->pointer ||
            stays_empty(maker->key, field->name)) {
            continue;
        }
        if (field->array) {
            uint8_t *element = fc_wire_array(maker->arena, field->type, 1);
            int32_t count = 1;
            fc_assert(element != NULL);
            fill_value(maker, field->name, field->type, element);
            memcpy(at, &element, sizeof(element));
            memcpy(at + sizeof(element), &count, sizeof(count));
        } else {
            fill_value(maker, field->name, field->type, at);
        }
    }
}

void *api_request_make(const struct fc_wire_api *api, int16_t version,
                       const struct api_names *names, struct fc_arena *arena)
{
    struct maker maker = { api->key, version, names, arena };
    void *message = fc_arena_alloc(arena, api->request->size);
    fc_assert(message != NULL);
    fill(&maker, api->request, message);
    return message;
}

void api_response_errors(const struct fc_wire_type *type, int16_t version, const void *message,
                         void (*on_error)(void *ctx, int16_t error), void *ctx)
{
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        const uint8_t *at = (const uint8_t *)message + field->offset;
        const uint8_t *elements = at;
        int32_t count = 1;
        if (!fc_wire_field_in(field, version)) {
            continue;
        }
        if (field->array || field->pointer) {
            memcpy(&elements, at, sizeof(elements));
            count = elements != NULL;
        }
        if (field->array) {
            memcpy(&count, at + sizeof(elements), sizeof(count));
        }
        for (int32_t which = 0; field->type->kind == FC_WIRE_STRUCT && which < count; which++) {
            api_response_errors(field->type, version,
                                elements + (size_t)which * field->type->size, on_error, ctx);
        }
        if (field->type->kind == FC_WIRE_INT16 && !field->array &&
            strstr(field->name, "error_code") != NULL) {
            int16_t error = 0;
            memcpy(&error, at, sizeof(error));
            on_error(ctx, error);
        }
    }
}
