/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/echo_server.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/alloc.h"

enum { PARKED_MAX = 1024, DEADLINE_S = 20 };

struct echo_server {
    struct fc_server *server;
    struct fc_diag *diag;
    FILE *lines;
    char *text;
    size_t text_size;
    bool stopped;
    FILE *file;
    uint8_t *content; /* of the file */
    _Atomic(size_t) released;
    pthread_t answerer;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    struct fc_request *parked[PARKED_MAX];
    size_t parked_count;
    size_t parked_ever;
    size_t cancelled;
    size_t closed;
    size_t to_answer; /* of those that are parked, no later ones */
    bool end;
};

static void reply_with(struct fc_request *request, const void *bytes, size_t len)
{
    struct fc_reply reply;
    fc_buf_append(fc_reply_begin(&reply, request), bytes, len);
    fc_request_reply(request, &reply);
}

/* Who takes a request out of the list answers it. */
static void on_parked_close(void *ctx, struct fc_request *request)
{
    struct echo_server *echo = ctx;
    bool taken = false;
    (void)pthread_mutex_lock(&echo->lock);
    for (size_t index = 0; index < echo->parked_count && !taken; index++) {
        if (echo->parked[index] == request) {
            echo->parked[index] = echo->parked[--echo->parked_count];
            taken = true;
        }
    }
    echo->cancelled += taken ? 1 : 0;
    (void)pthread_cond_broadcast(&echo->changed);
    (void)pthread_mutex_unlock(&echo->lock);
    if (taken) {
        fc_request_no_reply(request);
    }
}

static void park(struct echo_server *echo, struct fc_request *request)
{
    fc_request_on_close(request, on_parked_close, echo);
    (void)pthread_mutex_lock(&echo->lock);
    fc_assert(echo->parked_count < PARKED_MAX);
    echo->parked[echo->parked_count++] = request;
    echo->parked_ever++;
    (void)pthread_cond_broadcast(&echo->changed);
    (void)pthread_mutex_unlock(&echo->lock);
}

static void *answer_parked(void *ctx)
{
    struct echo_server *echo = ctx;
    (void)pthread_mutex_lock(&echo->lock);
    while (!echo->end) {
        if (echo->to_answer == 0 || echo->parked_count == 0) {
            echo->to_answer = 0;
            (void)pthread_cond_wait(&echo->changed, &echo->lock);
            continue;
        }
        struct fc_request *request = echo->parked[--echo->parked_count];
        echo->to_answer--;
        (void)pthread_mutex_unlock(&echo->lock);
        if (request->api_key == ECHO_PARK_BODILESS) {
            fc_assert(request->body == NULL && request->body_len == 0);
            reply_with(request, request->client_id.data, request->client_id.len);
        } else {
            reply_with(request, request->body, request->body_len);
        }
        (void)pthread_mutex_lock(&echo->lock);
    }
    (void)pthread_mutex_unlock(&echo->lock);
    return NULL;
}

static void on_release(void *ctx)
{
    struct echo_server *echo = ctx;
    (void)atomic_fetch_add(&echo->released, 1);
}

static void reply_file(struct echo_server *echo, struct fc_request *request)
{
    struct fc_reply reply;
    struct fc_buf *bytes = fc_reply_begin(&reply, request);
    fc_buf_append(bytes, request->body, request->body_len);
    fc_reply_add_file(&reply, fileno(echo->file), 0, ECHO_FILE_SIZE - 1000, on_release, echo);
    fc_reply_add_memory(&reply, fc_slice_of(echo->content + ECHO_FILE_SIZE - 1000, 1000),
                        on_release, echo);
    fc_buf_append_text(bytes, "mid");
    fc_reply_add_file(&reply, fileno(echo->file), ECHO_FILE_SIZE - 6, 6, on_release, echo);
    fc_request_reply(request, &reply);
}

static void on_request(void *ctx, struct fc_request *request)
{
    struct echo_server *echo = ctx;
    struct fc_connection *connection = request->connection;
    struct fc_reply reply;
    const char *principal;
    const char *peer;
    switch (request->api_key) {
    case ECHO_PARK:
        park(echo, request);
        break;
    case ECHO_PARK_BODILESS:
        fc_request_release_body(request);
        park(echo, request);
        break;
    case ECHO_FILE:
        reply_file(echo, request);
        break;
    case ECHO_MEGABYTE:
        reply_with(request, echo->content, 1024 * 1024);
        break;
    case ECHO_DROP:
        fc_request_drop(request, "dropped by the test");
        break;
    case ECHO_NOTHING:
        fc_request_no_reply(request);
        break;
    case ECHO_LAST:
        (void)fc_reply_begin(&reply, request);
        reply.close_after = true;
        fc_request_reply(request, &reply);
        break;
    case ECHO_MUTE_300_MS:
        fc_connection_mute(connection, 300);
        reply_with(request, "", 0);
        break;
    case ECHO_LOGIN:
        fc_assert(fc_connection_set_principal(connection, "User:echo"));
        reply_with(request, "", 0);
        break;
    case ECHO_LOGIN_OTHER:
        if (fc_connection_set_principal(connection, "User:other")) {
            reply_with(request, "", 0);
        } else {
            reply_with(request, "refused", 7);
        }
        break;
    case ECHO_PEER:
        peer = fc_connection_peer_text(connection);
        reply_with(request, peer, strlen(peer));
        break;
    case ECHO_PRINCIPAL:
        principal = fc_connection_principal(connection);
        reply_with(request, principal, strlen(principal));
        break;
    default:
        reply_with(request, request->body, request->body_len);
        break;
    }
}

/* Kept in the connection's slot, which frees it. */
struct watched {
    struct fc_close_hook hook;
    struct fc_close_hook unused;
    struct echo_server *echo;
};

static void on_closed(void *ctx, struct fc_connection *connection)
{
    struct watched *watched = ctx;
    struct echo_server *echo = watched->echo;
    fc_assert(fc_connection_auth(connection) == watched);
    fc_assert(fc_loop_is_current(fc_connection_loop(connection)));
    (void)pthread_mutex_lock(&echo->lock);
    echo->closed++;
    (void)pthread_cond_broadcast(&echo->changed);
    (void)pthread_mutex_unlock(&echo->lock);
}

static void on_connection(void *ctx, struct fc_connection *connection)
{
    struct watched *watched = fc_new(struct watched);
    watched->echo = ctx;
    watched->hook.fn = on_closed;
    watched->hook.ctx = watched;
    fc_connection_on_close(connection, &watched->unused);
    fc_connection_on_close(connection, &watched->hook);
    fc_close_hook_remove(&watched->unused);
    fc_close_hook_remove(&watched->unused); /* fine */
    fc_connection_set_auth(connection, watched, free);
}

static void make_file(struct echo_server *echo)
{
    echo->content = fc_alloc_zeroed(1, ECHO_FILE_SIZE);
    for (size_t index = 0; index < ECHO_FILE_SIZE; index++) {
        echo->content[index] = (uint8_t)(index * 2654435761u >> 11);
    }
    echo->file = tmpfile();
    assert_non_null(echo->file);
    assert_int_equal(fwrite(echo->content, 1, ECHO_FILE_SIZE, echo->file), ECHO_FILE_SIZE);
    assert_int_equal(fflush(echo->file), 0);
}

struct echo_server *echo_server_new(const struct fc_server_config *config)
{
    const struct fc_listener_config listeners[] = {
        { .name = "plain", .host = "127.0.0.1" },
        { .name = "login", .host = "127.0.0.1", .auth_required = true },
    };
    struct echo_server *echo = fc_new(struct echo_server);
    struct fc_server_config mine;
    struct fc_error err = { .message = "" };
    fc_server_config_init(&mine);
    mine = config == NULL ? mine : *config;
    make_file(echo);
    (void)pthread_mutex_init(&echo->lock, NULL);
    (void)pthread_cond_init(&echo->changed, NULL);
    echo->lines = open_memstream(&echo->text, &echo->text_size);
    echo->diag = fc_diag_new(echo->lines, FC_DIAG_INFO);
    if (mine.listeners == NULL) {
        mine.listeners = listeners;
        mine.listeners_count = 2;
    }
    mine.loops = 2;
    mine.diag = echo->diag;
    mine.on_request = on_request;
    mine.on_connection = on_connection;
    mine.ctx = echo;
    if (fc_server_start(&mine, &echo->server, &err) != FC_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(pthread_create(&echo->answerer, NULL, answer_parked, echo), 0);
    return echo;
}

void echo_server_stop(struct echo_server *echo)
{
    fc_server_stop(echo->server, 50);
    echo->stopped = true;
    (void)fflush(echo->lines);
}

void echo_server_free(struct echo_server *echo)
{
    if (!echo->stopped) {
        echo_server_stop(echo);
    }
    (void)pthread_mutex_lock(&echo->lock);
    echo->end = true;
    (void)pthread_cond_broadcast(&echo->changed);
    (void)pthread_mutex_unlock(&echo->lock);
    (void)pthread_join(echo->answerer, NULL);
    fc_server_free(echo->server);
    fc_diag_free(echo->diag);
    (void)fclose(echo->lines);
    (void)fclose(echo->file);
    free(echo->text);
    free(echo->content);
    (void)pthread_mutex_destroy(&echo->lock);
    (void)pthread_cond_destroy(&echo->changed);
    free(echo);
}

struct fc_server *echo_server_of(struct echo_server *echo)
{
    return echo->server;
}

uint16_t echo_server_port(struct echo_server *echo, size_t listener)
{
    return fc_server_listener(echo->server, listener)->port;
}

const char *echo_server_diagnostics(struct echo_server *echo)
{
    return echo->text;
}

static void wait_for(struct echo_server *echo, const size_t *what, size_t count)
{
    struct timespec until;
    int failed = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_S;
    (void)pthread_mutex_lock(&echo->lock);
    while (*what < count && failed != ETIMEDOUT) {
        failed = pthread_cond_timedwait(&echo->changed, &echo->lock, &until);
    }
    (void)pthread_mutex_unlock(&echo->lock);
    assert_int_not_equal(failed, ETIMEDOUT);
}

void echo_server_wait_parked(struct echo_server *echo, size_t count)
{
    wait_for(echo, &echo->parked_count, count);
}

void echo_server_wait_parked_ever(struct echo_server *echo, size_t count)
{
    wait_for(echo, &echo->parked_ever, count);
}

void echo_server_wait_cancelled(struct echo_server *echo, size_t count)
{
    wait_for(echo, &echo->cancelled, count);
}

void echo_server_wait_closed(struct echo_server *echo, size_t count)
{
    wait_for(echo, &echo->closed, count);
}

void echo_server_answer_parked_in_reverse(struct echo_server *echo)
{
    (void)pthread_mutex_lock(&echo->lock);
    echo->to_answer = echo->parked_count;
    (void)pthread_cond_broadcast(&echo->changed);
    (void)pthread_mutex_unlock(&echo->lock);
}

bool echo_server_is_file_reply(struct echo_server *echo, const uint8_t *back)
{
    return memcmp(back, "ab", 2) == 0 && memcmp(back + 2, echo->content, ECHO_FILE_SIZE) == 0 &&
           memcmp(back + 2 + ECHO_FILE_SIZE, "mid", 3) == 0 &&
           memcmp(back + 5 + ECHO_FILE_SIZE, echo->content + ECHO_FILE_SIZE - 6, 6) == 0;
}

size_t echo_server_released(struct echo_server *echo)
{
    return atomic_load(&echo->released);
}
