/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as one binlog event of either server, its body by its type, statements through the DDL scanner. */
#include "connectors/mysql/binlog_body.h"
#include "connectors/mysql/binlog_payload.h"
#include "connectors/mysql/ddl_scan.h"
#include "tests/fuzz/binlog_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_query(const struct fc_binlog_event *event, bool mariadb,
                       const struct fc_mysql_memory *memory)
{
    struct fc_binlog_query query;
    struct fc_ddl_scan scan;
    struct fc_error err;
    if (fc_binlog_body_query(event, memory, &query, &err) == FC_OK) {
        fc_ddl_scan(query.statement, query.db, (query.sql_mode & 4) != 0, mariadb, memory,
                    &scan);
        for (uint32_t index = 0; index < scan.table_count; index++) {
            (void)touch(scan.tables[index].db);
            (void)touch(scan.tables[index].table);
            (void)touch(scan.tables[index].new_table);
        }
    }
}

static void read_payload(const struct fc_binlog_event *event,
                         const struct fc_mysql_memory *memory)
{
    struct fc_binlog_payload *payload = fc_binlog_payload_new();
    struct fc_binlog_event inner;
    struct fc_error err;
    bool end = false;
    fc_code code = fc_binlog_payload_open(payload, event, &err);
    while (code == FC_OK && !end) {
        code = fc_binlog_payload_next(payload, memory, &inner, &end, &err);
        if (code == FC_OK && !end) {
            (void)touch(inner.body);
        }
    }
    fc_binlog_payload_free(payload);
}

static void read_body(const struct fc_binlog_event *event, bool mariadb,
                      const struct fc_mysql_memory *memory)
{
    struct fc_binlog_mariadb_gtid mariadb_gtid;
    struct fc_binlog_heartbeat heartbeat;
    struct fc_binlog_incident incident;
    struct fc_binlog_rotate rotate;
    struct fc_binlog_gtid gtid;
    struct fc_binlog_xa xa;
    struct fc_slice text;
    struct fc_error err;
    uint64_t xid;
    (void)touch(event->body);
    read_query(event, mariadb, memory);
    read_payload(event, memory);
    (void)!fc_binlog_body_xid(event, &xid, &err);
    (void)!fc_binlog_body_gtid(event, &gtid, &err);
    if (fc_binlog_body_rotate(event, &rotate, &err) == FC_OK) {
        (void)touch(rotate.file);
    }
    if (fc_binlog_body_mariadb_gtid(event, &mariadb_gtid, &err) == FC_OK &&
        (mariadb_gtid.flags & (FC_MARIADB_GTID_PREPARED_XA | FC_MARIADB_GTID_COMPLETED_XA)) !=
            0) {
        (void)touch(mariadb_gtid.xa.gtrid);
    }
    if (fc_binlog_body_xa_prepare(event, &xa, &err) == FC_OK) {
        (void)touch(xa.bqual);
    }
    if (fc_binlog_body_rows_query(event, &text, &err) == FC_OK) {
        (void)touch(text);
    }
    if (fc_binlog_body_heartbeat(event, &heartbeat, &err) == FC_OK) {
        (void)touch(heartbeat.file);
    }
    if (fc_binlog_body_checkpoint(event, &text, &err) == FC_OK) {
        (void)touch(text);
    }
    if (fc_binlog_body_incident(event, &incident, &err) == FC_OK) {
        (void)touch(incident.message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fc_mysql_memory memory;
    struct fc_binlog_format format;
    struct fc_binlog_event event;
    struct fc_arena arena;
    struct fc_error err;
    fc_arena_init(&arena, FUZZ_ARENA_MAX);
    memory.alloc = fuzz_alloc;
    memory.ctx = &arena;
    for (int round = 0; size > 0 && round < 2; round++) {
        fc_binlog_format_init(&format);
        format.known = true;
        format.mariadb = round == 1;
        if (fc_binlog_event_parse(&format, fc_slice_of(data, size), false, &event, &err) ==
            FC_OK) {
            read_body(&event, format.mariadb, &memory);
        }
        fc_arena_clear(&arena);
    }
    fc_arena_release(&arena);
    return 0;
}
