/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/log_fixture.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/stream/embedded.h"
#include "tests/support/temp_dir.h"

static void must(fc_code code, const struct fc_error *err)
{
    if (code != FC_OK) {
        (void)fprintf(stderr, "log fixture: %s\n", err->message);
        abort();
    }
}

void fc_log_fixture_init(struct fc_log_fixture *fixture, const char *topic, uint32_t partitions)
{
    struct fc_embedded_config embedded;
    struct fc_log_writer_config config;
    struct fc_error err;
    memset(fixture, 0, sizeof(*fixture));
    fixture->dir = temp_dir_new();
    fixture->topic = topic;
    memset(&embedded, 0, sizeof(embedded));
    embedded.dir = fixture->dir;
    must(fc_embedded_open(&embedded, &fixture->stream, &err), &err);
    memset(&config, 0, sizeof(config));
    config.stream = fixture->stream;
    config.connector = "cap";
    config.topic = topic;
    config.partitions = partitions;
    config.tombstones = true;
    fixture->writer = fc_log_writer_new(&config);
}

void fc_log_fixture_release(struct fc_log_fixture *fixture)
{
    fc_log_view_close(fixture->view);
    fc_log_writer_free(fixture->writer);
    fc_stream_close(fixture->stream);
    temp_dir_free(fixture->dir);
}

void fc_log_fixture_begin(struct fc_log_fixture *fixture, bool snapshot)
{
    char tx_id[32];
    (void)snprintf(tx_id, sizeof(tx_id), "0-1-%d", (int)fixture->seq + 1);
    fixture->seq =
        fc_log_writer_begin(fixture->writer, snapshot ? NULL : tx_id,
                            (int64_t)(FC_FIXTURE_TIME_S + fixture->seq + 1) * 1000000);
}

void fc_log_fixture_view(struct fc_log_fixture *fixture)
{
    struct fc_log_view_config config;
    struct fc_error err;
    fc_log_writer_checkpoint(fixture->writer);
    fc_log_view_close(fixture->view);
    fixture->view = NULL;
    memset(&config, 0, sizeof(config));
    config.stream = fixture->stream;
    config.clock = fc_clock_system();
    config.connector = "cap";
    config.topic = fixture->topic;
    config.dead_letter_topic = "dead";
    must(fc_log_view_open(&config, &fixture->view, &err), &err);
}

struct fc_fold *fc_log_fixture_fold(struct fc_log_fixture *fixture, uint64_t seq,
                                    const char *table, struct fc_error *err)
{
    struct fc_fold_config config;
    struct fc_fold *fold = NULL;
    memset(&config, 0, sizeof(config));
    config.view = fixture->view;
    config.cut_seq = seq;
    config.memory_bytes = (size_t)16 * 1024 * 1024;
    config.tables = &table;
    config.table_count = table == NULL ? 0 : 1;
    return fc_fold_run(&config, &fold, err) == FC_OK ? fold : NULL;
}

void fc_log_fixture_ddl(struct fc_log_fixture *fixture, fc_ddl_kind kind, const char *statement,
                        const char *table, const char *new_table)
{
    struct fc_ddl_table named;
    memset(&named, 0, sizeof(named));
    named.db = fc_slice_text("d");
    named.table = fc_slice_text(table);
    if (new_table != NULL) {
        named.new_db = fc_slice_text("d");
        named.new_table = fc_slice_text(new_table);
    }
    fc_log_fixture_begin(fixture, false);
    fc_log_writer_ddl(fixture->writer, kind, "d", statement, &named, 1);
    fc_log_writer_commit(fixture->writer);
}
