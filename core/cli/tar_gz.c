/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/tar_gz.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "core/base/alloc.h"

enum { BLOCK_SIZE = 512 };

struct fc_tar_gz {
    gzFile file;
};

/* A header of POSIX.1-1988 ustar; numbers are octal text. */
struct ustar {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char linkname[100];
    char magic[6];
    char version[2];
    char uname[32];
    char gname[32];
    char devmajor[8];
    char devminor[8];
    char prefix[155];
    char padding[12];
};
static_assert(sizeof(struct ustar) == BLOCK_SIZE, "a tar header is one block");

fc_code fc_tar_gz_new(const char *path, struct fc_tar_gz **out_tar, struct fc_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    gzFile file = fd < 0 ? NULL : gzdopen(fd, "wb");
    if (file == NULL) {
        int reason = errno;
        if (fd >= 0) {
            (void)close(fd); /* empty */
        }
        return fc_fail(err, FC_ERR_IO, "%s: %s", path, strerrordesc_np(reason));
    }
    *out_tar = fc_new(struct fc_tar_gz);
    (*out_tar)->file = file;
    return FC_OK;
}

static fc_code put(struct fc_tar_gz *tar, const void *bytes, size_t size, struct fc_error *err)
{
    int code = Z_OK;
    if (size > 0 && gzwrite(tar->file, bytes, (unsigned)size) != (int)size) {
        return fc_fail(err, FC_ERR_IO, "archive: %s", gzerror(tar->file, &code));
    }
    return FC_OK;
}

static void set_checksum(struct ustar *header)
{
    const unsigned char *bytes = (const unsigned char *)header;
    unsigned sum = 0;
    memset(header->checksum, ' ', sizeof(header->checksum));
    for (size_t index = 0; index < sizeof(*header); index++) {
        sum += bytes[index];
    }
    (void)snprintf(header->checksum, 7, "%06o", sum);
    header->checksum[7] = ' ';
}

fc_code fc_tar_gz_add(struct fc_tar_gz *tar, const char *name, struct fc_slice bytes,
                      int64_t modified_s, struct fc_error *err)
{
    static const char zeros[BLOCK_SIZE] = { 0 };
    struct ustar header;
    fc_code code;
    memset(&header, 0, sizeof(header));
    fc_assert(strlen(name) < sizeof(header.name) && bytes.len < UINT32_MAX);
    memcpy(header.name, name, strlen(name));
    (void)snprintf(header.mode, sizeof(header.mode), "%07o", 0600U);
    (void)snprintf(header.uid, sizeof(header.uid), "%07o", 0U);
    (void)snprintf(header.gid, sizeof(header.gid), "%07o", 0U);
    (void)snprintf(header.size, sizeof(header.size), "%011zo", bytes.len);
    (void)snprintf(header.mtime, sizeof(header.mtime), "%011" PRIo64,
                   (uint64_t)modified_s & UINT64_C(077777777777));
    header.type = '0';
    memcpy(header.magic, "ustar", 6);
    memcpy(header.version, "00", 2);
    set_checksum(&header);
    code = put(tar, &header, sizeof(header), err);
    if (code == FC_OK) {
        code = put(tar, bytes.data, bytes.len, err);
    }
    if (code == FC_OK && bytes.len % BLOCK_SIZE != 0) {
        code = put(tar, zeros, BLOCK_SIZE - bytes.len % BLOCK_SIZE, err);
    }
    return code;
}

fc_code fc_tar_gz_end(struct fc_tar_gz *tar, struct fc_error *err)
{
    static const char zeros[2 * BLOCK_SIZE] = { 0 };
    fc_code code = put(tar, zeros, sizeof(zeros), err);
    if (gzclose(tar->file) != Z_OK && code == FC_OK) {
        code = fc_fail(err, FC_ERR_IO, "archive: it could not be written");
    }
    free(tar);
    return code;
}
