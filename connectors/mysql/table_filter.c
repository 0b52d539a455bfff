/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/table_filter.h"

#include <string.h>
#include <strings.h>

/* Glob with * only; linear but for repeated tries after the last star. */
static bool match_name(struct fc_slice pattern, struct fc_slice name)
{
    size_t at = 0;
    size_t index = 0;
    size_t star = SIZE_MAX;
    size_t retry = 0;
    while (index < name.len) {
        if (at < pattern.len && pattern.data[at] == '*') {
            star = at++;
            retry = index;
        } else if (at < pattern.len && pattern.data[at] == name.data[index]) {
            at++;
            index++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            index = ++retry;
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.data[at] == '*') {
        at++;
    }
    return at == pattern.len;
}

/* "a.b" at its first dot. */
static bool split(const char *pattern, struct fc_slice *out_db, struct fc_slice *out_table)
{
    const char *dot = strchr(pattern, '.');
    if (dot == NULL || dot == pattern || dot[1] == '\0') {
        return false;
    }
    *out_db = fc_slice_of(pattern, (size_t)(dot - pattern));
    *out_table = fc_slice_text(dot + 1);
    return true;
}

static fc_code check_patterns(const struct fc_host *host, const char *key,
                              const char *const *patterns, uint32_t count, struct fc_error *err)
{
    struct fc_slice db;
    struct fc_slice table;
    for (uint32_t index = 0; index < count; index++) {
        if (!split(patterns[index], &db, &table)) {
            (void)fc_fail(err, FC_ERR_CONFIG, "%s: \"%s\" is not of the form database.table",
                          key, patterns[index]);
            return fc_option_wrap(host, key, index, err);
        }
        if (fc_table_filter_is_system(db) && strcmp(key, "tables") == 0) {
            (void)fc_fail(err, FC_ERR_CONFIG,
                          "%s: \"%s\" names a database of the server itself", key,
                          patterns[index]);
            return fc_option_wrap(host, key, index, err);
        }
    }
    return FC_OK;
}

fc_code fc_table_filter_init(struct fc_table_filter *filter, const struct fc_host *host,
                             struct fc_error *err)
{
    fc_code code;
    filter->include_count = host->option_list(host, "tables", &filter->include);
    filter->exclude_count = host->option_list(host, "exclude-tables", &filter->exclude);
    code = check_patterns(host, "tables", filter->include, filter->include_count, err);
    if (code == FC_OK) {
        code =
            check_patterns(host, "exclude-tables", filter->exclude, filter->exclude_count, err);
    }
    return code;
}

bool fc_table_filter_pattern_match(const char *pattern, struct fc_slice db,
                                   struct fc_slice table)
{
    struct fc_slice db_pattern;
    struct fc_slice table_pattern;
    return split(pattern, &db_pattern, &table_pattern) && match_name(db_pattern, db) &&
           match_name(table_pattern, table);
}

static bool match_any(const char *const *patterns, uint32_t count, struct fc_slice db,
                      struct fc_slice table)
{
    for (uint32_t index = 0; index < count; index++) {
        if (fc_table_filter_pattern_match(patterns[index], db, table)) {
            return true;
        }
    }
    return false;
}

bool fc_table_filter_is_system(struct fc_slice db)
{
    static const char *const names[] = { "mysql", "sys", "information_schema",
                                         "performance_schema" };
    for (size_t index = 0; index < sizeof(names) / sizeof(names[0]); index++) {
        if (db.len == strlen(names[index]) &&
            strncasecmp((const char *)db.data, names[index], db.len) == 0) {
            return true;
        }
    }
    return false;
}

bool fc_table_filter_match(const struct fc_table_filter *filter, struct fc_slice db,
                           struct fc_slice table)
{
    return !fc_table_filter_is_system(db) &&
           (filter->include_count == 0 ||
            match_any(filter->include, filter->include_count, db, table)) &&
           !match_any(filter->exclude, filter->exclude_count, db, table);
}

bool fc_table_filter_match_db(const struct fc_table_filter *filter, struct fc_slice db)
{
    struct fc_slice db_pattern;
    struct fc_slice table_pattern;
    if (fc_table_filter_is_system(db)) {
        return false;
    }
    for (uint32_t index = 0; index < filter->include_count; index++) {
        if (split(filter->include[index], &db_pattern, &table_pattern) &&
            match_name(db_pattern, db)) {
            return true;
        }
    }
    return filter->include_count == 0;
}
