/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The change model: what a connector reads from a database and writes to it, independent of any
 * engine.
 *
 * A change is one row's change (or one DDL statement) in one source transaction. Its rows are
 * arrays of struct fc_value, one per column of its shape, in table order.
 */
#ifndef FC_CHANGE_H
#define FC_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

/* What a column holds, and which kind of value a non-null one has. */
typedef enum fc_type {
    FC_TYPE_INT,     /* INT, or UINT when is_unsigned; `bits` says the width */
    FC_TYPE_FLOAT,   /* FLOAT: 32 bits */
    FC_TYPE_DOUBLE,  /* DOUBLE: 64 bits */
    FC_TYPE_DECIMAL, /* TEXT: "-12.30", always `scale` fraction digits */
    FC_TYPE_TEXT,    /* TEXT: UTF-8 whatever the column's charset */
    FC_TYPE_BYTES,   /* BYTES; BINARY(n) is padded to n */
    FC_TYPE_BIT,  /* BYTES: little-endian, (length + 7) / 8 of them; length = number of bits */
    FC_TYPE_ENUM, /* TEXT: the label; "" for the error value 0 */
    FC_TYPE_SET,  /* TEXT: labels joined by ',' in definition order */
    FC_TYPE_JSON, /* TEXT: compact, no spaces outside strings, keys in the server's order */
    FC_TYPE_YEAR, /* INT; 0 is year 0000 */
    FC_TYPE_DATE, /* INT: days since 1970-01-01; zero or invalid dates: TEXT as the server shows
                     them */
    FC_TYPE_TIME, /* INT: microseconds, negative and above 24 h allowed */
    FC_TYPE_DATETIME,  /* INT: microseconds since 1970 as if UTC; zero or invalid: TEXT
                          "0000-00-00 00:00:00" */
    FC_TYPE_TIMESTAMP, /* INT: microseconds since 1970 UTC; zero: TEXT */
    FC_TYPE_GEOMETRY,  /* BYTES: SRID (4 bytes little-endian), then WKB */
    FC_TYPE_VECTOR,    /* BYTES: 32-bit floats, little-endian */
    FC_TYPE_UUID       /* TEXT: 8-4-4-4-12, lower case */
} fc_type;

typedef enum fc_value_kind {
    FC_VALUE_NULL = 0,
    FC_VALUE_UNCHANGED, /* the source did not send it and it did not change (TOAST,
                           row_image=NOBLOB) */
    FC_VALUE_INT,       /* as.i64 */
    FC_VALUE_UINT,      /* as.u64 */
    FC_VALUE_FLOAT,     /* as.f32 */
    FC_VALUE_DOUBLE,    /* as.f64 */
    FC_VALUE_TEXT,      /* as.bytes, UTF-8 */
    FC_VALUE_BYTES      /* as.bytes */
} fc_value_kind;

struct fc_value {
    fc_value_kind kind;
    union {
        int64_t i64;
        uint64_t u64;
        float f32;
        double f64;
        struct fc_slice bytes; /* lives as long as the batch */
    } as;
};

struct fc_column {
    const char *name; /* UTF-8 */
    const char
        *native_type;    /* as the source's DDL writes it: "varchar(200)", "bigint unsigned" */
    const char *charset; /* of character columns, else NULL */
    fc_type type;
    bool nullable;
    bool is_unsigned;
    uint16_t bits;        /* FC_TYPE_INT: 8, 16, 24, 32 or 64 */
    uint32_t length;      /* characters, bytes or bits as declared; 0 when it has none */
    uint16_t precision;   /* DECIMAL: digits; temporal types: fraction digits 0 to 6 */
    uint16_t scale;       /* DECIMAL */
    uint16_t key_index;   /* place in the key, from 1; 0: not in the key */
    uint16_t label_count; /* ENUM, SET */
    const char *const *labels;
};

/*
 * A table's shape at one moment. Immutable, owned by the source, which keeps it until close;
 * the runner compares pointers, so a source makes a new one only when something changed.
 */
struct fc_shape {
    const char *db;
    const char *table;
    const struct fc_column *columns;
    uint32_t column_count;
    uint32_t key_count; /* columns with key_index > 0; 0: the table has no key */
    const char
        *create_sql; /* the table's CREATE statement when it is known to match, else NULL */
};

/* A source transaction. */
struct fc_tx {
    struct fc_slice id; /* text without spaces: "0-1-42", "<uuid>:17", or "binlog.000003:1234"
                           where there is no GTID */
    int64_t commit_us;  /* database clock */
};

typedef enum fc_op {
    FC_OP_READ = 'r', /* snapshot row: `after` */
    FC_OP_CREATE = 'c',
    FC_OP_UPDATE = 'u',   /* `before` and `after` */
    FC_OP_DELETE = 'd',   /* `before` */
    FC_OP_TRUNCATE = 't', /* db and table; no rows */
    FC_OP_DDL = 's'       /* a statement: db, ddl; tables when known */
} fc_op;

typedef enum fc_ddl_kind {
    FC_DDL_OTHER,
    FC_DDL_CREATE_TABLE,
    FC_DDL_ALTER_TABLE,
    FC_DDL_DROP_TABLE,
    FC_DDL_RENAME_TABLE,
    FC_DDL_DROP_DATABASE,
    FC_DDL_ALTER_ROWS /* an ALTER TABLE that takes or brings rows without changes that say so;
                         its tables are all whose rows it may touch */
} fc_ddl_kind;

/* A table that a DDL statement names; new_* are null but for RENAME (also ALTER TABLE ...
 * RENAME TO). */
struct fc_ddl_table {
    struct fc_slice db;
    struct fc_slice table;
    struct fc_slice new_db;
    struct fc_slice new_table;
};

struct fc_ddl {
    fc_ddl_kind kind;
    struct fc_slice statement; /* verbatim */
    const struct fc_ddl_table *tables;
    uint32_t table_count;
};

typedef enum fc_snapshot_mark {
    FC_SNAPSHOT_NO, /* a streamed change */
    FC_SNAPSHOT_ROW,
    FC_SNAPSHOT_LAST_OF_TABLE, /* the table's snapshot ends with this row */
    FC_SNAPSHOT_EMPTY_TABLE    /* no row at all: the table's snapshot is complete and empty (db,
                                  table, shape set) */
} fc_snapshot_mark;

struct fc_change {
    fc_op op;
    fc_snapshot_mark snapshot;
    const struct fc_shape *shape; /* NULL for DDL, and for TRUNCATE of a table never seen */
    struct fc_slice db;           /* DDL, TRUNCATE; rows have shape->db */
    struct fc_slice table;        /* TRUNCATE */
    struct fc_value *before;      /* shape->column_count values or NULL */
    struct fc_value *after;
    const struct fc_value *source; /* one value per field of fc_source_ops.fields; shared by the
                                      rows of one event */
    const struct fc_tx *tx;        /* shared by the changes of one transaction within a batch */
    const struct fc_ddl *ddl;      /* FC_OP_DDL */
    int64_t ts_us;                 /* when the change was made, database clock */
    uint64_t row; /* number of this change within its transaction, from 0, across batches */
    uint32_t event_row; /* number of the row within its event, from 0 */
    bool tx_last;       /* the transaction ends with this change */
};

#endif
