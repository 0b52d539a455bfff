/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts given as text, run over a change of a small table, for tests of the transforms. */
#ifndef FC_TEST_SCRIPT_RUNNER_H
#define FC_TEST_SCRIPT_RUNNER_H

#include "transforms/transform.h"

/* The columns of shop.orders, whose key is `id`. */
enum {
    ORDER_ID,       /* bigint NOT NULL */
    ORDER_CUSTOMER, /* customer_id int */
    ORDER_STATUS,   /* varchar(16) */
    ORDER_AMOUNT,   /* decimal(10,2) */
    ORDER_NOTE,     /* varchar(200) */
    ORDER_TOTAL,    /* bigint unsigned */
    ORDER_DATA,     /* varbinary(8) */
    ORDER_COLUMNS
};

struct script_runner {
    char *dir;
    size_t memory_max;         /* 0: the default; set before load */
    uint64_t instructions_max; /* 0: the default; set before load */
    struct fc_transform_chain *chain;
    struct fc_transform_engine *engine;
    struct fc_arena arena;
    struct fc_tx tx;
    struct fc_value source[2]; /* of the fields `file` and `pos` */
    struct fc_value before[ORDER_COLUMNS];
    struct fc_value after[ORDER_COLUMNS];
    struct fc_change change; /* an update of order 7; tests may alter it */
    /* Of the latest load or run. */
    fc_code code;
    struct fc_error err;
    struct fc_transformed *results;
    uint32_t count;
};

/* A step of a chain; text: of a script, written to a file named `uses`. */
struct script_step {
    const char *uses;
    const char *text;
    const char *with_json;
};

const struct fc_shape *script_orders(void);

void script_runner_init(struct script_runner *runner);
void script_runner_release(struct script_runner *runner);

/* Make chain and engine; those from before are freed. */
fc_code script_runner_load(struct script_runner *runner, const struct script_step *steps,
                           uint32_t count);
/* One script, called t.lua. */
fc_code script_runner_script(struct script_runner *runner, const char *text);
/* One ready-made transform. */
fc_code script_runner_ready(struct script_runner *runner, const char *name,
                            const char *with_json);

/* Run the chain over runner->change; results live until the next run. */
fc_code script_runner_run(struct script_runner *runner);

/* The column's value in result 0. */
const struct fc_value *script_runner_after(const struct script_runner *runner,
                                           const char *column);
const struct fc_value *script_runner_before(const struct script_runner *runner,
                                            const char *column);

#endif
