/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/cli/commands.h"

static const char PREFIX[] = "fluvio-";

enum { NAMES_MAX = 200 };

/* The directory at *at of a list parted by ':', to be freed; NULL at the end. */
static char *next_dir(const char **at)
{
    size_t len;
    char *dir;
    if (*at == NULL) {
        return NULL;
    }
    len = strcspn(*at, ":");
    dir = len == 0 ? fc_strdup(".") : fc_strndup(*at, len);
    *at = (*at)[len] == ':' ? *at + len + 1 : NULL;
    return dir;
}

static bool is_program(const char *path)
{
    struct stat info;
    return access(path, X_OK) == 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool fc_cli_run_extension(struct fc_cli *cli, const char *name, char **argv)
{
    const char *at = cli->env.path;
    char *dir;
    if (strchr(name, '/') != NULL) {
        return false;
    }
    while ((dir = next_dir(&at)) != NULL) {
        char *path = fc_asprintf("%s/%s%s", dir, PREFIX, name);
        free(dir);
        if (is_program(path)) {
            char *own = argv[0];
            argv[0] = path;
            (void)execv(path, argv); /* returns only on failure */
            fc_cli_tell(cli, "%s: %s", path,
                        errno == ENOENT ? "its interpreter (#!) is not there"
                                        : strerrordesc_np(errno));
            argv[0] = own;
            free(path);
            return true;
        }
        free(path);
    }
    return false;
}

struct listing {
    char *names[NAMES_MAX];
    size_t count;
};

static void add_name(struct listing *listing, const char *dir, const char *file)
{
    const char *name = file + strlen(PREFIX);
    char *path = fc_asprintf("%s/%s", dir, file);
    bool known = !is_program(path) || fc_cli_find(NULL, name) != NULL ||
                 fc_cli_is_group(name) || *name == '\0';
    for (size_t index = 0; index < listing->count && !known; index++) {
        known = strcmp(listing->names[index], name) == 0;
    }
    if (!known && listing->count < NAMES_MAX) {
        listing->names[listing->count++] = fc_strdup(name);
    }
    free(path);
}

static void add_dir(struct listing *listing, const char *dir)
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    if (stream == NULL) {
        return; /* PATH may name what is not there */
    }
    while ((entry = readdir(stream)) != NULL) { /* NOLINT(concurrency-mt-unsafe): own stream */
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0) {
            add_name(listing, dir, entry->d_name);
        }
    }
    (void)closedir(stream); /* only read from */
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void fc_cli_list_extensions(const struct fc_cli *cli,
                            void (*on_name)(void *ctx, const char *name), void *ctx)
{
    struct listing *listing = fc_new(struct listing);
    const char *at = cli->env.path;
    char *dir;
    while ((dir = next_dir(&at)) != NULL) {
        add_dir(listing, dir);
        free(dir);
    }
    qsort(listing->names, listing->count, sizeof(*listing->names), by_name);
    for (size_t index = 0; index < listing->count; index++) {
        on_name(ctx, listing->names[index]);
        free(listing->names[index]);
    }
    free(listing);
}
