/* SPDX-License-Identifier: Apache-2.0 */
/* DescribeClientQuotas and AlterClientQuotas. */
#include <math.h>

#include "core/spu/access.h"
#include "core/spu/handlers.h"
#include "core/spu/quotas.h"
#include "core/spu/security.h"

/* How a component is asked for. */
enum { MATCH_EXACT = 0, MATCH_DEFAULT = 1, MATCH_ANY = 2 };

enum { TRIES = 5, VALUE_MAX = 1024, NAME_LEN_MAX = 255 };

static const char USER[] = "user";
static const char CLIENT[] = "client-id";
static const char IP[] = "ip";

/* --- Describe --- */

static bool part_fits(const struct fc_quota_part *part,
                      const struct fc_msg_describe_client_quotas_request_component *asked)
{
    if (asked == NULL) {
        return true;
    }
    switch (asked->match_type) {
    case MATCH_EXACT:
        return part->kind == FC_QUOTA_NAMED && fc_slice_equal(part->name, asked->match);
    case MATCH_DEFAULT:
        return part->kind == FC_QUOTA_DEFAULT;
    default:
        return part->kind != FC_QUOTA_ABSENT;
    }
}

/* However the address is spelt. */
static bool ip_fits(const struct fc_quota_part *part,
                    const struct fc_msg_describe_client_quotas_request_component *asked)
{
    struct fc_msg_describe_client_quotas_request_component spelt;
    char ip[FC_QUOTA_IP_SIZE];
    if (asked == NULL || asked->match_type != MATCH_EXACT || !fc_quota_ip(asked->match, ip)) {
        return part_fits(part, asked);
    }
    spelt = *asked;
    spelt.match = fc_slice_text(ip);
    return part_fits(part, &spelt);
}

/* The component for the type; NULL: not asked for. */
static const struct fc_msg_describe_client_quotas_request_component *
component_of(const struct fc_msg_describe_client_quotas_request *ask, const char *type)
{
    for (int32_t index = 0; index < ask->components_count; index++) {
        if (fc_slice_equal_text(ask->components[index].entity_type, type)) {
            return &ask->components[index];
        }
    }
    return NULL;
}

static bool entity_fits(const struct fc_msg_describe_client_quotas_request *ask,
                        const struct fc_quota_entity *entity)
{
    const struct fc_msg_describe_client_quotas_request_component *user =
        component_of(ask, USER);
    const struct fc_msg_describe_client_quotas_request_component *client =
        component_of(ask, CLIENT);
    const struct fc_msg_describe_client_quotas_request_component *ip = component_of(ask, IP);
    if (ask->strict && ((user == NULL && entity->user.kind != FC_QUOTA_ABSENT) ||
                        (client == NULL && entity->client.kind != FC_QUOTA_ABSENT) ||
                        (ip == NULL && entity->ip.kind != FC_QUOTA_ABSENT))) {
        return false;
    }
    return part_fits(&entity->user, user) && part_fits(&entity->client, client) &&
           ip_fits(&entity->ip, ip);
}

static void tell_part(struct fc_arena *arena, const struct fc_quota_part *part,
                      const char *type,
                      struct fc_msg_describe_client_quotas_response_entry *out)
{
    struct fc_msg_describe_client_quotas_response_entity *to;
    if (part->kind != FC_QUOTA_ABSENT) {
        to = &out->entity[out->entity_count++];
        to->entity_type = fc_slice_text(type);
        to->entity_name =
            part->kind == FC_QUOTA_DEFAULT ? fc_slice_null() : fc_arena_copy(arena, part->name);
    }
}

static bool tell_entry(struct fc_arena *arena, const struct fc_quota_entity *entity,
                       const struct fc_quota_values *values,
                       struct fc_msg_describe_client_quotas_response_entry *out)
{
    out->entity = fc_wire_array(arena, &fc_msg_describe_client_quotas_response_entity_type, 2);
    out->values = fc_wire_array(arena, &fc_msg_describe_client_quotas_response_value_type,
                                FC_QUOTA_COUNT);
    if (out->entity == NULL || out->values == NULL) {
        return false;
    }
    tell_part(arena, &entity->user, USER, out);
    tell_part(arena, &entity->client, CLIENT, out);
    tell_part(arena, &entity->ip, IP, out);
    for (int quota = 0; quota < FC_QUOTA_COUNT; quota++) {
        if (values->set[quota]) {
            out->values[out->values_count].key = fc_slice_text(fc_quota_name((fc_quota)quota));
            out->values[out->values_count++].value = values->value[quota];
        }
    }
    return !arena->failed;
}

static fc_kafka_error check_components(const struct fc_msg_describe_client_quotas_request *ask)
{
    for (int32_t index = 0; index < ask->components_count; index++) {
        const struct fc_msg_describe_client_quotas_request_component *asked =
            &ask->components[index];
        if ((asked->match_type == MATCH_EXACT) != (asked->match.data != NULL) ||
            asked->match_type < MATCH_EXACT || asked->match_type > MATCH_ANY) {
            return FC_KAFKA_INVALID_REQUEST;
        }
    }
    return component_of(ask, IP) != NULL && ask->components_count > 1
               ? FC_KAFKA_INVALID_REQUEST /* an address stands alone */
               : FC_KAFKA_NONE;
}

/* Of another type there are no quotas. */
static bool asks_for_others(const struct fc_msg_describe_client_quotas_request *ask)
{
    for (int32_t index = 0; index < ask->components_count; index++) {
        struct fc_slice type = ask->components[index].entity_type;
        if (!fc_slice_equal_text(type, USER) && !fc_slice_equal_text(type, CLIENT) &&
            !fc_slice_equal_text(type, IP)) {
            return true;
        }
    }
    return false;
}

static bool describe(struct fc_spu *spu, struct fc_request *request,
                     const struct fc_msg_describe_client_quotas_request *ask,
                     struct fc_msg_describe_client_quotas_response *response)
{
    const struct fc_quotas_set *set = fc_quotas_hold(spu->quotas);
    bool fits;
    response->entries =
        fc_wire_array(&request->arena, &fc_msg_describe_client_quotas_response_entry_type,
                      (int32_t)fc_quotas_count(set));
    fits = response->entries != NULL;
    for (size_t index = 0; fits && !asks_for_others(ask) && index < fc_quotas_count(set);
         index++) {
        const struct fc_quota_values *values = NULL;
        const struct fc_quota_entity *entity = fc_quotas_at(set, index, &values);
        if (entity_fits(ask, entity)) {
            fits = tell_entry(&request->arena, entity, values,
                              &response->entries[response->entries_count++]);
        }
    }
    fc_quotas_let_go(spu->quotas);
    return fits;
}

void fc_handle_describe_client_quotas(struct fc_spu *spu, struct fc_request *request,
                                      const void *message)
{
    const struct fc_msg_describe_client_quotas_request *ask = message;
    struct fc_msg_describe_client_quotas_response response;
    fc_kafka_error error = check_components(ask);
    bool fits = true;
    fc_wire_init(&fc_msg_describe_client_quotas_response_type, &response);
    if (!fc_access_may_cluster(spu, request, FC_OPERATION_DESCRIBE_CONFIGS)) {
        error = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
    }
    if (error == FC_KAFKA_NONE) {
        fits = describe(spu, request, ask, &response);
    } else {
        response.error_code = (int16_t)error;
        response.error_message = fc_slice_text(fc_kafka_error_message(error));
        response.entries_count = -1;
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}

/* --- Alter --- */

static struct fc_quota_part *part_of(struct fc_quota_entity *entity, struct fc_slice type)
{
    if (fc_slice_equal_text(type, USER)) {
        return &entity->user;
    }
    if (fc_slice_equal_text(type, CLIENT)) {
        return &entity->client;
    }
    return fc_slice_equal_text(type, IP) ? &entity->ip : NULL;
}

/* ip: has room for an address, which the entity borrows. */
static const char *read_entity(const struct fc_msg_alter_client_quotas_request_entry *asked,
                               char ip[FC_QUOTA_IP_SIZE], struct fc_quota_entity *out)
{
    memset(out, 0, sizeof(*out));
    for (int32_t index = 0; index < asked->entity_count; index++) {
        const struct fc_msg_alter_client_quotas_request_entity *from = &asked->entity[index];
        struct fc_quota_part *part = part_of(out, from->entity_type);
        if (part == NULL) {
            return "quotas are of a user, of a client-id, of both, or of an ip";
        }
        if (part->kind != FC_QUOTA_ABSENT) {
            return "a type of entity is there twice";
        }
        if (from->entity_name.data != NULL &&
            (from->entity_name.len == 0 || from->entity_name.len > NAME_LEN_MAX)) {
            return "a name is empty or too long";
        }
        part->kind = from->entity_name.data == NULL ? FC_QUOTA_DEFAULT : FC_QUOTA_NAMED;
        part->name = from->entity_name;
    }
    if (out->ip.kind != FC_QUOTA_ABSENT && asked->entity_count > 1) {
        return "quotas of an ip are not of a user or client-id as well";
    }
    if (out->ip.kind == FC_QUOTA_NAMED) {
        if (!fc_quota_ip(out->ip.name, ip)) {
            return "an ip must be an IPv4 or IPv6 address";
        }
        out->ip.name = fc_slice_text(ip);
    }
    return asked->entity_count == 0 ? "an entry names no entity" : NULL;
}

static const char *apply_ops(const struct fc_msg_alter_client_quotas_request_entry *asked,
                             bool of_ip, struct fc_quota_values *values)
{
    for (int32_t index = 0; index < asked->ops_count; index++) {
        const struct fc_msg_alter_client_quotas_request_op *op = &asked->ops[index];
        fc_quota quota = fc_quota_of(op->key);
        if (of_ip && quota != FC_QUOTA_CONNECT) {
            return "the quota of an ip is connection_creation_rate";
        }
        if (!of_ip && (quota == FC_QUOTA_COUNT || quota == FC_QUOTA_CONNECT)) {
            return "the quotas of users and clients are producer_byte_rate, "
                   "consumer_byte_rate, request_percentage and controller_mutation_rate";
        }
        if (!op->remove && (!isfinite(op->value) || op->value <= 0)) {
            return "a quota is a number above 0";
        }
        if (!op->remove && quota == FC_QUOTA_CONNECT && op->value != floor(op->value)) {
            return "connection_creation_rate is a whole number";
        }
        values->set[quota] = !op->remove;
        values->value[quota] = op->value;
    }
    return NULL;
}

/* Read, change, write; again when somebody else was faster. */
static fc_code change(struct fc_store *store, struct fc_slice key,
                      const struct fc_msg_alter_client_quotas_request_entry *asked, bool of_ip,
                      bool validate_only, struct fc_error *err)
{
    fc_code code = FC_ERR_REJECTED;
    for (int try = 0; code == FC_ERR_REJECTED && try < TRIES; try++) {
        struct fc_quota_values values;
        struct fc_buf text;
        const char *why;
        int64_t revision = FC_STORE_ABSENT;
        fc_buf_init(&text, VALUE_MAX);
        code = fc_store_get(store, key, &text, &revision, err);
        code = code == FC_ERR_NOT_FOUND ? FC_OK : code;
        if (code == FC_OK && !fc_quota_value_decode(fc_buf_slice(&text), &values)) {
            code = fc_fail(err, FC_ERR_CORRUPT, "the store holds no quota there");
        }
        why = code == FC_OK ? apply_ops(asked, of_ip, &values) : NULL;
        if (why != NULL) {
            code = fc_fail(err, FC_ERR_CONFIG, "%s", why);
        }
        if (code == FC_OK && !validate_only) {
            fc_buf_clear(&text);
            fc_quota_value_append(&text, &values);
            code =
                fc_store_put(store, key, text.len == 0 ? fc_slice_null() : fc_buf_slice(&text),
                             revision, err);
        }
        fc_buf_release(&text);
    }
    return code;
}

static void alter(struct fc_spu *spu, struct fc_request *request,
                  const struct fc_msg_alter_client_quotas_request *ask, int32_t which,
                  struct fc_msg_alter_client_quotas_response_entry *out)
{
    const struct fc_msg_alter_client_quotas_request_entry *asked = &ask->entries[which];
    struct fc_quota_entity entity;
    struct fc_error err;
    struct fc_buf key;
    char ip[FC_QUOTA_IP_SIZE];
    const char *why = read_entity(asked, ip, &entity);
    fc_code code = FC_OK;
    fc_buf_init(&key, FC_STORE_KEY_MAX);
    if (why != NULL) {
        code = fc_fail(&err, FC_ERR_CONFIG, "%s", why);
    } else {
        fc_quota_key_append(&key, &entity);
        code = fc_buf_check(&key, "an entity's name", &err);
    }
    if (code == FC_OK) {
        code = change(fc_security_store(spu->security), fc_buf_slice(&key), asked,
                      entity.ip.kind != FC_QUOTA_ABSENT, ask->validate_only, &err);
    }
    if (code == FC_OK && !ask->validate_only) {
        char by[FC_AUDIT_TEXT_SIZE];
        fc_security_note(
            spu->security, "quota changed key=%.*s by=%s", (int)key.len, (const char *)key.data,
            fc_security_text(fc_slice_text(fc_connection_principal(request->connection)), by));
    }
    fc_buf_release(&key);
    if (code != FC_OK) {
        out->error_code = (int16_t)(code == FC_ERR_CONFIG ? FC_KAFKA_INVALID_REQUEST
                                                          : fc_kafka_error_of(code));
        out->error_message = fc_answer_message(request, &err);
    }
}

static bool repeat_entity(struct fc_request *request,
                          const struct fc_msg_alter_client_quotas_request_entry *asked,
                          struct fc_msg_alter_client_quotas_response_entry *out)
{
    out->entity_count = asked->entity_count;
    out->entity = fc_wire_array(
        &request->arena, &fc_msg_alter_client_quotas_response_entity_type, asked->entity_count);
    for (int32_t index = 0; out->entity != NULL && index < asked->entity_count; index++) {
        out->entity[index].entity_type = asked->entity[index].entity_type;
        out->entity[index].entity_name = asked->entity[index].entity_name;
    }
    return out->entity != NULL;
}

void fc_handle_alter_client_quotas(struct fc_spu *spu, struct fc_request *request,
                                   const void *message)
{
    const struct fc_msg_alter_client_quotas_request *ask = message;
    struct fc_msg_alter_client_quotas_response response;
    bool may = fc_access_may_cluster(spu, request, FC_OPERATION_ALTER_CONFIGS);
    bool fits;
    fc_wire_init(&fc_msg_alter_client_quotas_response_type, &response);
    response.entries_count = ask->entries_count;
    response.entries = fc_wire_array(
        &request->arena, &fc_msg_alter_client_quotas_response_entry_type, ask->entries_count);
    fits = response.entries != NULL;
    for (int32_t index = 0; fits && index < ask->entries_count; index++) {
        struct fc_msg_alter_client_quotas_response_entry *out = &response.entries[index];
        fits = repeat_entity(request, &ask->entries[index], out);
        if (fits && may) {
            alter(spu, request, ask, index, out);
        } else if (fits) {
            out->error_code = FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
            out->error_message =
                fc_slice_text(fc_kafka_error_message(FC_KAFKA_CLUSTER_AUTHORIZATION_FAILED));
        }
    }
    if (fits) {
        fc_answer(request, &response);
    } else {
        fc_answer_too_large(request);
    }
}
