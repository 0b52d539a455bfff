/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of an SQL statement, as far as a tolerant scanner needs them: words, names,
 * strings, punctuation; comments are left out, executable ones looked into. */
#ifndef FC_MYSQL_SQL_LEXER_H
#define FC_MYSQL_SQL_LEXER_H

#include <stdbool.h>

#include "core/base/slice.h"

typedef enum fc_sql_token_kind {
    FC_SQL_END,
    FC_SQL_WORD,   /* keyword, unquoted name or number */
    FC_SQL_NAME,   /* quoted name; text is within the quotes */
    FC_SQL_STRING, /* text is within the quotes */
    FC_SQL_PUNCT   /* one character */
} fc_sql_token_kind;

struct fc_sql_token {
    fc_sql_token_kind kind;
    struct fc_slice text; /* borrows the statement */
    char quote;           /* NAME, STRING: which quote */
    bool escaped;         /* NAME, STRING: holds doubled quotes (STRING: or backslashes) */
};

struct fc_sql_lexer {
    struct fc_slice text;
    size_t at;        /* behind `token` */
    size_t token_at;  /* start of `token` */
    bool ansi_quotes; /* "x" is a name */
    bool mariadb;
    bool in_executable_comment;
    struct fc_sql_token token; /* the current one */
};

/* Starts on the first token. */
void fc_sql_lexer_init(struct fc_sql_lexer *lexer, struct fc_slice text, bool ansi_quotes,
                       bool mariadb);
void fc_sql_lexer_next(struct fc_sql_lexer *lexer);

/* The current token is this keyword (upper case given). */
bool fc_sql_lexer_is(const struct fc_sql_lexer *lexer, const char *keyword);
bool fc_sql_lexer_is_punct(const struct fc_sql_lexer *lexer, char c);
/* If it is, go on to the next. */
bool fc_sql_lexer_skip(struct fc_sql_lexer *lexer, const char *keyword);
bool fc_sql_lexer_skip_punct(struct fc_sql_lexer *lexer, char c);

#endif
