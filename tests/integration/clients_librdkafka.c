/* SPDX-License-Identifier: Apache-2.0 */
/* The system's librdkafka against an SPU, as a C program sees it: clients_librdkafka BOOTSTRAP.
 * What the guest of tests/support/with-spu may is asked at TLS_BOOTSTRAP, by SCRAM over TLS. */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_SIZE = 512, WAIT_MS = 20000, RECORDS = 1000, PARTITIONS = 4, GRANTS = 3 };

struct state {
    const char *bootstrap;
    rd_kafka_t *admin;
    rd_kafka_resp_err_t delivered; /* how the last message fared */
    int passed;
    int failed;
    char why[TEXT_SIZE];
};

/* Remember why not; false. */
static bool no(struct state *state, const char *what, const char *why)
{
    (void)snprintf(state->why, sizeof(state->why), "%s: %s", what, why);
    return false;
}

static bool fine(struct state *state, const char *what, rd_kafka_error_t *error)
{
    bool good = error == NULL;
    if (!good) {
        (void)no(state, what, rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
    return good;
}

static bool code_is(struct state *state, const char *what, rd_kafka_resp_err_t wanted,
                    rd_kafka_resp_err_t got)
{
    return wanted == got || no(state, what, rd_kafka_err2name(got));
}

static void check(struct state *state, const char *name, bool good)
{
    (void)printf("%s clients_librdkafka/%s\n", good ? "ok  " : "FAIL", name);
    if (!good) {
        (void)printf("     %s\n", state->why);
    }
    state->passed += good;
    state->failed += !good;
}

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *ctx)
{
    (void)producer;
    ((struct state *)ctx)->delivered = message->err;
}

/* Pairs of names and values, NULL at the end. */
static rd_kafka_t *client(struct state *state, rd_kafka_type_t type,
                          const char *const *settings)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[TEXT_SIZE];
    rd_kafka_t *made;
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", state->bootstrap, NULL, 0);
    for (; settings != NULL && *settings != NULL; settings += 2) {
        if (rd_kafka_conf_set(conf, settings[0], settings[1], text, sizeof(text)) !=
            RD_KAFKA_CONF_OK) {
            (void)fprintf(stderr, "%s\n", text);
            exit(1);
        }
    }
    rd_kafka_conf_set_opaque(conf, state);
    if (type == RD_KAFKA_PRODUCER) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    }
    made = rd_kafka_new(type, conf, text, sizeof(text));
    if (made == NULL) {
        (void)fprintf(stderr, "%s\n", text);
        exit(1);
    }
    return made;
}

/* --- admin: each request's answer comes as an event --- */

static rd_kafka_event_t *answer(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    rd_kafka_queue_destroy(queue);
    return event;
}

static bool topic_result(struct state *state, const char *what, rd_kafka_resp_err_t wanted,
                         rd_kafka_event_t *event)
{
    const rd_kafka_topic_result_t **results = NULL;
    size_t count = 0;
    bool good;
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return no(state, what,
                  event == NULL ? "no answer" : rd_kafka_event_error_string(event));
    }
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT) {
        results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event),
                                                      &count);
    } else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DELETETOPICS_RESULT) {
        results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event),
                                                      &count);
    } else {
        results = rd_kafka_CreatePartitions_result_topics(
            rd_kafka_event_CreatePartitions_result(event), &count);
    }
    good = count == 1 && code_is(state, what, wanted, rd_kafka_topic_result_error(results[0]));
    rd_kafka_event_destroy(event);
    return good;
}

static bool create(struct state *state, const char *name, int partitions,
                   rd_kafka_resp_err_t wanted)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(state->admin);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, NULL, 0);
    rd_kafka_CreateTopics(state->admin, &topic, 1, NULL, queue);
    rd_kafka_NewTopic_destroy(topic);
    return topic_result(state, "CreateTopics", wanted, answer(queue));
}

static bool grow(struct state *state, const char *name, size_t partitions)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(state->admin);
    rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(name, partitions, NULL, 0);
    rd_kafka_CreatePartitions(state->admin, &more, 1, NULL, queue);
    rd_kafka_NewPartitions_destroy(more);
    return topic_result(state, "CreatePartitions", RD_KAFKA_RESP_ERR_NO_ERROR, answer(queue));
}

static bool drop(struct state *state, const char *name, rd_kafka_resp_err_t wanted)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(state->admin);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_DeleteTopics(state->admin, &topic, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(topic);
    return topic_result(state, "DeleteTopics", wanted, answer(queue));
}

static bool alter(struct state *state, const char *name)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(state->admin);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    const rd_kafka_ConfigResource_t **results;
    rd_kafka_event_t *event;
    size_t count = 0;
    bool good;
    (void)rd_kafka_ConfigResource_set_config(resource, "retention.ms", "60000");
    rd_kafka_AlterConfigs(state->admin, &resource, 1, NULL, queue);
    rd_kafka_ConfigResource_destroy(resource);
    event = answer(queue);
    if (event == NULL) {
        return no(state, "AlterConfigs", "no answer");
    }
    results = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event),
                                                     &count);
    good = count == 1 && code_is(state, "AlterConfigs", RD_KAFKA_RESP_ERR_NO_ERROR,
                                 rd_kafka_ConfigResource_error(results[0]));
    rd_kafka_event_destroy(event);
    return good;
}

static bool delete_records(struct state *state, const char *name, int64_t before)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(state->admin);
    rd_kafka_topic_partition_list_t *places = rd_kafka_topic_partition_list_new(1);
    rd_kafka_DeleteRecords_t *request;
    rd_kafka_event_t *event;
    bool good;
    rd_kafka_topic_partition_list_add(places, name, 0)->offset = before;
    request = rd_kafka_DeleteRecords_new(places);
    rd_kafka_topic_partition_list_destroy(places);
    rd_kafka_DeleteRecords(state->admin, &request, 1, NULL, queue);
    rd_kafka_DeleteRecords_destroy(request);
    event = answer(queue);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return no(state, "DeleteRecords", "no answer");
    }
    good = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event))
               ->elems[0]
               .offset == before;
    rd_kafka_event_destroy(event);
    return good || no(state, "DeleteRecords", "another low watermark");
}

/* --- producers --- */

static bool produce(struct state *state, rd_kafka_t *producer, const char *name,
                    int32_t partition, int from, int to)
{
    for (int number = from; number < to; number++) {
        char value[32];
        rd_kafka_resp_err_t error;
        (void)snprintf(value, sizeof(value), "%d", number);
        error = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(name), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_VALUE(value, strlen(value)), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_HEADER("number", value, -1), RD_KAFKA_V_END);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return no(state, "produce", rd_kafka_err2name(error));
        }
    }
    return code_is(state, "flush", RD_KAFKA_RESP_ERR_NO_ERROR,
                   rd_kafka_flush(producer, WAIT_MS));
}

static bool idempotent(struct state *state, const char *name)
{
    static const char *const settings[] = { "enable.idempotence", "true", "compression.type",
                                            "lz4", NULL };
    rd_kafka_t *producer = client(state, RD_KAFKA_PRODUCER, settings);
    bool good = true;
    for (int32_t partition = 0; good && partition < PARTITIONS; partition++) {
        good = produce(state, producer, name, partition, 0, RECORDS / PARTITIONS);
    }
    rd_kafka_destroy(producer);
    return good;
}

/* Every second one is aborted. */
static bool transactions(struct state *state, const char *name)
{
    static const char *const settings[] = { "transactional.id", "c", NULL };
    rd_kafka_t *producer = client(state, RD_KAFKA_PRODUCER, settings);
    bool good = fine(state, "init_transactions", rd_kafka_init_transactions(producer, WAIT_MS));
    for (int number = 0; good && number < 10; number++) {
        good = fine(state, "begin", rd_kafka_begin_transaction(producer)) &&
               produce(state, producer, name, 0, number, number + 1) &&
               fine(state, "end",
                    number % 2 == 0 ? rd_kafka_commit_transaction(producer, WAIT_MS)
                                    : rd_kafka_abort_transaction(producer, WAIT_MS));
    }
    rd_kafka_destroy(producer);
    return good;
}

/* --- a group of one: reads, commits, and the next one goes on from there --- */

static bool consume(struct state *state, rd_kafka_t *consumer, int wanted)
{
    int next[PARTITIONS] = { 0 };
    time_t deadline = time(NULL) + WAIT_MS / 1000;
    int got = 0;
    bool good = true;
    while (good && got < wanted && time(NULL) < deadline) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 200);
        if (message != NULL && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            const char *value = NULL;
            rd_kafka_headers_t *headers = NULL;
            size_t size = 0;
            int *number = &next[message->partition];
            good = rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                   rd_kafka_header_get_last(headers, "number", (const void **)&value, &size) ==
                       RD_KAFKA_RESP_ERR_NO_ERROR &&
                   size == message->len && memcmp(value, message->payload, size) == 0 &&
                   (wanted != RECORDS || (*number)++ == (int)strtol(value, NULL, 10));
            got++;
        }
        if (message != NULL) {
            rd_kafka_message_destroy(message);
        }
    }
    return good ? got == wanted || no(state, "consume", "too few")
                : no(state, "consume", "out of order, or another header");
}

static rd_kafka_t *subscribe(struct state *state, const char *const *settings, const char *name)
{
    rd_kafka_t *consumer = client(state, RD_KAFKA_CONSUMER, settings);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_poll_set_consumer(consumer);
    (void)rd_kafka_topic_partition_list_add(topics, name, RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_subscribe(consumer, topics); /* a wrong list shows as nothing to read */
    rd_kafka_topic_partition_list_destroy(topics);
    return consumer;
}

static rd_kafka_t *join(struct state *state, const char *group, const char *name)
{
    const char *const settings[] = {
        "group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", "false", NULL
    };
    return subscribe(state, settings, name);
}

static void leave(rd_kafka_t *consumer)
{
    (void)rd_kafka_consumer_close(consumer); /* nothing more is asked of it */
    rd_kafka_destroy(consumer);
}

static bool group(struct state *state, const char *name)
{
    static const char *const more[] = { NULL };
    const struct rd_kafka_group_list *groups = NULL;
    rd_kafka_t *consumer = join(state, "c", name);
    rd_kafka_t *producer = client(state, RD_KAFKA_PRODUCER, more);
    bool good = consume(state, consumer, RECORDS);
    good = good && code_is(state, "commit", RD_KAFKA_RESP_ERR_NO_ERROR,
                           rd_kafka_commit(consumer, NULL, 0));
    good = good && code_is(state, "list_groups", RD_KAFKA_RESP_ERR_NO_ERROR,
                           rd_kafka_list_groups(state->admin, "c", &groups, WAIT_MS));
    if (good && (groups->group_cnt != 1 || strcmp(groups->groups[0].state, "Stable") != 0 ||
                 groups->groups[0].member_cnt != 1)) {
        good = no(state, "list_groups", "not one stable group of one");
    }
    if (groups != NULL) {
        rd_kafka_group_list_destroy(groups);
    }
    leave(consumer);
    good = good && produce(state, producer, name, 1, 7, 8);
    rd_kafka_destroy(producer);
    consumer = join(state, "c", name);
    good = good && consume(state, consumer, 1);
    leave(consumer);
    return good;
}

/* --- ACLs: each row allows the guest something --- */

struct grant {
    rd_kafka_ResourceType_t type;
    const char *name;
    rd_kafka_ResourcePatternType_t pattern;
    rd_kafka_AclOperation_t operation;
};

static const struct grant grants[GRANTS] = {
    { RD_KAFKA_RESOURCE_TOPIC, "acl-topic", RD_KAFKA_RESOURCE_PATTERN_LITERAL,
      RD_KAFKA_ACL_OPERATION_WRITE },
    { RD_KAFKA_RESOURCE_TOPIC, "acl-", RD_KAFKA_RESOURCE_PATTERN_PREFIXED,
      RD_KAFKA_ACL_OPERATION_READ },
    { RD_KAFKA_RESOURCE_GROUP, "acl-group", RD_KAFKA_RESOURCE_PATTERN_LITERAL,
      RD_KAFKA_ACL_OPERATION_READ },
};

static bool grant(struct state *state, const struct grant *what)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(state->admin);
    rd_kafka_AclBinding_t *acl = rd_kafka_AclBinding_new(
        what->type, what->name, what->pattern, "User:guest", "*", what->operation,
        RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, state->why, sizeof(state->why));
    const rd_kafka_acl_result_t **results;
    rd_kafka_event_t *event;
    size_t count = 0;
    bool good;
    rd_kafka_CreateAcls(state->admin, &acl, 1, NULL, queue);
    rd_kafka_AclBinding_destroy(acl);
    event = answer(queue);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return no(state, "CreateAcls", "no answer");
    }
    results = rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event), &count);
    good = count == 1 && rd_kafka_acl_result_error(results[0]) == NULL;
    rd_kafka_event_destroy(event);
    return good || no(state, "CreateAcls", "refused");
}

/* Whether these are the rows, in any order. */
static bool are_grants(const rd_kafka_AclBinding_t **acls, size_t count)
{
    size_t found = 0;
    for (size_t index = 0; index < count; index++) {
        for (size_t which = 0; which < GRANTS; which++) {
            const struct grant *row = &grants[which];
            found += rd_kafka_AclBinding_restype(acls[index]) == row->type &&
                     strcmp(rd_kafka_AclBinding_name(acls[index]), row->name) == 0 &&
                     rd_kafka_AclBinding_resource_pattern_type(acls[index]) == row->pattern &&
                     rd_kafka_AclBinding_operation(acls[index]) == row->operation &&
                     strcmp(rd_kafka_AclBinding_host(acls[index]), "*") == 0;
        }
    }
    return count == GRANTS && found == GRANTS;
}

/* All rows are shown, or are shown to be deleted. */
static bool all_grants(struct state *state, bool deletes)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(state->admin);
    rd_kafka_AclBindingFilter_t *filter = rd_kafka_AclBindingFilter_new(
        RD_KAFKA_RESOURCE_ANY, NULL, RD_KAFKA_RESOURCE_PATTERN_ANY, "User:guest", NULL,
        RD_KAFKA_ACL_OPERATION_ANY, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, state->why,
        sizeof(state->why));
    const rd_kafka_AclBinding_t **acls = NULL;
    rd_kafka_event_t *event;
    size_t count = 0;
    bool good;
    if (deletes) {
        rd_kafka_DeleteAcls(state->admin, &filter, 1, NULL, queue);
    } else {
        rd_kafka_DescribeAcls(state->admin, filter, NULL, queue);
    }
    rd_kafka_AclBinding_destroy(filter);
    event = answer(queue);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return no(state, "DescribeAcls, DeleteAcls", "no answer");
    }
    if (deletes) {
        acls = rd_kafka_DeleteAcls_result_response_matching_acls(
            rd_kafka_DeleteAcls_result_responses(rd_kafka_event_DeleteAcls_result(event),
                                                 &count)[0],
            &count);
    } else {
        acls = rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event),
                                                 &count);
    }
    good = are_grants(acls, count);
    rd_kafka_event_destroy(event);
    return good || no(state, "DescribeAcls, DeleteAcls", "not what was created");
}

#define GUEST                                                                                  \
    "bootstrap.servers", getenv("TLS_BOOTSTRAP"), "security.protocol", "sasl_ssl",             \
        "sasl.mechanism", "SCRAM-SHA-512", "sasl.username", getenv("GUEST"), "sasl.password",  \
        getenv("GUEST_PASSWORD"), "ssl.ca.location", getenv("CA")

static bool guest_writes(struct state *state, rd_kafka_resp_err_t wanted)
{
    const char *const settings[] = { GUEST, NULL };
    rd_kafka_t *producer = client(state, RD_KAFKA_PRODUCER, settings);
    bool good = produce(state, producer, "acl-topic", 0, 0, 1) &&
                code_is(state, "a guest's message", wanted, state->delivered);
    rd_kafka_destroy(producer);
    return good;
}

/* What the first message is: a record, or why there is none. */
static bool guest_reads(struct state *state, rd_kafka_resp_err_t wanted)
{
    const char *const settings[] = { GUEST,      "group.id", "acl-group", "auto.offset.reset",
                                     "earliest", NULL };
    rd_kafka_t *consumer = subscribe(state, settings, "acl-topic");
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, WAIT_MS);
    bool good = message != NULL ? code_is(state, "a guest reads", wanted, message->err)
                                : no(state, "a guest reads", "nothing");
    if (message != NULL) {
        rd_kafka_message_destroy(message);
    }
    leave(consumer);
    return good;
}

static bool access_control(struct state *state)
{
    return create(state, "acl-topic", 1, RD_KAFKA_RESP_ERR_NO_ERROR) &&
           guest_writes(state, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) &&
           grant(state, &grants[0]) && guest_writes(state, RD_KAFKA_RESP_ERR_NO_ERROR) &&
           grant(state, &grants[1]) &&
           guest_reads(state, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) &&
           grant(state, &grants[2]) && guest_reads(state, RD_KAFKA_RESP_ERR_NO_ERROR) &&
           all_grants(state, false) && all_grants(state, true) &&
           guest_writes(state, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
}

int main(int argc, char **argv)
{
    struct state state = { 0 };
    rd_kafka_t *consumer;
    if (argc != 2) {
        (void)fprintf(stderr, "clients_librdkafka BOOTSTRAP\n");
        return 2;
    }
    state.bootstrap = argv[1];
    state.admin = client(&state, RD_KAFKA_PRODUCER, NULL);
    check(&state, "a topic is made, once",
          create(&state, "c-idempotent", 2, RD_KAFKA_RESP_ERR_NO_ERROR) &&
              create(&state, "c-idempotent", 2, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS));
    check(&state, "partitions are added", grow(&state, "c-idempotent", PARTITIONS));
    check(&state, "settings are changed", alter(&state, "c-idempotent"));
    check(&state, "idempotent producer", idempotent(&state, "c-idempotent"));
    check(&state, "a group reads all in order, commits, and goes on",
          group(&state, "c-idempotent"));
    check(&state, "records are deleted", delete_records(&state, "c-idempotent", 10));
    check(&state, "transactions",
          create(&state, "c-transactions", 1, RD_KAFKA_RESP_ERR_NO_ERROR) &&
              transactions(&state, "c-transactions"));
    consumer = join(&state, "c-committed", "c-transactions");
    check(&state, "read_committed sees what was committed", consume(&state, consumer, 5));
    leave(consumer);
    check(&state, "a topic is deleted, once",
          drop(&state, "c-idempotent", RD_KAFKA_RESP_ERR_NO_ERROR) &&
              drop(&state, "c-idempotent", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART));
    check(&state, "ACLs: created, described, deleted, and each counts at once",
          access_control(&state));
    rd_kafka_destroy(state.admin);
    (void)printf("%d passed, %d failed\n", state.passed, state.failed);
    return state.failed == 0 ? 0 : 1;
}
