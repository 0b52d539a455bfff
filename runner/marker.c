/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/marker.h"

#include <inttypes.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/base/alloc.h"
#include "runner/checkpoint.h"
#include "runner/control.h"
#include "runner/identity.h"
#include "runner/log_open.h"
#include "runner/resume.h"

enum { HEADER_BYTES_MAX = 1024, REQUEST_BYTES_MAX = FC_CONTROL_LINE_MAX - 1 };

struct fc_marker {
    const struct fc_config *config;
    const struct fc_clock *clock;
    struct fc_log log; /* stream NULL: a running capture writes */
};

/* --- by the running capture -------------------------------------------------------------- */

static fc_code ask(const char *dir, const char *what, const char *json, struct fc_error *err)
{
    struct fc_buf request;
    struct fc_buf reply;
    fc_code code;
    fc_buf_init(&request, REQUEST_BYTES_MAX);
    fc_buf_init(&reply, FC_CONTROL_LINE_MAX);
    fc_buf_append_text(&request, what);
    fc_buf_append_text(&request, json);
    code = fc_buf_check(&request, "restore marker", err);
    if (code == FC_OK) {
        code = fc_control_call(dir, fc_buf_slice(&request), &reply, err);
    }
    fc_buf_release(&request);
    fc_buf_release(&reply);
    return code;
}

static fc_code take_directory(struct fc_marker *marker, struct fc_error *err)
{
    fc_code code = fc_log_open(marker->config, marker->clock, NULL, &marker->log, err);
    if (code == FC_ERR_REFUSED) {
        char reason[FC_ERROR_MESSAGE_SIZE];
        memcpy(reason, err->message, sizeof(reason));
        code = fc_fail(
            err, FC_ERR_REFUSED,
            "a restore in place must be noted in the log, but the capture that has it "
            "open does not answer (%.200s); end it or let it come up, or restore --into "
            "another name",
            reason);
    }
    return code;
}

fc_code fc_marker_open(const struct fc_config *config, const struct fc_clock *clock,
                       struct fc_marker **out_marker, struct fc_error *err)
{
    struct fc_marker *marker = fc_new(struct fc_marker);
    fc_code code;
    marker->config = config;
    marker->clock = clock;
    code = ask(config->log_dir, "status", "", err);
    if (code != FC_OK) {
        code = take_directory(marker, err);
    }
    if (code != FC_OK) {
        fc_marker_close(marker);
        return code;
    }
    *out_marker = marker;
    return FC_OK;
}

void fc_marker_close(struct fc_marker *marker)
{
    if (marker != NULL) {
        fc_log_close(&marker->log);
        free(marker);
    }
}

/* --- by us ------------------------------------------------------------------------------- */

/* The topic of statements and markers, known to the checkpoint before its first record. */
static fc_code enter_topic(struct fc_marker *marker, struct fc_checkpoint *checkpoint,
                           struct fc_topic **out_topic, struct fc_error *err)
{
    const char *name = marker->config->name;
    struct fc_checkpoint_topic *entry;
    fc_code code = fc_stream_topic(marker->log.stream, name, out_topic, err);
    if (code == FC_ERR_NOT_FOUND) {
        code = fc_stream_topic_ensure(marker->log.stream, name, &marker->config->topic_config,
                                      out_topic, err);
    }
    if (code != FC_OK || fc_checkpoint_topic(checkpoint, name) != NULL) {
        return code;
    }
    entry = fc_checkpoint_add_topic(checkpoint, name, fc_topic_partitions(*out_topic));
    for (uint32_t index = 0; code == FC_OK && index < entry->partitions; index++) {
        struct fc_offsets offsets;
        code = fc_stream_offsets(*out_topic, index, &offsets, err);
        entry->ends[index] = code == FC_OK ? offsets.end : 0;
    }
    if (code == FC_OK) {
        code = fc_checkpoint_append(marker->log.stream, name, checkpoint, marker->clock, err);
    }
    return code == FC_OK ? fc_stream_flush(marker->log.stream, err) : code;
}

static fc_code append_record(struct fc_marker *marker, struct fc_topic *topic, uint64_t seq,
                             const char *json, struct fc_error *err)
{
    struct fc_identity identity;
    struct fc_header header;
    struct fc_record record;
    struct fc_buf text;
    fc_code code;
    fc_buf_init(&text, HEADER_BYTES_MAX);
    memset(&identity, 0, sizeof(identity));
    identity.connector = fc_slice_text(marker->config->name);
    identity.seq = seq;
    identity.tx_id = fc_slice_text("-");
    identity.tx_last = true;
    identity.op = 'm';
    fc_identity_encode(&identity, &text);
    header.key = fc_slice_text(FC_IDENTITY_HEADER);
    header.value = fc_buf_slice(&text);
    memset(&record, 0, sizeof(record));
    record.timestamp_ms = fc_clock_wall_ms(marker->clock);
    record.value = fc_slice_text(json);
    record.headers = &header;
    record.header_count = 1;
    code = fc_stream_append_one(topic, 0, &record, err);
    if (code == FC_OK) {
        code = fc_stream_flush(marker->log.stream, err);
    }
    fc_buf_release(&text);
    return code;
}

static fc_code write_ourselves(struct fc_marker *marker, const char *json, struct fc_error *err)
{
    struct fc_checkpoint checkpoint;
    struct fc_resume resume;
    struct fc_topic *topic = NULL;
    fc_code code;
    fc_checkpoint_init(&checkpoint);
    fc_resume_init(&resume);
    code = fc_stream_renew(marker->log.stream, err);
    if (code == FC_OK) {
        code = fc_checkpoint_read(marker->log.stream, marker->config->name, &checkpoint, err);
    }
    if (code == FC_OK) {
        code =
            fc_resume_scan(&resume, marker->log.stream, marker->config->name, &checkpoint, err);
    }
    if (code == FC_OK) {
        code = enter_topic(marker, &checkpoint, &topic, err);
    }
    if (code == FC_OK) {
        code = append_record(marker, topic, resume.seq_max + 1, json, err);
    }
    if (code == FC_OK && checkpoint.present && resume.seq_max == checkpoint.seq) {
        checkpoint.seq = resume.seq_max + 1; /* nothing before it is incomplete */
        code = fc_checkpoint_append(marker->log.stream, marker->config->name, &checkpoint,
                                    marker->clock, err);
        code = code == FC_OK ? fc_stream_flush(marker->log.stream, err) : code;
    }
    fc_resume_release(&resume);
    fc_checkpoint_release(&checkpoint);
    return code;
}

fc_code fc_marker_write(struct fc_marker *marker, const char *db, const char *table,
                        uint64_t cut_seq, struct fc_error *err)
{
    json_t *root =
        json_pack("{s:s,s:s,s:I}", "db", db, "table", table, "cut_seq", (json_int_t)cut_seq);
    char *json = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);
    fc_code code;
    json_decref(root);
    if (json == NULL) {
        return fc_fail(err, FC_ERR_PROTOCOL, "the name of %s.%s is not UTF-8", db, table);
    }
    if (marker->log.stream == NULL) {
        code = ask(marker->config->log_dir, "mark ", json, err);
        if (code == FC_ERR_NOT_FOUND) { /* it has ended meanwhile */
            code = take_directory(marker, err);
        }
        code = code == FC_OK && marker->log.stream != NULL ? write_ourselves(marker, json, err)
                                                           : code;
    } else {
        code = write_ourselves(marker, json, err);
    }
    free(json);
    return code;
}
