/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the nearest of some known words to one that was mistyped. */
#ifndef FC_BASE_SUGGEST_H
#define FC_BASE_SUGGEST_H

#include <stddef.h>

/* Edits that turn a into b: insert, remove or change a character, or exchange two neighbours. */
size_t fc_suggest_distance(const char *a, const char *b);

/* Keeps the nearest word seen. */
struct fc_suggest {
    const char *given;
    const char *nearest; /* NULL while nothing is near enough to be meant */
    size_t distance;
};

void fc_suggest_init(struct fc_suggest *suggest, const char *given);
void fc_suggest_offer(struct fc_suggest *suggest, const char *word);

enum { FC_SUGGEST_TEXT_SIZE = 128 };

/* ", did you mean `x`?" or "", into `to` of FC_SUGGEST_TEXT_SIZE bytes; returns `to`. */
const char *fc_suggest_text(const struct fc_suggest *suggest, char *to);

#endif
