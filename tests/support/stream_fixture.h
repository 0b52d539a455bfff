/* SPDX-License-Identifier: Apache-2.0 */
/* An embedded stream in a temporary directory, and topics whose record n says n. Failures fail
 * the test. */
#ifndef FC_TEST_STREAM_FIXTURE_H
#define FC_TEST_STREAM_FIXTURE_H

#include "core/stream/embedded.h"

struct stream_fixture {
    char *dir;
    struct fc_stream *stream; /* NULL while closed */
    char notices[4096];       /* all, one line each */
    struct fc_error err;
};

/* cmocka set-up and tear-down; the stream is open. */
int stream_fixture_set_up(void **state);
int stream_fixture_tear_down(void **state);

void stream_fixture_open(struct stream_fixture *fixture);
void stream_fixture_close(struct stream_fixture *fixture);

/* One more stream on the same directory, for reading only. */
struct fc_stream *stream_fixture_open_read_only(struct stream_fixture *fixture);

/* Create it, or find it. */
struct fc_topic *stream_fixture_topic(struct stream_fixture *fixture, const char *name,
                                      fc_compression compression, uint64_t segment_bytes);

/* Append `count` records that say `from` and on, as one batch at offset `from`; their
 * timestamps are 1000 + n. */
void stream_fixture_append(struct stream_fixture *fixture, struct fc_topic *topic, int64_t from,
                           int64_t count);
void stream_fixture_flush(struct stream_fixture *fixture);

/* Records that say first and on; returns how many. */
uint32_t stream_fixture_check(const struct fc_record *records, uint32_t count, int64_t first);

/* What can be read from `from` is all that there is up to `to`. */
void stream_fixture_expect(struct stream_fixture *fixture, struct fc_topic *topic, int64_t from,
                           int64_t to);

struct fc_offsets stream_fixture_offsets(struct stream_fixture *fixture,
                                         struct fc_topic *topic);

#endif
