/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/envelope/ddl_json.h"

const char *const fc_ddl_json_kinds[FC_DDL_JSON_KINDS] = {
    "other", "create", "alter", "drop", "rename", "drop_database", "alter_rows"
};

static struct fc_slice db_of(const struct fc_change *change)
{
    if (fc_slice_is_null(change->db)) {
        return fc_slice_text(change->shape == NULL ? "" : change->shape->db);
    }
    return change->db;
}

static void append_text_or_null(struct fc_buf *out, struct fc_slice text)
{
    if (fc_slice_is_null(text)) {
        fc_buf_append_text(out, "null");
    } else {
        fc_json_append_string(out, text);
    }
}

void fc_ddl_json_append_key(const struct fc_change *change, struct fc_buf *out)
{
    fc_buf_append_text(out, "{\"databaseName\":");
    fc_json_append_string(out, db_of(change));
    fc_buf_append_text(out, "}");
}

void fc_ddl_json_append_db(const struct fc_change *change, struct fc_buf *out)
{
    fc_json_append_string(out, db_of(change));
}

void fc_ddl_json_append_table_name(const struct fc_change *change, struct fc_buf *out)
{
    const struct fc_ddl *ddl = change->ddl;
    if (!fc_slice_is_null(change->table)) {
        fc_json_append_string(out, change->table);
    } else if (change->shape != NULL) {
        fc_json_append_string(out, fc_slice_text(change->shape->table));
    } else if (ddl == NULL || ddl->table_count == 0) {
        fc_buf_append_text(out, "null");
    } else {
        struct fc_buf joined;
        fc_buf_init(&joined, out->limit);
        for (uint32_t index = 0; index < ddl->table_count; index++) {
            fc_buf_append_text(&joined, index == 0 ? "" : ",");
            fc_buf_append_slice(&joined, ddl->tables[index].table);
        }
        fc_json_append_string(out, fc_buf_slice(&joined));
        out->failed = out->failed || joined.failed;
        fc_buf_release(&joined);
    }
}

static void append_tables(const struct fc_ddl *ddl, struct fc_buf *out)
{
    for (uint32_t index = 0; index < ddl->table_count; index++) {
        const struct fc_ddl_table *table = &ddl->tables[index];
        fc_buf_append_text(out, index == 0 ? "{\"db\":" : ",{\"db\":");
        append_text_or_null(out, table->db);
        fc_buf_append_text(out, ",\"table\":");
        append_text_or_null(out, table->table);
        fc_buf_append_text(out, ",\"newDb\":");
        append_text_or_null(out, table->new_db);
        fc_buf_append_text(out, ",\"newTable\":");
        append_text_or_null(out, table->new_table);
        fc_buf_append_text(out, "}");
    }
}

void fc_ddl_json_append(const struct fc_change *change, const struct fc_source_block *source,
                        int64_t now_ms, struct fc_buf *out)
{
    char *at;
    fc_buf_append_text(out, "{");
    at = (char *)fc_buf_reserve(out, fc_source_block_bound(source));
    if (at == NULL || source->text.failed) {
        out->failed = true;
        return;
    }
    out->len += (size_t)(fc_source_block_put(at, source, change->event_row) - at);
    fc_buf_append_text(out, ",\"ts_ms\":");
    fc_buf_append_i64(out, now_ms);
    fc_buf_append_text(out, ",\"databaseName\":");
    fc_json_append_string(out, db_of(change));
    fc_buf_append_text(out, ",\"schemaName\":null,\"ddl\":");
    fc_json_append_string(out, change->ddl->statement);
    fc_buf_append_text(out, ",\"tableChanges\":[],\"kind\":\"");
    fc_buf_append_text(out, fc_ddl_json_kinds[change->ddl->kind]);
    fc_buf_append_text(out, "\",\"tables\":[");
    append_tables(change->ddl, out);
    fc_buf_append_text(out, "]}");
}
