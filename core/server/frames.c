/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes to requests: a frame is a big-endian length and so many bytes.
 *
 * A frame's memory grows with what has arrived, not with what was promised, and counts against
 * the memory of all requests. A connection between frames holds no memory at all.
 *
 * So that nobody shuts out the others with large frames that never end: a small frame needs no
 * room in that memory, and a frame must come in at a rate in proportion to what it holds.
 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/server/server_state.h"

enum {
    FRAME_SIZE_MIN = 8,       /* key, version, correlation id */
    FRAME_STEP = 1024 * 1024, /* first room of a large frame */
    FRAME_AUTH_STEP = 4096,   /* the same before authentication */
    FRAME_PROGRESS = 4096,    /* bytes that count as progress, at least */
    /*
     * And the part of its memory: what it takes at once is full after 8 times frame_ms. With the
     * default a frame of 1 MiB may come at 4.4 KB/s, a 28th of what a line of 1 Mbit/s does.
     */
    FRAME_PROGRESS_PART = 8,
    /*
     * What a connection may have in flight, this frame included, whatever others have: so memory
     * goes beyond its limit by at most so much for each connection, 1.2 GiB with connections_max
     * as it is. Before authentication it is no more than the first step.
     */
    FRAME_SMALL = 64 * 1024
};

bool frames_may_take(const struct fc_connection *connection)
{
    const struct server_loop *home = connection->home;
    const struct fc_server_config *config = &home->server->config;
    const unsigned queued_max =
        atomic_load(&connection->authenticated) ? config->pipeline_max : 1;
    return connection->state == CONNECTION_OPEN && !connection->doomed && !home->stopping &&
           connection->queued < queued_max &&
           connection->queued_bytes < config->pipeline_bytes_max &&
           connection->replies_bytes < config->replies_bytes_max &&
           connection->muted_until_ms <= fc_loop_now_ms(home->loop);
}

/* What a wrong client may be, judged by its first bytes. */
static const char *guess(const uint8_t bytes[4])
{
    static const char *const methods[] = { "GET ", "POST", "HEAD", "PUT ", "OPTI", "CONN" };
    for (size_t index = 0; index < sizeof(methods) / sizeof(methods[0]); index++) {
        if (memcmp(bytes, methods[index], 4) == 0) {
            return " (an HTTP request?)";
        }
    }
    return bytes[0] == 0x16 && bytes[1] == 0x03 ? " (TLS on a plain listener?)" : "";
}

static bool begin_frame(struct fc_connection *connection)
{
    const struct fc_server_config *config = &connection->home->server->config;
    const uint8_t *bytes = connection->size_bytes;
    const size_t limit =
        atomic_load(&connection->authenticated) ? config->frame_max : config->frame_auth_max;
    const unsigned min = connection->bare ? 1 : FRAME_SIZE_MIN;
    uint32_t size = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                    (uint32_t)bytes[2] << 8 | bytes[3];
    if (size > limit || size < min) {
        connection_doom(connection, FC_DIAG_WARN,
                        "a frame of %d bytes%s, where %u to %zu are allowed", (int)size,
                        guess(bytes), min, limit);
        return false;
    }
    connection->frame_size = size;
    connection->frame_have = 0;
    connection->frame_mark = 0;
    connection->starved_ms = 0;
    connection->frame_ms = fc_loop_now_ms(connection->home->loop);
    return true;
}

static bool charge(struct fc_connection *connection, size_t wanted)
{
    struct fc_server *server = connection->home->server;
    const size_t more = wanted - connection->frame_capacity;
    const size_t free_max =
        atomic_load(&connection->authenticated) ? FRAME_SMALL : FRAME_AUTH_STEP;
    if (connection->frame_size <= FRAME_SMALL &&
        connection->queued_bytes + wanted <= free_max) {
        limits_charge_anyway(server, more);
        return true;
    }
    return limits_charge(server, more);
}

/* Time in which we did not read is not the peer's. */
static void note_fed(struct fc_connection *connection)
{
    if (connection->starved_ms != 0) {
        connection->frame_ms += fc_loop_now_ms(connection->home->loop) - connection->starved_ms;
        connection->starved_ms = 0;
    }
}

/* Make room for at least one more byte; false when there is no memory for it now. */
static bool grow_frame(struct fc_connection *connection)
{
    size_t step = atomic_load(&connection->authenticated) ? FRAME_STEP : FRAME_AUTH_STEP;
    size_t wanted;
    uint8_t *larger;
    if (connection->frame_capacity > connection->frame_have) {
        return true;
    }
    wanted = connection->frame_have * 2 < step ? step : connection->frame_have * 2;
    wanted = wanted > connection->frame_size ? connection->frame_size : wanted;
    if (!charge(connection, wanted)) {
        const int64_t now_ms = fc_loop_now_ms(connection->home->loop);
        connection->retry_ms = now_ms + SERVER_RETRY_MS;
        connection->starved_ms = connection->starved_ms != 0 ? connection->starved_ms : now_ms;
        return false;
    }
    note_fed(connection);
    larger = spare_take(&connection->home->spare, wanted);
    if (connection->frame_have > 0) {
        memcpy(larger, connection->frame, connection->frame_have);
    }
    spare_give(&connection->home->spare, connection->frame, connection->frame_capacity);
    connection->frame = larger;
    connection->frame_capacity = wanted;
    return true;
}

static void hand_out(struct fc_connection *connection)
{
    struct server_loop *home = connection->home;
    const struct fc_server_config *config = &home->server->config;
    const char *why = NULL;
    struct fc_request *request =
        request_new(connection, connection->frame, connection->frame_size, &why);
    if (request == NULL) {
        connection_doom(connection, FC_DIAG_WARN, "%s", why);
        return;
    }
    connection->frame = NULL;
    connection->frame_capacity = 0;
    connection->size_have = 0;
    if (connection->last == NULL) {
        connection->first = request;
    } else {
        connection->last->next = request;
    }
    connection->last = request;
    connection->queued++;
    connection->queued_bytes += request->frame_size;
    connection->unanswered++;
    connection->seen = true;
    (void)atomic_fetch_add_explicit(&home->requests, 1, memory_order_relaxed);
    config->on_request(config->ctx, request);
}

static void note_progress(struct fc_connection *connection)
{
    const size_t part = connection->frame_capacity / FRAME_PROGRESS_PART;
    const size_t least = part > FRAME_PROGRESS ? part : FRAME_PROGRESS;
    if (connection->frame_have - connection->frame_mark >= least) {
        connection->frame_mark = connection->frame_have;
        connection->frame_ms = fc_loop_now_ms(connection->home->loop);
    }
}

/* How many of the bytes were taken. */
static size_t take(struct fc_connection *connection, const uint8_t *data, size_t len)
{
    size_t at = 0;
    while (at < len && !connection->doomed) {
        size_t part;
        if (connection->size_have < sizeof(connection->size_bytes)) {
            if (connection->size_have == 0 && !frames_may_take(connection)) {
                break;
            }
            if (connection->size_have == 0) {
                connection->frame_ms = fc_loop_now_ms(connection->home->loop);
            }
            connection->size_bytes[connection->size_have++] = data[at++];
            if (connection->size_have == sizeof(connection->size_bytes)) {
                (void)begin_frame(connection); /* dooms the connection when it is wrong */
            }
            continue;
        }
        if (!grow_frame(connection)) {
            break;
        }
        part = connection->frame_capacity - connection->frame_have;
        part = part < len - at ? part : len - at;
        memcpy(connection->frame + connection->frame_have, data + at, part);
        at += part;
        frames_filled(connection, part);
    }
    return at;
}

void frames_take(struct fc_connection *connection, const uint8_t *data, size_t len)
{
    size_t taken = take(connection, data, len);
    if (taken < len && !connection->doomed) {
        fc_assert(connection->pending == NULL);
        connection->pending_len = len - taken;
        connection->pending_at = 0;
        connection->pending = fc_realloc_array(NULL, connection->pending_len, 1);
        memcpy(connection->pending, data + taken, connection->pending_len);
        limits_charge_anyway(connection->home->server, connection->pending_len);
    }
}

static void free_pending(struct fc_connection *connection)
{
    if (connection->pending != NULL) {
        limits_give_back(connection->home->server, connection->pending_len);
        free(connection->pending);
        connection->pending = NULL;
        connection->pending_len = 0;
        connection->pending_at = 0;
    }
}

void frames_take_pending(struct fc_connection *connection)
{
    if (connection->pending != NULL) {
        connection->pending_at += take(connection, connection->pending + connection->pending_at,
                                       connection->pending_len - connection->pending_at);
        if (connection->pending_at == connection->pending_len) {
            free_pending(connection);
        }
    }
}

size_t frames_room(struct fc_connection *connection, uint8_t **out_to)
{
    if (connection->size_have < sizeof(connection->size_bytes) || !grow_frame(connection)) {
        return 0;
    }
    *out_to = connection->frame + connection->frame_have;
    return connection->frame_capacity - connection->frame_have;
}

void frames_filled(struct fc_connection *connection, size_t len)
{
    connection->frame_have += len;
    note_progress(connection);
    if (connection->frame_have == connection->frame_size) {
        hand_out(connection);
    }
}

void frames_release(struct fc_connection *connection)
{
    free_pending(connection);
    limits_give_back(connection->home->server, connection->frame_capacity);
    spare_give(&connection->home->spare, connection->frame, connection->frame_capacity);
    connection->frame = NULL;
    connection->frame_capacity = 0;
}
