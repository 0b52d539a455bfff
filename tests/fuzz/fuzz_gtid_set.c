/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a GTID set or a MariaDB position: what is accepted prints, parses and encodes to the same. */
#include "connectors/mysql/gtid_set.h"
#include "connectors/mysql/mariadb_position.h"
#include "tests/fuzz/binlog_fuzz.h"

enum { TEXT_MAX = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_set(const struct fc_gtid_set *set)
{
    struct fc_gtid_set again;
    struct fc_buf text;
    struct fc_error err;
    fc_buf_init(&text, TEXT_MAX);
    fc_gtid_set_init(&again);
    fc_gtid_set_print(set, &text);
    must(fc_gtid_set_parse(
             &again, fc_slice_of(text.data == NULL ? (const void *)"" : text.data, text.len),
             &err) == FC_OK);
    must(fc_gtid_set_equal(set, &again));
    fc_gtid_set_release(&again);
    fc_gtid_set_init(&again);
    fc_buf_clear(&text);
    fc_gtid_set_encode(set, &text);
    must(fc_gtid_set_decode(&again, fc_buf_slice(&text), &err) == FC_OK);
    must(fc_gtid_set_equal(set, &again) && fc_gtid_set_is_subset(set, &again));
    fc_gtid_set_release(&again);
    fc_buf_release(&text);
}

static void check_position(const struct fc_mariadb_position *position)
{
    struct fc_mariadb_position again;
    struct fc_buf text;
    struct fc_error err;
    fc_buf_init(&text, TEXT_MAX);
    fc_mariadb_position_init(&again);
    fc_mariadb_position_print(position, &text);
    must(fc_mariadb_position_parse(
             &again, fc_slice_of(text.data == NULL ? (const void *)"" : text.data, text.len),
             &err) == FC_OK);
    must(again.count == position->count);
    fc_mariadb_position_release(&again);
    fc_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[1] = { 0 };
    struct fc_slice text = fc_slice_of(size == 0 ? nothing : data, size);
    struct fc_mariadb_position position;
    struct fc_gtid_set set;
    struct fc_error err;
    fc_gtid_set_init(&set);
    if (fc_gtid_set_parse(&set, text, &err) == FC_OK) {
        check_set(&set);
    }
    fc_gtid_set_release(&set);
    fc_gtid_set_init(&set);
    if (fc_gtid_set_decode(&set, text, &err) == FC_OK) {
        check_set(&set);
    }
    fc_gtid_set_release(&set);
    fc_mariadb_position_init(&position);
    if (fc_mariadb_position_parse(&position, text, &err) == FC_OK) {
        check_position(&position);
    }
    fc_mariadb_position_release(&position);
    return 0;
}
