/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live traffic whose log can be checked: `workload SOCKET WORKERS SEED` changes four tables in
 * multi-table transactions until SIGTERM, reconnecting for ever.
 *
 * Every row carries a version that each change raises by one, no key is ever used again, and each
 * transaction ends by adding to its worker's counter the number of rows it changed before. So
 * check_log can prove from the log alone that no change is missing, doubled or out of order.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mysql.h>

#include "core/base/alloc.h"

enum { OPS_MAX = 6, IDS_MAX = 400, WORKERS_MAX = 16 };

struct worker {
    const char *socket;
    uint32_t number;
    uint64_t random;
    MYSQL *mysql;
    uint64_t ids[IDS_MAX]; /* rows of acct that are ours */
    size_t id_count;
    uint64_t item; /* next number for item and journal */
    uint64_t committed;
    const volatile sig_atomic_t *stop;
    pthread_t thread;
};

static volatile sig_atomic_t stop_requested;

static void on_term(int signal_number)
{
    (void)signal_number;
    stop_requested = 1;
}

static uint64_t pick(struct worker *worker, uint64_t below)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return worker->random % below;
}

static void pause_ms(long ms)
{
    struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
    (void)nanosleep(&pause, NULL);
}

static bool run(struct worker *worker, const char *sql)
{
    return mysql_query(worker->mysql, sql) == 0;
}

static bool load_number(struct worker *worker, const char *sql, uint64_t *out)
{
    MYSQL_RES *result = run(worker, sql) ? mysql_store_result(worker->mysql) : NULL;
    MYSQL_ROW row = result == NULL ? NULL : mysql_fetch_row(result);
    bool found = row != NULL;
    if (found) {
        *out = row[0] == NULL ? 0 : strtoull(row[0], NULL, 10);
    }
    mysql_free_result(result);
    return found;
}

/* What a worker must know about its rows after it lost its connection. */
static bool load_state(struct worker *worker)
{
    char sql[200];
    MYSQL_RES *result;
    MYSQL_ROW row;
    (void)snprintf(sql, sizeof(sql), "SELECT id FROM acct WHERE worker = %u LIMIT %d",
                   worker->number, IDS_MAX);
    result = run(worker, sql) ? mysql_store_result(worker->mysql) : NULL;
    if (result == NULL) {
        return false;
    }
    worker->id_count = 0;
    while ((row = mysql_fetch_row(result)) != NULL) {
        worker->ids[worker->id_count++] = strtoull(row[0], NULL, 10);
    }
    mysql_free_result(result);
    (void)snprintf(sql, sizeof(sql),
                   "SELECT COALESCE(MAX(item), 0) FROM counter WHERE worker = %u",
                   worker->number);
    return load_number(worker, sql, &worker->item);
}

static bool ensure_connected(struct worker *worker)
{
    char sql[200];
    if (worker->mysql != NULL) {
        return true;
    }
    worker->mysql = mysql_init(NULL);
    if (mysql_real_connect(worker->mysql, NULL, "root", "", "crash", 0, worker->socket, 0) !=
        NULL) {
        (void)snprintf(sql, sizeof(sql), "INSERT IGNORE INTO counter VALUES (%u, 1, 0, 0)",
                       worker->number);
        if (run(worker, sql) && load_state(worker)) {
            return true;
        }
    }
    mysql_close(worker->mysql);
    worker->mysql = NULL;
    return false;
}

static bool insert_acct(struct worker *worker)
{
    char sql[400];
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO acct (version, worker, body, amount) VALUES (1, %u, 'body %" PRIu64
        " \\\"quoted\\\" \xc3\xa4\xe2\x82\xac', %" PRIu64 ".%02" PRIu64 ")",
        worker->number, pick(worker, 1000000), pick(worker, 100000), pick(worker, 100));
    if (!run(worker, sql)) {
        return false;
    }
    if (worker->id_count < IDS_MAX) {
        worker->ids[worker->id_count++] = mysql_insert_id(worker->mysql);
    }
    return true;
}

static bool update_acct(struct worker *worker)
{
    char sql[300];
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE acct SET version = version + 1, amount = %" PRIu64
                   ".5 WHERE id = %" PRIu64,
                   pick(worker, 1000), worker->ids[pick(worker, worker->id_count)]);
    return run(worker, sql);
}

static bool delete_acct(struct worker *worker)
{
    char sql[100];
    size_t index = pick(worker, worker->id_count);
    (void)snprintf(sql, sizeof(sql), "DELETE FROM acct WHERE id = %" PRIu64,
                   worker->ids[index]);
    worker->ids[index] = worker->ids[--worker->id_count];
    return run(worker, sql);
}

static bool insert_item(struct worker *worker)
{
    char sql[300];
    worker->item++;
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO item VALUES (%u, 'key-%" PRIu64 "', 1, UNHEX('%016" PRIx64
                   "'))",
                   worker->number, worker->item, worker->random);
    return run(worker, sql);
}

static bool insert_journal(struct worker *worker)
{
    char sql[300];
    worker->item++;
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO journal VALUES (%u, %" PRIu64 ", 'entry %" PRIu64 "')",
                   worker->number, worker->item, worker->random);
    return run(worker, sql);
}

/* One change; *changed counts the rows. */
static bool change(struct worker *worker, uint64_t *changed)
{
    uint64_t kind = pick(worker, 10);
    bool done;
    if (kind < 3 || (kind < 7 && worker->id_count == 0)) {
        done = insert_acct(worker);
    } else if (kind < 6) {
        done = update_acct(worker);
    } else if (kind < 7) {
        done = delete_acct(worker);
    } else if (kind < 9) {
        done = insert_item(worker);
    } else {
        done = insert_journal(worker);
    }
    *changed += done ? mysql_affected_rows(worker->mysql) : 0;
    return done;
}

static bool transact(struct worker *worker)
{
    char sql[200];
    uint64_t changed = 0;
    uint64_t count = pick(worker, 200) == 0 ? 300 : 1 + pick(worker, OPS_MAX);
    bool rolled_back = pick(worker, 12) == 0;
    bool done = run(worker, "BEGIN");
    for (uint64_t index = 0; done && index < count; index++) {
        done = change(worker, &changed);
    }
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE counter SET version = version + 1, n = n + %" PRIu64
                   ", item = %" PRIu64 " WHERE worker = %u",
                   changed, worker->item, worker->number);
    done = done && run(worker, sql) && run(worker, rolled_back ? "ROLLBACK" : "COMMIT");
    if (done && rolled_back) {
        return load_state(worker);
    }
    worker->committed += done ? 1U : 0U;
    return done;
}

static void *work(void *ctx)
{
    struct worker *worker = ctx;
    while (!*worker->stop) {
        if (!ensure_connected(worker)) {
            pause_ms(50);
        } else if (!transact(worker)) {
            mysql_close(worker->mysql);
            worker->mysql = NULL;
        }
    }
    mysql_close(worker->mysql);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct worker workers[WORKERS_MAX];
    struct sigaction action;
    uint32_t count;
    uint64_t committed = 0;
    if (argc != 4) {
        (void)fprintf(stderr, "usage: workload SOCKET WORKERS SEED\n");
        return 2;
    }
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_term;
    (void)sigaction(SIGTERM, &action, NULL);
    count = (uint32_t)strtoul(argv[2], NULL, 10);
    count = count > WORKERS_MAX ? WORKERS_MAX : count;
    (void)mysql_library_init(0, NULL, NULL);
    for (uint32_t index = 0; index < count; index++) {
        int status;
        workers[index].socket = argv[1];
        workers[index].number = index + 1;
        workers[index].random = (strtoull(argv[3], NULL, 10) + index + 1) * 0x9e3779b97f4a7c15U;
        workers[index].stop = &stop_requested;
        status = pthread_create(&workers[index].thread, NULL, work, &workers[index]);
        fc_assert(status == 0);
    }
    for (uint32_t index = 0; index < count; index++) {
        (void)pthread_join(workers[index].thread, NULL);
        committed += workers[index].committed;
    }
    (void)printf("%" PRIu64 "\n", committed);
    return 0;
}
