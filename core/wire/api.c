/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/api.h"

#include "core/base/alloc.h"
#include "core/wire/api_table.h"
#include "core/wire/messages.h"
#include "core/wire/uvarint.h"

const struct fc_wire_api *fc_wire_api(int16_t key)
{
    size_t low = 0;
    size_t high = fc_wire_api_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fc_wire_api_table[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < fc_wire_api_count && fc_wire_api_table[low].key == key
               ? &fc_wire_api_table[low]
               : NULL;
}

const struct fc_wire_api *fc_wire_apis(size_t *out_count)
{
    *out_count = fc_wire_api_count;
    return fc_wire_api_table;
}

static bool is_flexible(int16_t api_key, int16_t version)
{
    const struct fc_wire_api *api = fc_wire_api(api_key);
    return api != NULL && version >= api->flexible_from;
}

static fc_code skip_tags(struct fc_reader *reader, struct fc_error *err)
{
    uint32_t count = fc_wire_read_uvarint(reader);
    if (count > FC_WIRE_TAGS_MAX) {
        return fc_fail(err, FC_ERR_LIMIT, "header: %u tags", count);
    }
    for (uint32_t index = 0; index < count && !reader->failed; index++) {
        (void)fc_wire_read_uvarint(reader); /* the tag; we know none */
        fc_reader_skip(reader, fc_wire_read_uvarint(reader));
    }
    return FC_OK;
}

static fc_code check_read(const struct fc_reader *reader, struct fc_error *err)
{
    return reader->failed ? fc_fail(err, FC_ERR_PROTOCOL, "header: cut short") : FC_OK;
}

fc_code fc_wire_request_header_decode(struct fc_reader *reader,
                                      struct fc_wire_request_header *out, struct fc_error *err)
{
    struct fc_wire_request_header header;
    int16_t length;
    fc_code code;
    header.api_key = (int16_t)fc_reader_be(reader, 2);
    header.version = (int16_t)fc_reader_be(reader, 2);
    header.correlation_id = (int32_t)fc_reader_be(reader, 4);
    length = (int16_t)fc_reader_be(reader, 2);
    if (length < -1) {
        return fc_fail(err, FC_ERR_PROTOCOL, "header: a client id of %d bytes", length);
    }
    header.client_id = length == -1 ? fc_slice_null() : fc_reader_slice(reader, (size_t)length);
    if (is_flexible(header.api_key, header.version)) {
        code = skip_tags(reader, err);
        if (code != FC_OK) {
            return code;
        }
    }
    code = check_read(reader, err);
    if (code == FC_OK) {
        *out = header;
    }
    return code;
}

void fc_wire_request_header_encode(struct fc_buf *to,
                                   const struct fc_wire_request_header *header)
{
    fc_buf_append_be16(to, (uint16_t)header->api_key);
    fc_buf_append_be16(to, (uint16_t)header->version);
    fc_buf_append_be32(to, (uint32_t)header->correlation_id);
    fc_assert(header->client_id.len <= INT16_MAX);
    fc_buf_append_be16(
        to, fc_slice_is_null(header->client_id) ? UINT16_MAX : (uint16_t)header->client_id.len);
    fc_buf_append_slice(to, header->client_id);
    if (is_flexible(header->api_key, header->version)) {
        fc_buf_append_u8(to, 0);
    }
}

static bool response_has_tags(int16_t api_key, int16_t version)
{
    return api_key != FC_API_API_VERSIONS && is_flexible(api_key, version);
}

void fc_wire_response_header_encode(struct fc_buf *to, int16_t api_key, int16_t version,
                                    int32_t correlation_id)
{
    fc_buf_append_be32(to, (uint32_t)correlation_id);
    if (response_has_tags(api_key, version)) {
        fc_buf_append_u8(to, 0);
    }
}

fc_code fc_wire_response_header_decode(struct fc_reader *reader, int16_t api_key,
                                       int16_t version, int32_t *out_correlation_id,
                                       struct fc_error *err)
{
    int32_t correlation_id = (int32_t)fc_reader_be(reader, 4);
    fc_code code = FC_OK;
    if (response_has_tags(api_key, version)) {
        code = skip_tags(reader, err);
    }
    if (code == FC_OK) {
        code = check_read(reader, err);
    }
    if (code == FC_OK) {
        *out_correlation_id = correlation_id;
    }
    return code;
}
