/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statement is cut at the commas of the outer parentheses; quotes and inner parentheses are
 * stepped over, so a comment or default may hold anything. What an item is follows from its
 * first words. Nothing is understood beyond that: every piece is written back verbatim.
 *
 * An index is deferred when InnoDB can add it afterwards by sorting without a rebuild: not the
 * primary key, not a unique key of a table that has no primary key (it may be the clustering
 * one), and not one that AUTO_INCREMENT needs.
 */
#include "connectors/mysql/create_sql.h"

#include <stdlib.h>
#include <strings.h>

#include "connectors/mysql/session.h"
#include "core/base/alloc.h"

enum { ITEMS_MAX = 16384 };

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static struct fc_slice trim(struct fc_slice text)
{
    while (text.len > 0 && is_space(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* The index after the quoted text that starts at `from`; text.len when it does not end. */
static size_t skip_quoted(struct fc_slice text, size_t from)
{
    uint8_t quote = text.data[from];
    size_t at = from + 1;
    while (at < text.len) {
        uint8_t byte = text.data[at];
        bool escape = byte == '\\' && quote != '`';
        bool doubled = byte == quote && at + 1 < text.len && text.data[at + 1] == quote;
        if (byte == quote && !doubled) {
            return at + 1;
        }
        at += escape || doubled ? 2 : 1;
    }
    return text.len;
}

static bool is_quote(uint8_t byte)
{
    return byte == '\'' || byte == '"' || byte == '`';
}

/* Take `word` off the front when it stands there as a whole word. */
static bool take_word(struct fc_slice *text, const char *word)
{
    size_t len = strlen(word);
    if (text->len < len || strncasecmp((const char *)text->data, word, len) != 0 ||
        (text->len > len && !is_space(text->data[len]) && text->data[len] != '(')) {
        return false;
    }
    *text = trim(fc_slice_of(text->data + len, text->len - len));
    return true;
}

/* Take a name, quoted or not, off the front. */
static struct fc_slice take_name(struct fc_slice *text)
{
    size_t end = 0;
    struct fc_slice name;
    if (text->len > 0 && is_quote(text->data[0])) {
        end = skip_quoted(*text, 0);
    } else {
        while (end < text->len && !is_space(text->data[end]) && text->data[end] != '(') {
            end++;
        }
    }
    name = fc_slice_of(text->data, end);
    *text = trim(fc_slice_of(text->data + end, text->len - end));
    return name;
}

static void classify(struct fc_create_item *item)
{
    struct fc_slice rest = item->text;
    item->constraint = fc_slice_null();
    if (rest.len > 0 && (rest.data[0] == '`' || rest.data[0] == '"')) {
        item->kind = FC_CREATE_COLUMN;
        item->unnamed = rest;
        return;
    }
    if (take_word(&rest, "CONSTRAINT")) {
        item->constraint = take_name(&rest);
    }
    item->unnamed = rest;
    if (take_word(&rest, "PRIMARY")) {
        item->kind = FC_CREATE_PRIMARY_KEY;
    } else if (take_word(&rest, "UNIQUE")) {
        item->kind = FC_CREATE_UNIQUE_KEY;
    } else if (take_word(&rest, "FULLTEXT")) {
        item->kind = FC_CREATE_FULLTEXT;
    } else if (take_word(&rest, "FOREIGN")) {
        item->kind = FC_CREATE_FOREIGN_KEY;
    } else if (take_word(&rest, "CHECK")) {
        item->kind = FC_CREATE_CHECK;
    } else if (take_word(&rest, "KEY") || take_word(&rest, "INDEX") ||
               take_word(&rest, "SPATIAL")) {
        item->kind = FC_CREATE_INDEX;
    } else {
        item->kind = FC_CREATE_OTHER;
    }
}

/* Find `word` outside quotes; case does not matter. */
static bool has_word(struct fc_slice text, const char *word)
{
    size_t len = strlen(word);
    size_t at = 0;
    while (at + len <= text.len) {
        if (is_quote(text.data[at])) {
            at = skip_quoted(text, at);
        } else if (strncasecmp((const char *)text.data + at, word, len) == 0) {
            return true;
        } else {
            at++;
        }
    }
    return false;
}

/* The first column of an index, as written; the null slice when it is an expression. */
static struct fc_slice first_column(struct fc_slice index)
{
    for (size_t at = 0; at < index.len;) {
        if (is_quote(index.data[at])) {
            at = skip_quoted(index, at);
        } else if (index.data[at] == '(') {
            struct fc_slice rest = trim(fc_slice_of(index.data + at + 1, index.len - at - 1));
            return rest.len > 0 && is_quote(rest.data[0]) ? take_name(&rest) : fc_slice_null();
        } else {
            at++;
        }
    }
    return fc_slice_null();
}

static void mark_deferred(struct fc_create_sql *create)
{
    struct fc_slice counter = fc_slice_null(); /* the AUTO_INCREMENT column */
    bool primary = false;
    if (!has_word(create->tail, "ENGINE=InnoDB")) {
        return;
    }
    for (uint32_t index = 0; index < create->item_count; index++) {
        const struct fc_create_item *item = &create->items[index];
        primary |= item->kind == FC_CREATE_PRIMARY_KEY;
        if (item->kind == FC_CREATE_COLUMN && has_word(item->text, "AUTO_INCREMENT")) {
            struct fc_slice rest = item->text;
            counter = take_name(&rest);
        }
    }
    for (uint32_t index = 0; index < create->item_count; index++) {
        struct fc_create_item *item = &create->items[index];
        item->deferred = item->kind == FC_CREATE_INDEX || item->kind == FC_CREATE_FULLTEXT ||
                         (item->kind == FC_CREATE_UNIQUE_KEY && primary);
        if (item->deferred && !fc_slice_is_null(counter) &&
            fc_slice_equal(first_column(item->text), counter)) {
            item->deferred = false;
        }
    }
}

static fc_code add_item(struct fc_create_sql *create, struct fc_slice text,
                        struct fc_error *err)
{
    struct fc_create_item *item;
    text = trim(text);
    if (text.len == 0 || create->item_count == ITEMS_MAX) {
        return fc_fail(err, FC_ERR_CONFIG, "CREATE TABLE with an empty or too long list");
    }
    create->items =
        fc_realloc_array(create->items, create->item_count + 1, sizeof(*create->items));
    item = &create->items[create->item_count++];
    memset(item, 0, sizeof(*item));
    item->text = text;
    classify(item);
    return FC_OK;
}

/* Cut the list that starts after the parenthesis at `open`. */
static fc_code cut_items(struct fc_create_sql *create, struct fc_slice text, size_t open,
                         struct fc_error *err)
{
    size_t begin = open + 1;
    size_t at = begin;
    unsigned depth = 1;
    while (at < text.len && depth > 0) {
        uint8_t byte = text.data[at];
        fc_code code = FC_OK;
        if (is_quote(byte)) {
            at = skip_quoted(text, at);
            continue;
        }
        depth += byte == '(' ? 1 : 0;
        depth -= byte == ')' ? 1 : 0;
        if (depth == 0 || (depth == 1 && byte == ',')) {
            code = add_item(create, fc_slice_of(text.data + begin, at - begin), err);
            begin = at + 1;
        }
        if (code != FC_OK) {
            return code;
        }
        at++;
    }
    if (depth > 0) {
        return fc_fail(err, FC_ERR_CONFIG, "CREATE TABLE without its closing parenthesis");
    }
    create->tail = trim(fc_slice_of(text.data + at, text.len - at));
    while (create->tail.len > 0 && create->tail.data[create->tail.len - 1] == ';') {
        create->tail = trim(fc_slice_of(create->tail.data, create->tail.len - 1));
    }
    return FC_OK;
}

fc_code fc_create_sql_parse(struct fc_create_sql *create, struct fc_slice statement,
                            struct fc_error *err)
{
    struct fc_slice text = trim(statement);
    struct fc_slice rest = text;
    size_t open = 0;
    fc_code code;
    memset(create, 0, sizeof(*create));
    if (!take_word(&rest, "CREATE") || !take_word(&rest, "TABLE")) {
        return fc_fail(err, FC_ERR_CONFIG, "not a CREATE TABLE statement: %.*s",
                       (int)(text.len < 40 ? text.len : 40), (const char *)text.data);
    }
    while (open < text.len && text.data[open] != '(') {
        open = is_quote(text.data[open]) ? skip_quoted(text, open) : open + 1;
    }
    if (open >= text.len) {
        return fc_fail(err, FC_ERR_CONFIG, "CREATE TABLE without a list of columns");
    }
    code = cut_items(create, text, open, err);
    if (code != FC_OK) {
        fc_create_sql_release(create);
        return code;
    }
    mark_deferred(create);
    return FC_OK;
}

void fc_create_sql_release(struct fc_create_sql *create)
{
    for (uint32_t index = 0; index < create->item_count; index++) {
        free(create->items[index].new_name);
    }
    free(create->items);
    memset(create, 0, sizeof(*create));
}

char *fc_create_sql_constraint_name(const struct fc_create_item *item)
{
    struct fc_slice quoted = item->constraint;
    char *name;
    size_t len = 0;
    if (quoted.len == 0) {
        return NULL;
    }
    name = fc_strndup((const char *)quoted.data, quoted.len);
    if (!is_quote(quoted.data[0])) {
        return name;
    }
    for (size_t at = 1; at + 1 < quoted.len; at++) {
        name[len++] = (char)quoted.data[at];
        if (quoted.data[at] == quoted.data[0]) {
            at++; /* a doubled quote */
        }
    }
    name[len] = '\0';
    return name;
}

static const struct fc_column *key_column(const struct fc_shape *shape, uint32_t key_index)
{
    for (uint32_t index = 0; index < shape->column_count; index++) {
        if (shape->columns[index].key_index == key_index) {
            return &shape->columns[index];
        }
    }
    return NULL;
}

/* A column that an index can hold only by a prefix, whose length the shape does not tell. */
static bool needs_prefix(const struct fc_column *column)
{
    return strchr(column->native_type, '(') == NULL &&
           (column->type == FC_TYPE_TEXT || column->type == FC_TYPE_BYTES ||
            column->type == FC_TYPE_JSON || column->type == FC_TYPE_GEOMETRY) &&
           (strcasestr(column->native_type, "text") != NULL ||
            strcasestr(column->native_type, "blob") != NULL);
}

static void append_key(struct fc_buf *sql, const struct fc_shape *shape)
{
    bool nullable = false;
    for (uint32_t key = 1; key <= shape->key_count; key++) {
        const struct fc_column *column = key_column(shape, key);
        if (column == NULL || needs_prefix(column)) {
            return;
        }
        nullable |= column->nullable;
    }
    for (uint32_t key = 1; key <= shape->key_count; key++) {
        fc_buf_append_text(sql, key > 1    ? ","
                                : nullable ? ",\n  UNIQUE KEY ("
                                           : ",\n  PRIMARY KEY (");
        fc_session_append_name(sql, key_column(shape, key)->name);
    }
    fc_buf_append_text(sql, shape->key_count > 0 ? ")" : "");
}

void fc_create_sql_from_columns(struct fc_buf *sql, const struct fc_shape *shape)
{
    fc_buf_append_text(sql, "CREATE TABLE ");
    fc_session_append_name(sql, shape->table);
    fc_buf_append_text(sql, " (");
    for (uint32_t index = 0; index < shape->column_count; index++) {
        const struct fc_column *column = &shape->columns[index];
        fc_buf_append_text(sql, index == 0 ? "\n  " : ",\n  ");
        fc_session_append_name(sql, column->name);
        fc_buf_append_u8(sql, ' ');
        fc_buf_append_text(sql, column->native_type);
        if (column->charset != NULL) {
            fc_buf_append_fmt(sql, " CHARACTER SET %s", column->charset);
        }
        fc_buf_append_text(sql, column->nullable ? " NULL" : " NOT NULL");
    }
    append_key(sql, shape);
    fc_buf_append_text(sql, "\n) ENGINE=InnoDB");
}

bool fc_create_sql_has_unique_inline(const struct fc_create_sql *create)
{
    for (uint32_t index = 0; index < create->item_count; index++) {
        const struct fc_create_item *item = &create->items[index];
        if ((item->kind == FC_CREATE_UNIQUE_KEY && !item->deferred) ||
            (item->kind == FC_CREATE_COLUMN && has_word(item->text, "UNIQUE")) ||
            item->kind == FC_CREATE_OTHER) {
            return true;
        }
    }
    return false;
}

void fc_create_sql_append_name(struct fc_buf *sql, const char *db, const char *table)
{
    fc_session_append_name(sql, db);
    fc_buf_append_u8(sql, '.');
    fc_session_append_name(sql, table);
}

static void append_item(struct fc_buf *sql, const struct fc_create_item *item)
{
    if (item->new_name != NULL) {
        fc_buf_append_text(sql, "CONSTRAINT ");
        fc_session_append_name(sql, item->new_name);
        fc_buf_append_u8(sql, ' ');
    }
    fc_buf_append_slice(sql,
                        item->new_name != NULL || item->drop_name ? item->unnamed : item->text);
}

void fc_create_sql_append_table(struct fc_buf *sql, const struct fc_create_sql *create,
                                const char *db, const char *table)
{
    bool first = true;
    fc_buf_append_text(sql, "CREATE TABLE ");
    fc_create_sql_append_name(sql, db, table);
    fc_buf_append_text(sql, " (");
    for (uint32_t index = 0; index < create->item_count; index++) {
        const struct fc_create_item *item = &create->items[index];
        if (!item->deferred && item->kind != FC_CREATE_FOREIGN_KEY) {
            fc_buf_append_text(sql, first ? "\n  " : ",\n  ");
            append_item(sql, item);
            first = false;
        }
    }
    fc_buf_append_text(sql, "\n) ");
    fc_buf_append_slice(sql, create->tail);
}

bool fc_create_sql_append_alter(struct fc_buf *sql, const struct fc_create_sql *create,
                                fc_create_item_kind kind, const char *db, const char *table,
                                uint32_t *cursor)
{
    bool foreign = kind == FC_CREATE_FOREIGN_KEY;
    bool any = false;
    while (*cursor < create->item_count) {
        const struct fc_create_item *item = &create->items[*cursor];
        bool wanted = foreign ? item->kind == FC_CREATE_FOREIGN_KEY : item->deferred;
        bool alone = wanted && item->kind == FC_CREATE_FULLTEXT;
        if (alone && any) {
            break;
        }
        ++*cursor;
        if (wanted) {
            if (!any) {
                fc_buf_append_text(sql, "ALTER TABLE ");
                fc_create_sql_append_name(sql, db, table);
            }
            fc_buf_append_text(sql, any ? ", ADD " : " ADD ");
            append_item(sql, item);
            any = true;
        }
        if (alone) {
            break;
        }
    }
    return any;
}
