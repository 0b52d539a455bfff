/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether events carry a checksum follows from the FORMAT_DESCRIPTION event, which itself
 * always has its five bytes of algorithm and checksum on the servers that we support (MySQL
 * since 5.6, MariaDB since 5.3). Only an artificial ROTATE comes before it in a dump: it has a
 * checksum if its last four bytes are one.
 */
#include "connectors/mysql/binlog_event.h"

#include <isa-l/crc.h>

#include "core/base/reader.h"

enum {
    FORMAT_FIXED_SIZE = 2 + FC_BINLOG_SERVER_VERSION_SIZE + 4 + 1,
    CHECKSUM_OFF = 0,
    CHECKSUM_CRC32 = 1,
    FLAGS_AT = 17
};

static const char *const low_names[] = {
    [FC_BINLOG_START_V3] = "START_V3",
    [FC_BINLOG_QUERY] = "QUERY",
    [FC_BINLOG_STOP] = "STOP",
    [FC_BINLOG_ROTATE] = "ROTATE",
    [FC_BINLOG_INTVAR] = "INTVAR",
    [FC_BINLOG_SLAVE] = "SLAVE",
    [FC_BINLOG_APPEND_BLOCK] = "APPEND_BLOCK",
    [FC_BINLOG_DELETE_FILE] = "DELETE_FILE",
    [FC_BINLOG_RAND] = "RAND",
    [FC_BINLOG_USER_VAR] = "USER_VAR",
    [FC_BINLOG_FORMAT_DESCRIPTION] = "FORMAT_DESCRIPTION",
    [FC_BINLOG_XID] = "XID",
    [FC_BINLOG_BEGIN_LOAD_QUERY] = "BEGIN_LOAD_QUERY",
    [FC_BINLOG_EXECUTE_LOAD_QUERY] = "EXECUTE_LOAD_QUERY",
    [FC_BINLOG_TABLE_MAP] = "TABLE_MAP",
    [FC_BINLOG_WRITE_ROWS_V1] = "WRITE_ROWS_V1",
    [FC_BINLOG_UPDATE_ROWS_V1] = "UPDATE_ROWS_V1",
    [FC_BINLOG_DELETE_ROWS_V1] = "DELETE_ROWS_V1",
    [FC_BINLOG_INCIDENT] = "INCIDENT",
    [FC_BINLOG_HEARTBEAT] = "HEARTBEAT",
    [FC_BINLOG_IGNORABLE] = "IGNORABLE",
    [FC_BINLOG_ROWS_QUERY] = "ROWS_QUERY",
    [FC_BINLOG_WRITE_ROWS] = "WRITE_ROWS",
    [FC_BINLOG_UPDATE_ROWS] = "UPDATE_ROWS",
    [FC_BINLOG_DELETE_ROWS] = "DELETE_ROWS",
    [FC_BINLOG_GTID] = "GTID",
    [FC_BINLOG_ANONYMOUS_GTID] = "ANONYMOUS_GTID",
    [FC_BINLOG_PREVIOUS_GTIDS] = "PREVIOUS_GTIDS",
    [FC_BINLOG_TRANSACTION_CONTEXT] = "TRANSACTION_CONTEXT",
    [FC_BINLOG_VIEW_CHANGE] = "VIEW_CHANGE",
    [FC_BINLOG_XA_PREPARE] = "XA_PREPARE",
    [FC_BINLOG_PARTIAL_UPDATE_ROWS] = "PARTIAL_UPDATE_ROWS",
    [FC_BINLOG_TRANSACTION_PAYLOAD] = "TRANSACTION_PAYLOAD",
    [FC_BINLOG_HEARTBEAT_V2] = "HEARTBEAT_V2",
    [FC_BINLOG_GTID_TAGGED] = "GTID_TAGGED",
};

static const char *const mariadb_names[] = {
    "ANNOTATE_ROWS",
    "BINLOG_CHECKPOINT",
    "GTID",
    "GTID_LIST",
    "START_ENCRYPTION",
    "QUERY_COMPRESSED",
    "WRITE_ROWS_COMPRESSED_V1",
    "UPDATE_ROWS_COMPRESSED_V1",
    "DELETE_ROWS_COMPRESSED_V1",
    "WRITE_ROWS_COMPRESSED",
    "UPDATE_ROWS_COMPRESSED",
    "DELETE_ROWS_COMPRESSED",
};

/* NULL for a type that we do not know. */
static const char *known_name(uint8_t type)
{
    if (type < sizeof(low_names) / sizeof(low_names[0])) {
        return low_names[type];
    }
    if (type >= FC_BINLOG_ANNOTATE_ROWS && type <= FC_BINLOG_DELETE_ROWS_COMPRESSED) {
        return mariadb_names[type - FC_BINLOG_ANNOTATE_ROWS];
    }
    return NULL;
}

const char *fc_binlog_event_name(uint8_t type)
{
    const char *name = known_name(type);
    return name == NULL ? "unknown" : name;
}

bool fc_binlog_event_is_rows(uint8_t type)
{
    return (type >= FC_BINLOG_WRITE_ROWS_V1 && type <= FC_BINLOG_DELETE_ROWS_V1) ||
           (type >= FC_BINLOG_WRITE_ROWS && type <= FC_BINLOG_DELETE_ROWS) ||
           type == FC_BINLOG_PARTIAL_UPDATE_ROWS ||
           (type >= FC_BINLOG_WRITE_ROWS_COMPRESSED_V1 &&
            type <= FC_BINLOG_DELETE_ROWS_COMPRESSED);
}

void fc_binlog_format_init(struct fc_binlog_format *format)
{
    memset(format, 0, sizeof(*format));
}

uint8_t fc_binlog_format_post_header(const struct fc_binlog_format *format, uint8_t type,
                                     uint8_t otherwise)
{
    return type == 0 || type > format->type_count ? otherwise : format->post_header_sizes[type];
}

fc_code fc_binlog_event_malformed(const struct fc_binlog_event *event, const char *why,
                                  struct fc_error *err)
{
    return fc_fail(err, FC_ERR_PROTOCOL, "%s event (type %u) that ends at position %u: %s",
                   fc_binlog_event_name(event->type), event->type, event->next_position, why);
}

/* zlib's CRC-32, which isa-l computes several times faster. */
static uint32_t crc32_from(uint32_t crc, const uint8_t *data, size_t len)
{
    return crc32_gzip_refl(crc, data, len);
}

static uint32_t crc32_of(const uint8_t *data, size_t len)
{
    return crc32_from(0, data, len);
}

/* The checksum of a whole event whose last four bytes are (or would be) it. */
static uint32_t event_crc32(struct fc_slice bytes, uint8_t type)
{
    uint8_t header[FC_BINLOG_HEADER_SIZE];
    size_t len = bytes.len - FC_BINLOG_CHECKSUM_SIZE;
    if (type != FC_BINLOG_FORMAT_DESCRIPTION) {
        return crc32_of(bytes.data, len);
    }
    /* The server sets the in-use flag after it computed the checksum. */
    memcpy(header, bytes.data, sizeof(header));
    header[FLAGS_AT] &= (uint8_t)~FC_BINLOG_FLAG_IN_USE;
    return crc32_from(crc32_of(header, sizeof(header)), bytes.data + sizeof(header),
                      len - sizeof(header));
}

static uint32_t stored_crc32(struct fc_slice bytes)
{
    struct fc_reader reader;
    fc_reader_init(&reader, fc_slice_of(bytes.data + bytes.len - FC_BINLOG_CHECKSUM_SIZE,
                                        FC_BINLOG_CHECKSUM_SIZE));
    return (uint32_t)fc_reader_le(&reader, FC_BINLOG_CHECKSUM_SIZE);
}

static bool carries_checksum(const struct fc_binlog_format *format, struct fc_slice bytes,
                             const struct fc_binlog_event *event)
{
    if (bytes.len < FC_BINLOG_HEADER_SIZE + FC_BINLOG_CHECKSUM_SIZE) {
        return false;
    }
    if (event->type == FC_BINLOG_FORMAT_DESCRIPTION) {
        return true;
    }
    if (event->type == FC_BINLOG_ROTATE &&
        (!format->known || (event->flags & FC_BINLOG_FLAG_ARTIFICIAL) != 0)) {
        return event_crc32(bytes, event->type) == stored_crc32(bytes);
    }
    return format->checksums;
}

/* The common header; out->body is everything behind it. */
static fc_code parse_header(struct fc_slice bytes, struct fc_binlog_event *out,
                            struct fc_error *err)
{
    struct fc_reader reader;
    memset(out, 0, sizeof(*out));
    if (bytes.len < FC_BINLOG_HEADER_SIZE) {
        return fc_fail(err, FC_ERR_PROTOCOL, "binlog event of only %zu bytes", bytes.len);
    }
    fc_reader_init(&reader, bytes);
    out->timestamp_s = (uint32_t)fc_reader_le(&reader, 4);
    out->type = fc_reader_u8(&reader);
    out->server_id = (uint32_t)fc_reader_le(&reader, 4);
    out->size = (uint32_t)fc_reader_le(&reader, 4);
    out->next_position = (uint32_t)fc_reader_le(&reader, 4);
    out->flags = (uint16_t)fc_reader_le(&reader, 2);
    out->body = fc_slice_of(reader.at, fc_reader_left(&reader));
    if (out->size != bytes.len) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "%s event (type %u) that ends at position %u: its header says %u bytes, "
                       "%zu came",
                       fc_binlog_event_name(out->type), out->type, out->next_position,
                       out->size, bytes.len);
    }
    if (known_name(out->type) == NULL) {
        if ((out->flags & FC_BINLOG_FLAG_IGNORABLE) == 0) {
            return fc_fail(err, FC_ERR_PROTOCOL,
                           "binlog event of unknown type %u that ends at position %u: it must "
                           "not be left out and cannot be read; this server is newer than this "
                           "program",
                           out->type, out->next_position);
        }
        out->skip = true;
    }
    return FC_OK;
}

/* What a FORMAT_DESCRIPTION says; its body is without the checksum already. */
static fc_code learn_format(struct fc_binlog_format *format,
                            const struct fc_binlog_event *event, struct fc_error *err)
{
    struct fc_binlog_format fresh;
    struct fc_reader reader;
    uint16_t version;
    uint8_t header_size;
    uint8_t algorithm;
    const uint8_t *server_version;
    fc_binlog_format_init(&fresh);
    fc_reader_init(&reader, event->body);
    version = (uint16_t)fc_reader_le(&reader, 2);
    server_version = fc_reader_take(&reader, FC_BINLOG_SERVER_VERSION_SIZE);
    fc_reader_skip(&reader, 4); /* creation time */
    header_size = fc_reader_u8(&reader);
    if (reader.failed || event->body.len <= FORMAT_FIXED_SIZE + 1) {
        return fc_binlog_event_malformed(event, "it is too short", err);
    }
    if (version != 4 || header_size != FC_BINLOG_HEADER_SIZE) {
        return fc_fail(err, FC_ERR_PROTOCOL,
                       "binlog version %u with headers of %u bytes is not supported", version,
                       header_size);
    }
    memcpy(fresh.server_version, server_version, FC_BINLOG_SERVER_VERSION_SIZE);
    algorithm = event->body.data[event->body.len - 1];
    if (algorithm != CHECKSUM_OFF && algorithm != CHECKSUM_CRC32) {
        return fc_fail(err, FC_ERR_PROTOCOL, "binlog checksum algorithm %u is not supported",
                       algorithm);
    }
    fresh.known = true;
    fresh.checksums = algorithm == CHECKSUM_CRC32;
    fresh.mariadb = strstr(fresh.server_version, "MariaDB") != NULL;
    fresh.type_count =
        (uint8_t)(fc_reader_left(&reader) - 1 > 255 ? 255 : fc_reader_left(&reader) - 1);
    memcpy(fresh.post_header_sizes + 1, reader.at, fresh.type_count);
    *format = fresh;
    return FC_OK;
}

fc_code fc_binlog_event_parse(struct fc_binlog_format *format, struct fc_slice bytes,
                              bool verify, struct fc_binlog_event *out_event,
                              struct fc_error *err)
{
    struct fc_binlog_event event;
    fc_code code = parse_header(bytes, &event, err);
    if (code != FC_OK) {
        return code;
    }
    if (!format->known && event.type != FC_BINLOG_FORMAT_DESCRIPTION &&
        event.type != FC_BINLOG_ROTATE && event.type != FC_BINLOG_HEARTBEAT) {
        return fc_binlog_event_malformed(&event, "it came before the FORMAT_DESCRIPTION event",
                                         err);
    }
    if (carries_checksum(format, bytes, &event)) {
        uint32_t stored = stored_crc32(bytes);
        uint32_t computed = verify ? event_crc32(bytes, event.type) : stored;
        event.body.len -= FC_BINLOG_CHECKSUM_SIZE;
        /* Without checksums a FORMAT_DESCRIPTION still has the four bytes, unset. */
        if (computed != stored &&
            !(event.type == FC_BINLOG_FORMAT_DESCRIPTION && event.body.len > 0 &&
              event.body.data[event.body.len - 1] == CHECKSUM_OFF)) {
            return fc_fail(err, FC_ERR_PROTOCOL,
                           "%s event (type %u) that ends at position %u: wrong checksum "
                           "(%08x in the event, %08x computed)",
                           fc_binlog_event_name(event.type), event.type, event.next_position,
                           stored, computed);
        }
    } else if (format->checksums && event.type != FC_BINLOG_ROTATE) {
        return fc_binlog_event_malformed(&event, "it is too short for its checksum", err);
    }
    if (event.type == FC_BINLOG_FORMAT_DESCRIPTION) {
        code = learn_format(format, &event, err);
    }
    if (code == FC_OK) {
        *out_event = event;
    }
    return code;
}

fc_code fc_binlog_event_parse_inner(struct fc_slice bytes, struct fc_binlog_event *out_event,
                                    struct fc_error *err)
{
    struct fc_binlog_event event;
    fc_code code = parse_header(bytes, &event, err);
    if (code == FC_OK) {
        *out_event = event;
    }
    return code;
}
