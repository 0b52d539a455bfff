/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"

static const char *without_dot(const char *path)
{
    return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

char *fc_path_beside(const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    if (*path == '/' || slash == NULL) {
        return fc_strdup(path);
    }
    return fc_asprintf("%.*s/%s", (int)(slash - file), file, without_dot(path));
}

fc_code fc_path_absolute(const char *path, char **out_path, struct fc_error *err)
{
    char *here;
    if (*path == '/') {
        *out_path = fc_strdup(path);
        return FC_OK;
    }
    here = getcwd(NULL, 0);
    if (here == NULL) {
        return fc_fail(err, FC_ERR_IO, "the working directory: %s", strerrordesc_np(errno));
    }
    *out_path = fc_asprintf("%s/%s", strcmp(here, "/") == 0 ? "" : here, without_dot(path));
    free(here);
    return FC_OK;
}
