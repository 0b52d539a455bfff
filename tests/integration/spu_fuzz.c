/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad input for a running SPU, and what must hold meanwhile.
 *
 *   spu_fuzz PORT PID SEED SECONDS RSS_MIB_MAX SASL_PORT
 *
 * Random and mutated requests of every API and version, frames that are cut, too long or never
 * end, batches with wrong checksums, magics and sequences, floods of connections; a client that
 * behaves is served all the while, and the server's memory is looked at. Before that, all of it for a
 * listener that nobody has logged in to. Prints "ok" and "FAIL" lines.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/kafka_error.h"
#include "core/wire/api.h"
#include "tests/support/login_fuzz.h"
#include "tests/support/spu_client.h"
#include "tests/support/wire_batch.h"
#include "tests/support/wire_sample.h"

enum {
    ANSWER_WAIT_MS = 150, /* some requests may wait for long; those are left alone */
    HALF_FRAMES = 300,
    FLOOD = 400,
    METADATA = 3,
    API_VERSIONS = 18
};

struct fuzz {
    uint16_t port;
    int pid;
    uint64_t deadline_ms;
    long rss_kib_max;
    struct fc_wire_sample sample;
    struct fc_arena arena;
    struct fc_buf frame;
    const char *where; /* before what is told */
    uint64_t sent;
    uint64_t answered;
    uint64_t closed;
    uint64_t silent;
    int passed;
    int failed;
};

static void check(struct fuzz *fuzz, bool good, const char *what)
{
    (void)printf("%s spu_fuzz/%s%s\n", good ? "ok  " : "FAIL", fuzz->where, what);
    (void)fflush(stdout);
    fuzz->passed += good;
    fuzz->failed += !good;
}

static uint64_t pick(struct fuzz *fuzz, uint64_t below)
{
    return fc_wire_sample_next(&fuzz->sample) % below;
}

/* --- requests --- */

/* Let random values name what exists now and then, so that more than the first check is met. */
static void tame(struct fuzz *fuzz, const struct fc_wire_type *type, uint8_t *message);

static void tame_value(struct fuzz *fuzz, const struct fc_wire_type *type, uint8_t *value)
{
    static const char *const names[] = { "fuzz", "compacted", "group", "txn", "1", "consumer" };
    static const int32_t numbers[] = { 0, 1, -1, 2, 3, 100, INT32_MAX, INT32_MIN };
    if (type->kind == FC_WIRE_STRUCT) {
        tame(fuzz, type, value);
    } else if (type->kind == FC_WIRE_STRING && pick(fuzz, 2) == 0) {
        struct fc_slice name = fc_slice_text(names[pick(fuzz, 6)]);
        memcpy(value, &name, sizeof(name));
    } else if (type->kind == FC_WIRE_INT32 && pick(fuzz, 3) != 0) {
        memcpy(value, &numbers[pick(fuzz, 8)], sizeof(int32_t));
    } else if (type->kind == FC_WIRE_INT64 && pick(fuzz, 3) != 0) {
        int64_t number = numbers[pick(fuzz, 8)];
        memcpy(value, &number, sizeof(number));
    } else if (type->kind == FC_WIRE_INT16 && pick(fuzz, 3) != 0) {
        int16_t number = (int16_t)numbers[pick(fuzz, 6)];
        memcpy(value, &number, sizeof(number));
    } else if (type->kind == FC_WIRE_INT8 && pick(fuzz, 3) != 0) {
        *value = (uint8_t)numbers[pick(fuzz, 5)];
    }
}

static void tame(struct fuzz *fuzz, const struct fc_wire_type *type, uint8_t *message)
{
    for (int16_t index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        uint8_t *at = message + field->offset;
        if (field->array) {
            uint8_t *elements = NULL;
            int32_t count = 0;
            memcpy(&elements, at, sizeof(elements));
            memcpy(&count, at + sizeof(elements), sizeof(count));
            for (int32_t which = 0; which < count; which++) {
                tame_value(fuzz, field->type, elements + (size_t)which * field->type->size);
            }
        } else if (field->pointer) {
            uint8_t *pointed = NULL;
            memcpy(&pointed, at, sizeof(pointed));
            if (pointed != NULL) {
                tame(fuzz, field->type, pointed);
            }
        } else {
            tame_value(fuzz, field->type, at);
        }
    }
}

/* The frame of a random request, in fuzz->frame. */
static void random_request(struct fuzz *fuzz, const struct fc_wire_api *api, int16_t version)
{
    void *message;
    fc_arena_release(&fuzz->arena);
    fc_arena_init(&fuzz->arena, SPU_ARENA_MAX);
    fuzz->sample.arena = &fuzz->arena;
    fuzz->sample.version = version;
    message = fc_arena_alloc(&fuzz->arena, api->request->size);
    fc_assert(message != NULL);
    fc_wire_init(api->request, message);
    fc_wire_sample_fill(&fuzz->sample, api->request, message);
    tame(fuzz, api->request, message);
    spu_frame(&fuzz->frame, api->key, version, api->request, message);
}

/* Send what is in fuzz->frame and see what comes; an answer must be one of that API and version. */
static bool exchange(struct fuzz *fuzz, int *fd, const struct fc_wire_api *api, int16_t version)
{
    struct fc_buf reply;
    struct fc_error err;
    bool good = true;
    spu_answer got;
    if (*fd < 0) {
        *fd = spu_dial(fuzz->port);
    }
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    fuzz->sent++;
    got = *fd >= 0 && spu_send(*fd, fuzz->frame.data, fuzz->frame.len)
              ? spu_receive(*fd, &reply, ANSWER_WAIT_MS)
              : SPU_CLOSED;
    if (got == SPU_ANSWER && api != NULL) {
        struct fc_reader reader;
        void *message = fc_new_array(uint8_t, api->response->size);
        struct fc_arena arena;
        int32_t id = 0;
        fc_arena_init(&arena, SPU_ARENA_MAX);
        fc_reader_init(&reader, fc_buf_slice(&reply));
        good = fc_wire_response_header_decode(&reader, api->key, version, &id, &err) == FC_OK &&
               id == SPU_CORRELATION_ID &&
               fc_wire_decode_from(api->response, version, &reader, &arena, message, &err) ==
                   FC_OK;
        if (!good) {
            (void)printf("     %s version %d: an answer that is none: %s\n", api->name, version,
                         err.message);
        }
        fc_arena_release(&arena);
        free(message);
    }
    fuzz->answered += got == SPU_ANSWER;
    fuzz->closed += got == SPU_CLOSED;
    fuzz->silent += got == SPU_SILENCE;
    if (got != SPU_ANSWER && *fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
    fc_buf_release(&reply);
    return good;
}

/* A dead process that nobody has waited for has no memory either. */
static bool alive(const struct fuzz *fuzz)
{
    return spu_rss_kib(fuzz->pid) > 0;
}

/* --- what is sent --- */

static void every_request(struct fuzz *fuzz)
{
    size_t count = 0;
    const struct fc_wire_api *apis = fc_wire_apis(&count);
    bool good = true;
    int fd = -1;
    for (size_t index = 0; index < count; index++) {
        const struct fc_wire_api *api = &apis[index];
        for (int16_t version = api->request->version_min; version <= api->max; version++) {
            for (int turn = 0; turn < 4; turn++) {
                random_request(fuzz, api, version);
                good = exchange(fuzz, &fd, api, version) && good;
            }
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    check(fuzz, good && alive(fuzz),
          "random requests of each API and version are answered in its form, or not");
}

static void mutated_requests(struct fuzz *fuzz)
{
    size_t count = 0;
    const struct fc_wire_api *apis = fc_wire_apis(&count);
    int fd = -1;
    while (spu_now_ms() < fuzz->deadline_ms && alive(fuzz)) {
        const struct fc_wire_api *api = &apis[pick(fuzz, count)];
        int16_t versions = (int16_t)(api->max - api->request->version_min + 1);
        int16_t version =
            (int16_t)(api->request->version_min + (int16_t)pick(fuzz, (uint64_t)versions));
        random_request(fuzz, api, version);
        fc_wire_sample_mutate(&fuzz->sample, &fuzz->frame);
        (void)exchange(fuzz, &fd, NULL, version);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    check(fuzz, alive(fuzz), "mutated requests of each API and version do it no harm");
}

/* Closed without an answer. */
static bool is_refused(struct fuzz *fuzz, const void *bytes, size_t len)
{
    struct fc_buf reply;
    int fd = spu_dial(fuzz->port);
    bool refused;
    fc_buf_init(&reply, SPU_ANSWER_MAX);
    refused = fd >= 0;
    (void)spu_send(fd, bytes, len);
    refused = refused && spu_receive(fd, &reply, SPU_WAIT_MS) == SPU_CLOSED;
    (void)close(fd);
    fc_buf_release(&reply);
    return refused;
}

static void unknown_requests(struct fuzz *fuzz)
{
    static const uint8_t lengths[][4] = { { 0x7f, 0xff, 0xff, 0xff },
                                          { 0xff, 0xff, 0xff, 0xff },
                                          { 0x80, 0, 0, 0 },
                                          { 0x06, 0x40, 0x00, 0x01 },
                                          { 0, 0, 0, 0 },
                                          { 0, 0, 0, 1 } };
    static const char *const others[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03........",
        "SSH-2.0-OpenSSH_9.2p1\r\n........"
    };
    bool good = true;
    int fd = -1;
    for (int16_t key = -2; key < 120; key++) {
        const struct fc_wire_api *api = fc_wire_api(key);
        spu_frame(&fuzz->frame, key, api == NULL ? 0 : (int16_t)(api->max + 1), NULL, NULL);
        if (key != API_VERSIONS) {
            good = is_refused(fuzz, fuzz->frame.data, fuzz->frame.len) && good;
        }
    }
    check(fuzz, good, "unknown APIs and versions close the connection");
    spu_frame(&fuzz->frame, API_VERSIONS, INT16_MAX, NULL, NULL);
    good = exchange(fuzz, &fd, fc_wire_api(API_VERSIONS), 0) && fd >= 0;
    (void)close(fd);
    check(fuzz, good, "an unknown version of ApiVersions is answered in version 0");
    good = true;
    for (size_t index = 0; index < sizeof(lengths) / sizeof(lengths[0]); index++) {
        uint8_t bytes[64] = { 0 };
        memcpy(bytes, lengths[index], 4);
        good = is_refused(fuzz, bytes, index == 5 ? 5 : sizeof(bytes)) && good;
    }
    check(fuzz, good, "lengths that cannot be close the connection");
    good = true;
    for (size_t index = 0; index < sizeof(others) / sizeof(others[0]); index++) {
        good = is_refused(fuzz, others[index], 27) && good;
    }
    check(fuzz, good, "other protocols' first words close the connection");
}

static void half_frames(struct fuzz *fuzz)
{
    int *fds = fc_new_array(int, HALF_FRAMES);
    long before = spu_rss_kib(fuzz->pid);
    long with;
    for (int index = 0; index < HALF_FRAMES; index++) {
        uint8_t bytes[2000] = { 0x03, 0, 0, 0, 0, 0, 0, 9 }; /* 48 MiB of Produce, announced */
        fds[index] = spu_dial(fuzz->port);
        (void)spu_send(fds[index], bytes, 4 + pick(fuzz, sizeof(bytes) - 4));
    }
    with = spu_rss_kib(fuzz->pid);
    check(fuzz, alive(fuzz) && with - before < 64 * 1024,
          "hundreds of half frames that wait cost little memory");
    for (int index = 0; index < HALF_FRAMES; index++) {
        (void)close(fds[index]);
    }
    for (int index = 0; index < FLOOD; index++) {
        fds[index % HALF_FRAMES] = spu_dial(fuzz->port);
        if (index % 3 == 0) {
            random_request(fuzz, fc_wire_api(METADATA), 12);
            (void)spu_send(fds[index % HALF_FRAMES], fuzz->frame.data,
                           fuzz->frame.len / (1 + pick(fuzz, 3)));
        }
        if (index % 2 == 0) {
            struct linger at_once = { 1, 0 };
            (void)setsockopt(fds[index % HALF_FRAMES], SOL_SOCKET, SO_LINGER, &at_once,
                             sizeof(at_once));
        }
        (void)close(fds[index % HALF_FRAMES]);
    }
    check(fuzz, alive(fuzz), "a flood of connections that end at once does it no harm");
    free(fds);
}

/* --- batches --- */

static void make_batch(const struct wire_batch *batch, struct fc_buf *out)
{
    fc_buf_init(out, SPU_ANSWER_MAX);
    wire_batch_make(batch, out);
}

/* A batch with one byte of its header changed. */
static int produce_broken(struct fuzz *fuzz, size_t at, uint8_t value)
{
    struct wire_batch batch = { .count = 3, .timestamp_ms = 1700000000000, .producer_id = -1 };
    struct fc_buf bytes;
    int error;
    batch.producer_epoch = -1;
    batch.base_sequence = -1;
    make_batch(&batch, &bytes);
    bytes.data[at] = value;
    error = spu_produce(fuzz->port, "fuzz", &bytes);
    fc_buf_release(&bytes);
    return error;
}

static int produce_sequence(struct fuzz *fuzz, int16_t epoch, int32_t sequence)
{
    struct wire_batch batch = { .count = 2,
                                .timestamp_ms = 1700000000000,
                                .producer_id = 987654321,
                                .producer_epoch = epoch,
                                .base_sequence = sequence };
    struct fc_buf bytes;
    int error;
    make_batch(&batch, &bytes);
    error = spu_produce(fuzz->port, "fuzz", &bytes);
    fc_buf_release(&bytes);
    return error;
}

static void expect(struct fuzz *fuzz, int wanted, int got, const char *what)
{
    if (wanted != got) {
        (void)printf("     error %d, wanted %d\n", got, wanted);
    }
    check(fuzz, wanted == got, what);
}

static void broken_batches(struct fuzz *fuzz)
{
    enum { LENGTH_AT = 8, MAGIC_AT = 16, CRC_AT = 17, COUNT_AT = 60 };
    expect(fuzz, FC_KAFKA_CORRUPT_MESSAGE, produce_broken(fuzz, CRC_AT, 0x55),
           "a wrong checksum: CORRUPT_MESSAGE");
    expect(fuzz, FC_KAFKA_INVALID_RECORD, produce_broken(fuzz, MAGIC_AT, 1),
           "magic 1: INVALID_RECORD");
    expect(fuzz, FC_KAFKA_CORRUPT_MESSAGE, produce_broken(fuzz, LENGTH_AT, 0x7f),
           "a length past the end: CORRUPT_MESSAGE");
    expect(fuzz, FC_KAFKA_CORRUPT_MESSAGE, produce_broken(fuzz, COUNT_AT, 9),
           "a count that is not so: CORRUPT_MESSAGE");
    expect(fuzz, FC_KAFKA_NONE, produce_sequence(fuzz, 0, 0),
           "a producer's first batch: taken");
    expect(fuzz, FC_KAFKA_NONE, produce_sequence(fuzz, 0, 0), "the same again: taken once");
    expect(fuzz, FC_KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, produce_sequence(fuzz, 0, 100),
           "a gap: OUT_OF_ORDER_SEQUENCE_NUMBER");
    expect(fuzz, FC_KAFKA_NONE, produce_sequence(fuzz, 3, 0), "a later epoch: taken");
    expect(fuzz, FC_KAFKA_INVALID_PRODUCER_EPOCH, produce_sequence(fuzz, 1, 2),
           "an older epoch: INVALID_PRODUCER_EPOCH");
}

/* --- who behaves --- */

struct client {
    uint16_t port;
    atomic_bool stop;
    uint64_t served;
    uint64_t failed;
    uint64_t slowest_ms;
};

static void *behave(void *ctx)
{
    struct wire_batch batch = {
        .count = 10, .timestamp_ms = 1700000000000, .producer_id = -1, .producer_epoch = -1
    };
    struct client *client = ctx;
    batch.base_sequence = -1;
    while (!atomic_load(&client->stop)) {
        struct timespec pause = { 0, 5000000 };
        uint64_t begin_ms = spu_now_ms();
        struct fc_buf bytes;
        int error;
        make_batch(&batch, &bytes);
        error = spu_produce(client->port, "served", &bytes);
        fc_buf_release(&bytes);
        client->served += error == FC_KAFKA_NONE;
        client->failed += error != FC_KAFKA_NONE;
        if (spu_now_ms() - begin_ms > client->slowest_ms) {
            client->slowest_ms = spu_now_ms() - begin_ms;
        }
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

/* On a listener with SASL, a fifth of the time. */
static void before_login(struct fuzz *fuzz, uint16_t port, uint64_t time_ms)
{
    const uint16_t open_port = fuzz->port;
    const uint64_t deadline_ms = fuzz->deadline_ms;
    struct login_fuzz login = { .port = port, .state = fuzz->sample.state };
    bool good = true;
    fuzz->port = port;
    fuzz->where = "before login: ";
    unknown_requests(fuzz);
    every_request(fuzz);
    half_frames(fuzz);
    fuzz->deadline_ms = spu_now_ms() + time_ms / 10;
    mutated_requests(fuzz);
    fuzz->deadline_ms = spu_now_ms() + time_ms / 10;
    while (good && spu_now_ms() < fuzz->deadline_ms && alive(fuzz)) {
        good = login_fuzz_round(&login);
    }
    (void)printf("     %lu logins\n", login.tried);
    check(fuzz, good && alive(fuzz), "wrong tokens, in requests or bare, let nobody in");
    fuzz->where = "";
    fuzz->port = open_port;
    fuzz->deadline_ms = deadline_ms;
}

int main(int argc, char **argv)
{
    struct client client = { 0 };
    struct fuzz fuzz = { 0 };
    uint64_t begin_ms = spu_now_ms();
    pthread_t thread;
    long rss;
    if (argc != 7) {
        (void)fprintf(stderr, "spu_fuzz PORT PID SEED SECONDS RSS_MIB_MAX SASL_PORT\n");
        return 2;
    }
    fuzz.port = (uint16_t)strtoul(argv[1], NULL, 10);
    fuzz.pid = (int)strtol(argv[2], NULL, 10);
    fuzz.sample.state = strtoull(argv[3], NULL, 10) * 2 + 1;
    fuzz.deadline_ms = begin_ms + strtoull(argv[4], NULL, 10) * 1000;
    fuzz.rss_kib_max = strtol(argv[5], NULL, 10) * 1024;
    fc_arena_init(&fuzz.arena, SPU_ARENA_MAX);
    fc_buf_init(&fuzz.frame, SPU_ANSWER_MAX);
    fuzz.where = "";
    client.port = fuzz.port;
    if (pthread_create(&thread, NULL, behave, &client) != 0) {
        perror("pthread_create");
        return 1;
    }
    before_login(&fuzz, (uint16_t)strtoul(argv[6], NULL, 10),
                 strtoull(argv[4], NULL, 10) * 1000);
    broken_batches(&fuzz);
    unknown_requests(&fuzz);
    every_request(&fuzz);
    half_frames(&fuzz);
    mutated_requests(&fuzz);
    atomic_store(&client.stop, true);
    (void)pthread_join(thread, NULL);
    rss = spu_rss_kib(fuzz.pid);
    (void)printf(
        "     %lu requests: %lu answered, %lu closed, %lu left alone; %ld MiB resident; "
        "who behaves: %lu served, %lu not, slowest %lu ms\n",
        fuzz.sent, fuzz.answered, fuzz.closed, fuzz.silent, rss / 1024, client.served,
        client.failed, client.slowest_ms);
    check(&fuzz, client.failed == 0 && client.served > 10,
          "who behaves is served all the while");
    check(&fuzz, rss > 0 && rss <= fuzz.rss_kib_max, "memory stays bounded");
    fc_arena_release(&fuzz.arena);
    fc_buf_release(&fuzz.frame);
    (void)printf("%d passed, %d failed\n", fuzz.passed, fuzz.failed);
    return fuzz.failed == 0 ? 0 : 1;
}
