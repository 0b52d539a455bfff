/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a small .tar.gz (POSIX ustar, compressed by zlib), file by file. */
#ifndef FC_CLI_TAR_GZ_H
#define FC_CLI_TAR_GZ_H

#include "core/base/error.h"
#include "core/base/slice.h"

struct fc_tar_gz;

/* The file must not exist; mode 0600. */
FC_MUST_CHECK fc_code fc_tar_gz_new(const char *path, struct fc_tar_gz **out_tar,
                                    struct fc_error *err);
/* name: at most 99 characters, '/' between directories. */
FC_MUST_CHECK fc_code fc_tar_gz_add(struct fc_tar_gz *tar, const char *name,
                                    struct fc_slice bytes, int64_t modified_s,
                                    struct fc_error *err);
/* Ends the archive and frees; without it being called the file is of no use. */
FC_MUST_CHECK fc_code fc_tar_gz_end(struct fc_tar_gz *tar, struct fc_error *err);

#endif
