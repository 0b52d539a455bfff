/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/capture_host.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/alloc.h"
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/format.h"

enum { DEADLINE_S = 60, TEXT_MAX = 1 << 30, ITEMS_MAX = 64 };

struct batch {
    struct fc_batch public; /* first */
    struct fc_arena arena;
    uint32_t capacity;
};

struct option_value {
    const struct fc_option *option;
    char *text;
    char *items[ITEMS_MAX];
    uint32_t item_count;
};

struct capture {
    struct fc_host host; /* first */
    void *library;
    const struct fc_connector *connector;
    struct option_value options[64];
    size_t option_count;
    struct fc_source *source;
    struct batch batch;
    char **lines;
    size_t line_count;
    size_t line_capacity;
    char **tx_ids;
    size_t tx_count;
    char *position;
    struct fc_buf reports;
    void (*on_change)(void *ctx, const struct fc_change *change);
    void *on_change_ctx;
};

static const struct capture *of_host(const struct fc_host *host)
{
    return (const struct capture *)(const void *)host;
}

static const struct option_value *find(const struct fc_host *host, const char *key)
{
    const struct capture *capture = of_host(host);
    for (size_t index = 0; index < capture->option_count; index++) {
        if (strcmp(capture->options[index].option->key, key) == 0) {
            return &capture->options[index];
        }
    }
    abort(); /* the plugin asks for what is not in its table */
}

static const char *option_text(const struct fc_host *host, const char *key)
{
    return find(host, key)->text;
}

static int64_t option_int(const struct fc_host *host, const char *key)
{
    const char *text = find(host, key)->text;
    char *end = NULL;
    int64_t number;
    if (text == NULL || strcmp(text, "false") == 0) {
        return 0;
    }
    if (strcmp(text, "true") == 0) {
        return 1;
    }
    number = strtoll(text, &end, 10);
    return strcmp(end, "s") == 0 ? number * 1000 : number;
}

static uint32_t option_list(const struct fc_host *host, const char *key,
                            const char *const **out_items)
{
    const struct option_value *value = find(host, key);
    *out_items = (const char *const *)value->items;
    return value->item_count;
}

static fc_code option_wrap(const struct fc_host *host, const char *key, uint32_t item,
                           struct fc_error *err)
{
    (void)host;
    (void)item;
    return fc_wrap(err, "%s", key);
}

static const char *connector_name(const struct fc_host *host)
{
    (void)host;
    return "capture-test";
}

static void report(const struct fc_host *host, int level, const char *text)
{
    struct capture *capture = (struct capture *)(uintptr_t)host;
    fc_buf_append_fmt(&capture->reports, "%d %s\n", level, text);
}

static struct fc_change *batch_add(struct fc_batch *public)
{
    struct batch *batch = (struct batch *)(void *)public;
    struct fc_change *change;
    if (public->count == batch->capacity) {
        return NULL;
    }
    change = &public->changes[public->count++];
    memset(change, 0, sizeof(*change));
    public->bytes += sizeof(*change);
    return change;
}

static void *batch_alloc(struct fc_batch *public, size_t size)
{
    struct batch *batch = (struct batch *)(void *)public;
    void *memory = fc_arena_alloc(&batch->arena, size);
    public->bytes += memory == NULL ? 0 : size;
    return memory;
}

static void batch_position(struct fc_batch *public, struct fc_slice position)
{
    struct batch *batch = (struct batch *)(void *)public;
    public->position = fc_arena_copy(&batch->arena, position);
}

static void set_option(struct capture *capture, const struct fc_option *option,
                       const char *const *options)
{
    struct option_value *value = &capture->options[capture->option_count++];
    size_t len = strlen(option->key);
    const char *text = option->default_text;
    for (size_t index = 0; options[index] != NULL; index++) {
        if (strncmp(options[index], option->key, len) == 0 && options[index][len] == '=') {
            text = options[index] + len + 1;
        }
    }
    value->option = option; /* a later option wins */
    value->text = text == NULL || text[0] == '\0' ? NULL : fc_strdup(text);
    while (option->type == FC_OPTION_LIST && text != NULL && value->item_count < ITEMS_MAX) {
        size_t size = strcspn(text, ",");
        value->items[value->item_count++] = fc_strndup(text, size);
        text = text[size] == '\0' ? NULL : text + size + 1;
    }
}

void capture_set_limits(struct capture *capture, uint32_t count_max, size_t bytes_max)
{
    capture->batch.public.count_max = count_max;
    capture->batch.public.bytes_max = bytes_max;
}

struct capture *capture_new(const char *plugin_path, const char *const *options)
{
    struct capture *capture = fc_new(struct capture);
    const struct fc_connector *(*entry)(void) = NULL;
    void *symbol;
    capture->library = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
    if (capture->library == NULL) {
        (void)fprintf(stderr, "%s\n", dlerror()); /* NOLINT(concurrency-mt-unsafe) */
        abort();
    }
    symbol = dlsym(capture->library, "fc_connector_entry");
    memcpy(&entry, &symbol, sizeof(entry));
    fc_assert(entry != NULL);
    capture->connector = entry();
    for (const struct fc_option *option = capture->connector->options; option->key != NULL;
         option++) {
        set_option(capture, option, options);
    }
    capture->host = (struct fc_host){ .size = sizeof(struct fc_host),
                                      .option_text = option_text,
                                      .option_int = option_int,
                                      .option_list = option_list,
                                      .connector_name = connector_name,
                                      .report = report,
                                      .batch_add = batch_add,
                                      .batch_alloc = batch_alloc,
                                      .batch_position = batch_position,
                                      .option_wrap = option_wrap };
    fc_arena_init(&capture->batch.arena, (size_t)256 * 1024 * 1024);
    capture->batch.capacity = 65536;
    capture->batch.public.changes = fc_new_array(struct fc_change, capture->batch.capacity);
    capture_set_limits(capture, 8192, 4 * 1024 * 1024);
    capture->position = fc_strdup("");
    fc_buf_init(&capture->reports, TEXT_MAX);
    return capture;
}

void capture_clear(struct capture *capture)
{
    for (size_t index = 0; index < capture->line_count; index++) {
        free(capture->lines[index]);
    }
    free(capture->lines);
    capture->lines = NULL;
    capture->line_count = 0;
    capture->line_capacity = 0;
}

void capture_free(struct capture *capture)
{
    if (capture == NULL) {
        return;
    }
    capture_close(capture);
    capture_clear(capture);
    for (size_t index = 0; index < capture->tx_count; index++) {
        free(capture->tx_ids[index]);
    }
    free(capture->tx_ids);
    for (size_t index = 0; index < capture->option_count; index++) {
        free(capture->options[index].text);
        for (uint32_t item = 0; item < capture->options[index].item_count; item++) {
            free(capture->options[index].items[item]);
        }
    }
    free(capture->batch.public.changes);
    fc_arena_release(&capture->batch.arena);
    free(capture->position);
    fc_buf_release(&capture->reports);
    (void)dlclose(capture->library); /* nothing to be done about a failure */
    free(capture);
}

static void print_bytes(struct fc_buf *out, struct fc_slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    fc_buf_append_text(out, "x'");
    for (size_t index = 0; index < bytes.len; index++) {
        fc_buf_append_u8(out, (uint8_t)digits[bytes.data[index] >> 4]);
        fc_buf_append_u8(out, (uint8_t)digits[bytes.data[index] & 15]);
    }
    fc_buf_append_text(out, "'");
}

static void print_value(struct fc_buf *out, const struct fc_value *value)
{
    char number[FC_FORMAT_DOUBLE_SIZE];
    switch (value->kind) {
    case FC_VALUE_NULL:
        fc_buf_append_text(out, "null");
        break;
    case FC_VALUE_UNCHANGED:
        fc_buf_append_text(out, "~");
        break;
    case FC_VALUE_INT:
        fc_buf_append_i64(out, value->as.i64);
        break;
    case FC_VALUE_UINT:
        fc_buf_append_u64(out, value->as.u64);
        fc_buf_append_text(out, "u");
        break;
    case FC_VALUE_FLOAT:
        fc_buf_append(out, number, fc_format_float(number, value->as.f32));
        fc_buf_append_text(out, "f");
        break;
    case FC_VALUE_DOUBLE:
        fc_buf_append(out, number, fc_format_double(number, value->as.f64));
        break;
    case FC_VALUE_TEXT:
        fc_buf_append_text(out, "'");
        fc_buf_append_slice(out, value->as.bytes);
        fc_buf_append_text(out, "'");
        break;
    case FC_VALUE_BYTES:
        print_bytes(out, value->as.bytes);
        break;
    }
}

static void print_row(struct fc_buf *out, const struct fc_shape *shape,
                      const struct fc_value *row)
{
    if (row == NULL) {
        return;
    }
    fc_buf_append_text(out, " {");
    for (uint32_t index = 0; index < shape->column_count; index++) {
        fc_buf_append_fmt(out, "%s%s=", index == 0 ? "" : " ", shape->columns[index].name);
        print_value(out, &row[index]);
    }
    fc_buf_append_text(out, "}");
}

static size_t tx_number(struct capture *capture, struct fc_slice id)
{
    for (size_t index = capture->tx_count; index-- > 0;) {
        if (fc_slice_equal_text(id, capture->tx_ids[index])) {
            return index + 1;
        }
    }
    capture->tx_ids = fc_realloc_array(capture->tx_ids, capture->tx_count + 1, sizeof(char *));
    capture->tx_ids[capture->tx_count] = fc_strndup((const char *)id.data, id.len);
    return ++capture->tx_count;
}

static void add_line(struct capture *capture, const struct fc_change *change)
{
    struct fc_buf out;
    fc_buf_init(&out, TEXT_MAX);
    fc_buf_append_u8(&out, (uint8_t)change->op);
    if (change->snapshot == FC_SNAPSHOT_LAST_OF_TABLE) {
        fc_buf_append_text(&out, "e");
    } else if (change->snapshot == FC_SNAPSHOT_EMPTY_TABLE) {
        fc_buf_append_text(&out, "E");
    }
    if (change->shape != NULL) {
        fc_buf_append_fmt(&out, " %s.%s", change->shape->db, change->shape->table);
    } else {
        fc_buf_append_fmt(&out, " %.*s.%.*s", (int)change->db.len,
                          (const char *)change->db.data, (int)change->table.len,
                          (const char *)change->table.data);
    }
    if (change->tx == NULL) {
        fc_buf_append_text(&out, " -");
    } else {
        fc_buf_append_fmt(&out, " T%zu", tx_number(capture, change->tx->id));
    }
    fc_buf_append_fmt(&out, "#%" PRIu64 "%s", change->row, change->tx_last ? "!" : "");
    if (change->ddl != NULL) {
        fc_buf_append_text(&out, " ");
        fc_buf_append_slice(&out, change->ddl->statement);
    }
    print_row(&out, change->shape, change->before);
    print_row(&out, change->shape, change->after);
    if (capture->line_count == capture->line_capacity) {
        capture->line_capacity = capture->line_capacity * 2 + 64;
        capture->lines =
            fc_realloc_array(capture->lines, capture->line_capacity, sizeof(char *));
    }
    capture->lines[capture->line_count++] = fc_strndup((const char *)out.data, out.len);
    fc_buf_release(&out);
}

fc_code capture_open(struct capture *capture, const char *position, struct fc_error *err)
{
    return capture->connector->source->open(
        &capture->host, position[0] == '\0' ? fc_slice_null() : fc_slice_text(position),
        &capture->source, err);
}

void capture_close(struct capture *capture)
{
    capture->connector->source->close(capture->source);
    capture->source = NULL;
}

fc_code capture_read(struct capture *capture, int wait_ms, struct fc_error *err)
{
    struct fc_batch *batch = &capture->batch.public;
    fc_code code;
    fc_arena_clear(&capture->batch.arena);
    batch->count = 0;
    batch->bytes = 0;
    batch->position = fc_slice_null();
    code = capture->connector->source->read(capture->source, wait_ms, batch, err);
    if (code != FC_OK) {
        return code;
    }
    for (uint32_t index = 0; index < batch->count; index++) {
        if (capture->on_change != NULL) {
            capture->on_change(capture->on_change_ctx, &batch->changes[index]);
        }
        add_line(capture, &batch->changes[index]);
    }
    if (!fc_slice_is_null(batch->position)) {
        free(capture->position);
        capture->position = fc_strndup((const char *)batch->position.data, batch->position.len);
    }
    return FC_OK;
}

static void fail_with(const struct capture *capture, const char *why)
{
    (void)fprintf(stderr, "%s; captured %zu changes:\n", why, capture->line_count);
    for (size_t index = 0; index < capture->line_count && index < 50; index++) {
        (void)fprintf(stderr, "  %.300s\n", capture->lines[index]);
    }
    (void)fprintf(stderr, "  position %s\n  %.*s", capture->position, (int)capture->reports.len,
                  (const char *)capture->reports.data);
    abort();
}

static void read_or_fail(struct capture *capture)
{
    struct fc_error err;
    memset(&err, 0, sizeof(err));
    if (capture_read(capture, 20, &err) != FC_OK) {
        fail_with(capture, err.message);
    }
}

static int64_t now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

void capture_until(struct capture *capture, size_t count)
{
    int64_t until = now_s() + DEADLINE_S;
    while (capture->line_count < count) {
        read_or_fail(capture);
        if (now_s() > until) {
            fail_with(capture, "changes did not come in time");
        }
    }
}

void capture_until_caught_up(struct capture *capture)
{
    int64_t until = now_s() + DEADLINE_S;
    struct fc_source_status status;
    do {
        read_or_fail(capture);
        capture->connector->source->status(capture->source, &status);
        if (now_s() > until) {
            fail_with(capture, "the source did not catch up in time");
        }
    } while (!status.caught_up);
}

size_t capture_count(const struct capture *capture)
{
    return capture->line_count;
}

const char *capture_line(const struct capture *capture, size_t index)
{
    fc_assert(index < capture->line_count);
    return capture->lines[index];
}

const char *capture_values(const struct capture *capture, size_t index)
{
    const char *values = strchr(capture_line(capture, index), '{');
    return values == NULL ? "" : values;
}

const char *capture_position(const struct capture *capture)
{
    return capture->position;
}

const char *capture_tx_id(const struct capture *capture, size_t number)
{
    fc_assert(number >= 1 && number <= capture->tx_count);
    return capture->tx_ids[number - 1];
}

const char *capture_reports(const struct capture *capture)
{
    return capture->reports.len == 0 ? "" : (const char *)capture->reports.data;
}

const struct fc_connector *capture_connector(const struct capture *capture)
{
    return capture->connector;
}

struct fc_source *capture_source(const struct capture *capture)
{
    return capture->source;
}

const struct fc_host *capture_host(const struct capture *capture)
{
    return &capture->host;
}

void capture_on_change(struct capture *capture,
                       void (*fn)(void *ctx, const struct fc_change *change), void *ctx)
{
    capture->on_change = fn;
    capture->on_change_ctx = ctx;
}
