/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/source_position.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "core/base/alloc.h"

enum {
    POSITION_VERSION = 1,
    GTID_TEXT_MAX = 64 * 1024 * 1024,
    SHOW_BINARY_LOG_STATUS_SINCE = 80200 /* MySQL; older ones say SHOW MASTER STATUS */
};

void fc_source_position_init(struct fc_source_position *position)
{
    memset(position, 0, sizeof(*position));
    fc_gtid_set_init(&position->gtids);
    fc_mariadb_position_init(&position->mariadb);
}

void fc_source_position_release(struct fc_source_position *position)
{
    fc_gtid_set_release(&position->gtids);
    fc_mariadb_position_release(&position->mariadb);
    json_decref(position->snapshot);
    position->snapshot = NULL;
}

void fc_binlog_place_set(struct fc_binlog_place *place, struct fc_slice file, uint64_t position)
{
    size_t len = file.len < sizeof(place->file) ? file.len : sizeof(place->file) - 1;
    memcpy(place->file, file.data, len);
    place->file[len] = '\0';
    place->position = position;
}

static uint64_t file_number(const char *file)
{
    const char *dot = strrchr(file, '.');
    return dot == NULL ? 0 : strtoull(dot + 1, NULL, 10);
}

int fc_binlog_place_compare(const struct fc_binlog_place *a, const struct fc_binlog_place *b)
{
    uint64_t a_number = file_number(a->file);
    uint64_t b_number = file_number(b->file);
    if (a_number != b_number) {
        return a_number < b_number ? -1 : 1;
    }
    if (a->position != b->position) {
        return a->position < b->position ? -1 : 1;
    }
    return 0;
}

static fc_code set_gtids(struct fc_source_position *position, struct fc_slice text,
                         struct fc_error *err)
{
    position->by_gtid = true;
    if (position->flavor == FC_FLAVOR_MARIADB) {
        fc_mariadb_position_release(&position->mariadb);
        return fc_mariadb_position_parse(&position->mariadb, text, err);
    }
    fc_gtid_set_release(&position->gtids);
    return fc_gtid_set_parse(&position->gtids, text, err);
}

static fc_code from_json(json_t *root, struct fc_source_position *position,
                         struct fc_error *err)
{
    int version = 0;
    const char *flavor = NULL;
    const char *server = NULL;
    const char *gtid = NULL;
    const char *file = NULL;
    json_int_t at = 0;
    json_t *snapshot = NULL;
    if (json_unpack(root, "{s:i, s:s, s:s, s:s, s:I, s?:s, s?:o}", "v", &version, "flavor",
                    &flavor, "server", &server, "file", &file, "pos", &at, "gtid", &gtid,
                    "snapshot", &snapshot) != 0 ||
        at < 0) {
        return fc_fail(err, FC_ERR_CONFIG, "not a position of the mysql connector");
    }
    if (version != POSITION_VERSION) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "position of version %d, this connector reads version %d", version,
                       POSITION_VERSION);
    }
    position->flavor = strcmp(flavor, "mariadb") == 0 ? FC_FLAVOR_MARIADB : FC_FLAVOR_MYSQL;
    (void)snprintf(position->server, sizeof(position->server), "%s", server);
    fc_binlog_place_set(&position->place, fc_slice_text(file), (uint64_t)at);
    position->snapshot = json_deep_copy(snapshot);
    return gtid == NULL ? FC_OK : set_gtids(position, fc_slice_text(gtid), err);
}

fc_code fc_source_position_parse(struct fc_slice text, struct fc_source_position *out_position,
                                 struct fc_error *err)
{
    json_error_t reason;
    json_t *root = json_loadb((const char *)text.data, text.len, JSON_ALLOW_NUL, &reason);
    fc_code code;
    fc_source_position_init(out_position);
    if (root == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "not a position of the mysql connector: %s",
                       reason.text);
    }
    code = from_json(root, out_position, err);
    json_decref(root);
    if (code != FC_OK) {
        fc_source_position_release(out_position);
    }
    return code;
}

static void print_gtids(const struct fc_source_position *position, struct fc_buf *out)
{
    if (position->flavor == FC_FLAVOR_MARIADB) {
        fc_mariadb_position_print(&position->mariadb, out);
    } else {
        fc_gtid_set_print(&position->gtids, out);
    }
}

/* File names, UUIDs and GTIDs hold nothing that JSON escapes, but a file name may. */
static void print_text(struct fc_buf *out, const char *text)
{
    fc_buf_append_u8(out, '"');
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            fc_buf_append_u8(out, '\\');
        }
        fc_buf_append_u8(out, (uint8_t)*at);
    }
    fc_buf_append_u8(out, '"');
}

void fc_source_position_print(const struct fc_source_position *position, struct fc_buf *out)
{
    fc_buf_append_text(out, position->flavor == FC_FLAVOR_MARIADB
                                ? "{\"v\":1,\"flavor\":\"mariadb\",\"server\":"
                                : "{\"v\":1,\"flavor\":\"mysql\",\"server\":");
    print_text(out, position->server);
    if (position->by_gtid) {
        fc_buf_append_text(out, ",\"gtid\":\"");
        print_gtids(position, out);
        fc_buf_append_u8(out, '"');
    }
    fc_buf_append_text(out, ",\"file\":");
    print_text(out, position->place.file);
    fc_buf_append_text(out, ",\"pos\":");
    fc_buf_append_u64(out, position->place.position);
    if (position->snapshot != NULL) {
        char *text = json_dumps(position->snapshot, JSON_COMPACT);
        fc_assert(text != NULL);
        fc_buf_append_text(out, ",\"snapshot\":");
        fc_buf_append_text(out, text);
        free(text);
    }
    fc_buf_append_u8(out, '}');
}

void fc_source_position_describe(const struct fc_source_position *position, char *to,
                                 size_t size)
{
    struct fc_buf text;
    fc_buf_init(&text, GTID_TEXT_MAX);
    if (position->by_gtid) {
        size_t room = size / 2;
        size_t start;
        fc_buf_append_text(&text, "gtid ");
        start = text.len;
        print_gtids(position, &text);
        if (text.len - start > room) { /* the end of a long set says most */
            memmove(text.data + start + 3, text.data + text.len - room, room);
            memcpy(text.data + start, "...", 3);
            text.len = start + room + 3;
        }
        fc_buf_append_text(&text, " ");
    }
    fc_buf_append_fmt(&text, position->by_gtid ? "(%s:%" PRIu64 ")" : "%s:%" PRIu64,
                      position->place.file, position->place.position);
    (void)snprintf(to, size, "%.*s", (int)text.len, (const char *)text.data);
    fc_buf_release(&text);
}

static fc_code binlog_status(struct fc_session *session, struct fc_binlog_place *out_place,
                             char **out_gtids, struct fc_error *err)
{
    bool renamed =
        session->flavor == FC_FLAVOR_MYSQL && session->version >= SHOW_BINARY_LOG_STATUS_SINCE;
    const char *sql = renamed ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    fc_code code = fc_session_query(session, fc_slice_text(sql), &result, err);
    if (code != FC_OK) {
        return fc_wrap(err, "%s", sql);
    }
    row = result == NULL ? NULL : mysql_fetch_row(result);
    if (row == NULL || row[0] == NULL || row[1] == NULL) {
        code = fc_fail(err, FC_ERR_CONFIG,
                       "the server writes no binlog; start it with log_bin on");
    } else {
        fc_binlog_place_set(out_place, fc_slice_text(row[0]), strtoull(row[1], NULL, 10));
        if (out_gtids != NULL) {
            bool has_set = mysql_num_fields(result) > 4 && row[4] != NULL;
            *out_gtids = fc_strdup(has_set ? row[4] : "");
        }
    }
    mysql_free_result(result);
    return code;
}

fc_code fc_binlog_place_of_server(struct fc_session *session, struct fc_binlog_place *out_place,
                                  struct fc_error *err)
{
    return binlog_status(session, out_place, NULL, err);
}

/* MariaDB's status has no GTIDs, but it can tell them for a file and position. */
static fc_code mariadb_gtids_at(struct fc_session *session, const struct fc_binlog_place *place,
                                char **out_gtids, struct fc_error *err)
{
    struct fc_buf sql;
    char *text = NULL;
    fc_code code;
    fc_buf_init(&sql, sizeof(place->file) * 2 + 128);
    fc_buf_append_text(&sql, "SELECT BINLOG_GTID_POS(");
    fc_session_append_text(&sql, fc_slice_text(place->file));
    fc_buf_append_fmt(&sql, ", %" PRIu64 ")", place->position);
    fc_buf_append_u8(&sql, 0);
    code = fc_buf_check(&sql, "statement", err);
    if (code == FC_OK) {
        code = fc_session_query_text(session, (const char *)sql.data, &text, err);
    }
    fc_buf_release(&sql);
    if (code != FC_OK) {
        return code;
    }
    if (text == NULL) {
        return fc_fail_retriable(err, FC_ERR_IO,
                                 "the server does not know its GTIDs at %s:%" PRIu64,
                                 place->file, place->position);
    }
    *out_gtids = text;
    return FC_OK;
}

static fc_code gtid_mode_on(struct fc_session *session, bool *out_on, struct fc_error *err)
{
    char *mode = NULL;
    fc_code code = fc_session_query_text(session, "SELECT @@global.gtid_mode", &mode, err);
    if (code == FC_OK) {
        *out_on = mode != NULL && strcasecmp(mode, "ON") == 0;
        free(mode);
    }
    return code;
}

fc_code fc_source_position_of_server(struct fc_session *session,
                                     struct fc_source_position *out_position,
                                     struct fc_error *err)
{
    char *gtids = NULL;
    bool by_gtid = true;
    fc_code code;
    fc_source_position_init(out_position);
    out_position->flavor = session->flavor;
    (void)snprintf(out_position->server, sizeof(out_position->server), "%s",
                   session->server_uuid);
    code = binlog_status(session, &out_position->place, &gtids, err);
    if (code == FC_OK && session->flavor == FC_FLAVOR_MARIADB) {
        free(gtids);
        gtids = NULL;
        code = mariadb_gtids_at(session, &out_position->place, &gtids, err);
    } else if (code == FC_OK) {
        code = gtid_mode_on(session, &by_gtid, err);
    }
    if (code == FC_OK && by_gtid) {
        fc_assert(gtids != NULL);
        code = set_gtids(out_position, fc_slice_text(gtids), err);
    }
    free(gtids);
    if (code != FC_OK) {
        fc_source_position_release(out_position);
    }
    return code;
}
