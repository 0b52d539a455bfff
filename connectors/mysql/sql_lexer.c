/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/mysql/sql_lexer.h"

#include <strings.h>

static char byte_at(const struct fc_sql_lexer *lexer, size_t at)
{
    return at < lexer->text.len ? (char)lexer->text.data[at] : '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* "#", or "--" and a blank. */
static bool is_line_comment(const struct fc_sql_lexer *lexer)
{
    char c = byte_at(lexer, lexer->at);
    return c == '#' ||
           (c == '-' && byte_at(lexer, lexer->at + 1) == '-' &&
            (lexer->at + 2 >= lexer->text.len || is_blank(byte_at(lexer, lexer->at + 2))));
}

static void skip_line(struct fc_sql_lexer *lexer)
{
    while (lexer->at < lexer->text.len && lexer->text.data[lexer->at] != '\n') {
        lexer->at++;
    }
}

/* From "/" "*" to behind the matching end. */
static void skip_comment(struct fc_sql_lexer *lexer)
{
    for (lexer->at += 2; lexer->at < lexer->text.len; lexer->at++) {
        if (byte_at(lexer, lexer->at) == '*' && byte_at(lexer, lexer->at + 1) == '/') {
            lexer->at += 2;
            return;
        }
    }
}

/*
 * At "/" "*": enter an executable comment, or skip a plain one. MariaDB runs those marked "M!"
 * and "!", but not "!" with versions of MySQL from 5.7 on, which it never implemented.
 */
static void enter_comment(struct fc_sql_lexer *lexer)
{
    size_t at = lexer->at + 2;
    unsigned version = 0;
    unsigned digits = 0;
    if (byte_at(lexer, at) == 'M' && byte_at(lexer, at + 1) == '!' && lexer->mariadb) {
        at++;
    }
    if (byte_at(lexer, at) != '!') {
        skip_comment(lexer);
        return;
    }
    at++;
    while (digits < 6 && byte_at(lexer, at) >= '0' && byte_at(lexer, at) <= '9') {
        version = version * 10 + (unsigned)(byte_at(lexer, at) - '0');
        digits++;
        at++;
    }
    if (digits > 0 && digits < 5) {
        at -= digits; /* not a version */
        version = 0;
    }
    if (lexer->mariadb && version >= 50700 && version <= 99999) {
        skip_comment(lexer);
        return;
    }
    lexer->at = at;
    lexer->in_executable_comment = true;
}

static void skip_blanks(struct fc_sql_lexer *lexer)
{
    while (lexer->at < lexer->text.len) {
        char c = byte_at(lexer, lexer->at);
        char next = byte_at(lexer, lexer->at + 1);
        if (is_blank(c)) {
            lexer->at++;
        } else if (is_line_comment(lexer)) {
            skip_line(lexer);
        } else if (c == '/' && next == '*') {
            enter_comment(lexer);
        } else if (c == '*' && next == '/' && lexer->in_executable_comment) {
            lexer->in_executable_comment = false;
            lexer->at += 2;
        } else {
            break;
        }
    }
}

static void read_quoted(struct fc_sql_lexer *lexer, char quote)
{
    struct fc_sql_token *token = &lexer->token;
    size_t start = ++lexer->at;
    token->kind =
        quote == '`' || (quote == '"' && lexer->ansi_quotes) ? FC_SQL_NAME : FC_SQL_STRING;
    token->quote = quote;
    while (lexer->at < lexer->text.len) {
        char c = byte_at(lexer, lexer->at);
        if (c == quote) {
            if (byte_at(lexer, lexer->at + 1) != quote) {
                break;
            }
            token->escaped = true;
            lexer->at++;
        } else if (c == '\\' && token->kind == FC_SQL_STRING) {
            token->escaped = true;
            lexer->at++;
        }
        lexer->at++;
    }
    if (lexer->at > lexer->text.len) {
        lexer->at = lexer->text.len;
    }
    token->text = fc_slice_of(lexer->text.data + start, lexer->at - start);
    if (lexer->at < lexer->text.len) {
        lexer->at++;
    }
}

void fc_sql_lexer_next(struct fc_sql_lexer *lexer)
{
    struct fc_sql_token *token = &lexer->token;
    char c;
    skip_blanks(lexer);
    memset(token, 0, sizeof(*token));
    lexer->token_at = lexer->at;
    if (lexer->at >= lexer->text.len) {
        token->kind = FC_SQL_END;
        return;
    }
    c = byte_at(lexer, lexer->at);
    if (c == '`' || c == '"' || c == '\'') {
        read_quoted(lexer, c);
        return;
    }
    token->kind = FC_SQL_PUNCT;
    if (is_word(c)) {
        token->kind = FC_SQL_WORD;
        while (lexer->at < lexer->text.len && is_word(byte_at(lexer, lexer->at))) {
            lexer->at++;
        }
    } else {
        lexer->at++;
    }
    token->text = fc_slice_of(lexer->text.data + lexer->token_at, lexer->at - lexer->token_at);
}

void fc_sql_lexer_init(struct fc_sql_lexer *lexer, struct fc_slice text, bool ansi_quotes,
                       bool mariadb)
{
    memset(lexer, 0, sizeof(*lexer));
    lexer->text = text;
    lexer->ansi_quotes = ansi_quotes;
    lexer->mariadb = mariadb;
    fc_sql_lexer_next(lexer);
}

bool fc_sql_lexer_is(const struct fc_sql_lexer *lexer, const char *keyword)
{
    return lexer->token.kind == FC_SQL_WORD && lexer->token.text.len == strlen(keyword) &&
           strncasecmp((const char *)lexer->token.text.data, keyword, lexer->token.text.len) ==
               0;
}

bool fc_sql_lexer_is_punct(const struct fc_sql_lexer *lexer, char c)
{
    return lexer->token.kind == FC_SQL_PUNCT && lexer->token.text.data[0] == (uint8_t)c;
}

bool fc_sql_lexer_skip(struct fc_sql_lexer *lexer, const char *keyword)
{
    if (fc_sql_lexer_is(lexer, keyword)) {
        fc_sql_lexer_next(lexer);
        return true;
    }
    return false;
}

bool fc_sql_lexer_skip_punct(struct fc_sql_lexer *lexer, char c)
{
    if (fc_sql_lexer_is_punct(lexer, c)) {
        fc_sql_lexer_next(lexer);
        return true;
    }
    return false;
}
