/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages for another implementation of the protocol to compare itself with.
 *
 *   wire_samples SEED     a line for each of ROUNDS random messages of each type and version:
 *                         NAME VERSION HEX JSON
 *   wire_samples decode   reads lines of NAME VERSION HEX, writes them back with the JSON
 *
 * The JSON has the fields of the version; tagged ones only when they are not their default, bytes and
 * doubles in hex.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/uuid.h"
#include "core/wire/api_table.h"
#include "core/wire/measure.h"
#include "tests/support/wire_sample.h"

enum { ROUNDS = 8, SIZE_MAX_BYTES = 1 << 24, NAME_SIZE = 96 };

static void print_struct(struct fc_buf *to, const struct fc_wire_type *type, int16_t version,
                         const uint8_t *msg);

static void print_hex(struct fc_buf *to, const uint8_t *bytes, size_t len)
{
    for (size_t index = 0; index < len; index++) {
        fc_buf_append_fmt(to, "%02x", bytes[index]);
    }
}

static void print_slice(struct fc_buf *to, fc_wire_kind kind, struct fc_slice slice)
{
    if (fc_slice_is_null(slice)) {
        fc_buf_append_text(to, "null");
        return;
    }
    fc_buf_append_u8(to, '"');
    if (kind == FC_WIRE_STRING) {
        fc_buf_append_slice(to, slice); /* samples have letters only */
    } else {
        print_hex(to, slice.data, slice.len);
    }
    fc_buf_append_u8(to, '"');
}

static void print_value(struct fc_buf *to, const struct fc_wire_type *type, int16_t version,
                        const void *value)
{
    uint64_t bits;
    switch (type->kind) {
    case FC_WIRE_BOOL:
        fc_buf_append_text(to, *(const bool *)value ? "true" : "false");
        break;
    case FC_WIRE_INT8:
        fc_buf_append_i64(to, *(const int8_t *)value);
        break;
    case FC_WIRE_INT16:
        fc_buf_append_i64(to, *(const int16_t *)value);
        break;
    case FC_WIRE_UINT16:
        fc_buf_append_i64(to, *(const uint16_t *)value);
        break;
    case FC_WIRE_INT32:
        fc_buf_append_i64(to, *(const int32_t *)value);
        break;
    case FC_WIRE_UINT32:
        fc_buf_append_i64(to, *(const uint32_t *)value);
        break;
    case FC_WIRE_INT64:
        fc_buf_append_i64(to, *(const int64_t *)value);
        break;
    case FC_WIRE_FLOAT64:
        memcpy(&bits, value, sizeof(bits));
        fc_buf_append_fmt(to, "\"%016" PRIx64 "\"", bits);
        break;
    case FC_WIRE_UUID:
        print_slice(to, FC_WIRE_BYTES, fc_slice_of(value, sizeof(struct fc_uuid)));
        break;
    case FC_WIRE_STRING:
    case FC_WIRE_BYTES:
    case FC_WIRE_RECORDS:
        print_slice(to, type->kind, *(const struct fc_slice *)value);
        break;
    case FC_WIRE_STRUCT:
        print_struct(to, type, version, value);
        break;
    }
}

static void print_array(struct fc_buf *to, const struct fc_wire_type *type, int16_t version,
                        struct fc_wire_array_value array)
{
    if (array.count < 0) {
        fc_buf_append_text(to, "null");
        return;
    }
    fc_buf_append_u8(to, '[');
    for (int32_t index = 0; index < array.count; index++) {
        fc_buf_append_text(to, index > 0 ? "," : "");
        print_value(to, type, version, array.elements + (size_t)index * type->size);
    }
    fc_buf_append_u8(to, ']');
}

static void print_struct(struct fc_buf *to, const struct fc_wire_type *type, int16_t version,
                         const uint8_t *msg)
{
    const char *comma = "";
    fc_buf_append_u8(to, '{');
    for (int index = 0; index < type->field_count; index++) {
        const struct fc_wire_field *field = &type->fields[index];
        const uint8_t *value = msg + field->offset;
        if (!fc_wire_field_in(field, version) ||
            (field->tag >= 0 && !fc_wire_is_written_tag(type, field, version, msg))) {
            continue;
        }
        fc_buf_append_fmt(to, "%s\"%s\":", comma, field->name);
        comma = ",";
        if (field->array) {
            print_array(to, field->type, version, fc_wire_get_array(value));
        } else if (!field->pointer) {
            print_value(to, field->type, version, value);
        } else if (fc_wire_get_pointer(value) == NULL) {
            fc_buf_append_text(to, "null");
        } else {
            print_struct(to, field->type, version, fc_wire_get_pointer(value));
        }
    }
    fc_buf_append_u8(to, '}');
}

static void print_line(struct fc_buf *line, const struct fc_wire_type *type, int16_t version,
                       struct fc_slice bytes, const void *msg)
{
    struct fc_error err;
    fc_buf_clear(line);
    fc_buf_append_fmt(line, "%s %d ", type->name, version);
    fc_buf_append_text(line, bytes.len == 0 ? "-" : "");
    print_hex(line, bytes.data, bytes.len);
    fc_buf_append_u8(line, ' ');
    print_struct(line, type, version, msg);
    fc_buf_append_u8(line, '\n');
    if (fc_buf_check(line, "a line", &err) != FC_OK ||
        fwrite(line->data, 1, line->len, stdout) != line->len) {
        (void)fputs("wire_samples: cannot write\n", stderr);
        exit(1);
    }
}

static void make_samples(struct fc_arena *arena, struct fc_buf *line, uint64_t seed)
{
    struct fc_wire_sample sample = { .state = seed | 1, .arena = arena };
    struct fc_buf bytes;
    struct fc_error err;
    fc_buf_init(&bytes, SIZE_MAX_BYTES);
    for (const struct fc_wire_type *const *at = fc_wire_message_table; *at != NULL; at++) {
        const struct fc_wire_type *type = *at;
        for (int version = type->version_min; version <= type->version_max; version++) {
            sample.version = (int16_t)version;
            for (int round = 0; round < ROUNDS; round++) {
                void *msg;
                fc_arena_clear(arena);
                fc_buf_clear(&bytes);
                msg = fc_wire_array(arena, type, 1);
                fc_wire_sample_fill(&sample, type, msg);
                if (fc_wire_encode(type, sample.version, msg, &bytes, &err) != FC_OK) {
                    (void)fprintf(stderr, "wire_samples: %s\n", err.message);
                    exit(1);
                }
                print_line(line, type, sample.version, fc_buf_slice(&bytes), msg);
            }
        }
    }
    fc_buf_release(&bytes);
}

static const struct fc_wire_type *find_type(const char *name)
{
    for (const struct fc_wire_type *const *at = fc_wire_message_table; *at != NULL; at++) {
        if (strcmp((*at)->name, name) == 0) {
            return *at;
        }
    }
    return NULL;
}

static size_t unhex(uint8_t *to, const char *hex)
{
    size_t count = 0;
    for (; *hex != '-' && hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
        const char digits[3] = { hex[0], hex[1], '\0' };
        to[count++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return count;
}

static void decode_line(struct fc_arena *arena, struct fc_buf *line, char *text)
{
    char *rest = text;
    const char *name = strtok_r(rest, " \n", &rest);
    const char *version = strtok_r(rest, " \n", &rest);
    const char *hex = strtok_r(rest, " \n", &rest);
    const struct fc_wire_type *type = name == NULL ? NULL : find_type(name);
    struct fc_error err;
    uint8_t *bytes;
    size_t count;
    void *msg;
    if (type == NULL || version == NULL || hex == NULL) {
        (void)fprintf(stderr, "wire_samples: no message: %s\n", text);
        exit(1);
    }
    fc_arena_clear(arena);
    bytes = fc_arena_alloc(arena, strlen(hex));
    msg = fc_wire_array(arena, type, 1);
    fc_assert(bytes != NULL && msg != NULL);
    count = unhex(bytes, hex);
    if (fc_wire_decode(type, (int16_t)strtol(version, NULL, 10), fc_slice_of(bytes, count),
                       arena, msg, &err) != FC_OK) {
        (void)fprintf(stderr, "wire_samples: %s\n", err.message);
        exit(1);
    }
    print_line(line, type, (int16_t)strtol(version, NULL, 10), fc_slice_of(bytes, count), msg);
}

int main(int argc, char **argv)
{
    struct fc_arena arena;
    struct fc_buf line;
    char *text = NULL;
    size_t size = 0;
    if (argc != 2) {
        (void)fputs("usage: wire_samples SEED | decode\n", stderr);
        return 2;
    }
    fc_arena_init(&arena, SIZE_MAX_BYTES);
    fc_buf_init(&line, SIZE_MAX_BYTES);
    if (strcmp(argv[1], "decode") != 0) {
        make_samples(&arena, &line, strtoull(argv[1], NULL, 10));
    } else {
        while (getline(&text, &size, stdin) > 0) {
            decode_line(&arena, &line, text);
        }
    }
    free(text);
    fc_buf_release(&line);
    fc_arena_release(&arena);
    return 0;
}
