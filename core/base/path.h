/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text: nothing is looked up on the disk but the working directory. */
#ifndef FC_BASE_PATH_H
#define FC_BASE_PATH_H

#include "core/base/error.h"

/* A path that stands in `file`, seen from the working directory: a relative one starts at the
 * file's own directory. To be freed. */
char *fc_path_beside(const char *file, const char *path);

/* The same path from the root, for another process or a later time; to be freed. Errors:
 * FC_ERR_IO when the working directory has no name. */
FC_MUST_CHECK fc_code fc_path_absolute(const char *path, char **out_path, struct fc_error *err);

#endif
