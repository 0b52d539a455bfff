/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parsed schema text, as the generator sees it. The grammar is in core/wire/README.md.
 *
 * A host program that runs once per build: memory is never given back, errors end it.
 */
#ifndef FC_WIRE_GENERATOR_SCHEMA_H
#define FC_WIRE_GENERATOR_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

enum { NAME_SIZE = 96, FIELDS_MAX = 32, STRUCTS_MAX = 512, APIS_MAX = 128, NEVER = 32767 };

struct primitive {
    const char *name;  /* in the schema */
    const char *ctype; /* in C */
    const char *kind;  /* of fc_wire_kind */
    bool is_slice;
};

struct composite;

struct field {
    char name[NAME_SIZE];
    const struct primitive *primitive; /* or */
    const struct composite *composite;
    bool array;
    int from;
    int to;
    int null_from;           /* NEVER: cannot be null */
    int tag;                 /* -1: none */
    char initial[NAME_SIZE]; /* the default as written; "" when it is the type's own */
};

/* A message or a struct in one. */
struct composite {
    char name[NAME_SIZE]; /* "metadata_request_topic" */
    struct field fields[FIELDS_MAX];
    int field_count;
    bool is_message; /* not a struct in one */
    int version_min;
    int version_max;
    int flexible_from;
};

struct api {
    char name[NAME_SIZE]; /* "metadata" */
    int key;
    int advertised_min;
    int version_min; /* that can be decoded */
    int version_max;
    int flexible_from;
    const struct composite *request;
    const struct composite *response;
};

/* Structs stand before those that contain them once `order` is followed. */
struct schema {
    struct composite structs[STRUCTS_MAX];
    int struct_count;
    const struct composite *order[STRUCTS_MAX];
    int order_count;
    struct api apis[APIS_MAX];
    int api_count;
};

/* Complain and end the program. */
__attribute__((format(printf, 3, 4), noreturn)) void schema_fail(const char *where, int line,
                                                                 const char *fmt, ...);

/* Add what a file says; complains with file and line and ends the program when it cannot. */
void schema_read(struct schema *schema, const char *path);

/* Sort the APIs and check that they are complete. */
void schema_finish(struct schema *schema);

static inline bool field_is_pointer(const struct field *field)
{
    return field->composite != NULL && !field->array && field->null_from != NEVER;
}

#endif
