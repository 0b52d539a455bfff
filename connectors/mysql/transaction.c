/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/transaction.h"

#include <inttypes.h>

enum { ID_SIZE_MAX = 1024, MICROSECONDS = 1000000 };

void fc_transaction_init(struct fc_transaction *tx)
{
    memset(tx, 0, sizeof(*tx));
    fc_buf_init(&tx->emit.id, ID_SIZE_MAX);
}

void fc_transaction_release(struct fc_transaction *tx)
{
    fc_buf_release(&tx->emit.id);
}

static void name_by_place(struct fc_transaction *tx, const struct fc_binlog_place *place)
{
    tx->name.kind = FC_TRANSACTION_BY_PLACE;
    tx->emit.has_gtid = false;
    for (const char *at = place->file; *at != '\0'; at++) {
        fc_buf_append_u8(&tx->emit.id, *at == ' ' ? '_' : (uint8_t)*at);
    }
    fc_buf_append_u8(&tx->emit.id, ':');
    fc_buf_append_u64(&tx->emit.id, place->position);
}

static fc_code begin_mysql(struct fc_transaction *tx, const struct fc_binlog_event *event,
                           const struct fc_source_position *position,
                           const struct fc_binlog_place *place, struct fc_error *err)
{
    fc_code code = fc_binlog_body_gtid(event, &tx->name.gtid, err);
    if (code != FC_OK) {
        return code;
    }
    tx->original_us = tx->name.gtid.original_commit_us;
    if (tx->name.gtid.immediate_commit_us != 0) {
        tx->emit.commit_us = tx->name.gtid.immediate_commit_us;
    }
    if (!tx->name.gtid.anonymous) {
        tx->name.kind = FC_TRANSACTION_BY_GTID;
        tx->emit.has_gtid = true;
        fc_gtid_set_print_one(tx->name.gtid.uuid, tx->name.gtid.tag, tx->name.gtid.gno,
                              &tx->emit.id);
        return FC_OK;
    }
    if (position->by_gtid) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "the transaction at %s:%" PRIu64 " has no GTID, but the capture goes by "
                       "GTID; set gtid_mode=ON on the server and start a new snapshot",
                       place->file, place->position);
    }
    name_by_place(tx, place);
    return FC_OK;
}

static fc_code begin_mariadb(struct fc_transaction *tx, const struct fc_binlog_event *event,
                             struct fc_error *err)
{
    struct fc_binlog_mariadb_gtid gtid;
    fc_code code = fc_binlog_body_mariadb_gtid(event, &gtid, err);
    if (code != FC_OK) {
        return code;
    }
    tx->name.kind = FC_TRANSACTION_BY_MARIADB_GTID;
    tx->name.mariadb.domain_id = gtid.domain_id;
    tx->name.mariadb.server_id = event->server_id;
    tx->name.mariadb.sequence = gtid.sequence;
    tx->emit.has_gtid = true;
    tx->begun = (gtid.flags & FC_MARIADB_GTID_STANDALONE) == 0;
    tx->is_xa = (gtid.flags & FC_MARIADB_GTID_PREPARED_XA) != 0;
    fc_mariadb_position_print_one(&tx->name.mariadb, &tx->emit.id);
    return FC_OK;
}

fc_code fc_transaction_begin(struct fc_transaction *tx, const struct fc_binlog_event *event,
                             const struct fc_source_position *position,
                             const struct fc_binlog_place *place, struct fc_error *err)
{
    fc_buf_clear(&tx->emit.id);
    tx->emit.next_row = 0;
    tx->emit.thread_id = 0;
    tx->original_us = 0;
    tx->begun = false;
    tx->is_xa = false;
    tx->open = true;
    tx->emit.commit_us = event == NULL ? 0 : (int64_t)event->timestamp_s * MICROSECONDS;
    if (event == NULL) {
        name_by_place(tx, place);
        return FC_OK;
    }
    return event->type == FC_BINLOG_MARIADB_GTID ? begin_mariadb(tx, event, err)
                                                 : begin_mysql(tx, event, position, place, err);
}

static fc_code add_name(const struct fc_transaction_name *name,
                        struct fc_source_position *position, struct fc_error *err)
{
    if (position->by_gtid && name->kind == FC_TRANSACTION_BY_GTID) {
        return fc_gtid_set_add(&position->gtids, name->gtid.uuid, name->gtid.tag,
                               name->gtid.gno, err);
    }
    if (position->by_gtid && name->kind == FC_TRANSACTION_BY_MARIADB_GTID) {
        return fc_mariadb_position_update(&position->mariadb, &name->mariadb, err);
    }
    return FC_OK;
}

static void end_at(struct fc_transaction *tx, struct fc_source_position *position,
                   const struct fc_binlog_place *place)
{
    position->place = *place;
    tx->open = false;
    tx->begun = false;
    tx->is_xa = false;
}

fc_code fc_transaction_end(struct fc_transaction *tx, struct fc_source_position *position,
                           const struct fc_binlog_place *place, struct fc_error *err)
{
    fc_code code = add_name(&tx->name, position, err);
    if (code == FC_OK) {
        end_at(tx, position, place);
    }
    return code;
}

fc_code fc_transaction_prepared(struct fc_transaction *tx, struct fc_source_position *position,
                                const struct fc_binlog_place *place, struct fc_error *err)
{
    if (tx->name.kind != FC_TRANSACTION_BY_GTID) {
        return fc_transaction_end(tx, position, place, err);
    }
    end_at(tx, position, place);
    return FC_OK;
}

fc_code fc_transaction_resolved(const struct fc_transaction_name *name,
                                struct fc_source_position *position, struct fc_error *err)
{
    return name->kind == FC_TRANSACTION_BY_GTID ? add_name(name, position, err) : FC_OK;
}

int64_t fc_transaction_change_us(const struct fc_transaction *tx,
                                 const struct fc_binlog_event *event)
{
    return tx->original_us != 0 ? tx->original_us : (int64_t)event->timestamp_s * MICROSECONDS;
}
