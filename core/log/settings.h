/* SPDX-License-Identifier: Apache-2.0 */
/* Named settings as text ("retention.ms" is "1000"), in order of names: what was set on a topic
 * explicitly, known to this build or not. Not thread-safe. */
#ifndef FC_LOG_SETTINGS_H
#define FC_LOG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

struct fc_setting {
    char *key;
    char *value;
};

struct fc_settings {
    struct fc_setting *items;
    size_t count;
};

/* A zeroed struct is an empty list. */
void fc_settings_release(struct fc_settings *settings);

/* to is empty or is given back first. */
void fc_settings_copy(struct fc_settings *to, const struct fc_settings *from);

/* NULL when it is not set; borrowed until the list changes. */
const char *fc_settings_get(const struct fc_settings *settings, const char *key);

/* Both are copied. */
void fc_settings_put(struct fc_settings *settings, const char *key, const char *value);

/* Nothing happens when it is not set. */
void fc_settings_remove(struct fc_settings *settings, const char *key);

bool fc_settings_equal(const struct fc_settings *a, const struct fc_settings *b);

#endif
