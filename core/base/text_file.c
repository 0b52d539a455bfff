/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { CHUNK_SIZE = 4096 };

static fc_code read_whole(int fd, const char *path, const char *what, struct fc_buf *out,
                          struct fc_error *err)
{
    for (;;) {
        /* Near the limit only what is left of it is asked for, and then one byte more: to
         * see whether the file ends there. */
        size_t left = out->limit - out->len;
        size_t size = left == 0 ? 1 : left < CHUNK_SIZE ? left : CHUNK_SIZE;
        uint8_t probe;
        uint8_t *to = left == 0 ? &probe : fc_buf_reserve(out, size);
        ssize_t got = read(fd, to, size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fc_fail(err, FC_ERR_IO, "%s%s: %s", what, path, strerrordesc_np(errno));
        }
        if (got == 0) {
            return FC_OK;
        }
        if (left == 0) {
            return fc_fail(err, FC_ERR_CONFIG, "%s%s: larger than %zu KiB", what, path,
                           out->limit / 1024);
        }
        out->len += (size_t)got;
    }
}

fc_code fc_text_file_read(const char *path, const char *what, struct fc_buf *out,
                          struct stat *out_info, struct fc_error *err)
{
    struct stat info = { 0 };
    fc_code code;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return fc_fail(err, errno == ENOENT ? FC_ERR_NOT_FOUND : FC_ERR_CONFIG, "%s%s: %s",
                       what, path, strerrordesc_np(errno));
    }
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        code = fc_fail(err, FC_ERR_CONFIG, "%s%s: not a regular file", what, path);
    } else {
        code = read_whole(fd, path, what, out, err);
    }
    (void)close(fd); /* only read from */
    if (code == FC_OK && out_info != NULL) {
        *out_info = info;
    }
    return code;
}
