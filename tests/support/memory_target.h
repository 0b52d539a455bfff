/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target that keeps tables in memory: for tests of what a restore does with rows, and of what
 * it does when its target fails. What a database makes of them is tested against databases.
 *
 * Threads: any number of targets on one server, each on its own thread.
 */
#ifndef FC_TESTS_MEMORY_TARGET_H
#define FC_TESTS_MEMORY_TARGET_H

#include <pthread.h>

#include "fc/connector.h"

struct fc_memory_table {
    char *db;
    char *name;
    const struct fc_shape *shape; /* borrowed from the test or the log's schemas */
    struct fc_value **rows;       /* of shape's columns; absent ones are kind INT 4711 */
    size_t row_count;
    size_t row_capacity;
};

/* What a column holds that no row said anything about. */
enum { FC_MEMORY_DEFAULT = 4711 };

struct fc_memory_server {
    struct fc_host host; /* first: open gets the server back from it; nothing in it is called */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    struct fc_memory_table **tables;
    size_t table_count;
    uint64_t rows_loaded;
    uint64_t fail_at_row;   /* 0: never; loading fails at this row */
    uint64_t spoil_at_row;  /* 0: never; this row is stored with another first column */
    uint64_t block_at_row;  /* 0: never; loading waits there until it is interrupted */
    bool blocked;           /* it does */
    uint32_t opened;        /* targets that are not closed */
    uint32_t largest_group; /* of loads under way at once */
    uint32_t loading;
};

void fc_memory_server_init(struct fc_memory_server *server);
void fc_memory_server_release(struct fc_memory_server *server);

/* NULL when there is none. */
struct fc_memory_table *fc_memory_server_table(struct fc_memory_server *server, const char *db,
                                               const char *name);
struct fc_memory_table *fc_memory_server_create(struct fc_memory_server *server, const char *db,
                                                const char *name, const struct fc_shape *shape);
/* Copies row. */
void fc_memory_table_insert(struct fc_memory_table *table, const struct fc_value *row);
void fc_memory_table_remove(struct fc_memory_table *table, size_t index);

/* Wait until a load is blocked. */
void fc_memory_server_wait_blocked(struct fc_memory_server *server);

extern const struct fc_target_ops fc_memory_target_ops;

#endif
