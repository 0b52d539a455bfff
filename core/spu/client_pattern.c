/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka gives such expressions to RE2, with which a match takes time by the lengths of expression
 * and name alone. regcomp and regexec do not: a{1,100} within another takes ten thousand copies,
 * and stars within stars take minutes. So: Thompson's method. The expression becomes at most
 * STEPS_MAX steps, and all steps at which a match may be are followed together through the name,
 * each at most once a byte.
 *
 * Known of RE2's syntax: bytes, `.`, sets with ranges, \d \w \s and their opposites, escaped
 * punctuation, groups, (?:), `|`, `^`, `$`, and the repetitions * + ? {n} {n,} {n,m}, greedy or
 * not (for a whole name that is the same). All else is refused, so that nothing is taken for
 * what it is not. A name is bytes here: `.` is one byte of a letter that has more.
 */
#include "core/spu/client_pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { STEPS_MAX = 2048, REPEAT_MAX = 1000, DEPTH_MAX = 100, FOR_EVER = -1 };

typedef enum step_kind {
    STEP_SET,   /* one byte of the set */
    STEP_SPLIT, /* go on at both */
    STEP_GO,    /* go on at first */
    STEP_BEGIN, /* the name begins here */
    STEP_END,   /* the name ends here */
    STEP_DONE
} step_kind;

struct step {
    step_kind kind;
    uint16_t first;
    uint16_t second;
    uint8_t set[256 / 8];
};

/* Steps without doubles, in the order in which they were reached. */
struct step_list {
    uint16_t items[STEPS_MAX];
    bool has[STEPS_MAX];
    uint32_t count;
};

struct fc_client_pattern {
    struct step steps[STEPS_MAX];
    uint32_t count;
    struct step_list lists[2]; /* of this byte and of the next, in turn */
};

struct parser {
    struct fc_client_pattern *into;
    const char *at;
    int depth; /* of groups */
    bool failed;
};

/* --- from text to steps --- */

/* The step added; a spare one once there is no room, which fails the whole. */
static struct step *add(struct parser *parser, step_kind kind)
{
    struct fc_client_pattern *into = parser->into;
    struct step *step;
    parser->failed = parser->failed || into->count == STEPS_MAX;
    step = &into->steps[parser->failed ? STEPS_MAX - 1 : into->count++];
    memset(step, 0, sizeof(*step));
    step->kind = kind;
    step->first = (uint16_t)into->count;
    return step;
}

static void set_add(struct step *step, unsigned byte)
{
    step->set[byte / 8] = (uint8_t)(step->set[byte / 8] | 1U << byte % 8);
}

static bool set_has(const struct step *step, unsigned byte)
{
    return (step->set[byte / 8] >> byte % 8 & 1) != 0;
}

static void set_invert(struct step *step)
{
    for (size_t index = 0; index < sizeof(step->set); index++) {
        step->set[index] = (uint8_t)~step->set[index];
    }
}

static bool is_of_class(int letter, int byte)
{
    switch (letter) {
    case 'd':
        return byte >= '0' && byte <= '9';
    case 'w':
        return byte < 128 && (isalnum(byte) != 0 || byte == '_');
    default:
        return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\f' || byte == '\r';
    }
}

/* What stands behind a backslash: a class is added to the set and -1 given, else it is a byte. */
static int read_escaped(struct parser *parser, struct step *step)
{
    int letter = (unsigned char)*parser->at;
    if (letter != '\0' && strchr("dDwWsS", letter) != NULL) {
        bool wanted = islower(letter) != 0;
        for (int byte = 0; byte < 256; byte++) {
            if (is_of_class(tolower(letter), byte) == wanted) {
                set_add(step, (unsigned)byte);
            }
        }
        parser->at++;
        return -1;
    }
    if (letter >= 128 || ispunct(letter) == 0) {
        parser->failed = true;
        return -1;
    }
    parser->at++;
    return letter;
}

/* A byte of a set, or -1 as above. */
static int read_member(struct parser *parser, struct step *step)
{
    int byte = (unsigned char)*parser->at;
    if (byte == '\0' || (byte == '[' && parser->at[1] == ':')) {
        parser->failed = true;
        return -1;
    }
    parser->at++;
    return byte == '\\' ? read_escaped(parser, step) : byte;
}

/* Behind its `[`. */
static void read_set(struct parser *parser)
{
    struct step *step = add(parser, STEP_SET);
    bool inverted = *parser->at == '^';
    bool first = true;
    parser->at += inverted;
    while (!parser->failed && (first || *parser->at != ']')) {
        int from = read_member(parser, step);
        int to = from;
        first = false;
        if (from >= 0 && parser->at[0] == '-' && parser->at[1] != ']') {
            parser->at++;
            to = read_member(parser, step);
            parser->failed = parser->failed || to < from;
        }
        for (int byte = from; byte >= 0 && byte <= to; byte++) {
            set_add(step, (unsigned)byte);
        }
    }
    parser->at += !parser->failed;
    if (inverted) {
        set_invert(step);
    }
}

static void read_alternatives(struct parser *parser);

/* Behind its `(`. A step of its own, so that even copies of an empty group come to an end. */
static void read_group(struct parser *parser)
{
    (void)add(parser, STEP_GO);
    if (parser->at[0] == '?' && parser->at[1] == ':') {
        parser->at += 2;
    }
    parser->failed = parser->failed || ++parser->depth > DEPTH_MAX;
    if (!parser->failed) {
        read_alternatives(parser);
    }
    parser->depth--;
    parser->failed = parser->failed || *parser->at != ')';
    parser->at += !parser->failed;
}

static void read_atom(struct parser *parser)
{
    char byte = *parser->at++;
    struct step *step;
    int escaped;
    switch (byte) {
    case '(':
        read_group(parser);
        return;
    case '[':
        read_set(parser);
        return;
    case '^':
        (void)add(parser, STEP_BEGIN);
        return;
    case '$':
        (void)add(parser, STEP_END);
        return;
    case '*':
    case '+':
    case '?':
        parser->failed = true;
        return;
    default:
        break;
    }
    step = add(parser, STEP_SET);
    escaped = byte == '\\' ? read_escaped(parser, step) : (unsigned char)byte;
    if (byte == '.') {
        set_add(step, '\n');
        set_invert(step);
    } else if (escaped >= 0) {
        set_add(step, (unsigned)escaped);
    }
}

/* At most 4 digits; false when there are none. */
static bool read_number(const char **at, int *out_number)
{
    const char *begin = *at;
    int number = 0;
    while (**at >= '0' && **at <= '9' && *at - begin < 4) {
        number = number * 10 + (*(*at)++ - '0');
    }
    *out_number = number;
    return *at != begin;
}

/* {n}, {n,} or {n,m}; anything else that begins with a brace is text. */
static bool read_bounds(struct parser *parser, int *out_least, int *out_most)
{
    const char *at = parser->at + 1;
    if (!read_number(&at, out_least)) {
        return false;
    }
    *out_most = *out_least;
    if (*at == ',') {
        at++;
        if (!read_number(&at, out_most)) {
            *out_most = FOR_EVER;
        }
    }
    if (*at != '}') {
        return false;
    }
    parser->at = at + 1;
    parser->failed = parser->failed || *out_least > REPEAT_MAX || *out_most > REPEAT_MAX ||
                     (*out_most != FOR_EVER && *out_most < *out_least);
    return true;
}

static bool read_repetition(struct parser *parser, int *out_least, int *out_most)
{
    char byte = *parser->at;
    *out_least = byte == '+';
    *out_most = byte == '?' ? 1 : FOR_EVER;
    if (byte == '{') {
        return read_bounds(parser, out_least, out_most);
    }
    parser->at += byte == '*' || byte == '+' || byte == '?';
    return byte == '*' || byte == '+' || byte == '?';
}

/* Another copy of the atom at this place; one that need not be there has a split before it. */
static void add_copy(struct parser *parser, const char *atom, bool optional)
{
    uint32_t split = parser->into->count;
    if (optional) {
        (void)add(parser, STEP_SPLIT);
    }
    parser->at = atom;
    read_atom(parser);
    if (optional && !parser->failed) {
        parser->into->steps[split].second = (uint16_t)parser->into->count;
    }
}

/* The copies behind the first one, which begins behind lead, and the way back to the last. */
static void add_copies(struct parser *parser, const char *atom, uint32_t lead, int least,
                       int most)
{
    uint32_t last = lead + 1;
    for (int copy = 1; !parser->failed && copy < (most == FOR_EVER ? least : most); copy++) {
        last = parser->into->count;
        add_copy(parser, atom, copy >= least);
    }
    if (most == FOR_EVER && least == 0) {
        add(parser, STEP_GO)->first = (uint16_t)lead;
    } else if (most == FOR_EVER) {
        add(parser, STEP_SPLIT)->second = (uint16_t)last;
    }
}

/* An atom is read once for each of its copies. Before the first is a step that can lead past all
 * of them: what follows an atom says only later whether that is wanted. */
static void read_repeated(struct parser *parser)
{
    uint32_t lead = parser->into->count;
    const char *atom = parser->at;
    const char *end;
    int least = 0;
    int most = 0;
    (void)add(parser, STEP_GO);
    read_atom(parser);
    if (parser->failed || !read_repetition(parser, &least, &most)) {
        return;
    }
    parser->at += *parser->at == '?'; /* not greedy */
    end = parser->at;
    parser->failed = parser->failed || (*end != '\0' && strchr("*+?", *end) != NULL);
    add_copies(parser, atom, lead, least, most);
    parser->at = end;
    if (least == 0 && !parser->failed) {
        struct step *step = &parser->into->steps[lead];
        step->kind = STEP_SPLIT;
        step->second = (uint16_t)parser->into->count;
        step->first = most == 0 ? step->second : step->first;
    }
}

/* a|b|c: a split before each that is not the last, with its other way to the next one; behind
 * each a step to the end of all, which are chained until that is known. */
static void read_alternatives(struct parser *parser)
{
    struct fc_client_pattern *into = parser->into;
    uint32_t chain = STEPS_MAX;
    bool more = true;
    while (more && !parser->failed) {
        uint32_t split = into->count;
        (void)add(parser, STEP_SPLIT);
        while (!parser->failed && *parser->at != '\0' && *parser->at != '|' &&
               *parser->at != ')') {
            read_repeated(parser);
        }
        add(parser, STEP_GO)->first = (uint16_t)chain;
        chain = into->count - 1;
        more = *parser->at == '|';
        parser->at += more;
        if (!parser->failed) {
            into->steps[split].second = (uint16_t)(more ? into->count : split + 1);
        }
    }
    while (!parser->failed && chain < STEPS_MAX) {
        uint32_t before = into->steps[chain].first;
        into->steps[chain].first = (uint16_t)into->count;
        chain = before;
    }
}

struct fc_client_pattern *fc_client_pattern_new(const char *text)
{
    struct fc_client_pattern *pattern = fc_new(struct fc_client_pattern);
    struct parser parser = { .into = pattern, .at = text };
    read_alternatives(&parser);
    (void)add(&parser, STEP_DONE);
    if (parser.failed || *parser.at != '\0') {
        fc_client_pattern_free(pattern);
        return NULL;
    }
    return pattern;
}

void fc_client_pattern_free(struct fc_client_pattern *pattern)
{
    free(pattern);
}

/* --- matching --- */

static void reach(struct step_list *list, uint16_t step)
{
    if (!list->has[step]) {
        list->has[step] = true;
        list->items[list->count++] = step;
    }
}

/* Reach all that can be reached from what is in the list without a byte. */
static void spread(const struct fc_client_pattern *pattern, struct step_list *list,
                   bool at_begin, bool at_end)
{
    for (uint32_t index = 0; index < list->count; index++) {
        const struct step *step = &pattern->steps[list->items[index]];
        if (step->kind == STEP_SPLIT || step->kind == STEP_GO ||
            (step->kind == STEP_BEGIN && at_begin) || (step->kind == STEP_END && at_end)) {
            reach(list, step->first);
        }
        if (step->kind == STEP_SPLIT) {
            reach(list, step->second);
        }
    }
}

static void clear(struct step_list *list)
{
    for (uint32_t index = 0; index < list->count; index++) {
        list->has[list->items[index]] = false;
    }
    list->count = 0;
}

bool fc_client_pattern_matches(struct fc_client_pattern *pattern, struct fc_slice name)
{
    struct step_list *now = &pattern->lists[0];
    struct step_list *next = &pattern->lists[1];
    clear(now);
    reach(now, 0);
    spread(pattern, now, true, name.len == 0);
    for (size_t at = 0; at < name.len && now->count > 0; at++) {
        struct step_list *before = now;
        clear(next);
        for (uint32_t index = 0; index < now->count; index++) {
            const struct step *step = &pattern->steps[now->items[index]];
            if (step->kind == STEP_SET && set_has(step, name.data[at])) {
                reach(next, step->first);
            }
        }
        spread(pattern, next, false, at + 1 == name.len);
        now = next;
        next = before;
    }
    return now->has[pattern->count - 1];
}
