/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tolerant look at the statement of a QUERY event: is it transaction control, is it DDL that
 * matters to a restore, which tables does it name.
 *
 * It never fails on text: what it does not recognise is FC_STATEMENT_OTHER.
 */
#ifndef FC_MYSQL_DDL_SCAN_H
#define FC_MYSQL_DDL_SCAN_H

#include "connectors/mysql/memory.h"
#include "fc/change.h"

typedef enum fc_statement_class {
    FC_STATEMENT_OTHER, /* any other: CREATE INDEX, GRANT, CREATE PROCEDURE, SET, ... */
    FC_STATEMENT_BEGIN, /* BEGIN, START TRANSACTION */
    FC_STATEMENT_COMMIT,
    FC_STATEMENT_ROLLBACK,    /* of the whole transaction */
    FC_STATEMENT_SAVEPOINT,   /* SAVEPOINT, RELEASE SAVEPOINT */
    FC_STATEMENT_ROLLBACK_TO, /* ROLLBACK TO SAVEPOINT */
    FC_STATEMENT_XA_START,
    FC_STATEMENT_XA_END,
    FC_STATEMENT_XA_PREPARE,
    FC_STATEMENT_XA_COMMIT,
    FC_STATEMENT_XA_ROLLBACK,
    FC_STATEMENT_DML,      /* INSERT, UPDATE, DELETE, REPLACE, LOAD DATA as a statement: not row
                              format, cannot be captured */
    FC_STATEMENT_TRUNCATE, /* tables[0]; also DELETE FROM t without more, which the server writes
 * when a MEMORY table lost its rows by a restart */
    FC_STATEMENT_DDL /* kind says which; FC_DDL_OTHER for other DDL on tables (CREATE INDEX
                              is ALTER_TABLE) */
} fc_statement_class;

struct fc_ddl_scan {
    fc_statement_class statement_class;
    fc_ddl_kind kind;
    struct fc_ddl_table *tables; /* in `memory`; an absent db is the default database */
    uint32_t table_count;
    struct fc_slice db;  /* DROP, CREATE and ALTER DATABASE: its name, else null */
    struct fc_slice xid; /* XA: the text of the xid, "X'31',X'',1"; else null */
    bool one_phase;      /* XA COMMIT ... ONE PHASE */
    bool temporary;      /* CREATE or DROP TEMPORARY TABLE: of no concern to a restore */
    bool if_not_exists;  /* CREATE TABLE: may have done nothing */
    bool or_replace;     /* CREATE TABLE: an older table of this name and its rows are gone */
    bool moves_rows;     /* ALTER TABLE that takes or brings rows without row events: DROP,
                            TRUNCATE, EXCHANGE or CONVERT PARTITION, DISCARD or IMPORT TABLESPACE;
                            the table that it exchanges with is among the tables, too */
    bool starts_transaction; /* MySQL's atomic CREATE TABLE ... SELECT ends in START
                                TRANSACTION: rows and XID follow in the same transaction */
    bool truncated;          /* the list of tables is not whole: more than FC_DDL_TABLES_MAX, or
                                memory ended */
};

enum { FC_DDL_TABLES_MAX = 4096 };

/*
 * statement   borrowed; names without quotes inside borrow it, too.
 * default_db  of the QUERY event; may be empty.
 * ansi_quotes sql_mode has ANSI_QUOTES (0x4): "x" is a name, not a string.
 * mariadb     run the comments that only MariaDB runs (M!), and not those of MySQL 5.7.0 up.
 */
void fc_ddl_scan(struct fc_slice statement, struct fc_slice default_db, bool ansi_quotes,
                 bool mariadb, const struct fc_mysql_memory *memory,
                 struct fc_ddl_scan *out_scan);

#endif
