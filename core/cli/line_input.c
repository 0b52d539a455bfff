/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/line_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_SIZE = 64 * 1024 };

fc_code fc_line_input_open(const char *path, size_t line_bytes_max,
                           struct fc_line_input *out_input, struct fc_error *err)
{
    bool is_file = path != NULL && strcmp(path, "-") != 0;
    int fd = is_file ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    int wake_fd;
    struct stat info;
    if (fd < 0) {
        return fc_fail(err, FC_ERR_CONFIG, "%s: %s", path, strerrordesc_np(errno));
    }
    if (is_file && fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
        (void)close(fd); /* nothing was read */
        return fc_fail(err, FC_ERR_CONFIG, "%s: %s", path, strerrordesc_np(EISDIR));
    }
    wake_fd = eventfd(0, EFD_CLOEXEC);
    if (wake_fd < 0) {
        if (is_file) {
            (void)close(fd); /* only read from */
        }
        return fc_fail(err, FC_ERR_IO, "eventfd: %s", strerrordesc_np(errno));
    }
    memset(out_input, 0, sizeof(*out_input));
    out_input->fd = fd;
    out_input->wake_fd = wake_fd;
    out_input->owned = is_file;
    out_input->path = is_file ? path : "stdin";
    fc_buf_init(&out_input->buf, line_bytes_max + CHUNK_SIZE);
    return FC_OK;
}

void fc_line_input_close(struct fc_line_input *input)
{
    if (input->owned) {
        (void)close(input->fd); /* only read from */
    }
    (void)close(input->wake_fd);
    fc_buf_release(&input->buf);
}

void fc_line_input_stop(struct fc_line_input *input)
{
    uint64_t one = 1;
    /* An eventfd takes a 1 until it nearly overflows. */
    ssize_t put = write(input->wake_fd, &one, sizeof(one));
    (void)put;
}

/* One more piece; FC_ERR_TIMEOUT when none came. A stop is the end of the input. */
static fc_code fill(struct fc_line_input *input, int wait_ms, struct fc_error *err)
{
    struct pollfd waits[2] = { { .fd = input->wake_fd, .events = POLLIN },
                               { .fd = input->fd, .events = POLLIN } };
    uint8_t *to;
    ssize_t got;
    int ready = poll(waits, 2, wait_ms);
    if (ready == 0 || (ready < 0 && errno == EINTR)) {
        return fc_fail(err, FC_ERR_TIMEOUT, "nothing was given");
    }
    if (waits[0].revents != 0) {
        input->at_end = true;
        return FC_OK;
    }
    if (input->begin > 0) {
        memmove(input->buf.data, input->buf.data + input->begin, input->buf.len - input->begin);
        input->buf.len -= input->begin;
        input->scanned -= input->begin;
        input->begin = 0;
    }
    to = fc_buf_reserve(&input->buf, CHUNK_SIZE);
    if (to == NULL) {
        return fc_fail(err, FC_ERR_LIMIT, "the input holds a record of more than %zu MB",
                       (input->buf.limit - CHUNK_SIZE) / 1000000);
    }
    got = read(input->fd, to, CHUNK_SIZE);
    if (got < 0) {
        return errno == EINTR || errno == EAGAIN
                   ? FC_OK
                   : fc_fail(err, FC_ERR_IO, "%s: %s", input->path, strerrordesc_np(errno));
    }
    input->buf.len += (size_t)got;
    input->at_end = got == 0;
    return FC_OK;
}

fc_code fc_line_input_next(struct fc_line_input *input, int wait_ms, struct fc_slice *out_line,
                           bool *out_more, struct fc_error *err)
{
    for (;;) {
        const uint8_t *from = input->buf.data + input->scanned;
        size_t len = input->buf.len - input->scanned;
        const uint8_t *end = len == 0 ? NULL : memchr(from, '\n', len);
        if (end != NULL || (input->at_end && input->buf.len > input->begin)) {
            size_t stop = end != NULL ? (size_t)(end - input->buf.data) : input->buf.len;
            size_t next = end != NULL ? stop + 1 : stop;
            *out_line = fc_slice_of(input->buf.data + input->begin, stop - input->begin);
            if (out_line->len > 0 && out_line->data[out_line->len - 1] == '\r') {
                out_line->len--;
            }
            *out_more = true;
            input->begin = next;
            input->scanned = next;
            return FC_OK;
        }
        input->scanned = input->buf.len;
        if (input->at_end) {
            *out_more = false;
            return FC_OK;
        }
        if (fill(input, wait_ms, err) != FC_OK) {
            return err->code;
        }
    }
}

fc_code fc_line_input_rest(struct fc_line_input *input, struct fc_slice *out_rest,
                           struct fc_error *err)
{
    while (!input->at_end) {
        if (fill(input, -1, err) != FC_OK && err->code != FC_ERR_TIMEOUT) {
            return err->code;
        }
    }
    *out_rest = fc_slice_of(input->buf.data + input->begin, input->buf.len - input->begin);
    input->begin = input->buf.len;
    return FC_OK;
}
