/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of the bridge need of a cluster: records of every form, a sequence that goes on
 * while things break, and a look at what stands there.
 *
 *   bridge_peer forms BROKERS TOPIC PARTITIONS COUNT CODEC   records of every form
 *   bridge_peer aborted BROKERS TOPIC COUNT                  COUNT aborted, COUNT committed, in turn
 *   bridge_peer dump BROKERS TOPIC                           a line for each record, by partition
 *   bridge_peer feed BROKERS TOPIC PARTITIONS RATE           0, 1, 2, ... in each partition, until
 *                                                            SIGTERM; prints how many in each
 *   bridge_peer check BROKERS TOPIC COUNT                    each partition holds 0 to COUNT - 1, once
 *                                                            each and in order
 *   bridge_peer covers BROKERS TOPIC COUNT                   the same, but what came may come again
 *   bridge_peer consume BROKERS TOPIC GROUP COUNT            as a member of the group: prints what
 *                                                            it gets ("partition value"), commits;
 *                                                            COUNT 0: until the end
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WAIT_MS = 30000,
    PUT_TRIES = 600, /* 100 ms apart */
    TEXT_SIZE = 512,
    VALUE_BYTES_MAX = 40000,
    PARTITIONS_MAX = 64
};

static volatile sig_atomic_t stopped;
static int64_t undelivered;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "bridge_peer: %s: %s\n", what, why);
    exit(1);
}

static void on_delivered(rd_kafka_t *handle, const rd_kafka_message_t *message, void *ctx)
{
    (void)handle;
    (void)ctx;
    undelivered += message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : 1;
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
    if (type == RD_KAFKA_PRODUCER) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    }
    handle = rd_kafka_new(type, conf, why, sizeof(why));
    if (handle == NULL) {
        die("open", why);
    }
    return handle;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 24;
}

/* --- forms -------------------------------------------------------------------------------- */

/* Null, empty, or bytes of any value, in `to`. */
static const void *form(uint64_t *state, char *to, size_t max, size_t *out_len)
{
    uint64_t kind = next_random(state) % 8;
    *out_len = 0;
    if (kind == 0) {
        return NULL;
    }
    *out_len = kind == 1 ? 0 : 1 + next_random(state) % max;
    for (size_t index = 0; index < *out_len; index++) {
        to[index] = (char)(next_random(state) % (kind < 5 ? 4 : 256));
    }
    return to;
}

static rd_kafka_headers_t *header_forms(uint64_t *state)
{
    static const char *const names[] = { "a", "trace-id", "", "a", "\xc3\xa9t\xc3\xa9" };
    uint64_t count = next_random(state) % 6;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    char value[64];
    for (uint64_t index = 0; index < count; index++) {
        size_t len = 0;
        const void *bytes = form(state, value, sizeof(value), &len);
        const char *name = names[next_random(state) % 5];
        (void)rd_kafka_header_add(headers, name, (ssize_t)strlen(name), bytes, (ssize_t)len);
    }
    return headers;
}

static void settle(rd_kafka_t *handle)
{
    if (rd_kafka_flush(handle, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR || undelivered > 0) {
        die("produce", "not everything was delivered");
    }
}

static int forms(char **args)
{
    const char *const pairs[] = {
        "bootstrap.servers", args[0], "compression.codec", args[4], "linger.ms", "20", NULL
    };
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, pairs);
    int32_t partitions = (int32_t)strtol(args[2], NULL, 10);
    long count = strtol(args[3], NULL, 10);
    uint64_t state = (uint64_t)count + strlen(args[4]);
    char *value = malloc(VALUE_BYTES_MAX);
    for (long index = 0; index < count; index++) {
        char key[48];
        size_t key_len = 0;
        size_t value_len = 0;
        size_t most = index % 50 == 0 ? VALUE_BYTES_MAX : 300;
        const void *key_bytes = form(&state, key, sizeof(key), &key_len);
        const void *value_bytes = form(&state, value, most, &value_len);
        int64_t time_ms = INT64_C(1700000000000) + (int64_t)(next_random(&state) % 100000000);
        rd_kafka_resp_err_t answer = rd_kafka_producev(
            handle, RD_KAFKA_V_TOPIC(args[1]),
            RD_KAFKA_V_PARTITION((int32_t)index % partitions),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key_bytes, key_len),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)value_bytes, value_len),
            RD_KAFKA_V_TIMESTAMP(time_ms), RD_KAFKA_V_HEADERS(header_forms(&state)),
            RD_KAFKA_V_END);
        if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
            die("produce", rd_kafka_err2str(answer));
        }
    }
    settle(handle);
    free(value);
    rd_kafka_destroy(handle);
    return 0;
}

static void done(rd_kafka_error_t *error, const char *what)
{
    if (error != NULL) {
        die(what, rd_kafka_error_string(error));
    }
}

/* A node that has just come back may not know of the topic yet. */
static bool passes(rd_kafka_resp_err_t answer)
{
    return answer == RD_KAFKA_RESP_ERR__QUEUE_FULL ||
           answer == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           answer == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

static void put_number(rd_kafka_t *handle, const char *topic, int32_t partition, int64_t number)
{
    char value[32];
    int len = snprintf(value, sizeof(value), "%" PRId64, number);
    rd_kafka_resp_err_t answer = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    for (int tries = 0; passes(answer) && tries < PUT_TRIES; tries++) {
        answer =
            rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_VALUE(value, (size_t)len), RD_KAFKA_V_END);
        (void)rd_kafka_poll(handle, answer == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : 100);
    }
    if (answer != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die("produce", rd_kafka_err2str(answer));
    }
}

/* Committed are 0, 1, 2, ...; aborted ones negative. */
static int aborted(char **args)
{
    const char *const pairs[] = { "bootstrap.servers", args[0], "transactional.id", args[1],
                                  NULL };
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, pairs);
    int64_t count = strtoll(args[2], NULL, 10);
    done(rd_kafka_init_transactions(handle, WAIT_MS), "begin");
    for (int64_t index = 0; index < count; index++) {
        done(rd_kafka_begin_transaction(handle), "begin");
        put_number(handle, args[1], 0, -1 - index);
        (void)rd_kafka_flush(handle, WAIT_MS);
        done(rd_kafka_abort_transaction(handle, WAIT_MS), "abort");
        done(rd_kafka_begin_transaction(handle), "begin");
        put_number(handle, args[1], 0, index);
        done(rd_kafka_commit_transaction(handle, WAIT_MS), "commit");
    }
    rd_kafka_destroy(handle);
    return 0;
}

/* --- looking ------------------------------------------------------------------------------ */

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

static rd_kafka_t *open_reader(const char *brokers)
{
    const char *const pairs[] = {
        "bootstrap.servers",
        brokers,
        "group.id",
        "bridge_peer",
        "enable.partition.eof",
        "true",
        "auto.offset.reset",
        "earliest",
        "enable.auto.commit",
        "false",
        "fetch.wait.max.ms", /* the end of each partition is asked for */
        "10",
        NULL
    };
    rd_kafka_t *handle = open_handle(RD_KAFKA_CONSUMER, pairs);
    return handle;
}

/* Call on_record for every record, one partition after the other. */
static void each(const char *brokers, const char *topic,
                 void (*on_record)(void *ctx, const rd_kafka_message_t *message), void *ctx)
{
    rd_kafka_t *handle = open_reader(brokers);
    int32_t count = partitions_of(handle, topic);
    (void)rd_kafka_poll_set_consumer(handle);
    for (int32_t partition = 0; partition < count; partition++) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        int at_end = 0;
        rd_kafka_topic_partition_list_add(list, topic, partition)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
        (void)rd_kafka_assign(handle, list);
        rd_kafka_topic_partition_list_destroy(list);
        while (!at_end) {
            rd_kafka_message_t *message = rd_kafka_consumer_poll(handle, WAIT_MS);
            if (message == NULL) {
                die(topic, "nothing comes");
            }
            at_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                on_record(ctx, message);
            } else if (!at_end) {
                die(topic, rd_kafka_err2str(message->err));
            }
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_destroy(handle);
}

static void print_bytes(const void *data, size_t len)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    if (data == NULL) {
        (void)printf(" null");
        return;
    }
    for (size_t index = 0; index < len; index++) {
        hash = (hash ^ ((const uint8_t *)data)[index]) * UINT64_C(1099511628211);
    }
    (void)printf(" %zu:%016" PRIx64, len, hash);
}

static void print_record(void *ctx, const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t kind;
    rd_kafka_headers_t *headers = NULL;
    (void)ctx;
    (void)printf("%" PRId32 " %" PRId64, message->partition,
                 rd_kafka_message_timestamp(message, &kind));
    print_bytes(message->key, message->key_len);
    print_bytes(message->payload, message->len);
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char *name = NULL;
        const void *value = NULL;
        size_t len = 0;
        for (size_t index = 0; rd_kafka_header_get_all(headers, index, &name, &value, &len) ==
                               RD_KAFKA_RESP_ERR_NO_ERROR;
             index++) {
            (void)printf(" %s=", name);
            print_bytes(value, len);
        }
    }
    (void)printf("\n");
}

struct checking {
    int64_t next[PARTITIONS_MAX];
    bool repeats; /* it may go back, to what was there */
    int64_t bad;
};

static void check_record(void *ctx, const rd_kafka_message_t *message)
{
    struct checking *checking = ctx;
    char text[32];
    int64_t number;
    (void)snprintf(text, sizeof(text), "%.*s", (int)message->len,
                   (const char *)message->payload);
    number = strtoll(text, NULL, 10);
    if (checking->repeats && number < checking->next[message->partition]) {
        return;
    }
    if (number != checking->next[message->partition]) {
        if (checking->bad++ < 5) {
            (void)printf("partition %" PRId32 " offset %" PRId64 ": %" PRId64
                         ", wanted %" PRId64 "\n",
                         message->partition, message->offset, number,
                         checking->next[message->partition]);
        }
        checking->next[message->partition] = number;
    }
    checking->next[message->partition]++;
}

static int check(char **args, bool repeats)
{
    struct checking checking;
    int64_t count = strtoll(args[2], NULL, 10);
    rd_kafka_t *handle = open_reader(args[0]);
    int32_t partitions = partitions_of(handle, args[1]);
    rd_kafka_destroy(handle);
    memset(&checking, 0, sizeof(checking));
    checking.repeats = repeats;
    each(args[0], args[1], check_record, &checking);
    for (int32_t partition = 0; partition < partitions; partition++) {
        if (checking.next[partition] != count) {
            (void)printf("partition %" PRId32 " ends with %" PRId64 " of %" PRId64 "\n",
                         partition, checking.next[partition], count);
            checking.bad++;
        }
    }
    return checking.bad == 0 ? 0 : 1;
}

/* --- going on ----------------------------------------------------------------------------- */

static int feed(char **args)
{
    const char *const pairs[] = { "bootstrap.servers",
                                  args[0],
                                  "enable.idempotence",
                                  "true",
                                  "message.timeout.ms",
                                  "120000",
                                  "linger.ms",
                                  "5",
                                  NULL };
    rd_kafka_t *handle = open_handle(RD_KAFKA_PRODUCER, pairs);
    int32_t partitions = (int32_t)strtol(args[2], NULL, 10);
    int64_t rate = strtoll(args[3], NULL, 10); /* of each partition, a second */
    struct timespec begin;
    int64_t count = 0;
    (void)signal(SIGTERM, on_signal);
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    while (!stopped) {
        struct timespec now;
        int64_t due;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        due = ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000) *
              rate / 1000;
        for (; count < due; count++) {
            for (int32_t partition = 0; partition < partitions; partition++) {
                put_number(handle, args[1], partition, count);
            }
        }
        (void)rd_kafka_poll(handle, 10);
    }
    if (rd_kafka_flush(handle, 120000) != RD_KAFKA_RESP_ERR_NO_ERROR || undelivered > 0) {
        die("feed", "not everything was delivered");
    }
    rd_kafka_destroy(handle);
    (void)printf("%" PRId64 "\n", count);
    return 0;
}

static int consume(char **args)
{
    const char *const pairs[] = { "bootstrap.servers",
                                  args[0],
                                  "group.id",
                                  args[2],
                                  "enable.partition.eof",
                                  "true",
                                  "auto.offset.reset",
                                  "earliest",
                                  "enable.auto.commit",
                                  "false",
                                  "enable.auto.offset.store",
                                  "true",
                                  NULL };
    rd_kafka_t *handle = open_handle(RD_KAFKA_CONSUMER, pairs);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int32_t partitions = partitions_of(handle, args[1]);
    int64_t wanted = strtoll(args[3], NULL, 10);
    int64_t got = 0;
    int32_t ends = 0;
    (void)rd_kafka_poll_set_consumer(handle);
    rd_kafka_topic_partition_list_add(list, args[1], RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_subscribe(handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    while (wanted == 0 ? ends < partitions : got < wanted) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(handle, WAIT_MS);
        if (message == NULL) {
            die(args[1], "nothing comes");
        }
        ends += message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ? 1 : 0;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            got++;
            (void)printf("%" PRId32 " %.*s\n", message->partition, (int)message->len,
                         (const char *)message->payload);
        }
        rd_kafka_message_destroy(message);
    }
    if (got > 0 && rd_kafka_commit(handle, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die(args[2], "cannot commit");
    }
    (void)rd_kafka_consumer_close(handle); /* leaves the group */
    rd_kafka_destroy(handle);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "forms") == 0 && argc == 7) {
        return forms(argv + 2);
    }
    if (strcmp(what, "aborted") == 0 && argc == 5) {
        return aborted(argv + 2);
    }
    if (strcmp(what, "dump") == 0 && argc == 4) {
        each(argv[2], argv[3], print_record, NULL);
        return 0;
    }
    if (strcmp(what, "feed") == 0 && argc == 6) {
        return feed(argv + 2);
    }
    if (strcmp(what, "check") == 0 && argc == 5) {
        return check(argv + 2, false);
    }
    if (strcmp(what, "covers") == 0 && argc == 5) {
        return check(argv + 2, true);
    }
    if (strcmp(what, "consume") == 0 && argc == 6) {
        return consume(argv + 2);
    }
    die("usage", "see the head of its source");
    return 2;
}
