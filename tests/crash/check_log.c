/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `check_log DIR|kafka:BROKERS TOPIC`: prove from the log alone that it holds the workload's changes exactly once
 * and in order, and print the last counter of each worker ("worker version n"), to be compared with
 * the server's.
 *
 * Checked: each key's versions grow by one without gap or repetition; a key is created once and
 * nothing follows its delete; a snapshot row shows the version that the stream was at; the rows of
 * each transaction are as many as its counter says; row numbers have no gaps; the counters' own
 * versions have no gaps.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/base/alloc.h"
#include "core/base/hashmap.h"
#include "core/stream/embedded.h"
#include "core/stream/kafka.h"
#include "runner/identity.h"

enum { WORKERS_MAX = 64 };

struct key_state {
    int64_t version;
    bool deleted;
};

struct counter_state {
    bool known;
    int64_t version;
    int64_t n;
};

struct checker {
    bool dense;                 /* the log has a record at every offset */
    struct fc_hashmap keys;     /* "<table> <key json>" -> struct key_state */
    struct fc_hashmap complete; /* tables whose snapshot is complete */
    struct fc_hashmap journal;  /* entries seen in the stream */
    struct counter_state counters[WORKERS_MAX];
    char tx[128];
    uint64_t tx_rows;
    uint64_t next_row;
    uint64_t transactions;
    uint64_t changes;
    uint64_t reads;
    int64_t offset;
};

static void wrong(const struct checker *checker, const char *fmt, ...)
{
    va_list args;
    (void)fprintf(stderr, "check_log: offset %" PRId64 ", transaction %s: ", checker->offset,
                  checker->tx);
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fprintf(stderr, "\n");
    exit(1);
}

static int64_t number(json_t *row, const char *name)
{
    return json_integer_value(json_object_get(row, name));
}

static void check_counter(struct checker *checker, char op, json_t *before, json_t *after)
{
    int64_t worker = number(after, "worker");
    struct counter_state *state;
    if (op == 'd' || worker < 0 || worker >= WORKERS_MAX) {
        wrong(checker, "a counter was deleted or is not one of ours");
    }
    state = &checker->counters[worker];
    if (state->known && op == 'u' && number(after, "version") != state->version + 1) {
        wrong(checker, "counter %" PRId64 " goes from version %" PRId64 " to %" PRId64, worker,
              state->version, number(after, "version"));
    }
    if (state->known && op == 'r' && number(after, "version") != state->version) {
        wrong(checker,
              "counter %" PRId64 " was read at version %" PRId64 " but streamed to %" PRId64,
              worker, number(after, "version"), state->version);
    }
    if (op == 'u' && number(after, "n") - number(before, "n") != (int64_t)checker->tx_rows) {
        wrong(checker, "the transaction changed %" PRId64 " rows, the log has %" PRIu64,
              number(after, "n") - number(before, "n"), checker->tx_rows);
    }
    state->known = true;
    state->version = number(after, "version");
    state->n = number(after, "n");
}

static void check_keyed(struct checker *checker, const char *table, struct fc_slice key,
                        char op, json_t *before, json_t *after)
{
    char name[512];
    struct key_state *state;
    bool complete = fc_hashmap_get(&checker->complete, fc_slice_text(table)) != NULL;
    int64_t version = number(op == 'd' ? before : after, "version");
    (void)snprintf(name, sizeof(name), "%s %.*s", table, (int)key.len, (const char *)key.data);
    state = fc_hashmap_get(&checker->keys, fc_slice_text(name));
    if (state == NULL) {
        if ((op == 'u' || op == 'd') && complete) {
            wrong(checker, "%s: changed before it was created", name);
        }
        if (op == 'c' && version != 1) {
            wrong(checker, "%s: created at version %" PRId64, name, version);
        }
        state = fc_new(struct key_state);
        (void)fc_hashmap_put(&checker->keys, fc_slice_text(name), state);
    } else if (state->deleted || op == 'c') {
        wrong(checker, "%s: '%c' after it was %s", name, op,
              state->deleted ? "deleted" : "created");
    } else if (version != state->version + (op == 'u' ? 1 : 0)) {
        wrong(checker, "%s: '%c' at version %" PRId64 " after version %" PRId64, name, op,
              version, state->version);
    }
    state->version = version;
    state->deleted = op == 'd';
}

static void check_journal(struct checker *checker, char op, json_t *after)
{
    char name[64];
    if (op != 'c' && op != 'r') {
        wrong(checker, "journal has a '%c'", op);
    }
    (void)snprintf(name, sizeof(name), "%" PRId64 "/%" PRId64, number(after, "worker"),
                   number(after, "n"));
    if (fc_hashmap_put(&checker->journal, fc_slice_text(name), checker) != NULL && op == 'c') {
        wrong(checker, "journal entry %s is there twice", name);
    }
}

static void check_tx(struct checker *checker, const struct fc_identity *identity)
{
    bool same = strlen(checker->tx) == identity->tx_id.len &&
                memcmp(checker->tx, identity->tx_id.data, identity->tx_id.len) == 0;
    if (!same) {
        (void)snprintf(checker->tx, sizeof(checker->tx), "%.*s", (int)identity->tx_id.len,
                       (const char *)identity->tx_id.data);
        checker->tx_rows = 0;
        checker->next_row = 0;
        checker->transactions++;
    }
    if (strcmp(checker->tx, "-") != 0 && identity->part == 0 &&
        identity->row != checker->next_row++) {
        wrong(checker, "row %" PRIu64 " stands where row %" PRIu64 " should", identity->row,
              checker->next_row - 1);
    }
}

static void check_record(struct checker *checker, const struct fc_record *record)
{
    struct fc_identity identity;
    struct fc_error err;
    json_t *value;
    json_t *before;
    json_t *after;
    const char *table;
    char op;
    checker->offset = record->offset;
    if (fc_identity_of(record, &identity, &err) != FC_OK) {
        wrong(checker, "%s", err.message);
    }
    if (identity.op == 'x' || identity.op == 'm') {
        return;
    }
    check_tx(checker, &identity);
    if (identity.op == 's' || fc_slice_is_null(record->value)) {
        return;
    }
    value = json_loadb((const char *)record->value.data, record->value.len, 0, NULL);
    table = json_string_value(json_object_get(json_object_get(value, "source"), "table"));
    before = json_object_get(value, "before");
    after = json_object_get(value, "after");
    if (value == NULL || table == NULL) {
        wrong(checker, "the value is not an envelope");
    }
    op = identity.op == 'e' ? 'r' : identity.op;
    checker->reads += op == 'r';
    checker->changes += op != 'r';
    if (strcmp(table, "counter") == 0) {
        check_counter(checker, op, before, after);
    } else if (strcmp(table, "journal") == 0) {
        check_journal(checker, op, after);
        checker->tx_rows++;
    } else {
        check_keyed(checker, table, record->key, op, before, after);
        checker->tx_rows++;
    }
    if (identity.op == 'e') {
        (void)fc_hashmap_put(&checker->complete, fc_slice_text(table), checker);
    }
    json_decref(value);
}

static fc_code check_topic(struct checker *checker, struct fc_topic *topic,
                           struct fc_error *err)
{
    struct fc_stream_reader *reader = NULL;
    struct fc_offsets offsets;
    fc_code code = fc_stream_offsets(topic, 0, &offsets, err);
    int64_t expected = 0;
    if (code == FC_OK) {
        code = fc_stream_reader_open(topic, 0, offsets.start, &reader, err);
    }
    while (code == FC_OK && fc_stream_reader_offset(reader) < offsets.end) {
        const struct fc_record *records = NULL;
        uint32_t count = 0;
        code = fc_stream_reader_next(reader, 0, &records, &count, err);
        if (code == FC_OK && count == 0) {
            break;
        }
        for (uint32_t index = 0; code == FC_OK && index < count; index++) {
            bool skips = records[index].offset > expected && checker->dense;
            if (records[index].offset < expected || skips) {
                wrong(checker, "offset %" PRId64 " where %" PRId64 " should be",
                      records[index].offset, expected);
            }
            expected = records[index].offset + 1;
            check_record(checker, &records[index]);
        }
    }
    fc_stream_reader_close(reader);
    return code;
}

static fc_code open_log(const char *place, struct fc_stream **out_stream, struct fc_error *err)
{
    static const char prefix[] = "kafka:";
    struct fc_embedded_config embedded = {
        .dir = place,
        .read_only = true,
        .read_whole = true /* a killed writer may have left it */
    };
    struct fc_kafka_property brokers = { "bootstrap.servers", place + sizeof(prefix) - 1 };
    struct fc_kafka_config kafka = { .properties = &brokers, .property_count = 1 };
    if (strncmp(place, prefix, sizeof(prefix) - 1) == 0) {
        return fc_kafka_open(&kafka, out_stream, err);
    }
    return fc_embedded_open(&embedded, out_stream, err);
}

int main(int argc, char **argv)
{
    static struct checker checker;
    struct fc_stream *stream = NULL;
    struct fc_topic *topic = NULL;
    struct fc_error err;
    fc_code code;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: check_log DIR|kafka:BROKERS TOPIC\n");
        return 2;
    }
    code = open_log(argv[1], &stream, &err);
    if (code == FC_OK) {
        checker.dense = fc_stream_is_dense(stream);
        code = fc_stream_topic(stream, argv[2], &topic, &err);
    }
    if (code == FC_OK) {
        code = check_topic(&checker, topic, &err);
    }
    if (code != FC_OK) {
        (void)fprintf(stderr, "check_log: %s\n", err.message);
        return 1;
    }
    for (int worker = 0; worker < WORKERS_MAX; worker++) {
        if (checker.counters[worker].known) {
            (void)printf("%d\t%" PRId64 "\t%" PRId64 "\n", worker,
                         checker.counters[worker].version, checker.counters[worker].n);
        }
    }
    (void)fprintf(stderr,
                  "check_log: %" PRIu64 " transactions, %" PRIu64 " changes, %" PRIu64
                  " snapshot rows\n",
                  checker.transactions, checker.changes, checker.reads);
    fc_stream_close(stream);
    return 0;
}
