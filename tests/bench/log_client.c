/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of `make bench-log`, the same for every server, on librdkafka:
 *
 *   log_client produce BOOTSTRAP TOPIC SIZE COUNT PRODUCERS     messages/s of all producers together, acks=all
 *   log_client latency BOOTSTRAP TOPIC SIZE RATE SECONDS        p50 and p99 from produce to acknowledgement, ms
 *   log_client fetch BOOTSTRAP TOPIC COUNT                      messages/s, from the beginning
 *   log_client spread BOOTSTRAP TOPIC PARTITIONS                a message to each partition
 *
 * Each prints its numbers on one line. Values are random bytes, so that nothing can be compressed.
 */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    POOL_BYTES = 1 << 20,
    ERROR_SIZE = 512,
    LATENCIES_MAX = 10000000,
    POLL_MS = 100,
    HANDED_AT_ONCE = 200 /* messages a call; a call each reads the clock each time */
};

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

_Noreturn static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "log_client: %s: %s\n", what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char error[ERROR_SIZE];
    if (rd_kafka_conf_set(conf, key, value, error, sizeof(error)) != RD_KAFKA_CONF_OK) {
        fail(key, error);
    }
}

static uint8_t *random_pool(void)
{
    uint8_t *pool = malloc(POOL_BYTES);
    uint64_t state = 88172645463325252ULL;
    if (pool == NULL) {
        fail("pool", "no memory");
    }
    for (size_t at = 0; at < POOL_BYTES; at++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        pool[at] = (uint8_t)state;
    }
    return pool;
}

struct producer {
    const char *bootstrap;
    const char *topic;
    const uint8_t *pool;
    size_t size;
    int64_t count;
    atomic_llong acknowledged;
    pthread_t thread;
};

static void on_delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct producer *producer = opaque;
    (void)client;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail("delivery", rd_kafka_err2str(message->err));
    }
    atomic_fetch_add_explicit(&producer->acknowledged, 1, memory_order_relaxed);
}

static rd_kafka_t *open_producer(struct producer *producer, const char *linger_ms,
                                 void (*on_message)(rd_kafka_t *, const rd_kafka_message_t *,
                                                    void *))
{
    char error[ERROR_SIZE];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *client;
    set(conf, "bootstrap.servers", producer->bootstrap);
    set(conf, "acks", "all");
    set(conf, "linger.ms", linger_ms);
    set(conf, "batch.size", "1000000");
    set(conf, "queue.buffering.max.messages", "1000000");
    set(conf, "queue.buffering.max.kbytes", "1048576");
    rd_kafka_conf_set_dr_msg_cb(conf, on_message);
    rd_kafka_conf_set_opaque(conf, producer);
    client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    if (client == NULL) {
        fail("producer", error);
    }
    return client;
}

static void produce_one(rd_kafka_t *client, const char *topic, const void *value, size_t size,
                        void *opaque)
{
    rd_kafka_resp_err_t error;
    do {
        error = rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic),
                                  RD_KAFKA_V_VALUE((void *)(uintptr_t)value, size),
                                  RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
        if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            (void)rd_kafka_poll(client, POLL_MS);
        }
    } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail("produce", rd_kafka_err2str(error));
    }
}

/* Hand over all; those that the client has no room for now again, once it has. */
static void produce_many(rd_kafka_t *client, rd_kafka_topic_t *topic,
                         rd_kafka_message_t *messages, int count)
{
    int left = count;
    while (left > 0) {
        int taken = rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, 0, messages, left);
        int kept = 0;
        for (int index = 0; taken < left && index < left; index++) {
            if (messages[index].err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
                messages[kept] = messages[index];
                messages[kept++].err = RD_KAFKA_RESP_ERR_NO_ERROR;
            } else if (messages[index].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                fail("produce", rd_kafka_err2str(messages[index].err));
            }
        }
        left = kept;
        (void)rd_kafka_poll(client, left > 0 ? POLL_MS : 0);
    }
}

static void *run_producer(void *arg)
{
    struct producer *producer = arg;
    rd_kafka_t *client = open_producer(producer, "5", on_delivered);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, producer->topic, NULL);
    for (int64_t sent = 0; sent < producer->count;) {
        rd_kafka_message_t messages[HANDED_AT_ONCE] = { 0 };
        int count = 0;
        for (; count < HANDED_AT_ONCE && sent < producer->count; sent++) {
            size_t at = (size_t)(sent * 131) % (POOL_BYTES - producer->size);
            messages[count].payload = (void *)(uintptr_t)(producer->pool + at);
            messages[count++].len = producer->size;
        }
        produce_many(client, topic, messages, count);
    }
    while (atomic_load(&producer->acknowledged) < producer->count) {
        (void)rd_kafka_poll(client, POLL_MS);
    }
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(client);
    return NULL;
}

static int produce(char **args)
{
    int producers = (int)strtol(args[4], NULL, 10);
    int64_t count = strtoll(args[3], NULL, 10);
    struct producer *all = calloc((size_t)producers, sizeof(*all));
    uint8_t *pool = random_pool();
    int64_t begin = now_us();
    double seconds;
    for (int index = 0; index < producers; index++) {
        all[index].bootstrap = args[0];
        all[index].topic = args[1];
        all[index].size = (size_t)strtoll(args[2], NULL, 10);
        all[index].count = count / producers;
        all[index].pool = pool;
        if (pthread_create(&all[index].thread, NULL, run_producer, &all[index]) != 0) {
            fail("thread", "cannot start");
        }
    }
    for (int index = 0; index < producers; index++) {
        (void)pthread_join(all[index].thread, NULL);
    }
    seconds = (double)(now_us() - begin) / 1e6;
    (void)printf("%.0f\n", (double)(count / producers * producers) / seconds);
    free(pool);
    free(all);
    return 0;
}

/* --- latency --- */

struct latencies {
    struct producer producer; /* first: it is the opaque of the client */
    int64_t *us;
    int64_t count;
};

static void on_acknowledged(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct latencies *latencies = opaque;
    (void)client;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail("delivery", rd_kafka_err2str(message->err));
    }
    if (latencies->count < LATENCIES_MAX) {
        latencies->us[latencies->count++] = now_us() - (int64_t)(intptr_t)message->_private;
    }
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static int latency(char **args)
{
    struct latencies latencies = { .producer = { .bootstrap = args[0], .topic = args[1] } };
    size_t size = (size_t)strtoll(args[2], NULL, 10);
    double rate = strtod(args[3], NULL);
    int64_t seconds = strtoll(args[4], NULL, 10);
    int64_t total = (int64_t)(rate * (double)seconds);
    uint8_t *pool = random_pool();
    rd_kafka_t *client = open_producer(&latencies.producer, "1", on_acknowledged);
    int64_t begin;
    int64_t skip;
    latencies.us = calloc(LATENCIES_MAX, sizeof(int64_t));
    produce_one(client, args[1], pool, size, (void *)(intptr_t)now_us());
    (void)rd_kafka_flush(client, 10000);
    latencies.count = 0;
    begin = now_us();
    for (int64_t sent = 0; sent < total;) {
        int64_t due = (int64_t)((double)(now_us() - begin) * rate / 1e6);
        for (; sent < due && sent < total; sent++) {
            produce_one(client, args[1], pool + (size_t)(sent * 131) % (POOL_BYTES - size),
                        size, (void *)(intptr_t)now_us());
        }
        (void)rd_kafka_poll(client, 1);
    }
    while (latencies.count < total && latencies.count < LATENCIES_MAX) {
        (void)rd_kafka_poll(client, POLL_MS);
    }
    skip = latencies.count / 10; /* while the first batches find their pace */
    qsort(latencies.us + skip, (size_t)(latencies.count - skip), sizeof(int64_t), compare);
    (void)printf("%.2f %.2f\n",
                 (double)latencies.us[skip + (latencies.count - skip) / 2] / 1000,
                 (double)latencies.us[skip + (latencies.count - skip) * 99 / 100] / 1000);
    rd_kafka_destroy(client);
    free(latencies.us);
    free(pool);
    return 0;
}

static int spread(char **args)
{
    struct producer producer = { .bootstrap = args[0], .topic = args[1] };
    int64_t count = strtoll(args[2], NULL, 10);
    uint8_t value[100] = { 0 };
    rd_kafka_t *client = open_producer(&producer, "5", on_delivered);
    for (int32_t partition = 0; partition < count; partition++) {
        rd_kafka_resp_err_t error = rd_kafka_producev(
            client, RD_KAFKA_V_TOPIC(args[1]), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_VALUE(value, sizeof(value)), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_END);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            fail("produce", rd_kafka_err2str(error));
        }
    }
    while (atomic_load(&producer.acknowledged) < count) {
        (void)rd_kafka_poll(client, POLL_MS);
    }
    (void)printf("%lld\n", (long long)count);
    rd_kafka_destroy(client);
    return 0;
}

/* --- fetch --- */

static rd_kafka_t *open_consumer(const char *bootstrap)
{
    char error[ERROR_SIZE];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *client;
    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "group.id", "bench");
    set(conf, "enable.auto.commit", "false");
    set(conf, "queued.min.messages", "1000000");
    set(conf, "queued.max.messages.kbytes", "262144");
    set(conf, "fetch.max.bytes", "52428800");
    set(conf, "max.partition.fetch.bytes", "8388608");
    set(conf, "check.crcs", "false");
    client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
    if (client == NULL) {
        fail("consumer", error);
    }
    (void)rd_kafka_poll_set_consumer(client);
    return client;
}

static void assign_all(rd_kafka_t *client, const char *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, handle, &metadata, 10000);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail("metadata", rd_kafka_err2str(error));
    }
    for (int index = 0; index < metadata->topics[0].partition_cnt; index++) {
        rd_kafka_topic_partition_list_add(list, topic, metadata->topics[0].partitions[index].id)
            ->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    error = rd_kafka_assign(client, list);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail("assign", rd_kafka_err2str(error));
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    rd_kafka_topic_partition_list_destroy(list);
}

static int fetch(char **args)
{
    enum { BATCH = 10000 };
    rd_kafka_message_t **messages = calloc(BATCH, sizeof(*messages));
    int64_t count = strtoll(args[2], NULL, 10);
    rd_kafka_t *client = open_consumer(args[0]);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    int64_t begin = now_us();
    int64_t got = 0;
    assign_all(client, args[1]);
    while (got < count) {
        ssize_t more = rd_kafka_consume_batch_queue(queue, 1000, messages, BATCH);
        for (ssize_t index = 0; index < more; index++) {
            got += messages[index]->err == RD_KAFKA_RESP_ERR_NO_ERROR ? 1 : 0;
            rd_kafka_message_destroy(messages[index]);
        }
    }
    (void)printf("%.0f\n", (double)got / ((double)(now_us() - begin) / 1e6));
    rd_kafka_queue_destroy(queue);
    (void)rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    free(messages);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "produce") == 0) {
        return produce(argv + 2);
    }
    if (argc == 7 && strcmp(argv[1], "latency") == 0) {
        return latency(argv + 2);
    }
    if (argc == 5 && strcmp(argv[1], "fetch") == 0) {
        return fetch(argv + 2);
    }
    if (argc == 5 && strcmp(argv[1], "spread") == 0) {
        return spread(argv + 2);
    }
    (void)fprintf(stderr,
                  "usage: log_client produce|latency|fetch|spread ...: see the source\n");
    return 2;
}
