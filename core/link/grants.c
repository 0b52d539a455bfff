/* SPDX-License-Identifier: Apache-2.0 */
#include "core/link/grants.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/kafka_error.h"
#include "core/link/wire_client.h"
#include "core/wire/messages.h"

enum { TELLS_VERSION = 8 }; /* of Metadata: what is allowed */

/* A producer id that no cluster gives. */
#define NOBODY INT64_MAX

struct fc_grants {
    struct fc_wire_client *client;
};

fc_code fc_grants_open(const struct fc_link_settings *settings, int timeout_ms,
                       struct fc_grants **out_grants, struct fc_error *err)
{
    struct fc_wire_client *client = NULL;
    fc_code code = fc_wire_client_open(settings, timeout_ms, &client, err);
    if (code == FC_OK) {
        *out_grants = fc_new(struct fc_grants);
        (*out_grants)->client = client;
    }
    return code;
}

void fc_grants_close(struct fc_grants *grants)
{
    if (grants != NULL) {
        fc_wire_client_close(grants->client);
        free(grants);
    }
}

/* --- topics ------------------------------------------------------------------------------- */

static void take_topic(const struct fc_msg_metadata_response_topic *from,
                       struct fc_topic_grants *to)
{
    bool told = from->topic_authorized_operations != INT32_MIN;
    to->there =
        from->error_code == FC_KAFKA_NONE || from->error_code == FC_KAFKA_LEADER_NOT_AVAILABLE;
    to->told = told || from->error_code == FC_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    to->operations = told ? (unsigned)from->topic_authorized_operations : 0;
    to->partitions = (uint32_t)from->partitions_count;
}

fc_code fc_grants_topics(struct fc_grants *grants, struct fc_topic_grants *topics, size_t count,
                         struct fc_error *err)
{
    struct fc_msg_metadata_request request;
    struct fc_msg_metadata_response response;
    struct fc_msg_metadata_request_topic *asked;
    fc_code code;
    if (count == 0) {
        return FC_OK; /* an empty list would ask for nothing, or for all */
    }
    if (fc_wire_client_version(grants->client, FC_API_METADATA) < TELLS_VERSION) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "%s does not tell what is allowed (before Kafka 2.3)",
                       fc_wire_client_peer(grants->client));
    }
    asked = fc_new_array(struct fc_msg_metadata_request_topic, count);
    fc_wire_init(&fc_msg_metadata_request_type, &request);
    for (size_t index = 0; index < count; index++) {
        fc_wire_init(&fc_msg_metadata_request_topic_type, &asked[index]);
        asked[index].name = fc_slice_text(topics[index].name);
        topics[index].there = false;
        topics[index].told = false;
        topics[index].operations = 0;
        topics[index].partitions = 0;
    }
    request.topics = asked;
    request.topics_count = (int32_t)count;
    request.allow_auto_topic_creation = false;
    request.include_topic_authorized_operations = true;
    code = fc_wire_client_call(grants->client, FC_API_METADATA, &request, &response, err);
    free(asked);
    for (int32_t index = 0; code == FC_OK && index < response.topics_count; index++) {
        for (size_t which = 0; which < count; which++) {
            if (fc_slice_equal_text(response.topics[index].name, topics[which].name)) {
                take_topic(&response.topics[index], &topics[which]);
            }
        }
    }
    return code;
}

/* --- transactional ids -------------------------------------------------------------------- */

static fc_code ask_describe(struct fc_grants *grants, struct fc_slice id, bool *out_may,
                            struct fc_error *err)
{
    struct fc_msg_describe_transactions_request request;
    struct fc_msg_describe_transactions_response response;
    fc_code code;
    fc_wire_init(&fc_msg_describe_transactions_request_type, &request);
    request.transactional_ids = &id;
    request.transactional_ids_count = 1;
    code = fc_wire_client_call(grants->client, FC_API_DESCRIBE_TRANSACTIONS, &request,
                               &response, err);
    *out_may = code == FC_OK && response.transaction_states_count == 1 &&
               response.transaction_states[0].error_code !=
                   FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    return code;
}

static fc_code ask_write(struct fc_grants *grants, struct fc_slice id, bool *out_may,
                         struct fc_error *err)
{
    struct fc_msg_end_txn_request request;
    struct fc_msg_end_txn_response response;
    fc_code code;
    fc_wire_init(&fc_msg_end_txn_request_type, &request);
    request.transactional_id = id;
    request.producer_id = NOBODY;
    request.producer_epoch = 0;
    request.committed = false;
    code = fc_wire_client_call(grants->client, FC_API_END_TXN, &request, &response, err);
    *out_may =
        code == FC_OK && response.error_code != FC_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    return code;
}

fc_code fc_grants_transactional_id(struct fc_grants *grants, const char *id,
                                   unsigned *out_missing, struct fc_error *err)
{
    bool describes = false;
    bool writes = false;
    fc_code code;
    if (fc_wire_client_version(grants->client, FC_API_DESCRIBE_TRANSACTIONS) < 0) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "%s cannot be asked about a transactional id (before Kafka 3.0)",
                       fc_wire_client_peer(grants->client));
    }
    code = ask_describe(grants, fc_slice_text(id), &describes, err);
    code = code == FC_OK ? ask_write(grants, fc_slice_text(id), &writes, err) : code;
    *out_missing = (describes ? 0 : FC_GRANT_DESCRIBE) | (writes ? 0 : FC_GRANT_WRITE);
    return code;
}

/* --- groups ------------------------------------------------------------------------------- */

static fc_code ask_group(struct fc_grants *grants, struct fc_slice group, bool *out_may,
                         struct fc_error *err)
{
    struct fc_msg_describe_groups_request request;
    struct fc_msg_describe_groups_response response;
    fc_code code;
    fc_wire_init(&fc_msg_describe_groups_request_type, &request);
    request.groups = &group;
    request.groups_count = 1;
    code =
        fc_wire_client_call(grants->client, FC_API_DESCRIBE_GROUPS, &request, &response, err);
    *out_may = code == FC_OK && response.groups_count == 1 &&
               response.groups[0].error_code != FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
    return code;
}

static fc_code ask_member(struct fc_grants *grants, struct fc_slice group, bool *out_may,
                          struct fc_error *err)
{
    struct fc_msg_heartbeat_request request;
    struct fc_msg_heartbeat_response response;
    fc_code code;
    fc_wire_init(&fc_msg_heartbeat_request_type, &request);
    request.group_id = group;
    request.generation_id = -1;
    request.member_id = fc_slice_text("fluvio.nobody");
    code = fc_wire_client_call(grants->client, FC_API_HEARTBEAT, &request, &response, err);
    *out_may = code == FC_OK && response.error_code != FC_KAFKA_GROUP_AUTHORIZATION_FAILED;
    return code;
}

fc_code fc_grants_group(struct fc_grants *grants, const char *group, unsigned wanted,
                        unsigned *out_missing, struct fc_error *err)
{
    bool describes = true;
    bool reads = true;
    fc_code code = FC_OK;
    if ((wanted & FC_GRANT_DESCRIBE) != 0) {
        code = ask_group(grants, fc_slice_text(group), &describes, err);
    }
    if (code == FC_OK && (wanted & FC_GRANT_READ) != 0) {
        code = ask_member(grants, fc_slice_text(group), &reads, err);
    }
    *out_missing = (describes ? 0 : FC_GRANT_DESCRIBE) | (reads ? 0 : FC_GRANT_READ);
    return code;
}

/* --- for people --------------------------------------------------------------------------- */

static const struct {
    unsigned bit;
    const char *name;
    const char *word; /* of kafka-acls.sh */
} OPERATIONS[] = {
    { FC_GRANT_DESCRIBE, "DESCRIBE", "Describe" },
    { FC_GRANT_READ, "READ", "Read" },
    { FC_GRANT_WRITE, "WRITE", "Write" },
    { FC_GRANT_CREATE, "CREATE", "Create" },
    { FC_GRANT_ALTER, "ALTER", "Alter" },
    { FC_GRANT_DESCRIBE_CONFIGS, "DESCRIBE_CONFIGS", "DescribeConfigs" },
    { FC_GRANT_ALTER_CONFIGS, "ALTER_CONFIGS", "AlterConfigs" },
};

enum { OPERATION_COUNT = sizeof(OPERATIONS) / sizeof(OPERATIONS[0]) };

/* What does not fit is cut off. */
FC_PRINTF(2, 3)
static void append(char to[FC_GRANTS_TEXT_SIZE], const char *fmt, ...)
{
    size_t len = strlen(to);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(to + len, FC_GRANTS_TEXT_SIZE - len, fmt, args);
    va_end(args);
}

const char *fc_grants_names(unsigned operations, char to[FC_GRANTS_TEXT_SIZE])
{
    unsigned left = operations;
    to[0] = '\0';
    for (size_t index = 0; index < OPERATION_COUNT; index++) {
        if ((operations & OPERATIONS[index].bit) != 0) {
            left &= ~OPERATIONS[index].bit;
            append(to, "%s%s",
                   to[0] == '\0' ? ""
                   : left == 0   ? " and "
                                 : ", ",
                   OPERATIONS[index].name);
        }
    }
    return to;
}

const char *fc_grants_principal(const struct fc_link_settings *settings,
                                char to[FC_GRANTS_TEXT_SIZE])
{
    const char *protocol = fc_link_get(settings, "security.protocol");
    const char *user = fc_link_get(settings, "sasl.username");
    bool sasl = protocol != NULL && strncasecmp(protocol, "sasl_", 5) == 0;
    bool tls = protocol != NULL && strcasecmp(protocol, "ssl") == 0;
    to[0] = '\0';
    if (sasl && user != NULL) {
        append(to, "User:%.200s", user);
    } else if (sasl || tls) { /* who that is only the cluster knows */
        append(to, "User:NAME");
    } else {
        append(to, "User:ANONYMOUS");
    }
    return to;
}

const char *fc_grants_missing(const struct fc_link_settings *settings, const char *kind,
                              const char *name, unsigned operations,
                              char to[FC_GRANTS_TEXT_SIZE])
{
    char who[FC_GRANTS_TEXT_SIZE];
    char names[FC_GRANTS_TEXT_SIZE];
    to[0] = '\0';
    append(to, "%.150s may not %.80s on %.60s %.200s", fc_grants_principal(settings, who),
           fc_grants_names(operations, names), kind, name);
    return to;
}

/* As one word of a shell. */
static void append_word(char to[FC_GRANTS_TEXT_SIZE], const char *word)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._-:,@=/";
    if (word[0] != '\0' && strspn(word, PLAIN) == strlen(word)) {
        append(to, " %s", word);
        return;
    }
    append(to, " '");
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            append(to, "'\\''");
        } else {
            append(to, "%c", *word);
        }
    }
    append(to, "'");
}

const char *fc_grants_command(const struct fc_link_settings *settings, const char *flag,
                              const char *name, unsigned operations,
                              char to[FC_GRANTS_TEXT_SIZE])
{
    const char *servers = fc_link_get(settings, "bootstrap.servers");
    char principal[FC_GRANTS_TEXT_SIZE];
    to[0] = '\0';
    append(to, "kafka-acls.sh --bootstrap-server %.120s --add --allow-principal",
           servers == NULL ? "" : servers);
    append_word(to, fc_grants_principal(settings, principal));
    for (size_t index = 0; index < OPERATION_COUNT; index++) {
        if ((operations & OPERATIONS[index].bit) != 0) {
            append(to, " --operation %s", OPERATIONS[index].word);
        }
    }
    append(to, " %s", flag);
    append_word(to, name);
    return to;
}

const char *fc_grants_prefix_command(const struct fc_link_settings *settings, const char *flag,
                                     const char *prefix, unsigned operations,
                                     char to[FC_GRANTS_TEXT_SIZE])
{
    (void)fc_grants_command(settings, flag, prefix, operations, to);
    append(to, " --resource-pattern-type prefixed");
    return to;
}
