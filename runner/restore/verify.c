/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/verify.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/restore/compare.h"
#include "runner/restore/differ.h"
#include "runner/restore/log_rows.h"

enum { REPORT_EVERY_ROWS = 4096 };

struct verify {
    const struct fc_verify_config *config;
    struct fc_compare *compare;
    struct fc_verify_result *result;
    uint64_t done;
    uint64_t total;
};

void fc_verify_result_release(struct fc_verify_result *result)
{
    free(result->columns);
    free(result->unknown_columns);
    memset(result, 0, sizeof(*result));
}

static void count_row(struct verify *verify)
{
    if (++verify->done % REPORT_EVERY_ROWS == 0 && verify->config->on_progress != NULL) {
        verify->config->on_progress(verify->config->ctx, verify->done, verify->total);
    }
}

static fc_code on_log_row(void *ctx, const struct fc_row_hashes *hashes, uint64_t copies,
                          struct fc_slice shown, struct fc_error *err)
{
    struct verify *verify = ctx;
    (void)shown;
    (void)err;
    fc_compare_add(verify->compare, hashes, copies);
    verify->result->log_rows += copies;
    count_row(verify);
    return FC_OK;
}

static fc_code on_target_row(void *ctx, const struct fc_row_hashes *hashes,
                             struct fc_slice shown, struct fc_error *err)
{
    struct verify *verify = ctx;
    (void)shown;
    fc_compare_take(verify->compare, hashes);
    verify->result->target_rows++;
    count_row(verify);
    if (verify->config->stop != NULL && atomic_load(verify->config->stop)) {
        return fc_fail(err, FC_ERR_CLOSED, "stopped");
    }
    return FC_OK;
}

static fc_code add_log(struct verify *verify, uint32_t table, const struct fc_row_forms *forms,
                       struct fc_error *err)
{
    struct fc_log_rows_config rows;
    memset(&rows, 0, sizeof(rows));
    rows.view = verify->config->view;
    rows.table = verify->config->fold->tables[table];
    rows.forms = forms;
    rows.compare = verify->compare;
    rows.on_row = on_log_row;
    rows.ctx = verify;
    rows.stop = verify->config->stop;
    return fc_log_rows_run(&rows, err);
}

/* A table that cannot be compared for want of a column differs; that is no error. */
static fc_code take_target(struct verify *verify, uint32_t table, struct fc_error *err)
{
    struct fc_compare_scan scan;
    fc_code code;
    memset(&scan, 0, sizeof(scan));
    scan.ops = verify->config->ops;
    scan.target = verify->config->target;
    scan.db = verify->config->places[table].db;
    scan.table = verify->config->places[table].table;
    scan.on_row = on_target_row;
    scan.ctx = verify;
    code = fc_compare_scan(verify->compare, &scan, err);
    if (code == FC_ERR_NOT_FOUND) {
        verify->result->columns = fc_strdup(err->message);
        code = FC_OK;
    }
    return code;
}

static fc_code verify_table(struct verify *verify, uint32_t table, struct fc_error *err)
{
    const struct fc_verify_config *config = verify->config;
    struct fc_verify_result *result = verify->result;
    struct fc_row_forms *forms = NULL;
    struct fc_table_info info;
    fc_code code = config->ops->inspect(config->target, config->places[table].db,
                                        config->places[table].table, &info, err);
    if (code != FC_OK) {
        return code;
    }
    result->log_rows = 0;
    result->absent = !info.exists;
    if (result->absent) {
        result->log_rows = config->fold->tables[table]->rows;
        return FC_OK;
    }
    forms = fc_row_forms_new(&config->fold->tables[table]->versions);
    verify->compare = fc_compare_new(forms);
    code = add_log(verify, table, forms, err);
    if (code == FC_OK) {
        code = take_target(verify, table, err);
    }
    if (code == FC_OK) {
        result->unknown_columns = fc_strdup(fc_compare_unknown_columns(verify->compare));
        result->equal = result->columns == NULL && fc_compare_is_equal(verify->compare);
    }
    if (code == FC_OK && !result->equal && result->columns == NULL) {
        code = fc_differ_run(config, table, forms, verify->compare, result, err);
    }
    fc_compare_free(verify->compare);
    verify->compare = NULL;
    fc_row_forms_free(forms);
    return code;
}

fc_code fc_verify_run(const struct fc_verify_config *config,
                      struct fc_verify_result *out_results, struct fc_error *err)
{
    struct verify verify;
    fc_code code = FC_OK;
    memset(&verify, 0, sizeof(verify));
    verify.config = config;
    for (uint32_t table = 0; table < config->fold->table_count; table++) {
        verify.total += 2 * config->fold->tables[table]->rows;
    }
    for (uint32_t table = 0; code == FC_OK && table < config->fold->table_count; table++) {
        verify.result = &out_results[table];
        code = verify_table(&verify, table, err);
    }
    return code;
}
