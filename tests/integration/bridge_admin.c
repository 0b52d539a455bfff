/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of the bridge do to topics of a cluster.
 *
 *   bridge_admin create BROKERS TOPIC PARTITIONS [NAME=VALUE...] a topic; or give it more partitions
 *   bridge_admin anew BROKERS TOPIC PARTITIONS                delete a topic and make it again
 *   bridge_admin delete BROKERS TOPIC                         delete a topic
 *   bridge_admin trim BROKERS TOPIC PARTITION OFFSET          delete the records before it
 *   bridge_admin ends BROKERS TOPIC                           sum of the ends of its partitions
 *   bridge_admin settings BROKERS TOPIC                       NAME=VALUE lines
 *   bridge_admin commit BROKERS GROUP TOPIC OFFSET            of partition 0, for a group that nobody is in
 *   bridge_admin join BROKERS GROUP TOPIC                     as a member that commits nothing, until SIGTERM;
 *                                                             prints "joined"
 *   bridge_admin committed BROKERS GROUP TOPIC                of partition 0; "none"
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/cluster.h"

enum {
    WAIT_MS = 30000,
    LOOK_MS = 100,
    ASK_MS = 5000,
    TEXT_SIZE = 512,
    PARTITIONS_MAX = 64,
    SETTINGS_MAX = 8
};

static volatile sig_atomic_t stopped;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "bridge_admin: %s: %s\n", what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[TEXT_SIZE] = "";
    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        die(name, why);
    }
}

static rd_kafka_t *open_handle(rd_kafka_type_t type, const char *const *pairs)
{
    char why[TEXT_SIZE] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *handle;
    for (; pairs[0] != NULL; pairs += 2) {
        set(conf, pairs[0], pairs[1]);
    }
    handle = rd_kafka_new(type, conf, why, sizeof(why));
    if (handle == NULL) {
        die("open", why);
    }
    return handle;
}

static int32_t partitions_of(rd_kafka_t *handle, const char *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *one = rd_kafka_topic_new(handle, topic, NULL);
    int32_t count = 0;
    if (rd_kafka_metadata(handle, 0, one, &metadata, WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(one);
    if (count <= 0 || count > PARTITIONS_MAX) {
        die(topic, "no such topic");
    }
    return count;
}

static int create(char **args, int count)
{
    const char *const pairs[] = { "bootstrap.servers", args[0], NULL };
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, pairs);
    struct fc_cluster_topic topic = { .name = args[1], .replication_factor = -1 };
    const char *settings[2 * SETTINGS_MAX] = { NULL };
    struct fc_error error = { 0 };
    fc_code code;
    topic.partitions = (uint32_t)strtoul(args[2], NULL, 10);
    topic.settings = settings;
    for (int index = 3; index < count && topic.setting_count < SETTINGS_MAX; index++) {
        char *equals = strchr(args[index], '=');
        if (equals == NULL) {
            die(args[index], "a setting is NAME=VALUE");
        }
        *equals = '\0';
        settings[2 * topic.setting_count] = args[index];
        settings[2 * topic.setting_count + 1] = equals + 1;
        topic.setting_count++;
    }
    code = fc_cluster_create(handle, &topic, &error);
    code = code == FC_OK ? fc_cluster_grow(handle, topic.name, topic.partitions, &error) : code;
    /* Another broker than the one that was asked before may not know it yet. */
    for (int waited = 0; code == FC_ERR_NOT_FOUND && waited < WAIT_MS; waited += LOOK_MS) {
        (void)rd_kafka_poll(handle, LOOK_MS); /* only waits */
        code = fc_cluster_grow(handle, topic.name, topic.partitions, &error);
    }
    if (code != FC_OK) {
        die("create", error.message);
    }
    rd_kafka_destroy(handle);
    return 0;
}

/* Until nobody knows it any more. */
static void delete_topic(char **args)
{
    const char *const pairs[] = { "bootstrap.servers", args[0], NULL };
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, pairs);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_DeleteTopic_t *wanted = rd_kafka_DeleteTopic_new(args[1]);
    struct fc_error error = { 0 };
    uint32_t count = 0;
    rd_kafka_event_t *event;
    rd_kafka_DeleteTopics(handle, &wanted, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, WAIT_MS);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die("delete", event == NULL ? "no answer" : rd_kafka_event_error_string(event));
    }
    while (fc_cluster_partitions(handle, args[1], &count, &error) != FC_ERR_NOT_FOUND) {
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy(wanted);
    rd_kafka_destroy(handle);
}

static int trim(char **args)
{
    const char *const pairs[] = { "bootstrap.servers", args[0], NULL };
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, pairs);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_DeleteRecords_t *wanted;
    rd_kafka_event_t *event;
    rd_kafka_topic_partition_list_add(list, args[1], (int32_t)strtol(args[2], NULL, 10))
        ->offset = strtoll(args[3], NULL, 10);
    wanted = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(handle, &wanted, 1, NULL, queue);
    event = rd_kafka_queue_poll(queue, WAIT_MS);
    if (event == NULL || rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die("trim", event == NULL ? "no answer" : rd_kafka_event_error_string(event));
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteRecords_destroy(wanted);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(handle);
    return 0;
}

static int ends(char **args)
{
    const char *const pairs[] = { "bootstrap.servers", args[0], NULL };
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, pairs);
    int32_t count = partitions_of(handle, args[1]);
    int64_t total = 0;
    for (int32_t partition = 0; partition < count; partition++) {
        int64_t low = 0;
        int64_t high = 0;
        if (fc_cluster_watermarks(handle, args[1], (uint32_t)partition, ASK_MS, &low, &high) !=
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            die(args[1], "no answer");
        }
        total += high;
    }
    (void)printf("%" PRId64 "\n", total);
    rd_kafka_destroy(handle);
    return 0;
}

static void print_setting(void *ctx, const char *name, const char *value)
{
    (void)ctx;
    (void)printf("%s=%s\n", name, value);
}

static int settings(char **args)
{
    const char *const pairs[] = { "bootstrap.servers", args[0], NULL };
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, pairs);
    struct fc_error error = { 0 };
    if (fc_cluster_settings(handle, args[1], print_setting, NULL, &error) != FC_OK) {
        die(args[1], error.message);
    }
    rd_kafka_destroy(handle);
    return 0;
}

static int commit(char **args)
{
    const char *const pairs[] = { "bootstrap.servers", args[0], NULL };
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, pairs);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    struct fc_error error = { 0 };
    rd_kafka_topic_partition_list_add(list, args[2], 0)->offset = strtoll(args[3], NULL, 10);
    if (fc_cluster_commit(handle, args[1], list, &error) != FC_OK) {
        die(args[1], error.message);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(handle);
    return 0;
}

struct looking {
    const char *topic;
    int64_t offset; /* -1: none */
};

static void on_committed(void *ctx, const char *topic, uint32_t partition, int64_t offset)
{
    struct looking *looking = ctx;
    if (partition == 0 && strcmp(topic, looking->topic) == 0) {
        looking->offset = offset;
    }
}

static int committed(char **args)
{
    const char *const pairs[] = { "bootstrap.servers", args[0], "group.id", "bridge_admin",
                                  NULL };
    rd_kafka_t *handle = open_handle(RD_KAFKA_CONSUMER, pairs);
    struct looking looking = { args[2], -1 };
    struct fc_error error = { 0 };
    if (fc_cluster_committed(handle, args[1], on_committed, &looking, &error) != FC_OK) {
        die(args[1], error.message);
    }
    if (looking.offset < 0) {
        (void)printf("none\n");
    } else {
        (void)printf("%" PRId64 "\n", looking.offset);
    }
    rd_kafka_destroy(handle);
    return 0;
}

static int join(char **args)
{
    const char *const pairs[] = {
        "bootstrap.servers",    args[0], "group.id", args[1], "enable.auto.commit", "false",
        "enable.partition.eof", "true",  NULL
    };
    rd_kafka_t *handle = open_handle(RD_KAFKA_CONSUMER, pairs);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    bool joined = false;
    (void)signal(SIGTERM, on_signal);
    (void)rd_kafka_poll_set_consumer(handle);
    rd_kafka_topic_partition_list_add(list, args[2], RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_subscribe(handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    while (!stopped) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(handle, 100);
        if (message != NULL && !joined) { /* a record, or the end: it has its partition */
            joined = message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                     message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            if (joined) {
                (void)printf("joined\n");
                (void)fflush(stdout);
            }
        }
        if (message != NULL) {
            rd_kafka_message_destroy(message);
        }
    }
    (void)rd_kafka_consumer_close(handle); /* leaves the group */
    rd_kafka_destroy(handle);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "create") == 0 && argc >= 5) {
        return create(argv + 2, argc - 2);
    }
    if (strcmp(what, "anew") == 0 && argc == 5) {
        delete_topic(argv + 2);
        return create(argv + 2, argc - 2);
    }
    if (strcmp(what, "delete") == 0 && argc == 4) {
        delete_topic(argv + 2);
        return 0;
    }
    if (strcmp(what, "trim") == 0 && argc == 6) {
        return trim(argv + 2);
    }
    if (strcmp(what, "ends") == 0 && argc == 4) {
        return ends(argv + 2);
    }
    if (strcmp(what, "settings") == 0 && argc == 4) {
        return settings(argv + 2);
    }
    if (strcmp(what, "commit") == 0 && argc == 6) {
        return commit(argv + 2);
    }
    if (strcmp(what, "join") == 0 && argc == 5) {
        return join(argv + 2);
    }
    if (strcmp(what, "committed") == 0 && argc == 5) {
        return committed(argv + 2);
    }
    die("usage", "see the head of its source");
    return 2;
}
