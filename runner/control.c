/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket's path is limited to 108 bytes, a data directory's is not: both sides open the
 * directory and name the socket through /proc/self/fd.
 */
#include "runner/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "core/base/alloc.h"
#include "core/base/clock.h"

enum { BACKLOG = 16 };

struct fc_control {
    struct fc_control_config config;
    int dir_fd;
    int listen_fd;
    int wake_fd; /* readable when the thread shall end */
    pthread_t thread;
    bool thread_runs;
};

static void close_fd(int fd)
{
    if (fd >= 0) {
        (void)close(fd); /* sockets and directories: nothing is lost */
    }
}

static void socket_address(int dir_fd, struct sockaddr_un *out_address)
{
    memset(out_address, 0, sizeof(*out_address));
    out_address->sun_family = AF_UNIX;
    (void)snprintf(out_address->sun_path, sizeof(out_address->sun_path), "/proc/self/fd/%d/%s",
                   dir_fd, FC_CONTROL_NAME);
}

/* --- lines, with a deadline --------------------------------------------------------------- */

/* Wait until fd is ready. FC_ERR_CLOSED when wake_fd (-1: none) became readable first. */
static fc_code wait_ready(int fd, short events, int wake_fd, int64_t deadline_ms,
                          struct fc_error *err)
{
    for (;;) {
        struct pollfd waits[2] = { { .fd = fd, .events = events },
                                   { .fd = wake_fd, .events = POLLIN } };
        int64_t left_ms = deadline_ms - fc_clock_steady_ms(fc_clock_system());
        int ready = left_ms <= 0 ? 0 : poll(waits, 2, (int)left_ms);
        if (ready < 0 && errno != EINTR) {
            return fc_fail(err, FC_ERR_IO, "poll: %s", strerrordesc_np(errno));
        }
        if (ready == 0) {
            return fc_fail(err, FC_ERR_TIMEOUT, "no answer in time");
        }
        if (ready > 0 && waits[1].revents != 0) {
            return fc_fail(err, FC_ERR_CLOSED, "ending");
        }
        if (ready > 0 && waits[0].revents != 0) {
            return FC_OK;
        }
    }
}

/* Read up to a newline, which is left out. FC_ERR_CLOSED when the peer ends before one. */
static fc_code read_line(int fd, int wake_fd, int64_t deadline_ms, struct fc_buf *line,
                         struct fc_error *err)
{
    for (;;) {
        uint8_t chunk[4096];
        const uint8_t *newline;
        ssize_t got = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
        if (got < 0 && errno != EAGAIN && errno != EINTR) {
            return fc_fail(err, FC_ERR_IO, "control socket: %s", strerrordesc_np(errno));
        }
        if (got == 0) {
            return fc_fail(err, FC_ERR_CLOSED, "it ended before it answered");
        }
        if (got < 0) {
            fc_code code = wait_ready(fd, POLLIN, wake_fd, deadline_ms, err);
            if (code != FC_OK) {
                return code;
            }
            continue;
        }
        newline = memchr(chunk, '\n', (size_t)got);
        fc_buf_append(line, chunk, newline == NULL ? (size_t)got : (size_t)(newline - chunk));
        if (line->failed) {
            return fc_fail(err, FC_ERR_LIMIT, "a line of more than %d bytes",
                           FC_CONTROL_LINE_MAX);
        }
        if (newline != NULL) {
            return FC_OK;
        }
    }
}

static fc_code write_line(int fd, int wake_fd, int64_t deadline_ms, struct fc_slice line,
                          struct fc_error *err)
{
    size_t sent = 0;
    while (sent < line.len + 1) {
        const void *from = sent < line.len ? (const void *)(line.data + sent) : "\n";
        size_t size = sent < line.len ? line.len - sent : 1;
        ssize_t put = send(fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno != EAGAIN && errno != EINTR) {
            return fc_fail(err, FC_ERR_IO, "control socket: %s", strerrordesc_np(errno));
        }
        if (put < 0) {
            fc_code code = wait_ready(fd, POLLOUT, wake_fd, deadline_ms, err);
            if (code != FC_OK) {
                return code;
            }
            continue;
        }
        sent += (size_t)put;
    }
    return FC_OK;
}

/* --- server ------------------------------------------------------------------------------- */

static void answer_error(struct fc_buf *reply, const char *message)
{
    json_t *json = json_pack("{s:s}", "error", message);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    fc_buf_clear(reply);
    fc_buf_append_text(reply, text == NULL ? "{\"error\":\"not UTF-8\"}" : text);
    free(text);
    json_decref(json);
}

static void answer(const struct fc_control *control, struct fc_slice request,
                   struct fc_buf *reply)
{
    const struct fc_control_config *config = &control->config;
    struct fc_error error = { 0 };
    if (fc_slice_equal_text(request, "status")) {
        config->on_status(config->ctx, reply);
    } else if (fc_slice_equal_text(request, "stop")) {
        config->on_stop(config->ctx);
        fc_buf_append_text(reply, "{\"ok\":true}");
    } else if (request.len > 5 && memcmp(request.data, "mark ", 5) == 0) {
        struct fc_slice json = fc_slice_of(request.data + 5, request.len - 5);
        if (config->on_mark == NULL) {
            answer_error(reply, "this runner takes no marks");
        } else if (config->on_mark(config->ctx, json, &error) != FC_OK) {
            answer_error(reply, error.message);
        } else {
            fc_buf_append_text(reply, "{\"ok\":true}");
        }
    } else {
        answer_error(reply, "not a request: status, mark <json> or stop");
    }
    if (reply->failed) {
        answer_error(reply, "the answer is too long");
    }
}

static void serve(const struct fc_control *control, int fd)
{
    int64_t now_ms = fc_clock_steady_ms(fc_clock_system());
    struct fc_buf request;
    struct fc_buf reply;
    struct fc_error error = { 0 };
    fc_code code;
    fc_buf_init(&request, FC_CONTROL_LINE_MAX);
    fc_buf_init(&reply, FC_CONTROL_LINE_MAX);
    code = read_line(fd, control->wake_fd, now_ms + FC_CONTROL_WAIT_MS, &request, &error);
    if (code == FC_OK) {
        answer(control, fc_buf_slice(&request), &reply);
    } else if (code == FC_ERR_LIMIT) {
        answer_error(&reply, error.message);
    }
    if (reply.len > 0) {
        now_ms = fc_clock_steady_ms(fc_clock_system());
        /* A client that went away does not want its answer. */
        (void)write_line(fd, control->wake_fd, now_ms + FC_CONTROL_WAIT_MS,
                         fc_buf_slice(&reply), &error);
    }
    fc_buf_release(&request);
    fc_buf_release(&reply);
}

static void *control_thread(void *ctx)
{
    const struct fc_control *control = ctx;
    for (;;) {
        struct pollfd waits[2] = { { .fd = control->listen_fd, .events = POLLIN },
                                   { .fd = control->wake_fd, .events = POLLIN } };
        int ready = poll(waits, 2, -1);
        int fd;
        if (ready < 0 && errno != EINTR) {
            return NULL;
        }
        if (ready > 0 && waits[1].revents != 0) {
            return NULL;
        }
        fd = ready > 0 ? accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0) {
            serve(control, fd);
            close_fd(fd);
        }
    }
}

static fc_code listen_at(struct fc_control *control, struct fc_error *err)
{
    struct sockaddr_un address;
    const char *dir = control->config.dir;
    control->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (control->dir_fd < 0) {
        return fc_fail(err, FC_ERR_IO, "%s: %s", dir, strerrordesc_np(errno));
    }
    control->wake_fd = eventfd(0, EFD_CLOEXEC);
    control->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->wake_fd < 0 || control->listen_fd < 0) {
        return fc_fail(err, FC_ERR_IO, "control socket: %s", strerrordesc_np(errno));
    }
    if (unlinkat(control->dir_fd, FC_CONTROL_NAME, 0) != 0 && errno != ENOENT) {
        return fc_fail(err, FC_ERR_IO, "%s/%s: %s", dir, FC_CONTROL_NAME,
                       strerrordesc_np(errno));
    }
    socket_address(control->dir_fd, &address);
    /* Set before bind, the mode is that of the file from its first moment on. */
    if (fchmod(control->listen_fd, 0600) != 0 ||
        bind(control->listen_fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(control->listen_fd, BACKLOG) != 0) {
        return fc_fail(err, FC_ERR_IO, "%s/%s: %s", dir, FC_CONTROL_NAME,
                       strerrordesc_np(errno));
    }
    return FC_OK;
}

fc_code fc_control_start(const struct fc_control_config *config,
                         struct fc_control **out_control, struct fc_error *err)
{
    struct fc_control *control = fc_new(struct fc_control);
    fc_code code;
    control->config = *config;
    control->dir_fd = -1;
    control->listen_fd = -1;
    control->wake_fd = -1;
    code = listen_at(control, err);
    if (code == FC_OK && pthread_create(&control->thread, NULL, control_thread, control) != 0) {
        code = fc_fail(err, FC_ERR_NOMEM, "no thread for the control socket");
    }
    if (code != FC_OK) {
        fc_control_stop(control);
        return code;
    }
    control->thread_runs = true;
    *out_control = control;
    return FC_OK;
}

void fc_control_stop(struct fc_control *control)
{
    if (control == NULL) {
        return;
    }
    if (control->thread_runs) {
        uint64_t one = 1;
        ssize_t put = write(control->wake_fd, &one, sizeof(one));
        fc_assert(put == (ssize_t)sizeof(one)); /* an eventfd at 0 takes a 1 */
        (void)pthread_join(control->thread, NULL);
        (void)unlinkat(control->dir_fd, FC_CONTROL_NAME, 0); /* the next runner replaces it */
    }
    close_fd(control->listen_fd);
    close_fd(control->wake_fd);
    close_fd(control->dir_fd);
    free(control);
}

/* --- client ------------------------------------------------------------------------------- */

static fc_code connect_to(const char *dir, int *out_fd, struct fc_error *err)
{
    struct sockaddr_un address;
    int failed;
    int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd;
    if (dir_fd < 0) {
        return fc_fail(err, errno == ENOENT ? FC_ERR_NOT_FOUND : FC_ERR_IO,
                       "no runner has %s open: %s", dir, strerrordesc_np(errno));
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socket_address(dir_fd, &address);
    failed = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof(address));
    failed = failed != 0 ? errno : 0;
    close_fd(dir_fd);
    if (failed == 0) {
        *out_fd = fd;
        return FC_OK;
    }
    close_fd(fd);
    if (failed == ENOENT || failed == ECONNREFUSED) {
        return fc_fail(err, FC_ERR_NOT_FOUND, "no runner has %s open", dir);
    }
    return fc_fail(err, failed == EAGAIN ? FC_ERR_TIMEOUT : FC_ERR_IO, "%s/%s: %s", dir,
                   FC_CONTROL_NAME, strerrordesc_np(failed));
}

/* {"error": "..."} becomes the error itself. */
static fc_code check_reply(const char *dir, const struct fc_buf *reply, struct fc_error *err)
{
    json_t *json = json_loadb((const char *)reply->data, reply->len, 0, NULL);
    const char *message = json_string_value(json_object_get(json, "error"));
    fc_code code = FC_OK;
    if (!json_is_object(json)) {
        code = fc_fail(err, FC_ERR_PROTOCOL, "the runner of %s gave no JSON object", dir);
    } else if (message != NULL) {
        code = fc_fail(err, FC_ERR_REJECTED, "the runner of %s: %s", dir, message);
    }
    json_decref(json);
    return code;
}

fc_code fc_control_call(const char *dir, struct fc_slice request, struct fc_buf *reply,
                        struct fc_error *err)
{
    bool is_mark = request.len > 5 && memcmp(request.data, "mark ", 5) == 0;
    int64_t deadline_ms = fc_clock_steady_ms(fc_clock_system()) +
                          (is_mark ? FC_CONTROL_MARK_WAIT_MS : FC_CONTROL_WAIT_MS);
    int fd = -1;
    fc_code code = connect_to(dir, &fd, err);
    if (code != FC_OK) {
        return code;
    }
    code = write_line(fd, -1, deadline_ms, request, err);
    if (code == FC_OK) {
        code = read_line(fd, -1, deadline_ms, reply, err);
    }
    close_fd(fd);
    if (code != FC_OK) {
        (void)fc_wrap(err, "ask the runner of %s", dir);
        return code;
    }
    return check_reply(dir, reply, err);
}
