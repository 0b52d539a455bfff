/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/kafka/patterns.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum { REASON_SIZE = 128 };

fc_code fc_patterns_init(struct fc_patterns *patterns, const char *what,
                         const char *const *texts, uint32_t count, uint32_t *out_bad,
                         struct fc_error *err)
{
    patterns->items = fc_new_array(struct fc_pattern, count + 1);
    for (uint32_t index = 0; index < count; index++) {
        struct fc_pattern *pattern = &patterns->items[index];
        int status = 0;
        pattern->text = texts[index];
        pattern->is_regex = *texts[index] == '^';
        if (pattern->is_regex) {
            status = regcomp(&pattern->regex, pattern->text, REG_EXTENDED | REG_NOSUB);
        }
        if (status != 0) {
            char reason[REASON_SIZE];
            (void)regerror(status, &pattern->regex, reason, sizeof(reason));
            fc_patterns_release(patterns);
            *out_bad = index;
            return fc_fail(err, FC_ERR_CONFIG, "`%s`: `%.100s` is no regular expression: %s",
                           what, texts[index], reason);
        }
        patterns->count++;
    }
    return FC_OK;
}

void fc_patterns_release(struct fc_patterns *patterns)
{
    for (uint32_t index = 0; index < patterns->count; index++) {
        if (patterns->items[index].is_regex) {
            regfree(&patterns->items[index].regex);
        }
    }
    free(patterns->items);
    memset(patterns, 0, sizeof(*patterns));
}

bool fc_patterns_match(const struct fc_patterns *patterns, const char *name)
{
    for (uint32_t index = 0; index < patterns->count; index++) {
        const struct fc_pattern *pattern = &patterns->items[index];
        if (pattern->is_regex ? regexec(&pattern->regex, name, 0, NULL, 0) == 0
                              : fnmatch(pattern->text, name, 0) == 0) {
            return true;
        }
    }
    return false;
}

bool fc_patterns_is_name(const struct fc_pattern *pattern)
{
    return !pattern->is_regex && strpbrk(pattern->text, "*?[\\") == NULL;
}
