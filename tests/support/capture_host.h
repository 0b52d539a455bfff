/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small host for a source, as a test needs it: options as "key=value", batches, and what was
 * captured as lines of text that a test can compare.
 *
 * A line: "<op>[mark] db.table tx#row[!] {before} {after}", values as name=value, where
 *   op      c u d t s r; mark: nothing, or e (last row of its table's snapshot), E (no row, the
 *           table's snapshot is complete)
 *   tx#row  "T1", "T2", ... in the order in which transactions first appear; "-" in a snapshot;
 *           ! ends the transaction
 *   value   null, 42, 42u, 1.5f, 1.5, 'text', x'0aff', ~ for unchanged
 */
#ifndef FC_TESTS_CAPTURE_HOST_H
#define FC_TESTS_CAPTURE_HOST_H

#include "fc/connector.h"

struct capture;

/* Loads the plugin. options: "key=value" or "key=a,b" for lists, ends with NULL; all aborts on
 * failure. */
struct capture *capture_new(const char *plugin_path, const char *const *options);
void capture_free(struct capture *capture); /* closes; NULL is fine */

/* Open at a position ("" the beginning). */
fc_code capture_open(struct capture *capture, const char *position, struct fc_error *err);
/* One read of the source; lines and position are added. */
fc_code capture_read(struct capture *capture, int wait_ms, struct fc_error *err);
void capture_close(struct capture *capture);

/* Read until there are `count` lines in all; fails the test after 60 s, naming what came. */
void capture_until(struct capture *capture, size_t count);
/* Read until the source has caught up with where the server was when it was opened. */
void capture_until_caught_up(struct capture *capture);

size_t capture_count(const struct capture *capture);
const char *capture_line(const struct capture *capture, size_t index);
/* The line without "db.table tx#row[!] ". */
const char *capture_values(const struct capture *capture, size_t index);
void capture_clear(struct capture *capture); /* the lines; transactions are numbered on */
const char *capture_position(const struct capture *capture); /* the newest, "" none */
/* The transaction's id of the source, by its number from 1. */
const char *capture_tx_id(const struct capture *capture, size_t number);
const char *capture_reports(const struct capture *capture);

const struct fc_connector *capture_connector(const struct capture *capture);
struct fc_source *capture_source(const struct capture *capture);
const struct fc_host *capture_host(const struct capture *capture);
/* Limits of the batches to come. */
void capture_set_limits(struct capture *capture, uint32_t count_max, size_t bytes_max);
/* Called for each change, before it becomes a line. */
void capture_on_change(struct capture *capture,
                       void (*fn)(void *ctx, const struct fc_change *change), void *ctx);

#endif
