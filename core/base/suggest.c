/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/suggest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 64 }; /* longer words are not compared */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Three rows of the table of distances between prefixes: two back, one back, current. */
size_t fc_suggest_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    if (a_len > WORD_MAX || b_len > WORD_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b_len; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = rows[i % 3];
        const size_t *back = rows[(i + 2) % 3];
        const size_t *back2 = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = back[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            now[j] = least(change, least(back[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                now[j] = least(now[j], back2[j - 2] + 1);
            }
        }
    }
    return rows[a_len % 3][b_len];
}

void fc_suggest_init(struct fc_suggest *suggest, const char *given)
{
    size_t len = strlen(given);
    suggest->given = given;
    suggest->nearest = NULL;
    /* One slip in a short word, one in three characters of a longer one; the words offered must
     * be nearer than this. */
    suggest->distance = (len < 4 ? 1 : len / 3) + 1;
}

void fc_suggest_offer(struct fc_suggest *suggest, const char *word)
{
    size_t distance = fc_suggest_distance(suggest->given, word);
    if (distance < suggest->distance && distance < strlen(word)) {
        suggest->distance = distance;
        suggest->nearest = word;
    }
}

const char *fc_suggest_text(const struct fc_suggest *suggest, char *to)
{
    to[0] = '\0';
    if (suggest->nearest != NULL) {
        (void)snprintf(to, FC_SUGGEST_TEXT_SIZE, ", did you mean `%s`?", suggest->nearest);
    }
    return to;
}
