/* SPDX-License-Identifier: Apache-2.0 */
/* A client that can misbehave: requests as core/wire encodes them, to a server on loopback; nothing
 * of it fails a test by itself. */
#ifndef FC_TESTS_SPU_CLIENT_H
#define FC_TESTS_SPU_CLIENT_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/wire/type.h"

enum { SPU_ANSWER_MAX = 64 << 20, SPU_ARENA_MAX = 32 << 20, SPU_CORRELATION_ID = 77 };

/* Who behaves is answered in that time, however busy the machine. */
enum { SPU_WAIT_MS = 20000 };

typedef enum spu_answer { SPU_ANSWER, SPU_CLOSED, SPU_SILENCE } spu_answer;

uint64_t spu_now_ms(void);

/* -1: the server takes no more at the moment. */
int spu_dial(uint16_t port);
bool spu_send(int fd, const void *data, size_t len);

/* The next frame, without its length. */
spu_answer spu_receive(int fd, struct fc_buf *to, int wait_ms);

/* A frame with its length; type NULL: without a body. What cannot be said in the version becomes
 * something else that is wrong. */
void spu_frame(struct fc_buf *to, int16_t key, int16_t version, const struct fc_wire_type *type,
               const void *message);

/* Ask and take apart what comes; the answer lives in `reply` and the arena, NULL without one. */
const void *spu_ask(int fd, int16_t key, int16_t version, const void *message,
                    struct fc_buf *reply, struct fc_arena *arena);

/* Log in with PLAIN, on a listener that allows it. */
bool spu_login(int fd, const char *user, const char *password);

/* Produce one batch to a topic's partition 0; the error code of the answer, -2 without one. */
int spu_produce(uint16_t port, const char *topic_name, const struct fc_buf *batch);

/* Resident memory of a process; 0: it is not there. */
long spu_rss_kib(int pid);

#endif
