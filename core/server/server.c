/* SPDX-License-Identifier: Apache-2.0 */
/* Start and stop: listeners are bound before a thread runs, and everything that can fail has
 * failed by then. */
#include "core/server/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/deadline.h"
#include "core/server/server_state.h"

void fc_server_config_init(struct fc_server_config *config)
{
    const size_t mib = (size_t)1024 * 1024;
    memset(config, 0, sizeof(*config));
    config->connections_max = 20000;
    config->frame_max = 100 * mib;
    config->frame_auth_max = mib / 2;
    config->arena_max = 64 * mib;
    config->reply_max = 128 * mib;
    config->requests_memory_max = 512 * mib;
    config->pipeline_max = 16;
    config->pipeline_bytes_max = 8 * mib;
    config->replies_bytes_max = 8 * mib;
    config->send_buffer = mib / 4;
    config->idle_ms = 600000;
    config->frame_ms = 30000;
    config->handshake_ms = 10000;
    config->clock = fc_clock_system();
}

/* --- a loop's thread --- */

static void on_turn_end(void *ctx)
{
    struct server_loop *home = ctx;
    while (home->dirty_first != NULL) {
        struct fc_connection *connection = home->dirty_first;
        home->dirty_first = connection->dirty_next;
        connection->dirty = false;
        connection_settle(connection);
    }
    while (home->dead != NULL) {
        struct fc_connection *connection = home->dead;
        home->dead = connection->dirty_next;
        connection_free(connection);
    }
}

static void *run(void *ctx)
{
    struct server_loop *home = ctx;
    sigset_t signals;
    (void)sigfillset(&signals); /* SIGPIPE above all: a write says EPIPE instead */
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); /* cannot fail with these arguments */
    fc_loop_run(home->loop);
    return NULL;
}

/* Ends what has nothing in flight; the others end when they settle. */
static void on_stop(void *ctx)
{
    struct server_loop *home = ctx;
    struct fc_server *server = home->server;
    home->stopping = true;
    for (size_t index = 0; home == &server->loops[0] && index < server->listeners_count;
         index++) {
        listener_close(&server->listeners[index]);
    }
    for (struct fc_connection *at = home->connections; at != NULL; at = at->next) {
        connection_mark_dirty(at);
    }
    limits_gone(server);
}

static void on_close_all(void *ctx)
{
    struct server_loop *home = ctx;
    for (struct fc_connection *at = home->connections; at != NULL; at = at->next) {
        connection_doom(at, FC_DIAG_INFO, "the server stops, and requests were not answered");
    }
}

static fc_code init_loop(struct fc_server *server, struct server_loop *home,
                         struct fc_error *err)
{
    home->server = server;
    home->scratch = fc_alloc_zeroed(1, SERVER_SCRATCH_SIZE);
    home->stop_task = (struct fc_loop_task){ NULL, on_stop, home };
    home->close_task = (struct fc_loop_task){ NULL, on_close_all, home };
    if (fc_loop_new(server->config.clock, &home->loop, err) != FC_OK) {
        return err == NULL ? FC_ERR_IO : err->code;
    }
    fc_loop_set_turn_end(home->loop, on_turn_end, home);
    spare_init(&home->spare, home->loop);
    return FC_OK;
}

static fc_code start_threads(struct fc_server *server, struct fc_error *err)
{
    for (size_t index = 0; index < server->loops_count; index++) {
        struct server_loop *home = &server->loops[index];
        int failed = pthread_create(&home->thread, NULL, run, home);
        if (failed != 0) {
            return fc_fail(err, FC_ERR_IO, "start a thread: %s", strerrordesc_np(failed));
        }
        home->started = true;
    }
    return FC_OK;
}

static void end_threads(struct fc_server *server)
{
    for (size_t index = 0; index < server->loops_count; index++) {
        if (server->loops[index].started) {
            fc_loop_stop(server->loops[index].loop);
            (void)pthread_join(server->loops[index].thread, NULL); /* it was started */
            server->loops[index].started = false;
        }
    }
}

/* --- the server --- */

static struct fc_server *new_server(const struct fc_server_config *config)
{
    struct fc_server *server = fc_new(struct fc_server);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    server->config = *config;
    server->config.listeners = NULL; /* the caller's */
    fc_deadline_cond_init(&server->gone);
    (void)pthread_mutex_init(&server->lock, NULL);
    fc_server_report_init(&server->report, config->diag, config->clock);
    fc_hashmap_init(&server->connections_of);
    server->loops_count = config->loops != 0 ? config->loops : cores > 0 ? (size_t)cores : 1;
    server->loops = fc_new_array(struct server_loop, server->loops_count);
    server->listeners_count = config->listeners_count;
    server->listeners = fc_new_array(struct server_listener, server->listeners_count + 1);
    for (size_t index = 0; index < server->listeners_count; index++) {
        server->listeners[index].server = server;
        server->listeners[index].io.fd = -1;
    }
    return server;
}

fc_code fc_server_start(const struct fc_server_config *config, struct fc_server **out_server,
                        struct fc_error *err)
{
    struct fc_server *server;
    fc_code code = FC_OK;
    fc_assert(config->on_request != NULL && config->clock != NULL);
    if (config->frame_max > config->requests_memory_max) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "the largest request (%zu bytes) is larger than the memory of all "
                       "requests (%zu bytes)",
                       config->frame_max, config->requests_memory_max);
    }
    server = new_server(config);
    for (size_t index = 0; code == FC_OK && index < server->loops_count; index++) {
        code = init_loop(server, &server->loops[index], err);
    }
    for (size_t index = 0; code == FC_OK && index < server->listeners_count; index++) {
        code = listener_bind(&server->listeners[index], &config->listeners[index], err);
    }
    for (size_t index = 0; code == FC_OK && index < server->listeners_count; index++) {
        code = listener_watch(&server->listeners[index], err);
    }
    if (code == FC_OK) {
        code = start_threads(server, err);
    }
    if (code != FC_OK) {
        end_threads(server);
        fc_server_free(server);
        return code;
    }
    *out_server = server;
    return FC_OK;
}

/* True when all connections are gone. */
static bool wait_gone(struct fc_server *server, int64_t wait_ms)
{
    struct timespec until = fc_deadline_in_ms(wait_ms);
    bool gone;
    int failed = 0;
    (void)pthread_mutex_lock(&server->lock);
    while (server->connections > 0 && failed != ETIMEDOUT) {
        failed = wait_ms < 0 ? pthread_cond_wait(&server->gone, &server->lock)
                             : pthread_cond_timedwait(&server->gone, &server->lock, &until);
    }
    gone = server->connections == 0;
    (void)pthread_mutex_unlock(&server->lock);
    return gone;
}

void fc_server_stop(struct fc_server *server, int64_t wait_ms)
{
    (void)pthread_mutex_lock(&server->lock);
    server->connections += server->loops_count; /* nothing is gone before each knows */
    (void)pthread_mutex_unlock(&server->lock);
    for (size_t index = 0; index < server->loops_count; index++) {
        fc_loop_post(server->loops[index].loop, &server->loops[index].stop_task);
    }
    if (!wait_gone(server, wait_ms)) {
        for (size_t index = 0; index < server->loops_count; index++) {
            fc_loop_post(server->loops[index].loop, &server->loops[index].close_task);
        }
        (void)wait_gone(server, -1);
    }
    end_threads(server);
}

void fc_server_free(struct fc_server *server)
{
    if (server == NULL) {
        return;
    }
    fc_assert(server->connections == 0);
    for (size_t index = 0; index < server->listeners_count; index++) {
        listener_release(&server->listeners[index]);
    }
    for (size_t index = 0; index < server->loops_count; index++) {
        fc_loop_free(server->loops[index].loop);
        spare_release(&server->loops[index].spare);
        free(server->loops[index].scratch);
    }
    fc_hashmap_release(&server->connections_of, NULL);
    fc_server_report_release(&server->report);
    (void)pthread_cond_destroy(&server->gone);
    (void)pthread_mutex_destroy(&server->lock);
    free(server->listeners);
    free(server->loops);
    free(server);
}

size_t fc_server_listeners_count(const struct fc_server *server)
{
    return server->listeners_count;
}

const struct fc_listener *fc_server_listener(const struct fc_server *server, size_t index)
{
    return &server->listeners[index].facts;
}

fc_code fc_server_reload_tls(struct fc_server *server, struct fc_error *err)
{
    fc_code first = FC_OK;
    for (size_t index = 0; index < server->listeners_count; index++) {
        const struct server_listener *listener = &server->listeners[index];
        struct fc_error why;
        fc_code code = listener->tls == NULL ? FC_OK : fc_tls_reload(listener->tls, &why);
        if (code != FC_OK) {
            fc_diag_report(server->config.diag, FC_DIAG_ERROR,
                           "certificates not reloaded, the old ones stay: %s listener=%s",
                           why.message, listener->facts.name);
            if (first == FC_OK) {
                first =
                    fc_fail(err, code, "listener %s: %s", listener->facts.name, why.message);
            }
        }
    }
    return first;
}

size_t fc_server_loops_count(const struct fc_server *server)
{
    return server->loops_count;
}

struct fc_loop *fc_server_loop(const struct fc_server *server, size_t index)
{
    return server->loops[index].loop;
}

void fc_server_get_stats(struct fc_server *server, struct fc_server_stats *out_stats)
{
    struct fc_server_stats stats = { 0 };
    stats.connections_accepted = atomic_load(&server->accepted);
    stats.connections_refused = atomic_load(&server->refused);
    stats.requests_bytes = atomic_load(&server->requests_bytes);
    for (size_t index = 0; index < server->loops_count; index++) {
        stats.requests += atomic_load(&server->loops[index].requests);
        stats.bytes_in += atomic_load(&server->loops[index].bytes_in);
        stats.bytes_out += atomic_load(&server->loops[index].bytes_out);
    }
    (void)pthread_mutex_lock(&server->lock);
    stats.connections = server->connections_open;
    (void)pthread_mutex_unlock(&server->lock);
    *out_stats = stats;
}
