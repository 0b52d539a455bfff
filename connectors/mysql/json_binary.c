/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/json_binary.h"

#include "connectors/mysql/json_scalar.h"
#include "core/base/reader.h"

static fc_code bad(const char *why, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_PROTOCOL, "binary JSON: %s", why);
}

struct fc_json_value fc_json_binary_root(struct fc_slice document)
{
    static const uint8_t null_literal[1] = { 0 };
    struct fc_json_value root = { FC_JSON_LITERAL, fc_slice_of(null_literal, 1) };
    if (document.len > 0) {
        root.type = document.data[0];
        root.bytes = fc_slice_of(document.data + 1, document.len - 1);
    }
    return root;
}

/* Size of the numbers in a container's tables. */
static size_t number_size(const struct fc_json_container *container)
{
    return container->is_large ? 4 : 2;
}

/* Where the entry of the index-th value stands. */
static size_t value_entry_at(const struct fc_json_container *container, uint32_t index)
{
    size_t size = number_size(container);
    size_t keys = container->is_object ? (size_t)container->count * (size + 2) : 0;
    return 2 * size + keys + (size_t)index * (size + 1);
}

fc_code fc_json_container_open(const struct fc_json_value *value,
                               struct fc_json_container *out_container, struct fc_error *err)
{
    struct fc_json_container container;
    struct fc_reader reader;
    uint64_t size;
    container.is_object = value->type <= FC_JSON_LARGE_OBJECT;
    container.is_large =
        value->type == FC_JSON_LARGE_OBJECT || value->type == FC_JSON_LARGE_ARRAY;
    fc_reader_init(&reader, value->bytes);
    container.count = (uint32_t)fc_reader_le(&reader, number_size(&container));
    size = fc_reader_le(&reader, number_size(&container));
    if (reader.failed || size > value->bytes.len) {
        return bad("a container is cut", err);
    }
    container.bytes = fc_slice_of(value->bytes.data, size);
    if (value_entry_at(&container, container.count) > size) {
        return bad("a container's tables are cut", err);
    }
    *out_container = container;
    return FC_OK;
}

fc_code fc_json_container_key(const struct fc_json_container *container, uint32_t index,
                              struct fc_slice *out_key, struct fc_error *err)
{
    size_t size = number_size(container);
    struct fc_reader reader;
    uint64_t offset;
    uint64_t len;
    fc_reader_init(&reader, container->bytes);
    fc_reader_skip(&reader, 2 * size + (size_t)index * (size + 2));
    offset = fc_reader_le(&reader, size);
    len = fc_reader_le(&reader, 2);
    if (reader.failed || offset > container->bytes.len || len > container->bytes.len - offset) {
        return bad("a key is outside its object", err);
    }
    *out_key = fc_slice_of(container->bytes.data + offset, len);
    return FC_OK;
}

static bool is_inline(const struct fc_json_container *container, uint8_t type)
{
    return type == FC_JSON_LITERAL || type == FC_JSON_INT16 || type == FC_JSON_UINT16 ||
           (container->is_large && (type == FC_JSON_INT32 || type == FC_JSON_UINT32));
}

fc_code fc_json_container_value(const struct fc_json_container *container, uint32_t index,
                                struct fc_json_value *out_value, struct fc_error *err)
{
    size_t size = number_size(container);
    struct fc_reader reader;
    struct fc_json_value value;
    uint64_t offset;
    fc_reader_init(&reader, container->bytes);
    fc_reader_skip(&reader, value_entry_at(container, index));
    value.type = fc_reader_u8(&reader);
    if (is_inline(container, value.type)) {
        value.bytes = fc_reader_slice(&reader, size);
    } else {
        offset = fc_reader_le(&reader, size);
        if (offset > container->bytes.len || offset < 2 * size) {
            return bad("a value is outside its container", err);
        }
        value.bytes =
            fc_slice_of(container->bytes.data + offset, container->bytes.len - offset);
    }
    if (reader.failed) {
        return bad("a container is cut", err);
    }
    *out_value = value;
    return FC_OK;
}

static fc_code print_container(const struct fc_json_value *value, unsigned depth,
                               size_t *budget, struct fc_buf *out, struct fc_error *err)
{
    struct fc_json_container container = { 0 };
    fc_code code = fc_json_container_open(value, &container, err);
    if (code != FC_OK) {
        return code;
    }
    if (depth == FC_JSON_DEPTH_MAX) {
        return bad("it is nested too deep", err);
    }
    fc_buf_append_u8(out, container.is_object ? '{' : '[');
    for (uint32_t index = 0; index < container.count; index++) {
        struct fc_json_value member = { 0 };
        if (index > 0) {
            fc_buf_append_u8(out, ',');
        }
        if (container.is_object) {
            struct fc_slice key = fc_slice_null();
            code = fc_json_container_key(&container, index, &key, err);
            if (code != FC_OK) {
                return code;
            }
            fc_json_string_print(key, out);
            fc_buf_append_u8(out, ':');
        }
        code = fc_json_container_value(&container, index, &member, err);
        if (code == FC_OK) {
            code = fc_json_value_print(&member, depth + 1, budget, out, err);
        }
        if (code != FC_OK) {
            return code;
        }
    }
    fc_buf_append_u8(out, container.is_object ? '}' : ']');
    return FC_OK;
}

fc_code fc_json_value_print(const struct fc_json_value *value, unsigned depth, size_t *budget,
                            struct fc_buf *out, struct fc_error *err)
{
    if (*budget == 0) {
        return bad("it holds more values than bytes", err);
    }
    (*budget)--;
    if (out->failed) {
        return fc_buf_check(out, "JSON text", err);
    }
    if (fc_json_is_container(value)) {
        return print_container(value, depth, budget, out, err);
    }
    return fc_json_scalar_print(value, out, err);
}

fc_code fc_json_binary_print(struct fc_slice document, struct fc_buf *out, struct fc_error *err)
{
    struct fc_json_value root = fc_json_binary_root(document);
    size_t budget = document.len + 1;
    fc_code code = fc_json_value_print(&root, 0, &budget, out, err);
    return code == FC_OK ? fc_buf_check(out, "JSON text", err) : code;
}
