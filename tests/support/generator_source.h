/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that generates a known history: for tests of the pipeline, where a database would be too slow
 * for thousands of crashes.
 *
 * Transaction i (from 0) has 1 + i % 7 rows (every 50th 3,000 of them), inserts, updates of the key, and deletes in turn; its
 * rows are in two tables. The position is the number of transactions given. Reads fail as transient now and
 * then, also inside a transaction, and after such a failure neighbouring transactions may come in
 * another order, as after a failover.
 */
#ifndef FC_TEST_GENERATOR_SOURCE_H
#define FC_TEST_GENERATOR_SOURCE_H

#include "fc/connector.h"

struct fc_generator {
    struct fc_host host; /* first: open gets it back from the host pointer */
    uint64_t transactions;
    uint64_t seed;
    uint32_t fail_one_in; /* reads; 0: never */
    bool swaps;           /* neighbours change places on every other opening */
    uint64_t openings;
};

extern const struct fc_connector fc_generator_connector;

/* Number of changes of a transaction. */
uint64_t fc_generator_rows(uint64_t transaction);

#endif
