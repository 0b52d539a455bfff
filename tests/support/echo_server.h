/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server whose handler gives back the body of a request, in ways that a test chooses by the
 * request's key. Its diagnostics are kept as text. A thread of its own answers what is parked.
 */
#ifndef FC_TEST_ECHO_SERVER_H
#define FC_TEST_ECHO_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/server/server.h"

/* Request keys; none of them has flexible versions at 0. */
enum {
    ECHO_NOW = 0,            /* on the loop's thread, at once */
    ECHO_PARK = 1,           /* kept until the test says */
    ECHO_PARK_BODILESS = 13, /* the same without its body: the client id comes back */
    ECHO_FILE = 2,           /* body, file, "mid", last 6 bytes of the file */
    ECHO_MEGABYTE = 3,       /* 1 MiB of own bytes */
    ECHO_DROP = 4,           /* closed */
    ECHO_NOTHING = 5,        /* no reply */
    ECHO_LAST = 6,           /* replied to, then closed */
    ECHO_MUTE_300_MS = 8,    /* replied to, then muted */
    ECHO_LOGIN = 9,          /* authenticated as User:echo */
    ECHO_PRINCIPAL = 10,     /* the principal's text */
    ECHO_LOGIN_OTHER = 12,   /* "refused" when it cannot be User:other */
    ECHO_PEER = 11,          /* the peer's text */
    ECHO_FILE_SIZE = 2500000
};

struct echo_server;

/* Two plain listeners, the second one wants authentication. config gives limits and, when it
 * has listeners, those; NULL: defaults. */
struct echo_server *echo_server_new(const struct fc_server_config *config);
void echo_server_stop(struct echo_server *echo); /* once; waits 50 ms for answers */
void echo_server_free(struct echo_server *echo); /* stops when that was not done */

struct fc_server *echo_server_of(struct echo_server *echo);
uint16_t echo_server_port(struct echo_server *echo, size_t listener);
const char *echo_server_diagnostics(struct echo_server *echo); /* after stop */

void echo_server_wait_parked(struct echo_server *echo, size_t count);
/* The same with those that were answered since. */
void echo_server_wait_parked_ever(struct echo_server *echo, size_t count);
/* By another thread, which this does not wait for. */
void echo_server_answer_parked_in_reverse(struct echo_server *echo);
/* Until so many parked requests in all were cancelled by their connection's end. */
void echo_server_wait_cancelled(struct echo_server *echo, size_t count);

/* Whether `back` is the reply to ECHO_FILE with the body "ab". */
bool echo_server_is_file_reply(struct echo_server *echo, const uint8_t *back);
size_t echo_server_released(struct echo_server *echo); /* spliced parts */

/* Until so many connections in all have called their close hook. */
void echo_server_wait_closed(struct echo_server *echo, size_t count);

#endif
