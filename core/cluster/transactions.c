/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a cluster can give transactions. It keeps them in a topic of its own, which it makes
 * when the first client asks for its coordinator: with as many replicas as a setting of the
 * brokers says, whether there are so many brokers or not. If there are not, all that a client
 * ever hears is that there is no coordinator yet.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/cluster/call.h"

#define STATE_TOPIC "__transaction_state"
#define REPLICAS_SETTING "transaction.state.log.replication.factor"
#define LEAST_SETTING "transaction.state.log.min.isr"

enum { UNKNOWN = -1, BROKER_TEXT_SIZE = 16 };

struct look {
    rd_kafka_t *handle;
    int wait_ms;
    struct fc_cluster_finding *finding;
    int brokers;
    char broker[BROKER_TEXT_SIZE]; /* the id of one */
    rd_kafka_resp_err_t topic;     /* what was answered when the topic was asked for */
    int partitions;
    int leaderless; /* partitions */
    int replicas;   /* of the partition that has the fewest in sync */
    int in_sync;
};

FC_PRINTF(3, 4)
static void find(struct look *look, fc_cluster_verdict verdict, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(look->finding->detail, sizeof(look->finding->detail), fmt, args);
    va_end(args);
    look->finding->verdict = verdict;
}

FC_PRINTF(2, 3)
static void advise(struct look *look, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(look->finding->fix, sizeof(look->finding->fix), fmt, args);
    va_end(args);
}

/* --- asking ------------------------------------------------------------------------------- */

static void note_partitions(struct look *look, const rd_kafka_metadata_topic_t *topic)
{
    look->partitions = topic->partition_cnt;
    for (int index = 0; index < topic->partition_cnt; index++) {
        const rd_kafka_metadata_partition_t *partition = &topic->partitions[index];
        look->leaderless += partition->leader < 0 ? 1 : 0;
        if (index == 0 || partition->isr_cnt < look->in_sync) {
            look->in_sync = partition->isr_cnt;
            look->replicas = partition->replica_cnt;
        }
    }
}

static rd_kafka_resp_err_t ask_topic(struct look *look)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(look->handle, STATE_TOPIC, NULL);
    rd_kafka_resp_err_t answer;
    if (topic == NULL) {
        return rd_kafka_last_error();
    }
    answer = rd_kafka_metadata(look->handle, 0, topic, &metadata, look->wait_ms);
    rd_kafka_topic_destroy(topic);
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return answer;
    }
    look->brokers = metadata->broker_cnt;
    (void)snprintf(look->broker, sizeof(look->broker), "%" PRId32,
                   metadata->broker_cnt == 0 ? -1 : metadata->brokers[0].id);
    look->topic = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                           : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (metadata->topic_cnt == 1) {
        note_partitions(look, &metadata->topics[0]);
    }
    rd_kafka_metadata_destroy(metadata);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* UNKNOWN: the setting is not among them. */
static int number_of(const rd_kafka_ConfigEntry_t **entries, size_t count, const char *name)
{
    int number = UNKNOWN;
    for (size_t index = 0; index < count; index++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[index]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[index]), name) == 0 && value != NULL) {
            number = (int)strtol(value, NULL, 10);
        }
    }
    return number;
}

/* The values of two settings; false when they may not be read. The second name may be NULL. */
static bool ask_settings(const struct look *look, rd_kafka_ResourceType_t type,
                         const char *resource, const char *const names[2], int out_values[2])
{
    rd_kafka_ConfigResource_t *asked = rd_kafka_ConfigResource_new(type, resource);
    const rd_kafka_ConfigResource_t **resources = NULL;
    struct fc_cluster_call call;
    struct fc_error ignored; /* why is not told apart: either way they are not known */
    char why[FC_CLUSTER_TEXT_SIZE];
    size_t count = 0;
    bool told;
    fc_cluster_begin(&call, look->handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    (void)rd_kafka_AdminOptions_set_request_timeout(call.options, look->wait_ms, why,
                                                    sizeof(why)); /* it is within the range */
    rd_kafka_DescribeConfigs(look->handle, &asked, 1, call.options, call.queue);
    rd_kafka_ConfigResource_destroy(asked);
    told = fc_cluster_wait(&call, "read settings", &ignored) == FC_OK;
    if (told) {
        resources = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(call.event), &count);
        told = count == 1 &&
               rd_kafka_ConfigResource_error(resources[0]) == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (told) {
        const rd_kafka_ConfigEntry_t **entries =
            rd_kafka_ConfigResource_configs(resources[0], &count);
        for (int index = 0; index < 2; index++) {
            out_values[index] =
                names[index] == NULL ? UNKNOWN : number_of(entries, count, names[index]);
        }
    }
    fc_cluster_end(&call);
    return told;
}

/* --- concluding --------------------------------------------------------------------------- */

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

/* Its topic is there: are enough of its replicas? */
static void judge_topic(struct look *look)
{
    const char *const names[] = { "min.insync.replicas", NULL };
    int values[] = { UNKNOWN, UNKNOWN };
    bool told = ask_settings(look, RD_KAFKA_RESOURCE_TOPIC, STATE_TOPIC, names, values);
    int least = values[0] > look->replicas ? look->replicas : values[0];
    if (look->leaderless > 0) {
        find(look, FC_CLUSTER_CANNOT, "%d of %d partitions of " STATE_TOPIC " have no leader",
             look->leaderless, look->partitions);
        advise(look, "start the brokers that have its replicas");
    } else if (told && look->in_sync < least) {
        find(look, FC_CLUSTER_CANNOT,
             "of the %d replicas of a partition of " STATE_TOPIC
             " %d are in sync, and its min.insync.replicas is %d",
             look->replicas, look->in_sync, values[0]);
        advise(look,
               "start the brokers that are away, or kafka-configs.sh --alter --entity-type "
               "topics --entity-name " STATE_TOPIC " --add-config min.insync.replicas=%d",
               look->in_sync);
    } else if (told && values[0] > look->replicas) {
        find(look, FC_CLUSTER_DOUBTFUL,
             STATE_TOPIC " has %d replica%s and min.insync.replicas %d: old brokers begin no "
                         "transaction then",
             look->replicas, plural(look->replicas), values[0]);
        advise(look,
               "kafka-configs.sh --alter --entity-type topics --entity-name " STATE_TOPIC
               " --add-config min.insync.replicas=%d",
               look->replicas);
    } else if (told) {
        find(look, FC_CLUSTER_CAN, "possible: " STATE_TOPIC " has what it needs");
    } else {
        find(look, FC_CLUSTER_CAN,
             "possible, it seems: " STATE_TOPIC
             " has its leaders; its min.insync.replicas may not be read, so was not checked");
    }
}

/* Its topic is still to be made: are there enough brokers for it? */
static void judge_brokers(struct look *look)
{
    const char *const names[] = { REPLICAS_SETTING, LEAST_SETTING };
    int values[] = { UNKNOWN, UNKNOWN };
    if (!ask_settings(look, RD_KAFKA_RESOURCE_BROKER, look->broker, names, values)) {
        find(look, FC_CLUSTER_UNTOLD,
             "not checked: the brokers' settings may not be read, which say whether one is "
             "possible");
        advise(look, "let this user read them (DESCRIBE_CONFIGS on the cluster), or see that "
                     "there are as many brokers as " REPLICAS_SETTING " says");
    } else if (values[0] == UNKNOWN) {
        find(look, FC_CLUSTER_UNTOLD, "not checked: the brokers do not say what they need");
    } else if (values[0] > look->brokers) {
        find(look, FC_CLUSTER_CANNOT,
             "the cluster wants %d replicas of " STATE_TOPIC " (" REPLICAS_SETTING
             ") and has %d broker%s",
             values[0], look->brokers, plural(look->brokers));
        advise(look,
               "set " REPLICAS_SETTING "=%d and " LEAST_SETTING
               "=%d in server.properties of each broker and start it again, or add brokers",
               look->brokers, look->brokers < 2 ? 1 : look->brokers - 1);
    } else if (values[1] > values[0]) {
        find(look, FC_CLUSTER_DOUBTFUL,
             STATE_TOPIC
             " will have %d replica%s and min.insync.replicas %d: old brokers begin "
             "no transaction then",
             values[0], plural(values[0]), values[1]);
        advise(look,
               "set " LEAST_SETTING
               "=%d in server.properties of each broker and start it again",
               values[0]);
    } else {
        find(look, FC_CLUSTER_CAN,
             "possible: " STATE_TOPIC " will have %d replica%s on %d broker%s", values[0],
             plural(values[0]), look->brokers, plural(look->brokers));
    }
}

void fc_cluster_transactions(rd_kafka_t *handle, int wait_ms,
                             struct fc_cluster_finding *out_finding)
{
    struct look look = { .handle = handle, .wait_ms = wait_ms, .finding = out_finding };
    rd_kafka_resp_err_t answer;
    memset(out_finding, 0, sizeof(*out_finding));
    answer = ask_topic(&look);
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        find(&look, FC_CLUSTER_UNTOLD, "not checked: %s", rd_kafka_err2str(answer));
    } else if (look.topic == RD_KAFKA_RESP_ERR_NO_ERROR ||
               look.topic == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
        judge_topic(&look);
    } else if (look.topic == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        judge_brokers(&look);
    } else {
        find(&look, FC_CLUSTER_UNTOLD,
             "not checked: " STATE_TOPIC " may not be looked at, and whether there is one");
        advise(&look, "let this user look (DESCRIBE on the topic " STATE_TOPIC
                      " and DESCRIBE_CONFIGS on the cluster), or see that there are as many "
                      "brokers as " REPLICAS_SETTING " says");
    }
}
