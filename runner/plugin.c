/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin is not trusted with more than it says: ABI first, then only as many bytes of its
 * structs as it says they have, then every function that will be called must be there.
 */
#include "runner/plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/suggest.h"

static const char SUFFIX[] = ".so";

enum { NAME_LENGTH_MAX = 64, NAMES_TEXT_MAX = 300 };

struct fc_plugin {
    void *handle;
    char *path;
    struct fc_connector connector;
    struct fc_source_ops source;
    struct fc_target_ops target;
    struct fc_feed_ops feed;
    struct fc_sink_ops sink;
};

static bool is_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= NAME_LENGTH_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

/* --- where -------------------------------------------------------------------------------- */

enum { PLACES_MAX = 32 };

struct places {
    char *dirs[PLACES_MAX];
    size_t count;
};

static void add_place(struct places *places, char *dir)
{
    if (places->count < PLACES_MAX && *dir != '\0') {
        places->dirs[places->count++] = dir;
    } else {
        free(dir);
    }
}

static void places_init(struct places *places, const struct fc_plugin_search *search)
{
    const char *at = search->path_list;
    memset(places, 0, sizeof(*places));
    if (search->plugin_dir != NULL) {
        add_place(places, fc_strdup(search->plugin_dir));
    }
    while (at != NULL && *at != '\0') {
        size_t len = strcspn(at, ":");
        add_place(places, fc_strndup(at, len));
        at += len + (at[len] == ':' ? 1 : 0);
    }
    if (search->exe_dir != NULL) {
        add_place(places, fc_asprintf("%s/connectors", search->exe_dir));
        add_place(places, fc_asprintf("%s/../lib/fluvio/connectors", search->exe_dir));
    }
}

static void places_release(struct places *places)
{
    for (size_t index = 0; index < places->count; index++) {
        free(places->dirs[index]);
    }
}

/* --- what is there ------------------------------------------------------------------------ */

struct found {
    char *name;
    char *path;
};

struct found_list {
    struct found *items;
    size_t count;
};

static bool list_has(const struct found_list *list, const char *name)
{
    for (size_t index = 0; index < list->count; index++) {
        if (strcmp(list->items[index].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void list_dir(struct found_list *list, const char *dir_path)
{
    DIR *dir = opendir(dir_path);
    const struct dirent *entry;
    /* A directory that is not there holds no plugins; a stream of our own makes readdir safe. */
    while (dir != NULL && (entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        size_t len = strlen(entry->d_name);
        char *name;
        if (len <= sizeof(SUFFIX) - 1 ||
            strcmp(entry->d_name + len - (sizeof(SUFFIX) - 1), SUFFIX) != 0) {
            continue;
        }
        name = fc_strndup(entry->d_name, len - (sizeof(SUFFIX) - 1));
        if (!is_name(name) || list_has(list, name)) {
            free(name);
            continue;
        }
        list->items = fc_realloc_array(list->items, list->count + 1, sizeof(*list->items));
        list->items[list->count].name = name;
        list->items[list->count].path = fc_asprintf("%s/%s", dir_path, entry->d_name);
        list->count++;
    }
    if (dir != NULL) {
        (void)closedir(dir); /* only read from */
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static void list_init(struct found_list *list, const struct places *places)
{
    memset(list, 0, sizeof(*list));
    for (size_t index = 0; index < places->count; index++) {
        list_dir(list, places->dirs[index]);
    }
    if (list->count > 1) {
        qsort(list->items, list->count, sizeof(*list->items), by_name);
    }
}

static void list_release(struct found_list *list)
{
    for (size_t index = 0; index < list->count; index++) {
        free(list->items[index].name);
        free(list->items[index].path);
    }
    free(list->items);
}

fc_code fc_plugin_each(const struct fc_plugin_search *search,
                       fc_code (*on_plugin)(void *ctx, const char *name, const char *path,
                                            struct fc_error *err),
                       void *ctx, struct fc_error *err)
{
    struct places places;
    struct found_list list;
    fc_code code = FC_OK;
    places_init(&places, search);
    list_init(&list, &places);
    for (size_t index = 0; index < list.count && code == FC_OK; index++) {
        code = on_plugin(ctx, list.items[index].name, list.items[index].path, err);
    }
    list_release(&list);
    places_release(&places);
    return code;
}

static fc_code fail_not_found(const struct places *places, const char *name,
                              struct fc_error *err)
{
    struct found_list list;
    struct fc_suggest suggest;
    struct fc_buf there;
    struct fc_buf looked;
    char hint[FC_SUGGEST_TEXT_SIZE];
    fc_code code;
    list_init(&list, places);
    fc_suggest_init(&suggest, name);
    fc_buf_init(&there, NAMES_TEXT_MAX);
    fc_buf_init(&looked, NAMES_TEXT_MAX);
    for (size_t index = 0; index < list.count; index++) {
        fc_suggest_offer(&suggest, list.items[index].name);
        fc_buf_append_fmt(&there, "%s%s", index == 0 ? "" : ", ", list.items[index].name);
    }
    for (size_t index = 0; index < places->count; index++) {
        fc_buf_append_fmt(&looked, "%s%s", index == 0 ? "" : ", ", places->dirs[index]);
    }
    code = fc_fail(err, FC_ERR_NOT_FOUND,
                   "no connector `%.64s`%s; there is: %.*s; looked for %.64s%s in %.*s", name,
                   fc_suggest_text(&suggest, hint), there.len == 0 ? 4 : (int)there.len,
                   there.len == 0 ? "none" : (const char *)there.data, name, SUFFIX,
                   (int)looked.len, looked.len == 0 ? "" : (const char *)looked.data);
    fc_buf_release(&there);
    fc_buf_release(&looked);
    list_release(&list);
    return code;
}

/* --- loading ------------------------------------------------------------------------------ */

/* Take what the plugin says it has of a struct that begins with, or holds, its size. */
static void take_sized(void *to, size_t to_size, const void *from, size_t from_size)
{
    memcpy(to, from, from_size < to_size ? from_size : to_size);
}

static bool source_is_whole(const struct fc_source_ops *ops)
{
    return ops->fields != NULL && ops->open != NULL && ops->read != NULL && ops->ack != NULL &&
           ops->interrupt != NULL && ops->engine != NULL && ops->status != NULL &&
           ops->close != NULL && ops->check != NULL;
}

static bool target_is_whole(const struct fc_target_ops *ops)
{
    return ops->open != NULL && ops->inspect != NULL && ops->load_begin != NULL &&
           ops->load_rows != NULL && ops->load_finish != NULL && ops->staging_name != NULL &&
           ops->load_commit != NULL && ops->load_abort != NULL && ops->scan != NULL &&
           ops->interrupt != NULL && ops->close != NULL;
}

static bool feed_is_whole(const struct fc_feed_ops *ops)
{
    return ops->open != NULL && ops->topics != NULL && ops->assign != NULL &&
           ops->read != NULL && ops->place != NULL && ops->groups != NULL &&
           ops->interrupt != NULL && ops->close != NULL && ops->check != NULL;
}

static bool sink_is_whole(const struct fc_sink_ops *ops)
{
    return ops->open != NULL && ops->wants != NULL && ops->prepare != NULL &&
           ops->position != NULL && ops->write != NULL && ops->reached != NULL &&
           ops->flush != NULL && ops->group != NULL && ops->wants_group != NULL &&
           ops->interrupt != NULL && ops->close != NULL && ops->check != NULL;
}

/* Full-sized copies of what the plugin has. */
static bool take_ops(struct fc_plugin *plugin)
{
    struct fc_connector *own = &plugin->connector;
    if (own->source != NULL) {
        take_sized(&plugin->source, sizeof(plugin->source), own->source, own->source->size);
        own->source = &plugin->source;
    }
    if (own->target != NULL) {
        take_sized(&plugin->target, sizeof(plugin->target), own->target, own->target->size);
        own->target = &plugin->target;
    }
    if (own->feed != NULL) {
        take_sized(&plugin->feed, sizeof(plugin->feed), own->feed, own->feed->size);
        own->feed = &plugin->feed;
    }
    if (own->sink != NULL) {
        take_sized(&plugin->sink, sizeof(plugin->sink), own->sink, own->sink->size);
        own->sink = &plugin->sink;
    }
    return (own->source == NULL || source_is_whole(own->source)) &&
           (own->target == NULL || target_is_whole(own->target)) &&
           (own->feed == NULL || feed_is_whole(own->feed)) &&
           (own->sink == NULL || sink_is_whole(own->sink));
}

static fc_code take_connector(struct fc_plugin *plugin, const struct fc_connector *given,
                              const char *name, struct fc_error *err)
{
    struct fc_connector *own = &plugin->connector;
    if (given == NULL) {
        return fc_fail(err, FC_ERR_CONFIG, "%s: fc_connector_entry gave nothing", plugin->path);
    }
    if (given->abi != FC_CONNECTOR_ABI) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "%s was built for connector ABI %u, this runner has ABI %u: build it "
                       "again with this version's headers",
                       plugin->path, given->abi, FC_CONNECTOR_ABI);
    }
    take_sized(own, sizeof(*own), given, given->size);
    if (own->name == NULL || strcmp(own->name, name) != 0) {
        return fc_fail(err, FC_ERR_CONFIG, "%s calls itself `%s`: it must be named as its file",
                       plugin->path, own->name == NULL ? "" : own->name);
    }
    if (own->options == NULL || (own->source == NULL && own->target == NULL &&
                                 own->feed == NULL && own->sink == NULL)) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "%s has no option table, or no source, target, feed or sink",
                       plugin->path);
    }
    if (!take_ops(plugin)) {
        return fc_fail(err, FC_ERR_CONFIG, "%s lacks a function that ABI %u has", plugin->path,
                       FC_CONNECTOR_ABI);
    }
    own->version = own->version == NULL ? "" : own->version;
    own->help = own->help == NULL ? "" : own->help;
    return FC_OK;
}

static fc_code open_object(struct fc_plugin *plugin, const char *name, struct fc_error *err)
{
    union {
        void *symbol;
        const struct fc_connector *(*function)(void);
    } entry = { NULL };
    const char *reason;
    plugin->handle = dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL);
    if (plugin->handle == NULL) {
        reason = dlerror(); /* NOLINT(concurrency-mt-unsafe): glibc keeps it per thread */
        return fc_fail(err, FC_ERR_CONFIG, "cannot load connector %s: %s", plugin->path,
                       reason == NULL ? "unknown reason" : reason);
    }
    entry.symbol = dlsym(plugin->handle, "fc_connector_entry");
    if (entry.symbol == NULL) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "%s is not a connector: it does not export fc_connector_entry",
                       plugin->path);
    }
    return take_connector(plugin, entry.function(), name, err);
}

static fc_code find(const struct fc_plugin_search *search, const char *name, char **out_path,
                    struct fc_error *err)
{
    struct places places;
    char *path = NULL;
    fc_code code = FC_OK;
    places_init(&places, search);
    for (size_t index = 0; is_name(name) && index < places.count && path == NULL; index++) {
        path = fc_asprintf("%s/%s%s", places.dirs[index], name, SUFFIX);
        if (access(path, F_OK) != 0) {
            free(path);
            path = NULL;
        }
    }
    if (path == NULL) {
        code = fail_not_found(&places, name, err);
    } else {
        *out_path = path;
    }
    places_release(&places);
    return code;
}

fc_code fc_plugin_find(const struct fc_plugin_search *search, const char *name,
                       struct fc_error *err)
{
    char *path = NULL;
    fc_code code = find(search, name, &path, err);
    free(path);
    return code;
}

fc_code fc_plugin_load(const struct fc_plugin_search *search, const char *name,
                       struct fc_plugin **out_plugin, struct fc_error *err)
{
    struct fc_plugin *plugin = fc_new(struct fc_plugin);
    fc_code code = find(search, name, &plugin->path, err);
    code = code == FC_OK ? open_object(plugin, name, err) : code;
    if (code != FC_OK) {
        fc_plugin_unload(plugin);
        return code;
    }
    *out_plugin = plugin;
    return FC_OK;
}

void fc_plugin_unload(struct fc_plugin *plugin)
{
    if (plugin != NULL) {
        if (plugin->handle != NULL) {
            (void)dlclose(plugin->handle); /* nothing can be done when it stays */
        }
        free(plugin->path);
        free(plugin);
    }
}

const struct fc_connector *fc_plugin_connector(const struct fc_plugin *plugin)
{
    return &plugin->connector;
}

const char *fc_plugin_path(const struct fc_plugin *plugin)
{
    return plugin->path;
}
