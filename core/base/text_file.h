/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a small file that a person wrote, whole. */
#ifndef FC_BASE_TEXT_FILE_H
#define FC_BASE_TEXT_FILE_H

#include <sys/stat.h>

#include "core/base/buf.h"

/*
 * Append the file to out, whose limit it must fit.
 *
 * what: names the file in messages, as in "secrets file "; may be "". out_info (may be NULL) is
 * what fstat said of the file that was read.
 *
 * Errors: FC_ERR_NOT_FOUND, FC_ERR_CONFIG (cannot be opened, not a regular file, larger than
 * the limit), FC_ERR_IO.
 */
FC_MUST_CHECK fc_code fc_text_file_read(const char *path, const char *what, struct fc_buf *out,
                                        struct stat *out_info, struct fc_error *err);

#endif
