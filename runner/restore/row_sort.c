/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row is held as one piece of bytes, in memory and in the file alike: a struct entry, then the
 * order, the key and the image. The file is this process's alone and gone with it.
 *
 * In memory an index of the pieces is sorted, with the first bytes of the order beside each so
 * that most comparisons look at nothing else. The last run stays in memory and is merged with
 * those of the file through a heap.
 */
#include "runner/restore/row_sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/heap.h"
#include "runner/restore/key_order.h"

enum { WRITE_BYTES = 256 * 1024, READ_BYTES = 64 * 1024 };

static const size_t row_bytes_max = (size_t)1 << 31;
static const size_t buffer_bytes_max = (size_t)1 << 32; /* a row and what is read at once */

struct entry {
    uint32_t version;
    uint32_t order_len;
    uint64_t key_len;
    uint64_t image_len;
};

struct indexed {
    uint64_t prefix; /* of the order, as a number */
    const uint8_t *piece;
};

/* Rows in order. Of the file, or (file_end 0) those in memory. */
struct run {
    uint64_t file_at; /* of what is not in the buffer */
    uint64_t file_end;
    struct fc_buf buf;
    size_t taken; /* bytes of buf, up to behind the head */
    size_t next;  /* in the index */
    struct fc_sorted_row head;
};

struct fc_row_sort {
    size_t limit;
    char *dir;
    struct fc_arena arena; /* of the pieces in memory */
    struct indexed *index;
    size_t count;
    size_t capacity;
    int fd; /* -1: none yet */
    uint64_t file_size;
    struct fc_heap runs; /* those of the file; in order when rows are taken */
};

static bool is_before(const void *a, const void *b)
{
    const struct run *x = a;
    const struct run *y = b;
    return fc_key_order_compare(x->head.order, y->head.order) < 0;
}

struct fc_row_sort *fc_row_sort_new(size_t memory_bytes, const char *dir)
{
    struct fc_row_sort *sort = fc_new(struct fc_row_sort);
    sort->limit = memory_bytes;
    sort->dir = fc_strdup(dir);
    sort->fd = -1;
    fc_arena_init(&sort->arena, SIZE_MAX);
    fc_heap_init(&sort->runs, is_before);
    return sort;
}

static void free_run(struct run *run)
{
    fc_buf_release(&run->buf);
    free(run);
}

void fc_row_sort_clear(struct fc_row_sort *sort)
{
    for (size_t index = 0; index < sort->runs.count; index++) {
        free_run(sort->runs.items[index]);
    }
    sort->runs.count = 0;
    sort->count = 0;
    sort->file_size = 0;
    fc_arena_clear(&sort->arena);
    if (sort->fd >= 0) {
        (void)close(sort->fd); /* what it held is not wanted any more */
        sort->fd = -1;
    }
}

void fc_row_sort_free(struct fc_row_sort *sort)
{
    if (sort != NULL) {
        fc_row_sort_clear(sort);
        fc_arena_release(&sort->arena);
        free(sort->index);
        fc_heap_release(&sort->runs);
        free(sort->dir);
        free(sort);
    }
}

uint64_t fc_row_sort_spilled_bytes(const struct fc_row_sort *sort)
{
    return sort->file_size;
}

/* --- in memory --------------------------------------------------------------------------- */

static void read_piece(const uint8_t *piece, struct fc_sorted_row *out_row)
{
    struct entry entry;
    memcpy(&entry, piece, sizeof(entry));
    piece += sizeof(entry);
    out_row->version = entry.version;
    out_row->order = fc_slice_of(piece, entry.order_len);
    out_row->key = fc_slice_of(piece + entry.order_len, entry.key_len);
    out_row->image = fc_slice_of(piece + entry.order_len + entry.key_len, entry.image_len);
}

static size_t piece_size(const struct entry *entry)
{
    return sizeof(*entry) + entry->order_len + entry->key_len + entry->image_len;
}

static uint64_t prefix_of(struct fc_slice order)
{
    uint64_t prefix = 0;
    for (size_t index = 0; index < sizeof(prefix); index++) {
        prefix = prefix << 8 | (index < order.len ? order.data[index] : 0);
    }
    return prefix;
}

static int compare_indexed(const void *a, const void *b)
{
    const struct indexed *x = a;
    const struct indexed *y = b;
    struct fc_sorted_row left;
    struct fc_sorted_row right;
    if (x->prefix != y->prefix) {
        return x->prefix < y->prefix ? -1 : 1;
    }
    read_piece(x->piece, &left);
    read_piece(y->piece, &right);
    return fc_key_order_compare(left.order, right.order);
}

static void sort_index(struct fc_row_sort *sort)
{
    if (sort->count > 1) {
        qsort(sort->index, sort->count, sizeof(*sort->index), compare_indexed);
    }
}

static void hold(struct fc_row_sort *sort, const struct entry *entry,
                 const struct fc_sorted_row *row)
{
    uint8_t *piece = fc_arena_alloc(&sort->arena, piece_size(entry));
    struct indexed *indexed;
    fc_assert(piece != NULL);
    if (sort->count == sort->capacity) {
        sort->capacity = sort->capacity + sort->capacity / 2 + 1024;
        sort->index = fc_realloc_array(sort->index, sort->capacity, sizeof(*sort->index));
    }
    indexed = &sort->index[sort->count++];
    indexed->prefix = prefix_of(row->order);
    indexed->piece = piece;
    memcpy(piece, entry, sizeof(*entry));
    piece += sizeof(*entry);
    memcpy(piece, row->order.data, row->order.len);
    piece += row->order.len;
    memcpy(piece, row->key.data, row->key.len);
    piece += row->key.len;
    memcpy(piece, row->image.data, row->image.len);
}

/* --- the file ---------------------------------------------------------------------------- */

static fc_code fail_file(const struct fc_row_sort *sort, const char *what, struct fc_error *err)
{
    return fc_fail(err, FC_ERR_IO, "%s a file in %s to sort rows: %s", what, sort->dir,
                   strerrordesc_np(errno));
}

static fc_code open_file(struct fc_row_sort *sort, struct fc_error *err)
{
    if (sort->fd < 0) {
        char *path = fc_asprintf("%s/fluvio-sort-XXXXXX", sort->dir);
        sort->fd = mkostemp(path, O_CLOEXEC);
        if (sort->fd >= 0) {
            (void)unlink(path); /* if it stays, a name is left behind, and nothing else */
        }
        free(path);
    }
    return sort->fd < 0 ? fail_file(sort, "create", err) : FC_OK;
}

static bool write_all(int fd, struct fc_slice bytes, uint64_t at)
{
    while (bytes.len > 0) {
        ssize_t written = pwrite(fd, bytes.data, bytes.len, (off_t)at);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            bytes.data += written;
            bytes.len -= (size_t)written;
            at += (uint64_t)written;
        }
    }
    return true;
}

/* Write the rows in memory as a run; they stay when that fails. */
static fc_code spill(struct fc_row_sort *sort, struct fc_error *err)
{
    struct fc_buf buf;
    uint64_t at = sort->file_size;
    fc_code code = open_file(sort, err);
    fc_buf_init(&buf, buffer_bytes_max);
    sort_index(sort);
    for (size_t index = 0; code == FC_OK && index < sort->count; index++) {
        struct entry entry;
        memcpy(&entry, sort->index[index].piece, sizeof(entry));
        fc_buf_append(&buf, sort->index[index].piece, piece_size(&entry));
        if (buf.len >= WRITE_BYTES || index + 1 == sort->count) {
            code = fc_buf_check(&buf, "rows to be sorted", err);
            if (code == FC_OK && !write_all(sort->fd, fc_buf_slice(&buf), at)) {
                code = fail_file(sort, "write", err);
            }
            at += buf.len;
            fc_buf_clear(&buf);
        }
    }
    fc_buf_release(&buf);
    if (code == FC_OK) {
        struct run *run = fc_new(struct run);
        run->file_at = sort->file_size;
        run->file_end = at;
        fc_buf_init(&run->buf, buffer_bytes_max);
        fc_heap_add(&sort->runs, run);
        sort->file_size = at;
        sort->count = 0;
        fc_arena_clear(&sort->arena);
    }
    return code;
}

fc_code fc_row_sort_add(struct fc_row_sort *sort, const struct fc_sorted_row *row,
                        struct fc_error *err)
{
    struct entry entry = { row->version, (uint32_t)row->order.len, row->key.len,
                           row->image.len };
    size_t held = sort->arena.used + sort->capacity * sizeof(*sort->index);
    if (row->key.len + row->image.len > row_bytes_max) {
        return fc_fail(err, FC_ERR_LIMIT, "a row is larger than %zu bytes", row_bytes_max);
    }
    if (sort->count > 0 && held + piece_size(&entry) > sort->limit) {
        struct fc_error why;
        if (spill(sort, &why) != FC_OK) {
            return fc_fail(err, FC_ERR_FULL, "%s", why.message);
        }
    }
    hold(sort, &entry, row);
    return FC_OK;
}

/* --- taking ------------------------------------------------------------------------------ */

/* Have at least `wanted` bytes behind `taken` in the buffer. */
static fc_code fill(const struct fc_row_sort *sort, struct run *run, size_t wanted,
                    struct fc_error *err)
{
    size_t left = run->buf.len - run->taken;
    size_t more = wanted > READ_BYTES ? wanted : READ_BYTES;
    uint8_t *to;
    if (left >= wanted) {
        return FC_OK;
    }
    if (left > 0) {
        memmove(run->buf.data, run->buf.data + run->taken, left);
    }
    run->buf.len = left;
    run->taken = 0;
    more -= left;
    more = more < run->file_end - run->file_at ? more : (size_t)(run->file_end - run->file_at);
    to = fc_buf_reserve(&run->buf, more);
    if (to == NULL) {
        return fc_buf_check(&run->buf, "rows to be sorted", err);
    }
    while (more > 0) {
        ssize_t got = pread(sort->fd, to, more, (off_t)run->file_at);
        if (got == 0) {
            return fc_fail(err, FC_ERR_CORRUPT, "the file of sorted rows is cut short");
        }
        if (got < 0 && errno != EINTR) {
            return fail_file(sort, "read", err);
        }
        if (got > 0) {
            to += got;
            more -= (size_t)got;
            run->buf.len += (size_t)got;
            run->file_at += (uint64_t)got;
        }
    }
    fc_assert(run->buf.len >= wanted); /* the run's end is the end of a piece */
    return FC_OK;
}

/* Take the next row of the run as head; *out_has is false at its end. */
static fc_code advance(const struct fc_row_sort *sort, struct run *run, bool *out_has,
                       struct fc_error *err)
{
    struct entry entry;
    fc_code code;
    if (run->file_end == 0) {
        *out_has = run->next < sort->count;
        if (*out_has) {
            read_piece(sort->index[run->next++].piece, &run->head);
        }
        return FC_OK;
    }
    *out_has = run->taken < run->buf.len || run->file_at < run->file_end;
    if (!*out_has) {
        return FC_OK;
    }
    code = fill(sort, run, sizeof(entry), err);
    if (code != FC_OK) {
        return code;
    }
    memcpy(&entry, run->buf.data + run->taken, sizeof(entry));
    code = fill(sort, run, piece_size(&entry), err);
    if (code == FC_OK) {
        read_piece(run->buf.data + run->taken, &run->head);
        run->taken += piece_size(&entry);
    }
    return code;
}

fc_code fc_row_sort_finish(struct fc_row_sort *sort, struct fc_error *err)
{
    fc_code code = FC_OK;
    bool has = false;
    sort_index(sort);
    if (sort->count > 0) {
        fc_heap_add(&sort->runs, fc_new(struct run));
    }
    for (size_t index = 0; code == FC_OK && index < sort->runs.count; index++) {
        code = advance(sort, sort->runs.items[index], &has, err);
        fc_assert(code != FC_OK || has); /* no run is empty */
    }
    if (code == FC_OK) {
        fc_heap_order(&sort->runs);
    }
    return code;
}

const struct fc_sorted_row *fc_row_sort_head(const struct fc_row_sort *sort)
{
    const struct run *first = fc_heap_first(&sort->runs);
    return first == NULL ? NULL : &first->head;
}

fc_code fc_row_sort_step(struct fc_row_sort *sort, struct fc_error *err)
{
    bool has = false;
    struct run *first = fc_heap_first(&sort->runs);
    fc_code code = advance(sort, first, &has, err);
    if (code == FC_OK && has) {
        fc_heap_first_changed(&sort->runs);
    } else if (code == FC_OK) {
        fc_heap_drop_first(&sort->runs);
        free_run(first);
    }
    return code;
}
