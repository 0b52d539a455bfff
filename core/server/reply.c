/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/server/request.h"
#include "core/server/server_state.h"
#include "core/wire/api.h"

struct fc_buf *fc_reply_begin(struct fc_reply *reply, const struct fc_request *request)
{
    memset(reply, 0, sizeof(*reply));
    fc_buf_init(&reply->bytes, request->connection->home->server->config.reply_max);
    fc_buf_append_be32(&reply->bytes, 0); /* the length, known when it is sent */
    if (!request->bare) {
        fc_wire_response_header_encode(&reply->bytes, request->api_key, request->api_version,
                                       request->correlation_id);
    }
    return &reply->bytes;
}

static struct fc_reply_splice *add_splice(struct fc_reply *reply, size_t at)
{
    struct fc_reply_splice *splice;
    fc_assert(at <= reply->bytes.len && at >= sizeof(uint32_t));
    fc_assert(reply->splices_count == 0 || at >= reply->splices[reply->splices_count - 1].at);
    if (reply->splices_count == reply->splices_capacity) {
        reply->splices_capacity =
            reply->splices_capacity == 0 ? 4 : reply->splices_capacity * 2;
        reply->splices = fc_realloc_array(reply->splices, reply->splices_capacity,
                                          sizeof(reply->splices[0]));
    }
    splice = &reply->splices[reply->splices_count++];
    memset(splice, 0, sizeof(*splice));
    splice->at = at;
    return splice;
}

void fc_reply_insert_file(struct fc_reply *reply, size_t at, int fd, uint64_t offset,
                          size_t length, void (*release)(void *ctx), void *ctx)
{
    struct fc_reply_splice *splice = add_splice(reply, at);
    splice->fd = fd;
    splice->offset = offset;
    splice->length = length;
    splice->release = release;
    splice->ctx = ctx;
    reply->spliced_bytes += length;
}

void fc_reply_insert_memory(struct fc_reply *reply, size_t at, struct fc_slice bytes,
                            void (*release)(void *ctx), void *ctx)
{
    struct fc_reply_splice *splice = add_splice(reply, at);
    splice->fd = -1;
    splice->data = bytes.data;
    splice->length = bytes.len;
    splice->release = release;
    splice->ctx = ctx;
    reply->spliced_bytes += bytes.len;
}

void fc_reply_add_file(struct fc_reply *reply, int fd, uint64_t offset, size_t length,
                       void (*release)(void *ctx), void *ctx)
{
    fc_reply_insert_file(reply, reply->bytes.len, fd, offset, length, release, ctx);
}

void fc_reply_add_memory(struct fc_reply *reply, struct fc_slice bytes,
                         void (*release)(void *ctx), void *ctx)
{
    fc_reply_insert_memory(reply, reply->bytes.len, bytes, release, ctx);
}

size_t reply_memory(const struct fc_reply *reply)
{
    size_t size = reply->bytes.capacity;
    for (size_t index = 0; index < reply->splices_count; index++) {
        size += reply->splices[index].fd < 0 ? reply->splices[index].length : 0;
    }
    return size;
}

void fc_reply_release(struct fc_reply *reply)
{
    for (size_t index = 0; index < reply->splices_count; index++) {
        if (reply->splices[index].release != NULL) {
            reply->splices[index].release(reply->splices[index].ctx);
        }
    }
    free(reply->splices);
    fc_buf_release(&reply->bytes);
    memset(reply, 0, sizeof(*reply));
}
