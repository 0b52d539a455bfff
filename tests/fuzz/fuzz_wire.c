/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a message of Kafka's protocol: what is accepted encodes to bytes of the size that was
 * promised, and they decode to the same.
 *
 * The first byte: even, a request with its header follows; odd, the next two bytes choose a message and a
 * version.
 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/wire/api_table.h"
#include "tests/support/wire_sample.h"

enum { MEMORY_MAX = 1 << 26 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct codec {
    struct fc_arena first;
    struct fc_arena second;
    struct fc_buf bytes;
    struct fc_buf again;
};

static void encode(const struct fc_wire_type *type, int16_t version, const void *msg,
                   struct fc_buf *to)
{
    struct fc_error err;
    fc_assert(fc_wire_encode(type, version, msg, to, &err) == FC_OK);
    fc_assert(fc_wire_size(type, version, msg) == to->len);
}

static void check_message(struct codec *codec, const struct fc_wire_type *type, int16_t version,
                          struct fc_slice bytes)
{
    void *msg = malloc(type->size);
    void *same = malloc(type->size);
    struct fc_error err;
    fc_assert(msg != NULL && same != NULL);
    if (fc_wire_decode(type, version, bytes, &codec->first, msg, &err) == FC_OK) {
        encode(type, version, msg, &codec->bytes);
        fc_assert(fc_wire_decode(type, version, fc_buf_slice(&codec->bytes), &codec->second,
                                 same, &err) == FC_OK);
        fc_assert(fc_wire_sample_equal(type, msg, same));
        encode(type, version, same, &codec->again);
        fc_assert(fc_slice_equal(fc_buf_slice(&codec->bytes), fc_buf_slice(&codec->again)));
    }
    free(same);
    free(msg);
}

static void check_request(struct codec *codec, struct fc_slice frame)
{
    struct fc_wire_request_header header;
    const struct fc_wire_api *api;
    struct fc_reader reader;
    struct fc_error err;
    fc_reader_init(&reader, frame);
    if (fc_wire_request_header_decode(&reader, &header, &err) != FC_OK) {
        return;
    }
    api = fc_wire_api(header.api_key);
    if (api != NULL) {
        check_message(codec, api->request, header.version,
                      fc_slice_of(reader.at, fc_reader_left(&reader)));
    }
}

static size_t count_messages(void)
{
    size_t count = 0;
    while (fc_wire_message_table[count] != NULL) {
        count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct codec codec;
    fc_arena_init(&codec.first, MEMORY_MAX);
    fc_arena_init(&codec.second, MEMORY_MAX);
    fc_buf_init(&codec.bytes, MEMORY_MAX);
    fc_buf_init(&codec.again, MEMORY_MAX);
    if (size >= 1 && data[0] % 2 == 0) {
        check_request(&codec, fc_slice_of(data + 1, size - 1));
    } else if (size >= 3) {
        check_message(&codec, fc_wire_message_table[data[1] % count_messages()],
                      (int16_t)(data[2] % 32), fc_slice_of(data + 3, size - 3));
    }
    fc_buf_release(&codec.again);
    fc_buf_release(&codec.bytes);
    fc_arena_release(&codec.second);
    fc_arena_release(&codec.first);
    return 0;
}
