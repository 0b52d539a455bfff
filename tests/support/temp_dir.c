/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/temp_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/alloc.h"

char *temp_dir_new(void)
{
    const char *base = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    char *path = fc_asprintf("%s/fluvio-test-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(path) == NULL) {
        perror(path);
        abort();
    }
    return path;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void temp_dir_free(char *path)
{
    if (path != NULL) {
        (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* what is left is in /tmp */
        free(path);
    }
}
