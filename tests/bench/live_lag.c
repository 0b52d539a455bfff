/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `live_lag FILE.yaml SOCKET SECONDS RATE`: one-row transactions at RATE a second against the
 * server, the capture running in this process; prints how long after each commit returned its record
 * was durable in the log: "live_lag_ms p50 p99 max count".
 *
 * The table is lag.t(id bigint primary key, note varchar(100)); the file captures it into topic
 * "lag".
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mysql.h>

#include "core/base/alloc.h"
#include "core/stream/embedded.h"
#include "runner/command.h"
#include "runner/pipeline.h"

enum { CONNECTIONS = 4, IDS_MAX = 1 << 22 };

struct bench {
    const char *socket;
    struct fc_pipeline *pipeline;
    struct fc_topic *topic;
    int64_t *committed_ns; /* by id; each written by one thread before it is read */
    int64_t *durable_ns;
    int64_t interval_ns;
    int64_t until_ns;
    int64_t written;
};

struct client {
    struct bench *bench;
    int64_t number;
    int64_t count;
    pthread_t thread;
};

static void must(fc_code code, const struct fc_error *err)
{
    if (code != FC_OK) {
        (void)fprintf(stderr, "live_lag: %s\n", err->message);
        exit(1);
    }
}

static int64_t now_ns(void)
{
    return fc_clock_system()->steady_ns(fc_clock_system());
}

static void sleep_until(int64_t when_ns)
{
    struct timespec until = { when_ns / 1000000000, when_ns % 1000000000 };
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void *capture(void *ctx)
{
    struct bench *bench = ctx;
    struct fc_error err;
    if (fc_pipeline_run(bench->pipeline, &err) != FC_OK) {
        (void)fprintf(stderr, "live_lag: %s\n", err.message);
        exit(1);
    }
    return NULL;
}

static void *write_rows(void *ctx)
{
    struct client *client = ctx;
    struct bench *bench = client->bench;
    MYSQL *mysql = mysql_init(NULL);
    int64_t next_ns = now_ns();
    if (mysql_real_connect(mysql, NULL, "root", "", "lag", 0, bench->socket, 0) == NULL) {
        (void)fprintf(stderr, "live_lag: %s\n", mysql_error(mysql));
        exit(1);
    }
    while (now_ns() < bench->until_ns) {
        char sql[160];
        int64_t id = client->number + client->count * CONNECTIONS;
        (void)snprintf(sql, sizeof(sql), "INSERT INTO t VALUES (%" PRId64 ", REPEAT('x', 80))",
                       id);
        if (mysql_query(mysql, sql) != 0) {
            (void)fprintf(stderr, "live_lag: %s\n", mysql_error(mysql));
            exit(1);
        }
        __atomic_store_n(&bench->committed_ns[id], now_ns(), __ATOMIC_RELEASE);
        client->count++;
        next_ns += bench->interval_ns;
        sleep_until(next_ns);
    }
    mysql_close(mysql);
    return NULL;
}

static void note_durable(struct bench *bench, const struct fc_record *records, uint32_t count)
{
    int64_t now = now_ns();
    for (uint32_t index = 0; index < count; index++) {
        char key[64];
        (void)snprintf(key, sizeof(key), "%.*s", (int)records[index].key.len,
                       (const char *)records[index].key.data);
        bench->durable_ns[strtoll(key + strlen("{\"id\":"), NULL, 10)] = now;
        bench->written++;
    }
}

/* Read along; a batch counts when all of it is durable. */
static void watch(struct bench *bench, struct fc_stream_reader *reader,
                  const struct client *clients)
{
    struct fc_error err;
    for (;;) {
        const struct fc_record *records = NULL;
        struct fc_offsets offsets;
        uint32_t count = 0;
        int64_t total = 0;
        if (fc_stream_reader_next(reader, 20, &records, &count, &err) != FC_OK) {
            (void)fprintf(stderr, "live_lag: %s\n", err.message);
            exit(1);
        }
        if (count > 0) {
            do {
                struct timespec pause = { 0, 20000 };
                (void)nanosleep(&pause, NULL);
                must(fc_stream_offsets(bench->topic, 0, &offsets, &err), &err);
            } while (offsets.durable < fc_stream_reader_offset(reader));
            note_durable(bench, records, count);
        } else if (now_ns() > bench->until_ns + 2000000000) {
            for (int index = 0; index < CONNECTIONS; index++) {
                total += clients[index].count;
            }
            if (bench->written >= total) {
                return;
            }
        }
    }
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static void report(const struct bench *bench, const struct client *clients)
{
    int64_t *lags = fc_new_array(int64_t, (size_t)bench->written + 1);
    size_t count = 0;
    for (int64_t number = 0; number < CONNECTIONS; number++) {
        for (int64_t index = 0; index < clients[number].count; index++) {
            int64_t id = number + index * CONNECTIONS;
            int64_t lag = bench->durable_ns[id] - bench->committed_ns[id];
            lags[count++] = lag < 0 ? 0 : lag;
        }
    }
    qsort(lags, count, sizeof(*lags), compare);
    (void)printf("live_lag_ms %.2f %.2f %.2f %zu\n", (double)lags[count / 2] / 1e6,
                 (double)lags[count * 99 / 100] / 1e6, (double)lags[count - 1] / 1e6, count);
    free(lags);
}

static void run(struct bench *bench)
{
    struct client clients[CONNECTIONS];
    struct fc_stream_reader *reader = NULL;
    struct fc_offsets offsets;
    struct fc_error err;
    pthread_t pipeline;
    struct fc_pipeline_status status;
    (void)pthread_create(&pipeline, NULL, capture, bench);
    do {
        struct timespec pause = { 0, 10000000 };
        (void)nanosleep(&pause, NULL);
        fc_pipeline_status(bench->pipeline, &status);
    } while (!status.source.caught_up);
    must(fc_stream_offsets(bench->topic, 0, &offsets, &err), &err);
    if (fc_stream_reader_open(bench->topic, 0, offsets.end, &reader, &err) != FC_OK) {
        (void)fprintf(stderr, "live_lag: %s\n", err.message);
        exit(1);
    }
    bench->until_ns += now_ns();
    memset(clients, 0, sizeof(clients));
    for (int index = 0; index < CONNECTIONS; index++) {
        clients[index].bench = bench;
        clients[index].number = index;
        (void)pthread_create(&clients[index].thread, NULL, write_rows, &clients[index]);
    }
    watch(bench, reader, clients);
    for (int index = 0; index < CONNECTIONS; index++) {
        (void)pthread_join(clients[index].thread, NULL);
    }
    report(bench, clients);
    fc_stream_reader_close(reader);
    fc_pipeline_stop(bench->pipeline);
    (void)pthread_join(pipeline, NULL);
}

int main(int argc, char **argv)
{
    struct fc_command command;
    struct fc_setup setup;
    struct fc_embedded_config embedded;
    struct fc_pipeline_config config;
    struct fc_stream *stream = NULL;
    struct bench bench;
    struct fc_error err;
    if (argc != 5) {
        (void)fprintf(stderr, "usage: live_lag FILE.yaml SOCKET SECONDS RATE\n");
        return 2;
    }
    memset(&command, 0, sizeof(command));
    memset(&embedded, 0, sizeof(embedded));
    memset(&config, 0, sizeof(config));
    memset(&bench, 0, sizeof(bench));
    command.name = "live_lag";
    command.exe_dir =
        getenv("FLUVIO_EXE_DIR"); /* NOLINT(concurrency-mt-unsafe): one thread yet */
    command.clock = fc_clock_system();
    command.out = stdout;
    command.err = stderr;
    command.diag = fc_diag_new(stderr, FC_DIAG_WARN);
    bench.socket = argv[2];
    bench.until_ns = strtoll(argv[3], NULL, 10) * 1000000000;
    bench.interval_ns = INT64_C(1000000000) * CONNECTIONS / strtoll(argv[4], NULL, 10);
    bench.committed_ns = fc_new_array(int64_t, IDS_MAX);
    bench.durable_ns = fc_new_array(int64_t, IDS_MAX);
    if (fc_setup_load(&command, argv[1], &setup, &err) != FC_OK) {
        (void)fprintf(stderr, "live_lag: %s\n", err.message);
        return 1;
    }
    embedded.dir = setup.config->log_dir;
    if (fc_embedded_open(&embedded, &stream, &err) != FC_OK ||
        fc_stream_topic_ensure(stream, "lag", &setup.config->topic_config, &bench.topic,
                               &err) != FC_OK) {
        (void)fprintf(stderr, "live_lag: %s\n", err.message);
        return 1;
    }
    config.config = setup.config;
    config.plugin = setup.connector;
    config.host = setup.host;
    config.stream = stream;
    config.clock = command.clock;
    config.diag = command.diag;
    bench.pipeline = fc_pipeline_new(&config, NULL);
    run(&bench);
    fc_pipeline_free(bench.pipeline);
    fc_stream_close(stream);
    fc_setup_release(&setup);
    fc_diag_free(command.diag);
    free(bench.committed_ns);
    free(bench.durable_ns);
    return 0;
}
