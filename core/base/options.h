/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables: what a connector or a transform can be told. The runner checks a file against
 * the table strictly and prints the table as documentation; the code that owns it reads checked
 * values through struct fc_host.
 */
#ifndef FC_BASE_OPTIONS_H
#define FC_BASE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum fc_option_type {
    FC_OPTION_TEXT,
    FC_OPTION_SECRET,   /* text that is never printed */
    FC_OPTION_BOOL,     /* true or false; read as 1 or 0 */
    FC_OPTION_INT,      /* whole number between min and max */
    FC_OPTION_SIZE,     /* bytes: 512, 64KiB, 1MiB, 2GiB (also KB, MB, GB as powers of ten) */
    FC_OPTION_DURATION, /* milliseconds: 250ms, 30s, 5m, 1h, 7d */
    FC_OPTION_CHOICE,   /* one of `choices` */
    FC_OPTION_LIST,     /* a list of texts */
    FC_OPTION_MAP       /* names, each with a text */
} fc_option_type;

/* Instead of the number of an item of a LIST or MAP: the option as a whole. */
#define FC_OPTION_WHOLE UINT32_MAX

/* A table of these ends with key == NULL. Everything is static and const. */
struct fc_option {
    const char *key;
    fc_option_type type;
    bool required;
    const char *default_text; /* as it would stand in the file; NULL: no default (text NULL,
                                 number 0, list and map empty) */
    int64_t min;              /* INT, SIZE, DURATION; min == max == 0: no bounds */
    int64_t max;
    const char *choices; /* CHOICE: "a|b|c" */
    const char *help;    /* one sentence for a person */
};

#endif
