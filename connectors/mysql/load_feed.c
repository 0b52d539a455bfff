/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots form a ring: `given` counts those that the caller has filled, `consumed` those that are
 * free again. A statement's last slot becomes free only when the server has answered, so
 * consumed == given means that everything has arrived.
 *
 * LOAD DATA LOCAL skips rows that it cannot insert and bends values that do not fit, both with a
 * warning only. Neither may happen in a restore: fewer rows than sent, or a warning that was not
 * foreseen, is a failure.
 */
#include "connectors/mysql/load_feed.h"

#include <inttypes.h>
#include <stdlib.h>

#include <errmsg.h>

#include "core/base/alloc.h"

enum { SLOT_COUNT = 4, SLOT_KEPT_MAX = 8 * 1024 * 1024 };

/* Server error numbers. */
enum { WARN_DATA_TRUNCATED = 1265, ER_NO_DEFAULT_FOR_FIELD = 1364 };

struct slot {
    struct fc_buf buf;
    struct fc_load_part part;
    char *statement;
};

struct fc_load_feed {
    struct fc_session *session;
    fc_load_way way;
    pthread_t thread;
    struct slot slots[SLOT_COUNT];
    /* Owned by the feed's thread. */
    size_t read_at;           /* bytes of the current slot that the library has taken */
    struct fc_load_part sums; /* of the open statement: rows, enum_errors */
    bool transaction;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    uint64_t given;
    uint64_t consumed;
    bool stop;
    bool failed;
    struct fc_error error;
};

/* The slot to be sent next, or NULL after stop. Thread: the feed's. */
static struct slot *wait_for_slot(struct fc_load_feed *feed)
{
    struct slot *slot = NULL;
    (void)pthread_mutex_lock(&feed->lock);
    while (feed->consumed == feed->given && !feed->stop) {
        (void)pthread_cond_wait(&feed->changed, &feed->lock);
    }
    if (!feed->stop) {
        slot = &feed->slots[feed->consumed % SLOT_COUNT];
    }
    (void)pthread_mutex_unlock(&feed->lock);
    return slot;
}

static void release_slot(struct fc_load_feed *feed, struct slot *slot)
{
    free(slot->statement);
    slot->statement = NULL;
    if (slot->buf.capacity > SLOT_KEPT_MAX) {
        size_t limit = slot->buf.limit;
        fc_buf_release(&slot->buf);
        fc_buf_init(&slot->buf, limit);
    }
    feed->read_at = 0;
    (void)pthread_mutex_lock(&feed->lock);
    feed->consumed++;
    (void)pthread_cond_broadcast(&feed->changed);
    (void)pthread_mutex_unlock(&feed->lock);
}

static void add_part(struct fc_load_feed *feed, const struct fc_load_part *part)
{
    feed->sums.rows += part->rows;
    feed->sums.enum_errors += part->enum_errors;
    feed->sums.lacks_columns |= part->lacks_columns;
}

static int infile_init(void **ptr, const char *name, void *feed)
{
    (void)name; /* whatever file the server asks for, it gets the rows */
    *ptr = feed;
    return 0;
}

/* The library asks for the next bytes of the "file". */
static int infile_read(void *ptr, char *to, unsigned size)
{
    struct fc_load_feed *feed = ptr;
    for (;;) {
        struct slot *slot = wait_for_slot(feed);
        size_t left;
        if (slot == NULL) {
            return -1;
        }
        if (feed->read_at == 0) {
            add_part(feed, &slot->part);
        }
        left = slot->buf.len - feed->read_at;
        if (left > 0) {
            left = left < size ? left : size;
            memcpy(to, slot->buf.data + feed->read_at, left);
            feed->read_at += left;
            return (int)left;
        }
        if (slot->part.last) {
            return 0;
        }
        release_slot(feed, slot);
    }
}

static void infile_end(void *ptr)
{
    (void)ptr;
}

static int infile_error(void *ptr, char *message, unsigned size)
{
    (void)ptr;
    (void)snprintf(message, size, "the load was ended");
    return CR_UNKNOWN_ERROR;
}

/* The last number of "Records: 5  Deleted: 0  Skipped: 1  Warnings: 1", in any language. */
static uint64_t warnings_of(MYSQL *mysql)
{
    const char *info = mysql_info(mysql);
    uint64_t number = mysql_warning_count(mysql); /* 16 bits on the wire */
    for (const char *at = info == NULL ? "" : info; *at != '\0'; at++) {
        if (*at >= '0' && *at <= '9') {
            char *end = NULL;
            number = strtoull(at, &end, 10);
            at = end - 1;
        }
    }
    return number;
}

/* Read the server's warnings: count those that are foreseen, keep the first other one. */
static fc_code read_warnings(struct fc_load_feed *feed, uint64_t *out_defaults,
                             char first[static 200], struct fc_error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    fc_code code =
        fc_session_query(feed->session, fc_slice_text("SHOW WARNINGS"), &result, err);
    first[0] = '\0';
    *out_defaults = 0;
    if (code != FC_OK) {
        return code;
    }
    while (result != NULL && (row = mysql_fetch_row(result)) != NULL) {
        uint64_t number = row[1] == NULL ? 0 : strtoull(row[1], NULL, 10);
        if (number == ER_NO_DEFAULT_FOR_FIELD && feed->sums.lacks_columns) {
            ++*out_defaults;
        } else if ((number != WARN_DATA_TRUNCATED || feed->sums.enum_errors == 0) &&
                   first[0] == '\0') {
            (void)snprintf(first, 200, "%s (%" PRIu64 ")", row[2] == NULL ? "" : row[2],
                           number);
        }
    }
    mysql_free_result(result);
    return FC_OK;
}

/* The statement succeeded; did it take every row as it is? */
static fc_code check_outcome(struct fc_load_feed *feed, struct fc_error *err)
{
    uint64_t rows = feed->sums.rows;
    uint64_t taken = mysql_affected_rows(feed->session->mysql);
    uint64_t warnings = warnings_of(feed->session->mysql);
    uint64_t defaults = 0;
    char first[200] = "";
    if (warnings > 0) {
        fc_code code = read_warnings(feed, &defaults, first, err);
        if (code != FC_OK) {
            return code;
        }
    }
    if (taken != rows) {
        return fc_fail(err, FC_ERR_REJECTED,
                       "the server took %" PRIu64 " of %" PRIu64 " rows: %s", taken, rows,
                       first[0] == '\0' ? "no reason given" : first);
    }
    if (first[0] != '\0') {
        return fc_fail(err, FC_ERR_REJECTED, "the server changed values: %s", first);
    }
    if (warnings != defaults && warnings != defaults + feed->sums.enum_errors) {
        return fc_fail(err, FC_ERR_REJECTED, "the server changed values: %" PRIu64 " warnings",
                       warnings);
    }
    return FC_OK;
}

static fc_code send_file(struct fc_load_feed *feed, struct slot *slot, struct fc_error *err)
{
    MYSQL *mysql = feed->session->mysql;
    fc_assert(slot->statement != NULL);
    mysql_set_local_infile_handler(mysql, infile_init, infile_read, infile_end, infile_error,
                                   feed);
    if (mysql_real_query(mysql, slot->statement, (unsigned long)strlen(slot->statement)) != 0) {
        return fc_session_fail(feed->session, err, "LOAD DATA");
    }
    return check_outcome(feed, err);
}

static fc_code send_insert(struct fc_load_feed *feed, struct slot *slot, struct fc_error *err)
{
    MYSQL *mysql = feed->session->mysql;
    fc_code code = FC_OK;
    if (!feed->transaction) {
        code = fc_session_run(feed->session, err, "START TRANSACTION");
        feed->transaction = true;
    }
    add_part(feed, &slot->part);
    if (code == FC_OK && slot->part.rows > 0) {
        if (mysql_real_query(mysql, (const char *)slot->buf.data,
                             (unsigned long)slot->buf.len) != 0) {
            return fc_session_fail(feed->session, err, "INSERT");
        }
        code = check_outcome(feed, err);
    }
    if (code == FC_OK && slot->part.last) {
        code = fc_session_run(feed->session, err, "COMMIT");
        feed->transaction = false;
    }
    return code;
}

static void *run(void *ctx)
{
    struct fc_load_feed *feed = ctx;
    struct fc_error error = { 0 };
    fc_code code = FC_OK;
    struct slot *slot;
    (void)mysql_thread_init(); /* fails only when memory is gone; the next call says so */
    while (code == FC_OK && (slot = wait_for_slot(feed)) != NULL) {
        memset(&feed->sums, 0, sizeof(feed->sums));
        if (feed->way == FC_LOAD_BY_FILE) {
            code = send_file(feed, slot, &error);
            /* The slot that ended the statement, not the one that began it. */
            slot = &feed->slots[feed->consumed % SLOT_COUNT];
        } else {
            code = send_insert(feed, slot, &error);
        }
        if (code == FC_OK) {
            release_slot(feed, slot);
        }
    }
    mysql_thread_end();
    (void)pthread_mutex_lock(&feed->lock);
    feed->failed = code != FC_OK;
    feed->error = error;
    (void)pthread_cond_broadcast(&feed->changed);
    (void)pthread_mutex_unlock(&feed->lock);
    return NULL;
}

fc_code fc_load_feed_new(struct fc_session *session, fc_load_way way, size_t buffer_size_max,
                         struct fc_load_feed **out_feed, struct fc_error *err)
{
    struct fc_load_feed *feed = fc_new(struct fc_load_feed);
    int failed;
    feed->session = session;
    feed->way = way;
    for (size_t index = 0; index < SLOT_COUNT; index++) {
        fc_buf_init(&feed->slots[index].buf, buffer_size_max);
    }
    (void)pthread_mutex_init(&feed->lock, NULL);
    (void)pthread_cond_init(&feed->changed, NULL);
    failed = pthread_create(&feed->thread, NULL, run, feed);
    if (failed != 0) {
        (void)pthread_mutex_destroy(&feed->lock);
        (void)pthread_cond_destroy(&feed->changed);
        free(feed);
        return fc_fail(err, FC_ERR_NOMEM, "cannot start a thread (error %d)", failed);
    }
    *out_feed = feed;
    return FC_OK;
}

void fc_load_feed_free(struct fc_load_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    fc_load_feed_stop(feed);
    (void)pthread_join(feed->thread, NULL);
    for (size_t index = 0; index < SLOT_COUNT; index++) {
        free(feed->slots[index].statement);
        fc_buf_release(&feed->slots[index].buf);
    }
    (void)pthread_mutex_destroy(&feed->lock);
    (void)pthread_cond_destroy(&feed->changed);
    free(feed);
}

/* With lock held: has the feed ended? */
static fc_code check_running(const struct fc_load_feed *feed, struct fc_error *err)
{
    if (feed->stop) {
        return fc_fail(err, FC_ERR_CLOSED, "interrupted");
    }
    if (feed->failed && err != NULL) {
        *err = feed->error;
    }
    return feed->failed ? feed->error.code : FC_OK;
}

fc_code fc_load_feed_take(struct fc_load_feed *feed, struct fc_buf **out_buf,
                          struct fc_error *err)
{
    fc_code code;
    (void)pthread_mutex_lock(&feed->lock);
    while (feed->given - feed->consumed == SLOT_COUNT && !feed->failed && !feed->stop) {
        (void)pthread_cond_wait(&feed->changed, &feed->lock);
    }
    code = check_running(feed, err);
    if (code == FC_OK) {
        *out_buf = &feed->slots[feed->given % SLOT_COUNT].buf;
        fc_buf_clear(*out_buf);
    }
    (void)pthread_mutex_unlock(&feed->lock);
    return code;
}

void fc_load_feed_give(struct fc_load_feed *feed, const struct fc_load_part *part)
{
    (void)pthread_mutex_lock(&feed->lock);
    struct slot *slot = &feed->slots[feed->given % SLOT_COUNT];
    slot->part = *part;
    slot->statement = part->statement == NULL ? NULL : fc_strdup(part->statement);
    feed->given++;
    (void)pthread_cond_broadcast(&feed->changed);
    (void)pthread_mutex_unlock(&feed->lock);
}

fc_code fc_load_feed_drain(struct fc_load_feed *feed, struct fc_error *err)
{
    fc_code code;
    (void)pthread_mutex_lock(&feed->lock);
    while (feed->consumed < feed->given && !feed->failed && !feed->stop) {
        (void)pthread_cond_wait(&feed->changed, &feed->lock);
    }
    code = check_running(feed, err);
    (void)pthread_mutex_unlock(&feed->lock);
    return code;
}

void fc_load_feed_stop(struct fc_load_feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    feed->stop = true;
    (void)pthread_cond_broadcast(&feed->changed);
    (void)pthread_mutex_unlock(&feed->lock);
}
