/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/settings.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

void fc_settings_release(struct fc_settings *settings)
{
    for (size_t index = 0; index < settings->count; index++) {
        free(settings->items[index].key);
        free(settings->items[index].value);
    }
    free(settings->items);
    memset(settings, 0, sizeof(*settings));
}

void fc_settings_copy(struct fc_settings *to, const struct fc_settings *from)
{
    struct fc_settings made = { 0 };
    if (from->count > 0) {
        made.items = fc_new_array(struct fc_setting, from->count);
    }
    for (size_t index = 0; index < from->count; index++) {
        made.items[index].key = fc_strdup(from->items[index].key);
        made.items[index].value = fc_strdup(from->items[index].value);
    }
    made.count = from->count;
    fc_settings_release(to);
    *to = made;
}

/* Where the key is, or would be. */
static size_t place_of(const struct fc_settings *settings, const char *key, bool *out_found)
{
    size_t place = 0;
    int order = 1;
    while (place < settings->count && order > 0) {
        order = strcmp(key, settings->items[place].key);
        if (order > 0) {
            place++;
        }
    }
    *out_found = place < settings->count && order == 0;
    return place;
}

const char *fc_settings_get(const struct fc_settings *settings, const char *key)
{
    bool found = false;
    size_t place = place_of(settings, key, &found);
    return found ? settings->items[place].value : NULL;
}

void fc_settings_put(struct fc_settings *settings, const char *key, const char *value)
{
    bool found = false;
    size_t place = place_of(settings, key, &found);
    char *copy = fc_strdup(value);
    if (found) {
        free(settings->items[place].value);
    } else {
        settings->items =
            fc_realloc_array(settings->items, settings->count + 1, sizeof(struct fc_setting));
        memmove(settings->items + place + 1, settings->items + place,
                (settings->count - place) * sizeof(struct fc_setting));
        settings->items[place].key = fc_strdup(key);
        settings->count++;
    }
    settings->items[place].value = copy;
}

void fc_settings_remove(struct fc_settings *settings, const char *key)
{
    bool found = false;
    size_t place = place_of(settings, key, &found);
    if (found) {
        free(settings->items[place].key);
        free(settings->items[place].value);
        settings->count--;
        memmove(settings->items + place, settings->items + place + 1,
                (settings->count - place) * sizeof(struct fc_setting));
    }
}

bool fc_settings_equal(const struct fc_settings *a, const struct fc_settings *b)
{
    bool equal = a->count == b->count;
    for (size_t index = 0; equal && index < a->count; index++) {
        equal = strcmp(a->items[index].key, b->items[index].key) == 0 &&
                strcmp(a->items[index].value, b->items[index].value) == 0;
    }
    return equal;
}
