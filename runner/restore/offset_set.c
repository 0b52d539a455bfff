/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/restore/offset_set.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum {
    PAGE_BITS = 16,
    PAGE_OFFSETS = 1 << PAGE_BITS,
    PAGE_WORDS = PAGE_OFFSETS / 64,
    LIST_MAX = PAGE_OFFSETS / 16 /* up to here a list of 16-bit numbers is smaller */
};

/* Invariant: bits != NULL or list != NULL, not both; list is ascending. */
struct fc_offset_page {
    uint64_t *bits;
    uint16_t *list;
    uint32_t count;
};

void fc_offset_set_init(struct fc_offset_set *set)
{
    memset(set, 0, sizeof(*set));
}

void fc_offset_set_release(struct fc_offset_set *set)
{
    for (size_t index = 0; index < set->page_count; index++) {
        struct fc_offset_page *page = set->pages[index];
        if (page != NULL) {
            free(page->bits);
            free(page->list);
            free(page);
        }
    }
    free(set->pages);
    fc_offset_set_init(set);
}

static void set_bit(uint64_t *bits, uint32_t at)
{
    bits[at / 64] |= 1ULL << (at % 64);
}

static void spread(struct fc_offset_page *page)
{
    page->bits = fc_new_array(uint64_t, PAGE_WORDS);
    for (uint32_t index = 0; index < page->count && page->list != NULL; index++) {
        set_bit(page->bits, page->list[index]);
    }
    free(page->list);
    page->list = NULL;
}

void fc_offset_set_add(struct fc_offset_set *set, int64_t offset)
{
    size_t number = (size_t)(offset >> PAGE_BITS);
    uint32_t at = (uint32_t)(offset & (PAGE_OFFSETS - 1));
    struct fc_offset_page *page;
    if (number >= set->page_count) {
        size_t wanted = number + 1 + set->page_count / 2;
        set->pages = fc_realloc_array(set->pages, wanted, sizeof(struct fc_offset_page *));
        memset(&set->pages[set->page_count], 0,
               (wanted - set->page_count) * sizeof(struct fc_offset_page *));
        set->page_count = wanted;
    }
    page = set->pages[number];
    if (page == NULL) {
        page = fc_new(struct fc_offset_page);
        set->pages[number] = page;
    }
    if (page->bits == NULL) {
        spread(page);
    }
    if ((page->bits[at / 64] >> (at % 64) & 1) == 0) {
        set_bit(page->bits, at);
        page->count++;
        set->count++;
    }
}

void fc_offset_set_compact(struct fc_offset_set *set)
{
    for (size_t index = 0; index < set->page_count; index++) {
        struct fc_offset_page *page = set->pages[index];
        uint32_t filled = 0;
        if (page == NULL || page->bits == NULL || page->count > LIST_MAX) {
            continue;
        }
        page->list = fc_new_array(uint16_t, page->count);
        for (uint32_t word = 0; word < PAGE_WORDS; word++) {
            for (uint64_t bits = page->bits[word]; bits != 0; bits &= bits - 1) {
                page->list[filled++] = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(bits));
            }
        }
        fc_assert(filled == page->count);
        free(page->bits);
        page->bits = NULL;
    }
}

/* The smallest number at or after `from` in the page. */
static bool page_next(const struct fc_offset_page *page, uint32_t from, uint32_t *out_at)
{
    if (page->bits != NULL) {
        uint32_t word = from / 64;
        uint64_t bits = page->bits[word] & (~0ULL << (from % 64));
        while (bits == 0 && ++word < PAGE_WORDS) {
            bits = page->bits[word];
        }
        if (bits == 0) {
            return false;
        }
        *out_at = word * 64 + (uint32_t)__builtin_ctzll(bits);
        return true;
    }
    uint32_t low = 0;
    uint32_t high = page->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (page->list[middle] < from) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == page->count) {
        return false;
    }
    *out_at = page->list[low];
    return true;
}

bool fc_offset_set_next(const struct fc_offset_set *set, int64_t from, int64_t *out_offset)
{
    uint32_t at = (uint32_t)(from & (PAGE_OFFSETS - 1));
    for (size_t number = (size_t)(from >> PAGE_BITS); number < set->page_count; number++) {
        const struct fc_offset_page *page = set->pages[number];
        uint32_t found;
        if (page != NULL && page_next(page, at, &found)) {
            *out_offset = (int64_t)((uint64_t)number << PAGE_BITS | found);
            return true;
        }
        at = 0;
    }
    return false;
}

bool fc_offset_set_has(const struct fc_offset_set *set, int64_t offset)
{
    int64_t found;
    return fc_offset_set_next(set, offset, &found) && found == offset;
}

size_t fc_offset_set_bytes(const struct fc_offset_set *set)
{
    size_t bytes = set->page_count * sizeof(struct fc_offset_page *);
    for (size_t index = 0; index < set->page_count; index++) {
        const struct fc_offset_page *page = set->pages[index];
        if (page != NULL) {
            bytes += sizeof(*page) + (page->bits != NULL ? PAGE_OFFSETS / 8 : page->count * 2);
        }
    }
    return bytes;
}
