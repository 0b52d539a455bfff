/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/status.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "core/base/terminal.h"
#include "runner/bridge/bridge.h"

enum { STATM_SIZE = 128 };

uint64_t fc_status_memory_bytes(void)
{
    char text[STATM_SIZE] = { 0 };
    uint64_t pages = 0;
    const char *resident;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0) {
        (void)close(fd); /* only read from */
    }
    resident = got <= 0 ? NULL : strchr(text, ' '); /* "size resident shared ..." in pages */
    if (resident != NULL) {
        pages = strtoull(resident + 1, NULL, 10);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Text that a source gave may be cut in the middle of a character. */
static void set_text(json_t *object, const char *key, const char *text)
{
    json_t *value = json_string(text);
    (void)json_object_set_new(object, key, value == NULL ? json_string("?") : value);
}

static void set_number(json_t *object, const char *key, uint64_t value)
{
    (void)json_object_set_new(object, key, json_integer((json_int_t)value));
}

static fc_code add_topic(void *ctx, struct fc_topic *topic, struct fc_error *err)
{
    json_t *topics = ctx;
    for (uint32_t partition = 0; partition < fc_topic_partitions(topic); partition++) {
        struct fc_offsets offsets = { 0 };
        json_t *entry = json_object();
        fc_code code = fc_stream_offsets(topic, partition, &offsets, err);
        if (code != FC_OK) {
            json_decref(entry);
            return code;
        }
        set_text(entry, "topic", fc_topic_name(topic));
        set_number(entry, "partition", partition);
        set_number(entry, "start", (uint64_t)offsets.start);
        set_number(entry, "durable", (uint64_t)offsets.durable);
        set_number(entry, "end", (uint64_t)offsets.end);
        (void)json_array_append_new(topics, entry);
    }
    return FC_OK;
}

static void add_lags(json_t *root, struct fc_bridge *bridge)
{
    size_t count = 0;
    struct fc_bridge_lag *lags = fc_bridge_lags(bridge, &count);
    json_t *partitions = json_array();
    uint64_t total = 0;
    for (size_t index = 0; index < count; index++) {
        const struct fc_bridge_lag *lag = &lags[index];
        int64_t behind = lag->end > lag->next ? lag->end - lag->next : 0;
        json_t *entry = json_object();
        set_text(entry, "topic", lag->topic);
        set_number(entry, "partition", lag->partition);
        set_number(entry, "next", (uint64_t)lag->next);
        (void)json_object_set_new(entry, "end", json_integer(lag->end));
        set_number(entry, "lag", (uint64_t)behind);
        (void)json_array_append_new(partitions, entry);
        total += (uint64_t)behind;
    }
    set_number(root, "lag_records", total);
    (void)json_object_set_new(root, "partitions", partitions);
    free(lags);
}

void fc_status_encode(const struct fc_status_input *input, struct fc_buf *out)
{
    const struct fc_pipeline_status *pipeline = input->pipeline;
    struct fc_error error = { 0 };
    json_t *root = json_object();
    json_t *log = json_object();
    json_t *topics = json_array();
    char *text;
    set_text(root, "name", input->name);
    set_number(root, "pid", (uint64_t)getpid());
    set_text(root, "version", FC_VERSION);
    set_number(root, "uptime_ms", (uint64_t)input->uptime_ms);
    set_text(root, "phase",
             pipeline->source.phase[0] == '\0' ? "starting" : pipeline->source.phase);
    (void)json_object_set_new(root, "connected", json_boolean(pipeline->connected));
    set_text(root, "waiting", pipeline->waiting);
    (void)json_object_set_new(root, "caught_up", json_boolean(pipeline->source.caught_up));
    set_number(root, "rows_read", pipeline->changes_read);
    set_number(root, "rows_per_second", input->rows_per_second);
    set_number(root, "records_written", pipeline->records_written);
    set_number(root, "bytes_written", pipeline->bytes_written);
    set_number(root, "rejected", pipeline->rejected);
    set_number(root, "restarts", pipeline->restarts);
    (void)json_object_set_new(root, "lag_ms", json_real((double)pipeline->lag_us / 1000));
    set_text(root, "position", pipeline->source.position);
    set_number(root, "memory_bytes", fc_status_memory_bytes());
    set_text(log, "dir", input->dir);
    if (pipeline->log_waits) {
        set_text(log, "error", pipeline->waiting); /* asking it would only wait, too */
    } else if (input->stream != NULL &&
               fc_stream_topics(input->stream, add_topic, topics, &error) != FC_OK) {
        set_text(log, "error", error.message);
    }
    if (input->bridge != NULL) {
        add_lags(root, input->bridge);
    }
    (void)json_object_set_new(log, "topics", topics);
    (void)json_object_set_new(root, "log", log);
    text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(12));
    fc_buf_append_text(out, text == NULL ? "{\"error\":\"no memory\"}" : text);
    free(text);
    json_decref(root);
}

/* --- for people --------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static uint64_t number_of(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));
    return number < 0 ? 0 : (uint64_t)number;
}

static void print_topics(const json_t *topics, FILE *to)
{
    size_t index;
    const json_t *entry;
    (void)fprintf(to, "\n%-40s %9s %14s %14s %14s\n", "TOPIC", "PARTITION", "START", "DURABLE",
                  "END");
    json_array_foreach(topics, index, entry)
    {
        (void)fprintf(to, "%-40s %9" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "\n",
                      text_of(entry, "topic"), number_of(entry, "partition"),
                      number_of(entry, "start"), number_of(entry, "durable"),
                      number_of(entry, "end"));
    }
}

static void print_lags(const json_t *root, FILE *to)
{
    size_t index;
    const json_t *entry;
    (void)fprintf(to, "\n%-40s %9s %14s %14s %14s\n", "COPIED", "PARTITION", "NEXT", "END",
                  "BEHIND");
    json_array_foreach(json_object_get(root, "partitions"), index, entry)
    {
        (void)fprintf(to, "%-40s %9" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "\n",
                      text_of(entry, "topic"), number_of(entry, "partition"),
                      number_of(entry, "next"), number_of(entry, "end"),
                      number_of(entry, "lag"));
    }
    (void)fprintf(to, "%-40s %9s %14s %14s %14" PRIu64 "\n", "(all)", "", "", "",
                  number_of(root, "lag_records"));
}

fc_code fc_status_print(struct fc_slice text, FILE *to, struct fc_error *err)
{
    json_t *root = json_loadb((const char *)text.data, text.len, 0, NULL);
    const json_t *log = json_object_get(root, "log");
    char a[FC_HUMAN_SIZE];
    char b[FC_HUMAN_SIZE];
    if (!json_is_object(root) || !json_is_object(log)) {
        json_decref(root);
        return fc_fail(err, FC_ERR_PROTOCOL, "the runner's answer is not a status");
    }
    (void)fprintf(to, "%-10s %s (pid %" PRIu64 ", up %s, version %s)\n", "name",
                  text_of(root, "name"), number_of(root, "pid"),
                  fc_human_duration((int64_t)number_of(root, "uptime_ms"), a),
                  text_of(root, "version"));
    (void)fprintf(to, "%-10s %s%s\n", "phase", text_of(root, "phase"),
                  json_is_true(json_object_get(root, "connected")) ? "" : " (not connected)");
    if (*text_of(root, "waiting") != '\0') {
        (void)fprintf(to, "%-10s %s\n", "waiting", text_of(root, "waiting"));
    }
    (void)fprintf(to, "%-10s %s\n", "position", text_of(root, "position"));
    (void)fprintf(to, "%-10s %s read, %s/s\n", "rows",
                  fc_human_count(number_of(root, "rows_read"), a),
                  fc_human_count(number_of(root, "rows_per_second"), b));
    (void)fprintf(to, "%-10s %s written, %s\n", "records",
                  fc_human_count(number_of(root, "records_written"), a),
                  fc_human_bytes(number_of(root, "bytes_written"), b));
    (void)fprintf(to, "%-10s %.1f ms\n", "lag",
                  json_number_value(json_object_get(root, "lag_ms")));
    (void)fprintf(to, "%-10s %" PRIu64 ", source restarts %" PRIu64 "\n", "rejected",
                  number_of(root, "rejected"), number_of(root, "restarts"));
    (void)fprintf(to, "%-10s %s\n", "memory",
                  fc_human_bytes(number_of(root, "memory_bytes"), a));
    (void)fprintf(to, "%-10s %s\n", "log", text_of(log, "dir"));
    if (json_object_get(root, "partitions") != NULL) {
        print_lags(root, to);
    }
    print_topics(json_object_get(log, "topics"), to);
    json_decref(root);
    return FC_OK;
}
