/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/produce_run.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/stopper.h"
#include "core/base/terminal.h"
#include "core/cli/line_input.h"

enum { POLL_MS = 100, FULL_WAIT_MS = 50, REASON_SIZE = 256 };

struct run {
    struct fc_cli *cli;
    const struct fc_produce *produce;
    struct fc_cluster *cluster;
    struct fc_line_input input;
    rd_kafka_headers_t *headers; /* copied for each record */
    uint64_t sent;
    uint64_t delivered;
    uint64_t lost;
    uint64_t skipped; /* lines without the separator */
    rd_kafka_resp_err_t last_failure;
    /* While records wait for the cluster. */
    uint64_t seen; /* delivered when the clock below was set */
    int64_t since_ms;
    bool told;
};

static void on_stop(void *ctx)
{
    fc_line_input_stop(ctx);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct run *run = message->_private;
    (void)rk;
    (void)opaque;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        run->delivered++;
    } else {
        run->lost++;
        run->last_failure = message->err;
    }
}

/* --- sending ------------------------------------------------------------------------------ */

static rd_kafka_resp_err_t send_once(struct run *run, struct fc_slice key,
                                     struct fc_slice value)
{
    rd_kafka_headers_t *headers =
        run->headers == NULL ? NULL : rd_kafka_headers_copy(run->headers);
    rd_kafka_resp_err_t code;
    rd_kafka_vu_t parts[7] = {
        { .vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = run->produce->topic },
        { .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = run->produce->partition },
        { .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY },
        { .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = run },
        { .vtype = RD_KAFKA_VTYPE_KEY,
          .u.mem = { .ptr = fc_unconst(key.data), .size = key.len } },
        { .vtype = RD_KAFKA_VTYPE_VALUE,
          .u.mem = { .ptr = fc_unconst(value.data), .size = value.len } },
        { .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers },
    };
    rd_kafka_error_t *failed =
        rd_kafka_produceva(run->cluster->rk, parts, headers == NULL ? 6 : 7);
    if (failed == NULL) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    code = rd_kafka_error_code(failed);
    rd_kafka_error_destroy(failed);
    if (headers != NULL) {
        rd_kafka_headers_destroy(headers); /* still ours */
    }
    return code;
}

static fc_code failure(const struct run *run, rd_kafka_resp_err_t code, const char *what,
                       struct fc_error *err)
{
    if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "%s: the server does not know idempotent producers: "
                       "--delivery-semantic at-least-once does without",
                       what);
    }
    if (code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
        /* An idempotent producer asks for its id first, which who may write to any topic gets. */
        return fc_fail(err, FC_ERR_REJECTED,
                       "%s: this user may not write to it, nor to any other (an admin can "
                       "grant it: fluvio acl add --role producer --topic %s)",
                       what, what);
    }
    return fc_cluster_fail(run->cluster, code, NULL, what, err);
}

/* librdkafka tries for minutes what may yet succeed, and says nothing meanwhile. */
static void note_waiting(struct run *run)
{
    int64_t now_ms = fc_clock_steady_ms(fc_clock_system());
    if (run->since_ms == 0 || run->seen != run->delivered) {
        run->seen = run->delivered;
        run->since_ms = now_ms;
        run->told = false;
    } else if (!run->told && now_ms - run->since_ms >= run->cli->timeout_ms) {
        run->told = true;
        fc_cli_note(run->cli,
                    "%d records wait for `%s`: the cluster has taken none for %" PRId64
                    " s (no leader, or no room on its disk?); trying on, until "
                    "message.timeout.ms",
                    rd_kafka_outq_len(run->cluster->rk), run->produce->topic,
                    (now_ms - run->since_ms) / 1000);
    }
}

/* Waits while librdkafka's queue is full. */
static fc_code send_record(struct run *run, struct fc_slice key, struct fc_slice value,
                           struct fc_error *err)
{
    rd_kafka_resp_err_t code = send_once(run, key, value);
    while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && rd_kafka_outq_len(run->cluster->rk) > 0) {
        (void)rd_kafka_poll(run->cluster->rk, FULL_WAIT_MS);
        note_waiting(run);
        code = send_once(run, key, value);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return failure(run, code, run->produce->topic, err);
    }
    run->sent++;
    (void)rd_kafka_poll(run->cluster->rk, 0);
    return FC_OK;
}

static struct fc_slice given_key(const struct run *run)
{
    return run->produce->key == NULL ? fc_slice_null() : fc_slice_text(run->produce->key);
}

static fc_code send_line(struct run *run, struct fc_slice line, struct fc_error *err)
{
    const char *separator = run->produce->key_separator;
    const uint8_t *at;
    size_t len;
    if (separator == NULL) {
        return send_record(run, given_key(run), line, err);
    }
    len = strlen(separator);
    at = memmem(line.data, line.len, separator, len);
    if (at == NULL) {
        run->skipped++;
        return FC_OK;
    }
    return send_record(run, fc_slice_of(line.data, (size_t)(at - line.data)),
                       fc_slice_of(at + len, line.len - (size_t)(at - line.data) - len), err);
}

static fc_code send_lines(struct run *run, struct fc_error *err)
{
    bool prompt = run->produce->file == NULL && fc_terminal_is(run->cli->in) &&
                  fc_terminal_is(run->cli->err) && !run->cli->quiet;
    bool more = true;
    fc_code code = FC_OK;
    while (more && code == FC_OK) {
        struct fc_slice line = fc_slice_null();
        if (prompt) {
            (void)fputs("> ", run->cli->err);
        }
        do {
            code = fc_line_input_next(&run->input, POLL_MS, &line, &more, err);
            (void)rd_kafka_poll(run->cluster->rk, 0);
        } while (code == FC_ERR_TIMEOUT && run->lost == 0);
        if (run->lost > 0) {
            return FC_OK; /* told by the caller */
        }
        if (code == FC_OK && more) {
            code = send_line(run, line, err);
        }
    }
    return code;
}

static fc_code send_all(struct run *run, struct fc_error *err)
{
    struct fc_slice rest = fc_slice_null();
    if (run->produce->tombstone) {
        return send_record(run, given_key(run), fc_slice_null(), err);
    }
    if (!run->produce->raw) {
        return send_lines(run, err);
    }
    if (fc_line_input_rest(&run->input, &rest, err) != FC_OK) {
        return err->code;
    }
    if (rest.data == NULL) {
        rest = fc_slice_text(""); /* an empty record, no tombstone */
    }
    return send_record(run, given_key(run), rest, err);
}

/* --- around it ---------------------------------------------------------------------------- */

static fc_code read_headers(struct run *run, struct fc_error *err)
{
    const struct fc_flag_list *given = &run->produce->headers;
    for (uint32_t index = 0; index < given->count; index++) {
        char *copy = fc_strdup(given->items[index]);
        char *name = NULL;
        char *value = NULL;
        bool good = fc_cli_split(copy, &name, &value);
        if (good && run->headers == NULL) {
            run->headers = rd_kafka_headers_new(given->count);
        }
        if (good) {
            /* Only memory could be missing, and then librdkafka has ended the process. */
            (void)rd_kafka_header_add(run->headers, name, -1, value, -1);
        }
        free(copy);
        if (!good) {
            return fc_fail(err, FC_ERR_CONFIG, "--header needs NAME=VALUE, not `%s`",
                           given->items[index]);
        }
    }
    return FC_OK;
}

/* That the topic is there: a server that creates topics by itself would hide a typing error. */
static fc_code check_topic(struct run *run, struct fc_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    const struct rd_kafka_metadata_topic *topic = NULL;
    int32_t wanted = run->produce->partition;
    fc_code code = fc_cluster_metadata(run->cluster, &metadata, err);
    if (code != FC_OK) {
        return code;
    }
    code = fc_cluster_find_topic(run->cluster, metadata, run->produce->topic, &topic, err);
    if (code == FC_OK && wanted >= topic->partition_cnt) {
        code = fc_fail(err, FC_ERR_NOT_FOUND, "topic `%s` has no partition %d, only 0 to %d",
                       run->produce->topic, (int)wanted, topic->partition_cnt - 1);
    }
    rd_kafka_metadata_destroy(metadata);
    return code;
}

/* Everything that was taken is delivered, or is known to be lost. */
static fc_code finish(struct run *run, fc_code code, struct fc_error *err)
{
    while (rd_kafka_outq_len(run->cluster->rk) > 0) {
        (void)rd_kafka_flush(run->cluster->rk, POLL_MS); /* message.timeout.ms ends it */
        note_waiting(run);
    }
    if (run->lost > 0) {
        struct fc_error reason = { 0 };
        char ignored[REASON_SIZE];
        rd_kafka_resp_err_t fatal =
            rd_kafka_fatal_error(run->cluster->rk, ignored, sizeof(ignored));
        /* After a fatal error all that waits is purged, which is no reason. */
        rd_kafka_resp_err_t last =
            fatal == RD_KAFKA_RESP_ERR_NO_ERROR ? run->last_failure : fatal;
        if (last == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
            return failure(run, last, run->produce->topic, err);
        }
        (void)fc_cluster_fail(run->cluster, last, NULL, "the last reason", &reason);
        return fc_fail(err, FC_ERR_IO,
                       "%" PRIu64 " of %" PRIu64 " records were not delivered to `%s`; %s",
                       run->lost, run->sent, run->produce->topic, reason.message);
    }
    if (code == FC_OK && run->skipped > 0) {
        return fc_fail(
            err, FC_ERR_REJECTED,
            "%" PRIu64 " %s without the separator `%s` left out; %" PRIu64 " %s delivered",
            run->skipped, run->skipped == 1 ? "line" : "lines", run->produce->key_separator,
            run->delivered, run->delivered == 1 ? "record" : "records");
    }
    return code;
}

fc_code fc_produce_run(struct fc_cli *cli, const struct fc_produce *produce,
                       struct fc_error *err)
{
    struct run run = { .cli = cli, .produce = produce };
    const struct fc_cluster_use use = { .type = RD_KAFKA_PRODUCER,
                                        .properties = produce->properties,
                                        .on_delivery = on_delivery };
    struct fc_stopper *stopper = NULL;
    fc_code code =
        fc_line_input_open(produce->file, FC_PRODUCE_RECORD_BYTES_MAX, &run.input, err);
    if (code != FC_OK) {
        return code;
    }
    code = read_headers(&run, err);
    if (code == FC_OK) {
        code = fc_stopper_start(on_stop, &run.input, &stopper, err);
    }
    if (code == FC_OK) {
        code = fc_cluster_open(cli, &use, &run.cluster, err);
    }
    if (code == FC_OK) {
        code = check_topic(&run, err);
    }
    if (code == FC_OK) {
        code = finish(&run, send_all(&run, err), err);
    }
    if (code == FC_OK && cli->verbose) {
        fc_cli_note(cli, "%" PRIu64 " records delivered to %s", run.delivered, produce->topic);
    }
    fc_cluster_close(run.cluster);
    fc_stopper_end(stopper);
    if (run.headers != NULL) {
        rd_kafka_headers_destroy(run.headers);
    }
    fc_line_input_close(&run.input);
    return code;
}
