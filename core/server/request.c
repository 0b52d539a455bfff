/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and their answers.
 *
 * An answer from the connection's own thread is taken at once, one from another thread is
 * posted to the loop. Either way nothing is sent before the turn's end, so that an answer never
 * calls back into the handler that gives it.
 */
#include "core/server/request.h"

#include <endian.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/server/server_state.h"
#include "core/wire/api.h"

static void on_answered(void *ctx);

struct fc_request *request_new(struct fc_connection *connection, uint8_t *frame, size_t size,
                               const char **out_why)
{
    const struct fc_server *server = connection->home->server;
    struct fc_wire_request_header header = { .client_id = fc_slice_null() };
    struct fc_request *request;
    struct fc_reader reader;
    fc_reader_init(&reader, fc_slice_of(frame, size));
    if (!connection->bare && fc_wire_request_header_decode(&reader, &header, NULL) != FC_OK) {
        *out_why = "the request header cannot be read";
        return NULL;
    }
    request = fc_new(struct fc_request);
    request->connection = connection;
    request->bare = connection->bare;
    request->api_key = header.api_key;
    request->api_version = header.version;
    request->correlation_id = header.correlation_id;
    request->client_id = header.client_id;
    request->body_len = fc_reader_left(&reader);
    request->body = frame + (size - request->body_len);
    fc_arena_init(&request->arena, server->config.arena_max);
    request->received_ns = server->config.clock->steady_ns(server->config.clock);
    request->frame = frame;
    request->frame_size = size;
    request->task.on_run = on_answered;
    request->task.ctx = request;
    return request;
}

static void release_frame(struct fc_request *request)
{
    if (request->frame != NULL) {
        limits_give_back(request->connection->home->server, request->frame_size);
        spare_give(&request->connection->home->spare, request->frame, request->frame_size);
        request->frame = NULL;
    }
}

void fc_request_release_body(struct fc_request *request)
{
    struct fc_slice client_id = fc_arena_copy(&request->arena, request->client_id);
    if (request->frame_size >= SERVER_SPARE_SIZE_MIN &&
        fc_slice_is_null(client_id) == fc_slice_is_null(request->client_id)) {
        request->client_id = client_id;
        request->body = NULL;
        request->body_len = 0;
        release_frame(request);
    }
}

/* What the handler needed; the reply is kept until it is sent. */
static void release_input(struct fc_request *request)
{
    release_frame(request);
    fc_arena_release(&request->arena);
}

void request_free(struct fc_request *request)
{
    release_input(request);
    fc_reply_release(&request->reply);
    free(request->drop_why);
    free(request);
}

static void unlink_request(struct fc_connection *connection, struct fc_request *request)
{
    struct fc_request **link = &connection->first;
    struct fc_request *before = NULL;
    while (*link != request) {
        before = *link;
        link = &before->next;
    }
    *link = request->next;
    if (connection->last == request) {
        connection->last = before;
    }
}

/* Loop thread: the answer is in request->reply or request->drop_why. */
static void on_answered(void *ctx)
{
    struct fc_request *request = ctx;
    struct fc_connection *connection = request->connection;
    int64_t mute_ms = atomic_exchange(&connection->mute_ms, 0);
    request->answered = true;
    request->on_close = NULL;
    fc_assert(connection->unanswered > 0);
    connection->unanswered--;
    if (connection->state == CONNECTION_CLOSED) {
        unlink_request(connection, request);
        request_free(request);
        connection_bury(connection);
        return;
    }
    connection->active_ms = fc_loop_now_ms(connection->home->loop);
    release_input(request);
    if (mute_ms > 0) {
        connection->muted_until_ms = fc_loop_now_ms(connection->home->loop) + mute_ms;
    }
    connection->replies_bytes += reply_memory(&request->reply);
    if (request->drop_why != NULL) {
        connection_doom(connection, FC_DIAG_WARN, "%s", request->drop_why);
    }
    connection_mark_dirty(connection);
}

static void answer(struct fc_request *request)
{
    struct fc_loop *loop = request->connection->home->loop;
    if (fc_loop_is_current(loop)) {
        on_answered(request);
    } else {
        fc_loop_post(loop, &request->task);
    }
}

void fc_request_reply(struct fc_request *request, struct fc_reply *reply)
{
    size_t size = reply->bytes.len + reply->spliced_bytes;
    if (reply->bytes.failed || reply->bytes.len < sizeof(uint32_t) || size - 4 > INT32_MAX) {
        fc_reply_release(reply);
        fc_request_drop(request, "its reply is larger than a reply may be");
        return;
    }
    {
        uint32_t length = htobe32((uint32_t)(size - sizeof(length)));
        memcpy(reply->bytes.data, &length, sizeof(length));
    }
    request->reply = *reply;
    memset(reply, 0, sizeof(*reply));
    answer(request);
}

void fc_request_no_reply(struct fc_request *request)
{
    answer(request);
}

void fc_request_drop(struct fc_request *request, const char *why)
{
    request->drop_why = fc_strdup(why);
    answer(request);
}

void fc_request_on_close(struct fc_request *request,
                         void (*fn)(void *ctx, struct fc_request *request), void *ctx)
{
    request->on_close = fn;
    request->on_close_ctx = ctx;
}
