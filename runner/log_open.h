/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open the log that a connector file names: a data directory of our own, or a Kafka cluster.
 *
 * Who writes holds a lock in the file's directory (fc_config.log_dir), also with a cluster: two
 * captures of one connector on a machine would only take the log away from each other. On two
 * machines they do: the cluster refuses the older one (kafka.h).
 */
#ifndef FC_RUNNER_LOG_OPEN_H
#define FC_RUNNER_LOG_OPEN_H

/* Before the connector's name, its transactional id in a cluster. */
#define FC_LOG_WRITER_PREFIX "fluvio.log."

#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/link/link_settings.h"
#include "runner/config.h"

struct fc_diag;

struct fc_log_notices {
    /* Called with what a person should know; may be NULL. Any thread. */
    void (*on_notice)(void *ctx, const char *text);
    void *ctx;
    struct fc_diag *diag; /* what a listener says; may be NULL */
};

struct fc_log {
    struct fc_stream *stream;
    struct fc_file *lock_file; /* of a cluster; the embedded log has its own */
    struct fc_spu *spu;        /* serves the embedded log to clients; NULL: nobody does */
};

/*
 * For writing. Errors: FC_ERR_REFUSED (a process here has it, its pid named), those of
 * fc_embedded_open and fc_kafka_open. A cluster is not reached for before it is used.
 */
FC_MUST_CHECK fc_code fc_log_open(const struct fc_config *config, const struct fc_clock *clock,
                                  const struct fc_log_notices *notices, struct fc_log *out_log,
                                  struct fc_error *err);
/* Only the lock, in the file's state_dir, for who only looks at a log. */
FC_MUST_CHECK fc_code fc_log_lock(const struct fc_config *config, struct fc_log *out_log,
                                  struct fc_error *err);
void fc_log_close(struct fc_log *log); /* a zeroed one is fine */

/* For looking only, and no further than is durable: for who keeps positions in the log. */
FC_MUST_CHECK fc_code fc_log_open_reader(const struct fc_config *config,
                                         const struct fc_clock *clock,
                                         struct fc_stream **out_stream, struct fc_error *err);

/* The same for all that the files of an embedded log have: for who reads once what there is,
 * also after a process that died before it could enter as durable what it had acknowledged. */
FC_MUST_CHECK fc_code fc_log_open_whole(const struct fc_config *config,
                                        const struct fc_clock *clock,
                                        struct fc_stream **out_stream, struct fc_error *err);

/* How the cluster of log.kafka is connected to; borrows the config. */
struct fc_link_settings fc_log_link(const struct fc_config *config);

enum { FC_LOG_PLACE_TEXT_SIZE = 256 };

/* Where the log is, for people: a directory, or brokers. */
const char *fc_log_place(const struct fc_config *config, char to[FC_LOG_PLACE_TEXT_SIZE]);

#endif
