/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/auth/principal.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"

enum { GROUPS_MAX = 10, NAME_MAX_BYTES = 4096 };

struct rule {
    bool is_default;
    regex_t pattern;
    char *replacement;
    char letter_case; /* L, U, or 0 */
};

struct fc_principal_rules {
    struct rule *rules;
    size_t count;
};

/* The next slash that has no backslash before it; NULL: none. */
static const char *next_slash(const char *from)
{
    for (const char *at = from; *at != '\0'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            at++;
        } else if (*at == '/') {
            return at;
        }
    }
    return NULL;
}

/* A copy in which \/ is a plain slash. */
static char *copy_part(const char *from, const char *end)
{
    char *copy = fc_strndup(from, (size_t)(end - from));
    char *to = copy;
    for (const char *at = copy; *at != '\0'; at++) {
        if (at[0] == '\\' && at[1] == '/') {
            at++;
        }
        *to++ = *at;
    }
    *to = '\0';
    return copy;
}

static fc_code read_rule(const char *text, struct rule *rule, struct fc_error *err)
{
    const char *pattern = text + strlen("RULE:");
    const char *replacement;
    const char *end;
    char *expression;
    int failed;
    if (strcmp(text, "DEFAULT") == 0) {
        rule->is_default = true;
        return FC_OK;
    }
    if (strncmp(text, "RULE:", strlen("RULE:")) != 0 ||
        (replacement = next_slash(pattern)) == NULL ||
        (end = next_slash(replacement + 1)) == NULL || strlen(end) > 2 ||
        (end[1] != '\0' && end[1] != 'L' && end[1] != 'U')) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "\"%s\" is neither DEFAULT nor RULE:pattern/replacement/ with L or U",
                       text);
    }
    expression = copy_part(pattern, replacement);
    failed = regcomp(&rule->pattern, expression, REG_EXTENDED);
    free(expression);
    if (failed != 0) {
        char why[128];
        (void)regerror(failed, &rule->pattern, why, sizeof(why));
        rule->is_default = true; /* nothing to free */
        return fc_fail(err, FC_ERR_CONFIG, "\"%s\": %s", text, why);
    }
    rule->replacement = copy_part(replacement + 1, end);
    rule->letter_case = end[1];
    return FC_OK;
}

fc_code fc_principal_rules_new(const char *const *rules, size_t count,
                               struct fc_principal_rules **out_rules, struct fc_error *err)
{
    struct fc_principal_rules *made = fc_new(struct fc_principal_rules);
    fc_code code = FC_OK;
    made->rules = fc_new_array(struct rule, count + 1);
    for (size_t index = 0; code == FC_OK && index < count; index++) {
        code = read_rule(rules[index], &made->rules[index], err);
        if (code == FC_OK) {
            made->count++;
        }
    }
    if (code != FC_OK) {
        fc_principal_rules_free(made);
        return code;
    }
    *out_rules = made;
    return FC_OK;
}

void fc_principal_rules_free(struct fc_principal_rules *rules)
{
    if (rules == NULL) {
        return;
    }
    for (size_t index = 0; index < rules->count; index++) {
        if (!rules->rules[index].is_default) {
            regfree(&rules->rules[index].pattern);
            free(rules->rules[index].replacement);
        }
    }
    free(rules->rules);
    free(rules);
}

static void append_cased(struct fc_buf *to, const char *text, size_t len, char letter_case)
{
    for (size_t index = 0; index < len; index++) {
        unsigned char letter = (unsigned char)text[index];
        int changed = letter_case == 'L'   ? tolower(letter)
                      : letter_case == 'U' ? toupper(letter)
                                           : letter;
        fc_buf_append_u8(to, (uint8_t)changed);
    }
}

static void replace(const struct rule *rule, const char *subject, const regmatch_t *groups,
                    struct fc_buf *to)
{
    for (const char *at = rule->replacement; *at != '\0'; at++) {
        if (at[0] == '$' && at[1] >= '0' && at[1] <= '9') {
            const regmatch_t *group = &groups[at[1] - '0'];
            if (group->rm_so >= 0) {
                append_cased(to, subject + group->rm_so, (size_t)(group->rm_eo - group->rm_so),
                             rule->letter_case);
            }
            at++;
        } else {
            append_cased(to, at, 1, rule->letter_case);
        }
    }
}

char *fc_principal_of_subject(const struct fc_principal_rules *rules, const char *subject)
{
    if (rules == NULL || rules->count == 0) {
        return fc_asprintf("User:%s", subject);
    }
    for (size_t index = 0; index < rules->count; index++) {
        const struct rule *rule = &rules->rules[index];
        regmatch_t groups[GROUPS_MAX];
        struct fc_buf name;
        char *principal = NULL;
        if (rule->is_default) {
            return fc_asprintf("User:%s", subject);
        }
        if (regexec(&rule->pattern, subject, GROUPS_MAX, groups, 0) != 0 ||
            groups[0].rm_so != 0 || (size_t)groups[0].rm_eo != strlen(subject)) {
            continue;
        }
        fc_buf_init(&name, NAME_MAX_BYTES);
        replace(rule, subject, groups, &name);
        if (!name.failed && name.len > 0) {
            principal = fc_asprintf("User:%.*s", (int)name.len, (const char *)name.data);
        }
        fc_buf_release(&name);
        return principal;
    }
    return NULL;
}
