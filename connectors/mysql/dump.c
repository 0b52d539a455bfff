/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue is two buffers: the thread appends to one, the source takes events out of the other,
 * and they are exchanged when the source's is empty. So a busy stream costs one short lock for
 * all packets that came at once on one side and one a buffer on the other. An event in a buffer is its size in 8 bytes
 * and its bytes.
 */
#include "connectors/mysql/dump.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/mysql/client.h"
#include "core/base/alloc.h"
#include "core/base/deadline.h"

enum {
    QUEUE_BYTES = 1024 * 1024, /* the thread waits while its buffer holds this much */
    KEEP_BYTES = 4 * 1024 * 1024,
    EVENT_BYTES_MAX_LOG2 = 31,
    SIZE_BYTES = 8,
    READ_TIMEOUT_MAX_S = 25,
    GATHER_NS = 500000,    /* a socket's buffer takes more than a server sends in that time */
    ER_DUMP_FAILED = 1236, /* the server cannot send what was asked for */
    ER_GTID_PURGED = 1789  /* ... because it no longer has these GTIDs */
};

struct fc_dump {
    struct fc_session *session;
    struct fc_client_dump *client;
    struct fc_buf gtid_set;
    char *file;
    struct fc_client_dump_from from;
    pthread_t thread;
    bool thread_started;

    /* Owned by the source's thread. */
    struct fc_buf taking;
    size_t taken;
    size_t last_size; /* of the event given last */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    struct fc_buf filling;
    bool source_waits;
    bool thread_waits;
    bool interrupted;
    bool ended;
    struct fc_error error; /* why it ended */
};

unsigned fc_dump_read_timeout_s(uint32_t heartbeat_ms)
{
    unsigned wanted = heartbeat_ms / 1000 * 2 + 5;
    return wanted > READ_TIMEOUT_MAX_S ? READ_TIMEOUT_MAX_S : wanted;
}

/* What the server, or the library, said when the dump ended. */
static void fail_dump(unsigned number, const char *text, struct fc_error *err)
{
    if (strstr(text, "same server_uuid/server_id") != NULL ||
        strstr(text, "same server_id") != NULL) {
        (void)fc_fail(
            err, FC_ERR_CONFIG,
            "another replica or connector has connected with our server-id; give each "
            "its own `server-id`");
    } else if (number != ER_DUMP_FAILED && number != ER_GTID_PURGED) {
        (void)fc_session_fail_with(err, number, text, "read the binlog");
    } else if (strstr(text, "purged") != NULL || strstr(text, "Could not find") != NULL ||
               strstr(text, "could not find") != NULL ||
               strstr(text, "not in the master") != NULL) {
        (void)fc_fail(
            err, FC_ERR_REFUSED,
            "the server no longer has the binlog from our position on (%.300s); changes "
            "since then cannot be captured: start a new snapshot",
            text);
    } else if (strcasestr(text, "shutdown") != NULL) {
        (void)fc_fail_retriable(err, FC_ERR_IO, "binlog dump: %s (%u)", text, number);
    } else {
        (void)fc_fail(err, FC_ERR_REFUSED, "the server refuses the binlog dump: %s (%u)", text,
                      number);
    }
}

/* An error packet from its number on: number(2), "#" and SQL state(5), text. */
static void fail_by_packet(struct fc_slice packet, struct fc_error *err)
{
    unsigned number = packet.len < 2 ? 0 : (unsigned)(packet.data[0] | packet.data[1] << 8);
    size_t skip = packet.len >= 8 && packet.data[2] == '#' ? 8 : 2;
    size_t len = packet.len < skip ? 0 : packet.len - skip;
    char text[400];
    (void)snprintf(text, sizeof(text), "%.*s", (int)(len > 390 ? 390 : len),
                   (const char *)packet.data + (len == 0 ? 0 : skip));
    fail_dump(number, text, err);
}

static void fail_by_library(const struct fc_session *session, struct fc_error *err)
{
    if (atomic_load(&session->interrupted)) {
        (void)fc_fail(err, FC_ERR_CLOSED, "interrupted");
    } else {
        fail_dump(mysql_errno(session->mysql), mysql_error(session->mysql), err);
    }
}

/* Called on the dump's thread. */
static void end_with(struct fc_dump *dump, const struct fc_error *error)
{
    (void)pthread_mutex_lock(&dump->lock);
    dump->ended = true;
    dump->error = *error;
    (void)pthread_cond_broadcast(&dump->changed);
    (void)pthread_mutex_unlock(&dump->lock);
}

/* Let the server send some more, instead of waking up for every 16 KiB. lock is held. */
static void let_gather(struct fc_dump *dump)
{
    struct timespec until = fc_deadline_in_ns(GATHER_NS);
    int status = 0;
    while (status == 0 && !dump->interrupted) {
        status = pthread_cond_timedwait(&dump->changed, &dump->lock, &until);
    }
}

/* Append the event and those that have come with it; what comes after them, last. */
static bool append_events(struct fc_dump *dump, struct fc_slice *event,
                          fc_client_packet *packet)
{
    bool go_on = true;
    (void)pthread_mutex_lock(&dump->lock);
    while (dump->filling.len >= QUEUE_BYTES && !dump->interrupted) {
        dump->thread_waits = true;
        (void)pthread_cond_wait(&dump->changed, &dump->lock);
        dump->thread_waits = false;
    }
    while (go_on && *packet == FC_CLIENT_EVENT) {
        fc_buf_append_le64(&dump->filling, event->len);
        fc_buf_append_slice(&dump->filling, *event);
        go_on = fc_client_dump_has_next(dump->client);
        if (go_on) {
            *packet = fc_client_dump_next(dump->client, event);
        }
    }
    go_on = !dump->interrupted && !dump->filling.failed;
    if (dump->source_waits) {
        (void)pthread_cond_broadcast(&dump->changed);
    }
    if (go_on && *packet == FC_CLIENT_EVENT && fc_client_dump_is_ahead(dump->client)) {
        let_gather(dump);
    }
    (void)pthread_mutex_unlock(&dump->lock);
    return go_on;
}

static void *run(void *ctx)
{
    struct fc_dump *dump = (struct fc_dump *)ctx;
    struct fc_slice event;
    struct fc_error error;
    fc_client_packet packet;
    memset(&error, 0, sizeof(error));
    (void)mysql_thread_init(); /* fails only when memory is gone */
    do {
        packet = fc_client_dump_next(dump->client, &event);
    } while (packet == FC_CLIENT_EVENT && append_events(dump, &event, &packet) &&
             packet == FC_CLIENT_EVENT);
    if (packet == FC_CLIENT_EVENT) {
        (void)fc_fail(&error, FC_ERR_LIMIT, "a binlog event is too large to be read");
    } else if (packet == FC_CLIENT_END) {
        (void)fc_fail_retriable(&error, FC_ERR_IO, "the server ended the binlog dump");
    } else if (fc_slice_is_null(event)) {
        fail_by_library(dump->session, &error);
    } else {
        fail_by_packet(event, &error);
    }
    end_with(dump, &error);
    mysql_thread_end();
    return NULL;
}

static fc_code prepare(struct fc_session *session, const struct fc_dump_from *from,
                       struct fc_error *err)
{
    uint64_t heartbeat_ns = (uint64_t)from->heartbeat_ms * 1000000;
    fc_code code =
        fc_session_run(session, err,
                       "SET @master_binlog_checksum='CRC32', "
                       "@source_binlog_checksum='CRC32', "
                       "@master_heartbeat_period=%" PRIu64 ", @source_heartbeat_period=%" PRIu64
                       ", SESSION net_write_timeout=600",
                       heartbeat_ns, heartbeat_ns);
    if (code == FC_OK && session->flavor == FC_FLAVOR_MARIADB) {
        /* 4: knows MariaDB's GTID events. */
        code = fc_session_run(session, err, "SET @mariadb_slave_capability=4");
    }
    if (code == FC_OK && from->gtid_position != NULL) {
        code = fc_session_run(session, err,
                              "SET @slave_connect_state='%s', @slave_gtid_strict_mode=0, "
                              "@slave_gtid_ignore_duplicates=0",
                              from->gtid_position);
    }
    return code == FC_OK ? FC_OK : fc_wrap(err, "prepare the binlog dump");
}

static fc_code begin(struct fc_dump *dump, const struct fc_dump_from *from,
                     struct fc_error *err)
{
    fc_code code = prepare(dump->session, from, err);
    if (code != FC_OK) {
        return code;
    }
    dump->from.server_id = from->server_id;
    dump->from.statements = from->statements && dump->session->flavor == FC_FLAVOR_MARIADB;
    dump->from.by_gtid_set = !fc_slice_is_null(from->gtid_set);
    if (dump->from.by_gtid_set) {
        fc_buf_append_slice(&dump->gtid_set, from->gtid_set);
        dump->from.gtid_set = fc_buf_slice(&dump->gtid_set);
    }
    dump->file =
        fc_strdup(dump->from.by_gtid_set || from->gtid_position != NULL ? "" : from->file);
    dump->from.file = dump->file;
    dump->from.position = dump->file[0] == '\0' ? 4 : from->position;
    dump->client = fc_client_dump_begin(dump->session->mysql, &dump->from);
    if (dump->client == NULL) {
        return fc_session_fail(dump->session, err, "ask for the binlog");
    }
    if (pthread_create(&dump->thread, NULL, run, dump) != 0) {
        return fc_fail_retriable(err, FC_ERR_NOMEM, "cannot start a thread for the binlog");
    }
    dump->thread_started = true;
    return FC_OK;
}

fc_code fc_dump_start(struct fc_session *session, const struct fc_dump_from *from,
                      struct fc_dump **out_dump, struct fc_error *err)
{
    struct fc_dump *dump = fc_new(struct fc_dump);
    fc_code code;
    dump->session = session;
    fc_buf_init(&dump->gtid_set, (size_t)1 << 28);
    fc_buf_init(&dump->filling, (size_t)1 << EVENT_BYTES_MAX_LOG2);
    fc_buf_init(&dump->taking, (size_t)1 << EVENT_BYTES_MAX_LOG2);
    (void)pthread_mutex_init(&dump->lock, NULL);
    fc_deadline_cond_init(&dump->changed);
    code = begin(dump, from, err);
    if (code != FC_OK) {
        fc_dump_free(dump);
        return code;
    }
    *out_dump = dump;
    return FC_OK;
}

/* Exchange the buffers; waits for something to be there. */
static fc_code exchange(struct fc_dump *dump, int wait_ms, struct fc_error *err)
{
    struct timespec until = fc_deadline_in_ms(wait_ms);
    struct fc_buf emptied = dump->taking;
    fc_code code = FC_OK;
    int status = 0;
    fc_buf_clear(&emptied);
    if (emptied.capacity > KEEP_BYTES) {
        fc_buf_release(&emptied); /* grew for one huge event */
        fc_buf_init(&emptied, (size_t)1 << EVENT_BYTES_MAX_LOG2);
    }
    (void)pthread_mutex_lock(&dump->lock);
    while (dump->filling.len == 0 && !dump->ended && !dump->interrupted && wait_ms > 0 &&
           status == 0) {
        dump->source_waits = true;
        status = pthread_cond_timedwait(&dump->changed, &dump->lock, &until);
        dump->source_waits = false;
    }
    if (dump->interrupted) {
        code = fc_fail(err, FC_ERR_CLOSED, "interrupted");
    } else if (dump->filling.len == 0 && dump->ended) {
        *err = dump->error;
        code = dump->error.code;
    }
    dump->taking = dump->filling;
    dump->filling = emptied;
    if (dump->thread_waits) {
        (void)pthread_cond_broadcast(&dump->changed);
    }
    (void)pthread_mutex_unlock(&dump->lock);
    dump->taken = 0;
    return code;
}

fc_code fc_dump_next(struct fc_dump *dump, int wait_ms, struct fc_slice *out_event,
                     struct fc_error *err)
{
    uint64_t size = 0;
    if (dump->taken == dump->taking.len) {
        fc_code code = exchange(dump, wait_ms, err);
        if (code != FC_OK) {
            return code;
        }
        if (dump->taking.len == 0) {
            *out_event = fc_slice_null();
            return FC_OK;
        }
    }
    memcpy(&size, dump->taking.data + dump->taken, sizeof(size));
    *out_event = fc_slice_of(dump->taking.data + dump->taken + SIZE_BYTES, size);
    dump->last_size = SIZE_BYTES + size;
    dump->taken += dump->last_size;
    return FC_OK;
}

void fc_dump_unread(struct fc_dump *dump)
{
    fc_assert(dump->taken >= dump->last_size);
    dump->taken -= dump->last_size;
    dump->last_size = 0;
}

void fc_dump_interrupt(struct fc_dump *dump)
{
    (void)pthread_mutex_lock(&dump->lock);
    dump->interrupted = true;
    (void)pthread_cond_broadcast(&dump->changed);
    (void)pthread_mutex_unlock(&dump->lock);
    fc_session_interrupt(dump->session);
}

void fc_dump_free(struct fc_dump *dump)
{
    if (dump == NULL) {
        return;
    }
    if (dump->thread_started) {
        fc_dump_interrupt(dump);
        (void)pthread_join(dump->thread, NULL);
    }
    fc_client_dump_free(dump->client);
    fc_buf_release(&dump->filling);
    fc_buf_release(&dump->taking);
    fc_buf_release(&dump->gtid_set);
    free(dump->file);
    (void)pthread_cond_destroy(&dump->changed);
    (void)pthread_mutex_destroy(&dump->lock);
    free(dump);
}
