/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams on a real cluster that a script starts, kills and pauses, and numbered records in them:
 * for the programs in tests/integration that try the stream interface. All fail the test.
 */
#ifndef FC_TESTS_SUPPORT_CLUSTER_STREAM_H
#define FC_TESTS_SUPPORT_CLUSTER_STREAM_H

#include "core/stream/kafka.h"

/* From argv: PROGRAM NODE_DIR NODE_SCRIPT; false, with a usage line, when it is not that. */
bool cluster_stream_args(int argc, char **argv);

/* Reads where the node listens; a cmocka group set-up. */
int cluster_stream_set_up(void **state);

/* "host:port" of the node. */
const char *cluster_bootstrap(void);

void must(fc_code code, const struct fc_error *err);

/* Run the node's script with this command on its directory. */
void node(const char *command);

/* writer NULL: for reading only. The second with a property of librdkafka. */
struct fc_stream *open_stream(const char *writer);
struct fc_stream *open_stream_with(const char *writer, const char *name, const char *value);

/* A topic of a name that no test has used. */
struct fc_topic *fresh_topic(struct fc_stream *stream, uint32_t partitions);

/* A record "TEXT NUMBER" with a key and two headers into the batch. */
void add(struct fc_stream_batch *batch, int64_t number, const char *text);

/* As the runner does: what is not taken, or answered, for now is tried again. */
void append(struct fc_stream_batch *batch);
void flush(struct fc_stream *stream);
void renew(struct fc_stream *stream);

/* Records "number FROM" to before "number TO", in batches of 500; not flushed. */
void write_numbers(struct fc_topic *topic, uint32_t partition, int64_t from, int64_t to);

void expect_number(const struct fc_record *record, int64_t number);

/* The partition holds each number from 0 on once, in order; how many. */
int64_t count_numbers(struct fc_topic *topic, uint32_t partition);

/* The same, and there are so many (what is committed is seen after a moment). */
void expect_numbers(struct fc_topic *topic, uint32_t partition, int64_t wanted);

/* Of partition 0. */
int64_t end_of(struct fc_topic *topic);
void wait_for_end(struct fc_topic *topic, int64_t wanted);

#endif
