/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/versions.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "core/base/alloc.h"

enum { WORDS_KEPT = 4, NAME_BYTES_MAX = 1024 };

void fc_versions_init(struct fc_versions *versions)
{
    memset(versions, 0, sizeof(*versions));
}

void fc_versions_drop_ddl(struct fc_versions *versions)
{
    for (uint32_t index = 0; index < versions->pending_count; index++) {
        free(versions->pending[index].statement);
    }
    free(versions->pending);
    versions->pending = NULL;
    versions->pending_count = 0;
}

void fc_versions_release(struct fc_versions *versions)
{
    for (uint32_t index = 0; index < versions->count; index++) {
        free(versions->items[index].to_next);
    }
    free(versions->items);
    fc_versions_drop_ddl(versions);
    fc_versions_init(versions);
}

void fc_versions_note_ddl(struct fc_versions *versions, const struct fc_log_mark *mark,
                          const char *statement)
{
    struct fc_version_ddl *ddl;
    versions->pending = fc_realloc_array(versions->pending, versions->pending_count + 1,
                                         sizeof(*versions->pending));
    ddl = &versions->pending[versions->pending_count++];
    ddl->mark = *mark;
    ddl->statement = fc_strdup(statement == NULL ? "" : statement);
}

uint32_t fc_versions_index(const struct fc_versions *versions, uint64_t seq, uint64_t schema_id)
{
    uint32_t index = versions->count - 1;
    while (index > 0 && versions->items[index].from_seq > seq) {
        index--;
    }
    while (index > 0 && versions->items[index].from_seq == seq &&
           versions->items[index].schema->id != schema_id) {
        index--;
    }
    return index;
}

/* --- what became of a column ------------------------------------------------------------- */

static uint32_t column_named(const struct fc_shape *shape, const char *name)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (strcasecmp(shape->columns[index].name, name) == 0) {
            return index;
        }
    }
    return FC_NO_COLUMN;
}

/* The words of a statement, names without their quotes; the newest last. */
struct words {
    const char *at;
    char kept[WORDS_KEPT][NAME_BYTES_MAX];
};

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80) != 0;
}

static bool next_word(struct words *words)
{
    char *to = words->kept[WORDS_KEPT - 1];
    size_t length = 0;
    char quote = '\0';
    while (*words->at != '\0' && !is_name_char(*words->at) && *words->at != '`' &&
           *words->at != '"') {
        words->at++;
    }
    if (*words->at == '\0') {
        return false;
    }
    memmove(words->kept[0], words->kept[1], sizeof(words->kept) - sizeof(words->kept[0]));
    if (!is_name_char(*words->at)) {
        quote = *words->at++;
    }
    while (*words->at != '\0' &&
           (quote != '\0' ? *words->at != quote : is_name_char(*words->at))) {
        if (length < NAME_BYTES_MAX - 1) {
            to[length++] = *words->at;
        }
        words->at++;
    }
    if (quote != '\0' && *words->at != '\0') {
        words->at++;
    }
    to[length] = '\0';
    return true;
}

static bool begins_change(const char *word)
{
    return strcasecmp(word, "COLUMN") == 0 || strcasecmp(word, "CHANGE") == 0 ||
           strcasecmp(word, "EXISTS") == 0;
}

/* Whether the statement has CHANGE [COLUMN] a b, or RENAME COLUMN a TO b. */
static bool says_renamed(const char *statement, const char *from, const char *to)
{
    struct words words;
    memset(&words, 0, sizeof(words));
    words.at = statement;
    while (next_word(&words)) {
        if (strcasecmp(words.kept[3], to) != 0) {
            continue;
        }
        if (strcasecmp(words.kept[2], from) == 0 && begins_change(words.kept[1])) {
            return true;
        }
        if (strcasecmp(words.kept[2], "TO") == 0 && strcasecmp(words.kept[1], from) == 0 &&
            begins_change(words.kept[0])) {
            return true;
        }
    }
    return false;
}

static bool pending_says_renamed(const struct fc_versions *versions, const char *from,
                                 const char *to)
{
    for (uint32_t index = 0; index < versions->pending_count; index++) {
        if (says_renamed(versions->pending[index].statement, from, to)) {
            return true;
        }
    }
    return false;
}

/* For each column of `from` its index in `to`; names the first column that vanished and the
 * first that appeared, NULL when there is none. */
static uint32_t *map_columns(const struct fc_versions *versions, const struct fc_shape *from,
                             const struct fc_shape *to, const char **out_vanished,
                             const char **out_appeared)
{
    uint32_t *map = fc_new_array(uint32_t, from->column_count + 1);
    bool *known = fc_new_array(bool, to->column_count + 1);
    for (uint32_t index = 0; index < from->column_count; index++) {
        map[index] = column_named(to, from->columns[index].name);
        if (map[index] != FC_NO_COLUMN) {
            known[map[index]] = true;
        }
    }
    for (uint32_t index = 0; index < from->column_count; index++) {
        for (uint32_t other = 0; map[index] == FC_NO_COLUMN && other < to->column_count;
             other++) {
            if (!known[other] && pending_says_renamed(versions, from->columns[index].name,
                                                      to->columns[other].name)) {
                map[index] = other;
                known[other] = true;
            }
        }
    }
    *out_vanished = NULL;
    *out_appeared = NULL;
    for (uint32_t index = from->column_count; index-- > 0;) {
        *out_vanished = map[index] == FC_NO_COLUMN ? from->columns[index].name : *out_vanished;
    }
    for (uint32_t index = to->column_count; index-- > 0;) {
        *out_appeared = !known[index] ? to->columns[index].name : *out_appeared;
    }
    free(known);
    return map;
}

/* --- the key ----------------------------------------------------------------------------- */

static const struct fc_column *key_column(const struct fc_shape *shape, uint32_t place)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (shape->columns[index].key_index == place) {
            return &shape->columns[index];
        }
    }
    return NULL;
}

/* Whether a value of one column has the same key text as the same value of the other. */
static bool same_text(const struct fc_column *a, const struct fc_column *b, bool same_mode)
{
    if (strcmp(a->name, b->name) != 0 || a->type != b->type) {
        return false;
    }
    switch (a->type) {
    case FC_TYPE_INT:
        return same_mode || (!a->is_unsigned && !b->is_unsigned);
    case FC_TYPE_TEXT:
    case FC_TYPE_ENUM:
    case FC_TYPE_SET:
    case FC_TYPE_UUID:
        return true;
    default:
        return same_mode && a->length == b->length && a->precision == b->precision &&
               a->scale == b->scale;
    }
}

static bool same_key(const struct fc_schema *a, const struct fc_schema *b)
{
    if (a->shape->key_count != b->shape->key_count) {
        return false;
    }
    for (uint32_t place = 1; place <= a->shape->key_count; place++) {
        const struct fc_column *x = key_column(a->shape, place);
        const struct fc_column *y = key_column(b->shape, place);
        if (x == NULL || y == NULL || !same_text(x, y, a->mode == b->mode)) {
            return false;
        }
    }
    return true;
}

/* --- versions ---------------------------------------------------------------------------- */

fc_code fc_versions_add(struct fc_versions *versions, const char *name,
                        const struct fc_schema *schema, uint64_t seq, bool has_rows,
                        struct fc_error *err)
{
    struct fc_version *last =
        versions->count == 0 ? NULL : &versions->items[versions->count - 1];
    struct fc_version *added;
    if (last != NULL && has_rows && !same_key(last->schema, schema)) {
        return fc_fail(err, FC_ERR_REFUSED,
                       "%s: its key changed at number %" PRIu64
                       " while it had rows, so rows before and after cannot be matched; only a "
                       "point before number %" PRIu64 " can be restored",
                       name, seq, seq);
    }
    if (last != NULL) {
        const char *vanished;
        const char *appeared;
        uint32_t *map =
            map_columns(versions, last->schema->shape, schema->shape, &vanished, &appeared);
        if (vanished != NULL && appeared != NULL && versions->pending_count == 0 && has_rows) {
            free(map);
            return fc_fail(
                err, FC_ERR_REFUSED,
                "%s: column %s is gone and %s is new from number %" PRIu64
                " on, but no statement in the log says how; only a point before number "
                "%" PRIu64 " can be restored",
                name, vanished, appeared, seq, seq);
        }
        last->to_next = map;
    }
    versions->items =
        fc_realloc_array(versions->items, versions->count + 1, sizeof(*versions->items));
    added = &versions->items[versions->count++];
    added->from_seq = seq;
    added->schema = schema;
    added->to_next = NULL;
    versions->last_seq = seq;
    fc_versions_drop_ddl(versions);
    return FC_OK;
}

/* --- projections ------------------------------------------------------------------------- */

/* For each column of version `index` its index in the newest. */
static uint32_t *map_to_newest(const struct fc_versions *versions, uint32_t index)
{
    uint32_t count = versions->items[index].schema->shape->column_count;
    uint32_t *map = fc_new_array(uint32_t, count + 1);
    for (uint32_t column = 0; column < count; column++) {
        map[column] = column;
        for (uint32_t step = index; map[column] != FC_NO_COLUMN && step + 1 < versions->count;
             step++) {
            map[column] = versions->items[step].to_next[map[column]];
        }
    }
    return map;
}

static void add_missing(struct fc_projection *projection, const char *name)
{
    char *longer = fc_asprintf("%s%s%s", projection->missing,
                               *projection->missing == '\0' ? "" : ", ", name);
    free(projection->missing);
    projection->missing = longer;
}

void fc_projection_init(struct fc_projection *projection, const struct fc_versions *versions,
                        uint32_t index)
{
    const struct fc_schema *schema = versions->items[index].schema;
    const struct fc_shape *newest = versions->items[versions->count - 1].schema->shape;
    struct fc_column *columns = fc_new_array(struct fc_column, newest->column_count + 1);
    uint32_t *map = map_to_newest(versions, index);
    uint32_t count = 0;
    memset(projection, 0, sizeof(*projection));
    projection->schema = schema;
    projection->from = fc_new_array(uint32_t, newest->column_count + 1);
    projection->to = fc_new_array(uint32_t, newest->column_count + 1);
    projection->whole = index + 1 == versions->count;
    projection->missing = fc_strdup("");
    for (uint32_t to = 0; to < newest->column_count; to++) {
        uint32_t from = 0;
        while (from < schema->shape->column_count && map[from] != to) {
            from++;
        }
        if (from == schema->shape->column_count) {
            add_missing(projection, newest->columns[to].name);
            continue;
        }
        columns[count] = schema->shape->columns[from];
        columns[count].name = newest->columns[to].name;
        projection->from[count] = from;
        projection->to[count] = to;
        count++;
    }
    projection->shape = *schema->shape;
    projection->shape.db = newest->db;
    projection->shape.table = newest->table;
    projection->shape.columns = columns;
    projection->columns = columns;
    projection->shape.column_count = count;
    projection->shape.create_sql = NULL;
    free(map);
}

void fc_projection_release(struct fc_projection *projection)
{
    free(projection->columns);
    free(projection->from);
    free(projection->to);
    free(projection->missing);
    memset(projection, 0, sizeof(*projection));
}
