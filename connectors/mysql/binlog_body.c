/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/binlog_body.h"

#include "connectors/mysql/inflate.h"
#include "connectors/mysql/lenenc.h"
#include "core/base/reader.h"

/* Codes of a QUERY event's status variables. */
enum {
    QUERY_FLAGS2 = 0,
    QUERY_SQL_MODE = 1,
    QUERY_CATALOG = 2,
    QUERY_AUTO_INCREMENT = 3,
    QUERY_CHARSET = 4,
    QUERY_TIME_ZONE = 5,
    QUERY_CATALOG_NZ = 6,
    QUERY_LC_TIME_NAMES = 7,
    QUERY_CHARSET_DATABASE = 8,
    QUERY_TABLE_MAP_FOR_UPDATE = 9,
    QUERY_MASTER_DATA_WRITTEN = 10,
    QUERY_INVOKER = 11,
    QUERY_UPDATED_DB_NAMES = 12,
    QUERY_MICROSECONDS = 13,
    QUERY_EXPLICIT_DEFAULTS = 16,
    QUERY_DDL_XID = 17,
    QUERY_UTF8MB4_COLLATION = 18,
    QUERY_REQUIRE_PRIMARY_KEY = 19,
    QUERY_TABLE_ENCRYPTION = 20,
    QUERY_MARIADB_HRNOW = 128,
    QUERY_MARIADB_XID = 129,
    QUERY_MARIADB_GTID_FLAGS3 = 130,
    UPDATED_DB_NAMES_TOO_MANY = 254
};

static fc_code too_short(const struct fc_binlog_event *event, struct fc_error *err)
{
    return fc_binlog_event_malformed(event, "it is too short", err);
}

static struct fc_slice rest_of(struct fc_reader *reader)
{
    return fc_reader_slice(reader, fc_reader_left(reader));
}

fc_code fc_binlog_body_rotate(const struct fc_binlog_event *event,
                              struct fc_binlog_rotate *out_rotate, struct fc_error *err)
{
    struct fc_binlog_rotate rotate;
    struct fc_reader reader;
    fc_reader_init(&reader, event->body);
    rotate.position = fc_reader_le(&reader, 8);
    rotate.file = rest_of(&reader);
    if (reader.failed || rotate.file.len == 0) {
        return too_short(event, err);
    }
    *out_rotate = rotate;
    return FC_OK;
}

/* Skip a list of NUL-terminated names. */
static void skip_names(struct fc_reader *vars)
{
    uint8_t count = fc_reader_u8(vars);
    if (count == UPDATED_DB_NAMES_TOO_MANY) {
        return;
    }
    for (; count > 0 && !vars->failed; count--) {
        while (!vars->failed && fc_reader_u8(vars) != 0) {
        }
    }
}

/* One status variable; false for one that we do not know, whose size we cannot tell either. */
static bool read_status_variable(struct fc_reader *vars, struct fc_binlog_query *query)
{
    uint8_t code = fc_reader_u8(vars);
    switch (code) {
    case QUERY_SQL_MODE:
        query->sql_mode = fc_reader_le(vars, 8);
        query->has_sql_mode = !vars->failed;
        return true;
    case QUERY_CHARSET:
        query->client_collation = (uint16_t)fc_reader_le(vars, 2);
        query->has_charset = !vars->failed;
        fc_reader_skip(vars, 4);
        return true;
    case QUERY_MICROSECONDS:
    case QUERY_MARIADB_HRNOW:
        query->microseconds = (int32_t)fc_reader_le(vars, 3);
        return true;
    case QUERY_DDL_XID:
        query->xid = fc_reader_le(vars, 8);
        query->has_xid = !vars->failed;
        return true;
    case QUERY_CATALOG:
        fc_reader_skip(vars, (size_t)fc_reader_u8(vars) + 1);
        return true;
    case QUERY_TIME_ZONE:
    case QUERY_CATALOG_NZ:
        fc_reader_skip(vars, fc_reader_u8(vars));
        return true;
    case QUERY_INVOKER:
        fc_reader_skip(vars, fc_reader_u8(vars));
        fc_reader_skip(vars, fc_reader_u8(vars));
        return true;
    case QUERY_UPDATED_DB_NAMES:
        skip_names(vars);
        return true;
    case QUERY_EXPLICIT_DEFAULTS:
    case QUERY_REQUIRE_PRIMARY_KEY:
    case QUERY_TABLE_ENCRYPTION:
        fc_reader_skip(vars, 1);
        return true;
    case QUERY_LC_TIME_NAMES:
    case QUERY_CHARSET_DATABASE:
    case QUERY_UTF8MB4_COLLATION:
    case QUERY_MARIADB_GTID_FLAGS3:
        fc_reader_skip(vars, 2);
        return true;
    case QUERY_FLAGS2:
    case QUERY_AUTO_INCREMENT:
    case QUERY_MASTER_DATA_WRITTEN:
        fc_reader_skip(vars, 4);
        return true;
    case QUERY_TABLE_MAP_FOR_UPDATE:
    case QUERY_MARIADB_XID:
        fc_reader_skip(vars, 8);
        return true;
    default:
        return false;
    }
}

fc_code fc_binlog_body_query(const struct fc_binlog_event *event,
                             const struct fc_mysql_memory *memory,
                             struct fc_binlog_query *out_query, struct fc_error *err)
{
    struct fc_binlog_query query;
    struct fc_reader reader;
    struct fc_reader vars;
    uint8_t db_len;
    uint16_t vars_len;
    memset(&query, 0, sizeof(query));
    query.microseconds = -1;
    fc_reader_init(&reader, event->body);
    query.thread_id = (uint32_t)fc_reader_le(&reader, 4);
    fc_reader_skip(&reader, 4); /* execution time */
    db_len = fc_reader_u8(&reader);
    query.error_code = (uint16_t)fc_reader_le(&reader, 2);
    vars_len = (uint16_t)fc_reader_le(&reader, 2);
    fc_reader_init(&vars, fc_reader_slice(&reader, vars_len));
    query.db = fc_reader_slice(&reader, db_len);
    fc_reader_skip(&reader, 1); /* the name's NUL */
    query.statement = rest_of(&reader);
    if (reader.failed) {
        return too_short(event, err);
    }
    while (fc_reader_left(&vars) > 0 && read_status_variable(&vars, &query)) {
        if (vars.failed) {
            return fc_binlog_event_malformed(event, "its status variables are cut", err);
        }
    }
    if (event->type == FC_BINLOG_QUERY_COMPRESSED) {
        fc_code code = fc_inflate_record(query.statement, memory, &query.statement, err);
        if (code != FC_OK) {
            return fc_wrap(err, "%s event that ends at position %u",
                           fc_binlog_event_name(event->type), event->next_position);
        }
    }
    *out_query = query;
    return FC_OK;
}

fc_code fc_binlog_body_xid(const struct fc_binlog_event *event, uint64_t *out_xid,
                           struct fc_error *err)
{
    struct fc_reader reader;
    uint64_t xid;
    fc_reader_init(&reader, event->body);
    xid = fc_reader_le(&reader, 8);
    if (reader.failed) {
        return too_short(event, err);
    }
    *out_xid = xid;
    return FC_OK;
}

/* GTID and ANONYMOUS_GTID: fixed fields first; what follows came with later versions. */
static void read_gtid(struct fc_reader *reader, struct fc_binlog_gtid *gtid)
{
    const uint64_t timestamp_more = (uint64_t)1 << 55;
    const uint32_t version_more = (uint32_t)1 << 31;
    const uint8_t *uuid;
    fc_reader_skip(reader, 1); /* flags: may hold statements */
    uuid = fc_reader_take(reader, sizeof(gtid->uuid));
    if (uuid != NULL) {
        memcpy(gtid->uuid, uuid, sizeof(gtid->uuid));
    }
    gtid->gno = (int64_t)fc_reader_le(reader, 8);
    if (reader->failed || fc_reader_left(reader) < 17 || fc_reader_u8(reader) != 2) {
        return; /* before 5.7: no logical clock, nothing after */
    }
    gtid->last_committed = (int64_t)fc_reader_le(reader, 8);
    gtid->sequence_number = (int64_t)fc_reader_le(reader, 8);
    if (fc_reader_left(reader) < 7) {
        return;
    }
    gtid->immediate_commit_us = (int64_t)fc_reader_le(reader, 7);
    gtid->original_commit_us = gtid->immediate_commit_us;
    if (((uint64_t)gtid->immediate_commit_us & timestamp_more) != 0) {
        gtid->immediate_commit_us &= (int64_t)(timestamp_more - 1);
        gtid->original_commit_us = (int64_t)fc_reader_le(reader, 7);
    }
    if (fc_reader_left(reader) > 0) {
        gtid->transaction_size = fc_lenenc_read(reader);
    }
    if (fc_reader_left(reader) >= 4) {
        gtid->server_version = (uint32_t)fc_reader_le(reader, 4) & ~version_more;
    }
}

/* Fields of GTID_TAGGED, in MySQL's serialization form: number, then value. */
enum {
    TAGGED_FLAGS = 0,
    TAGGED_UUID = 1,
    TAGGED_GNO = 2,
    TAGGED_TAG = 3,
    TAGGED_LAST_COMMITTED = 4,
    TAGGED_SEQUENCE_NUMBER = 5,
    TAGGED_IMMEDIATE_COMMIT = 6,
    TAGGED_ORIGINAL_COMMIT = 7,
    TAGGED_TRANSACTION_SIZE = 8,
    TAGGED_IMMEDIATE_VERSION = 9,
    TAGGED_ORIGINAL_VERSION = 10,
    TAGGED_GROUP_TICKET = 11
};

static void read_tag(struct fc_reader *reader, struct fc_binlog_gtid *gtid)
{
    struct fc_slice tag = fc_reader_slice(reader, fc_lenenc_read_varlen(reader));
    if (tag.len > FC_BINLOG_TAG_MAX || memchr(tag.data, 0, tag.len) != NULL) {
        reader->failed = true;
        return;
    }
    memcpy(gtid->tag, tag.data, tag.len);
    gtid->tag[tag.len] = '\0';
}

/* False for a field that we do not know. */
static bool read_tagged_field(struct fc_reader *reader, uint64_t field,
                              struct fc_binlog_gtid *gtid)
{
    switch (field) {
    case TAGGED_FLAGS:
    case TAGGED_ORIGINAL_VERSION:
    case TAGGED_GROUP_TICKET:
        (void)fc_lenenc_read_varlen(reader); /* nothing that we need */
        return true;
    case TAGGED_UUID:
        for (size_t index = 0; index < sizeof(gtid->uuid); index++) {
            gtid->uuid[index] = (uint8_t)fc_lenenc_read_varlen(reader);
        }
        return true;
    case TAGGED_GNO:
        gtid->gno = fc_lenenc_read_varlen_signed(reader);
        return true;
    case TAGGED_TAG:
        read_tag(reader, gtid);
        return true;
    case TAGGED_LAST_COMMITTED:
        gtid->last_committed = fc_lenenc_read_varlen_signed(reader);
        return true;
    case TAGGED_SEQUENCE_NUMBER:
        gtid->sequence_number = fc_lenenc_read_varlen_signed(reader);
        return true;
    case TAGGED_IMMEDIATE_COMMIT:
        gtid->immediate_commit_us = (int64_t)fc_lenenc_read_varlen(reader);
        return true;
    case TAGGED_ORIGINAL_COMMIT:
        gtid->original_commit_us = (int64_t)fc_lenenc_read_varlen(reader);
        return true;
    case TAGGED_TRANSACTION_SIZE:
        gtid->transaction_size = fc_lenenc_read_varlen(reader);
        return true;
    case TAGGED_IMMEDIATE_VERSION:
        gtid->server_version = (uint32_t)fc_lenenc_read_varlen(reader);
        return true;
    default:
        return false;
    }
}

static void read_gtid_tagged(struct fc_reader *reader, struct fc_binlog_gtid *gtid)
{
    uint64_t version = fc_lenenc_read_varlen(reader);
    uint64_t last_needed;
    (void)fc_lenenc_read_varlen(reader); /* size of the message */
    last_needed = fc_lenenc_read_varlen(reader);
    if (version != 1) {
        reader->failed = true;
    }
    while (!reader->failed && fc_reader_left(reader) > 0) {
        uint64_t field = fc_lenenc_read_varlen(reader);
        if (!read_tagged_field(reader, field, gtid)) {
            /* Fields are ordered: behind an unknown one there are only more of them. */
            if (field <= last_needed) {
                reader->failed = true;
            }
            break;
        }
    }
    if (gtid->original_commit_us == 0) {
        gtid->original_commit_us = gtid->immediate_commit_us;
    }
}

fc_code fc_binlog_body_gtid(const struct fc_binlog_event *event,
                            struct fc_binlog_gtid *out_gtid, struct fc_error *err)
{
    struct fc_binlog_gtid gtid;
    struct fc_reader reader;
    memset(&gtid, 0, sizeof(gtid));
    gtid.anonymous = event->type == FC_BINLOG_ANONYMOUS_GTID;
    fc_reader_init(&reader, event->body);
    if (event->type == FC_BINLOG_GTID_TAGGED) {
        read_gtid_tagged(&reader, &gtid);
    } else {
        read_gtid(&reader, &gtid);
    }
    if (reader.failed || (!gtid.anonymous && gtid.gno < 1)) {
        return fc_binlog_event_malformed(event, "its transaction id cannot be read", err);
    }
    *out_gtid = gtid;
    return FC_OK;
}

fc_code fc_binlog_body_mariadb_gtid(const struct fc_binlog_event *event,
                                    struct fc_binlog_mariadb_gtid *out_gtid,
                                    struct fc_error *err)
{
    struct fc_binlog_mariadb_gtid gtid;
    struct fc_reader reader;
    memset(&gtid, 0, sizeof(gtid));
    fc_reader_init(&reader, event->body);
    gtid.sequence = fc_reader_le(&reader, 8);
    gtid.domain_id = (uint32_t)fc_reader_le(&reader, 4);
    gtid.flags = fc_reader_u8(&reader);
    if ((gtid.flags & FC_MARIADB_GTID_GROUP_COMMIT_ID) != 0) {
        gtid.commit_id = fc_reader_le(&reader, 8);
    }
    if ((gtid.flags & (FC_MARIADB_GTID_PREPARED_XA | FC_MARIADB_GTID_COMPLETED_XA)) != 0) {
        uint8_t gtrid_len;
        uint8_t bqual_len;
        gtid.xa.format_id = (int32_t)fc_reader_le(&reader, 4);
        gtrid_len = fc_reader_u8(&reader);
        bqual_len = fc_reader_u8(&reader);
        gtid.xa.gtrid = fc_reader_slice(&reader, gtrid_len);
        gtid.xa.bqual = fc_reader_slice(&reader, bqual_len);
    }
    if (reader.failed) {
        return too_short(event, err);
    }
    *out_gtid = gtid;
    return FC_OK;
}

fc_code fc_binlog_body_xa_prepare(const struct fc_binlog_event *event,
                                  struct fc_binlog_xa *out_xa, struct fc_error *err)
{
    struct fc_binlog_xa xa;
    struct fc_reader reader;
    uint32_t gtrid_len;
    uint32_t bqual_len;
    fc_reader_init(&reader, event->body);
    xa.one_phase = fc_reader_u8(&reader) != 0;
    xa.format_id = (int32_t)fc_reader_le(&reader, 4);
    gtrid_len = (uint32_t)fc_reader_le(&reader, 4);
    bqual_len = (uint32_t)fc_reader_le(&reader, 4);
    xa.gtrid = fc_reader_slice(&reader, gtrid_len);
    xa.bqual = fc_reader_slice(&reader, bqual_len);
    if (reader.failed) {
        return too_short(event, err);
    }
    *out_xa = xa;
    return FC_OK;
}

fc_code fc_binlog_body_rows_query(const struct fc_binlog_event *event,
                                  struct fc_slice *out_statement, struct fc_error *err)
{
    struct fc_reader reader;
    struct fc_slice statement;
    fc_reader_init(&reader, event->body);
    if (event->type == FC_BINLOG_ROWS_QUERY) {
        fc_reader_skip(&reader, 1); /* a length that wraps at 256 */
    }
    statement = rest_of(&reader);
    if (reader.failed) {
        return too_short(event, err);
    }
    *out_statement = statement;
    return FC_OK;
}

fc_code fc_binlog_body_heartbeat(const struct fc_binlog_event *event,
                                 struct fc_binlog_heartbeat *out_heartbeat,
                                 struct fc_error *err)
{
    enum { FIELD_END = 0, FIELD_FILE = 1, FIELD_POSITION = 2 };
    struct fc_binlog_heartbeat heartbeat = { event->body, event->next_position };
    struct fc_reader reader;
    fc_reader_init(&reader, event->body);
    while (event->type == FC_BINLOG_HEARTBEAT_V2 && fc_reader_left(&reader) > 0) {
        uint64_t field = fc_lenenc_read(&reader);
        struct fc_slice value;
        if (field == FIELD_END) {
            break;
        }
        value = fc_reader_slice(&reader, fc_lenenc_read(&reader));
        if (field == FIELD_FILE) {
            heartbeat.file = value;
        } else if (field == FIELD_POSITION) {
            struct fc_reader position;
            fc_reader_init(&position, value);
            heartbeat.position = fc_lenenc_read(&position);
            reader.failed = reader.failed || position.failed;
        }
    }
    if (reader.failed) {
        return too_short(event, err);
    }
    *out_heartbeat = heartbeat;
    return FC_OK;
}

fc_code fc_binlog_body_checkpoint(const struct fc_binlog_event *event,
                                  struct fc_slice *out_file, struct fc_error *err)
{
    struct fc_reader reader;
    struct fc_slice file;
    fc_reader_init(&reader, event->body);
    file = fc_reader_slice(&reader, fc_reader_le(&reader, 4));
    if (reader.failed) {
        return too_short(event, err);
    }
    *out_file = file;
    return FC_OK;
}

fc_code fc_binlog_body_incident(const struct fc_binlog_event *event,
                                struct fc_binlog_incident *out_incident, struct fc_error *err)
{
    struct fc_reader reader;
    struct fc_binlog_incident incident;
    fc_reader_init(&reader, event->body);
    incident.number = (uint16_t)fc_reader_le(&reader, 2);
    incident.message = fc_reader_slice(&reader, fc_reader_u8(&reader));
    if (reader.failed) {
        return too_short(event, err);
    }
    *out_incident = incident;
    return FC_OK;
}
