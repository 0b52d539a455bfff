/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binlog events of MySQL and MariaDB: the common header, the checksum, the types.
 *
 * An event is 19 bytes of header, a body whose layout follows from the type, and, when the
 * FORMAT_DESCRIPTION event of the file says so, a CRC32 (zlib's) of everything before it:
 *
 *   timestamp(4) type(1) server_id(4) size(4) next_position(4) flags(2) body(...) [crc32(4)]
 *
 * All integers are little-endian.
 */
#ifndef FC_MYSQL_BINLOG_EVENT_H
#define FC_MYSQL_BINLOG_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/slice.h"

enum {
    FC_BINLOG_HEADER_SIZE = 19,
    FC_BINLOG_CHECKSUM_SIZE = 4,
    FC_BINLOG_SERVER_VERSION_SIZE = 50
};

typedef enum fc_binlog_type {
    FC_BINLOG_UNKNOWN = 0,
    FC_BINLOG_START_V3 = 1,
    FC_BINLOG_QUERY = 2,
    FC_BINLOG_STOP = 3,
    FC_BINLOG_ROTATE = 4,
    FC_BINLOG_INTVAR = 5,
    FC_BINLOG_SLAVE = 7,
    FC_BINLOG_APPEND_BLOCK = 9,
    FC_BINLOG_DELETE_FILE = 11,
    FC_BINLOG_RAND = 13,
    FC_BINLOG_USER_VAR = 14,
    FC_BINLOG_FORMAT_DESCRIPTION = 15,
    FC_BINLOG_XID = 16,
    FC_BINLOG_BEGIN_LOAD_QUERY = 17,
    FC_BINLOG_EXECUTE_LOAD_QUERY = 18,
    FC_BINLOG_TABLE_MAP = 19,
    FC_BINLOG_WRITE_ROWS_V1 = 23,
    FC_BINLOG_UPDATE_ROWS_V1 = 24,
    FC_BINLOG_DELETE_ROWS_V1 = 25,
    FC_BINLOG_INCIDENT = 26,
    FC_BINLOG_HEARTBEAT = 27,
    FC_BINLOG_IGNORABLE = 28,
    FC_BINLOG_ROWS_QUERY = 29,
    FC_BINLOG_WRITE_ROWS = 30,
    FC_BINLOG_UPDATE_ROWS = 31,
    FC_BINLOG_DELETE_ROWS = 32,
    FC_BINLOG_GTID = 33,
    FC_BINLOG_ANONYMOUS_GTID = 34,
    FC_BINLOG_PREVIOUS_GTIDS = 35,
    FC_BINLOG_TRANSACTION_CONTEXT = 36,
    FC_BINLOG_VIEW_CHANGE = 37,
    FC_BINLOG_XA_PREPARE = 38,
    FC_BINLOG_PARTIAL_UPDATE_ROWS = 39,
    FC_BINLOG_TRANSACTION_PAYLOAD = 40,
    FC_BINLOG_HEARTBEAT_V2 = 41,
    FC_BINLOG_GTID_TAGGED = 42,
    /* MariaDB's own. */
    FC_BINLOG_ANNOTATE_ROWS = 160,
    FC_BINLOG_CHECKPOINT = 161,
    FC_BINLOG_MARIADB_GTID = 162,
    FC_BINLOG_MARIADB_GTID_LIST = 163,
    FC_BINLOG_START_ENCRYPTION = 164,
    FC_BINLOG_QUERY_COMPRESSED = 165,
    FC_BINLOG_WRITE_ROWS_COMPRESSED_V1 = 166,
    FC_BINLOG_UPDATE_ROWS_COMPRESSED_V1 = 167,
    FC_BINLOG_DELETE_ROWS_COMPRESSED_V1 = 168,
    FC_BINLOG_WRITE_ROWS_COMPRESSED = 169,
    FC_BINLOG_UPDATE_ROWS_COMPRESSED = 170,
    FC_BINLOG_DELETE_ROWS_COMPRESSED = 171
} fc_binlog_type;

/* Bits of the header's flags. */
enum {
    FC_BINLOG_FLAG_IN_USE = 0x0001,     /* FORMAT_DESCRIPTION: the file was not closed */
    FC_BINLOG_FLAG_ARTIFICIAL = 0x0020, /* made by the server for this dump, not in the file */
    FC_BINLOG_FLAG_IGNORABLE = 0x0080   /* a reader that does not know the type may skip it */
};

/* What the FORMAT_DESCRIPTION event of the current file says. Owned by the reader's thread. */
struct fc_binlog_format {
    bool known; /* a FORMAT_DESCRIPTION has been read */
    bool mariadb;
    bool checksums;
    uint8_t type_count;             /* sizes below are set for the types 1 to type_count */
    uint8_t post_header_sizes[256]; /* index: type */
    char server_version[FC_BINLOG_SERVER_VERSION_SIZE + 1];
};

struct fc_binlog_event {
    uint32_t timestamp_s; /* when the statement began; 0 for artificial events */
    uint8_t type;         /* fc_binlog_type */
    uint16_t flags;
    uint32_t server_id;
    uint32_t size;          /* as the header says: with header and checksum */
    uint32_t next_position; /* where the next event starts in the file (wraps at 4 GiB); 0 when
                               artificial or inside a payload */
    bool skip;              /* the type is unknown to us but ignorable: leave it out */
    struct fc_slice body;   /* between header and checksum; borrows the caller's bytes */
};

/*
 * Start without knowledge. It is the state for the first event of a dump or file; later
 * FORMAT_DESCRIPTION events replace what is known.
 */
void fc_binlog_format_init(struct fc_binlog_format *format);

/* "TABLE_MAP"; "unknown" for a number that is no type. Static text. */
const char *fc_binlog_event_name(uint8_t type);

/* A rows event of any version and packing (partial updates included). */
bool fc_binlog_event_is_rows(uint8_t type);

/*
 * Read header and checksum of one whole event. A FORMAT_DESCRIPTION also updates `format`.
 *
 * bytes      the whole event (without the packet's status byte); out_event->body borrows it.
 * verify     compare the CRC32 (false: it is cut off only).
 *
 * Errors: FC_ERR_PROTOCOL: bad length, wrong checksum, an event before the FORMAT_DESCRIPTION,
 * an unknown type that is not ignorable; the message names type and position.
 */
FC_MUST_CHECK fc_code fc_binlog_event_parse(struct fc_binlog_format *format,
                                            struct fc_slice bytes, bool verify,
                                            struct fc_binlog_event *out_event,
                                            struct fc_error *err);

/* As fc_binlog_event_parse, for an event inside a transaction payload: no checksum. */
FC_MUST_CHECK fc_code fc_binlog_event_parse_inner(struct fc_slice bytes,
                                                  struct fc_binlog_event *out_event,
                                                  struct fc_error *err);

/* "TABLE_MAP event (type 19) that ends at 1234: body is too short": for body decoders. */
FC_MUST_CHECK fc_code fc_binlog_event_malformed(const struct fc_binlog_event *event,
                                                const char *why, struct fc_error *err);

/* Size of the type's fixed part, or `otherwise` when the format does not say. */
uint8_t fc_binlog_format_post_header(const struct fc_binlog_format *format, uint8_t type,
                                     uint8_t otherwise);

#endif
