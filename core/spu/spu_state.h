/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an SPU, for the files of core/spu only. Everything here is set at the start and
 * then only read; what changes has its own lock in its own module. */
#ifndef FC_SPU_STATE_H
#define FC_SPU_STATE_H

#include <stdatomic.h>

#include "core/base/kafka_error.h"
#include "core/spu/spu.h"
#include "core/wire/api.h"
#include "core/wire/messages.h"

struct fc_spu {
    struct fc_spu_config config;
    struct fc_data_dir *data;
    struct fc_server *server;
    char *cluster_id;
    struct fc_task_queue *acks;         /* who waits for a sync */
    struct fc_task_queue *slow;         /* what must not hold a loop up */
    struct fc_fetch_sessions *sessions; /* incremental fetches */
    struct fc_coordinator *coordinator; /* consumer groups */
    struct fc_txns *txns;               /* transactions */
    struct fc_producer_ids *producer_ids;
    struct fc_security *security; /* users and ACLs */
    struct fc_quotas *quotas;
    atomic_bool disk_full;             /* told, and no append has found room since */
    _Atomic int64_t disk_full_told_ms; /* steady clock; 0: never */
};

/* Why clients may not change topics (fc_spu_config.clients_read_only). */
#define FC_SPU_READ_ONLY_TEXT "topics here belong to the process that serves them"

/* --- answer.c --- */

/* Encode a response in the request's version and send it. Thread: any. */
void fc_answer(struct fc_request *request, void *response);

/* The request's arena is full: close the connection with a diagnostic. */
void fc_answer_too_large(struct fc_request *request);

/* Text for a response: NUL-terminated, lives as long as the caller's. NULL becomes null. */
struct fc_slice fc_answer_text(const char *text);

/* A copy of an error's message in the request's arena. */
struct fc_slice fc_answer_message(struct fc_request *request, const struct fc_error *err);

/* A name from a request as C text in its arena; NULL when it holds a NUL byte or is too long for
 * a topic's name. */
const char *fc_request_name(struct fc_request *request, struct fc_slice name);

/* A reference to a topic by name, or by id where `name` is null; the error is for the client. */
fc_kafka_error fc_spu_topic(struct fc_spu *spu, struct fc_request *request,
                            struct fc_slice name, struct fc_uuid id,
                            struct fc_log_topic **out_topic);

/* --- handlers, each for one API: decode is done, message is in the request's arena --- */

typedef void (*fc_handler)(struct fc_spu *spu, struct fc_request *request, const void *message);

#endif
