/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/manifest.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/buf.h"
#include "core/base/crc32c.h"
#include "core/base/reader.h"
#include "core/log/bytes.h"
#include "core/log/manifest_bytes.h"

enum {
    SLOT_SIZE = FC_MANIFEST_SLOT_SIZE,
    SLOT_SPACING = FC_MANIFEST_SLOT_SPACING,
    ENTRIES_BEGIN = FC_MANIFEST_ENTRIES_BEGIN,
    ENTRY_SIZE = FC_MANIFEST_ENTRY_SIZE,
    FILE_SIZE_MAX = 1024 * 1024 * 1024,
    ADD_AT_ONCE_MAX = 64 /* entries */
};

static char *manifest_path(const char *dir)
{
    return fc_asprintf("%s/manifest", dir);
}

fc_code fc_manifest_create(struct fc_fs *fs, const char *dir,
                           const struct fc_checkpoint *checkpoint, struct fc_error *err)
{
    char *path = manifest_path(dir);
    struct fc_buf bytes;
    fc_code code;
    fc_manifest_encode_all(NULL, 0, checkpoint, 1, &bytes);
    code = fc_fs_replace(fs, path, bytes.data, bytes.len, err);
    fc_buf_release(&bytes);
    free(path);
    return code;
}

static fc_code check_header(const struct fc_manifest *manifest, struct fc_slice bytes,
                            struct fc_error *err)
{
    uint8_t expected[FC_MANIFEST_HEADER_SIZE];
    uint32_t version;
    if (bytes.data == NULL || bytes.len < ENTRIES_BEGIN) {
        return fc_fail(err, FC_ERR_CORRUPT, "%s: cut short at byte %zu", manifest->path,
                       bytes.len);
    }
    fc_manifest_encode_header(FC_MANIFEST_VERSION_DENSE, expected);
    if (memcmp(bytes.data, expected, FC_MANIFEST_MAGIC_SIZE) != 0 ||
        fc_bytes_get32(bytes.data + FC_MANIFEST_MAGIC_SIZE + 4) !=
            fc_crc32c(0, bytes.data, FC_MANIFEST_MAGIC_SIZE + 4)) {
        return fc_fail(err, FC_ERR_CORRUPT, "%s: not a manifest, or damaged at byte 0",
                       manifest->path);
    }
    version = fc_bytes_get32(bytes.data + FC_MANIFEST_MAGIC_SIZE);
    if (version < FC_MANIFEST_VERSION_DENSE || version > FC_MANIFEST_VERSION) {
        return fc_fail(err, FC_ERR_CONFIG,
                       "%s: written in format version %" PRIu32
                       "; this program reads versions up to %d: use the program that wrote it",
                       manifest->path, version, FC_MANIFEST_VERSION);
    }
    return FC_OK;
}

/* Take the newer of the two checkpoints. */
static fc_code decode_slots(struct fc_manifest *manifest, struct fc_slice bytes,
                            struct fc_checkpoint *out, uint64_t *out_entries_bytes,
                            struct fc_error *err)
{
    bool found = false;
    fc_assert(bytes.data != NULL);
    for (unsigned slot = 0; slot < 2; slot++) {
        struct fc_checkpoint read;
        uint64_t sequence = 0;
        uint64_t entries_bytes = 0;
        if (fc_manifest_decode_slot(bytes.data + (size_t)SLOT_SPACING * (slot + 1), &read,
                                    &sequence, &entries_bytes) &&
            (!found || sequence > manifest->sequence)) {
            found = true;
            *out = read;
            *out_entries_bytes = entries_bytes;
            manifest->sequence = sequence;
            manifest->slot = 1 - slot;
            manifest->doubtful = true;
            memcpy(manifest->loaded, bytes.data + (size_t)SLOT_SPACING * (slot + 1), SLOT_SIZE);
        }
    }
    return found ? FC_OK
                 : fc_fail(err, FC_ERR_CORRUPT,
                           "%s: both checkpoints, at bytes %d and %d, are "
                           "damaged",
                           manifest->path, SLOT_SPACING, 2 * SLOT_SPACING);
}

/* Segments follow each other without gap, but for what lay below the start: a segment that was
 * deleted, and gone after a crash, before it was entered. */
static bool follows(const struct fc_segment *segment, const struct fc_segment *before,
                    int64_t start)
{
    return segment->base == before->end ||
           (segment->base > before->end && segment->base <= start);
}

/* Entries that the checkpoint knows must be whole; of those behind them, the first that is not
 * ends the list: it was never synced. */
static fc_code decode_entries(struct fc_manifest *manifest, struct fc_slice bytes,
                              uint64_t known_bytes, struct fc_manifest_content *out,
                              struct fc_error *err)
{
    size_t room = (bytes.len - ENTRIES_BEGIN) / ENTRY_SIZE;
    uint64_t at = 0;
    out->segments = fc_new_array(struct fc_segment, room + 1);
    out->count = 0;
    for (size_t index = 0; index < room; index++) {
        struct fc_segment *segment = &out->segments[index];
        bool good =
            fc_manifest_decode_entry(bytes.data + ENTRIES_BEGIN + index * ENTRY_SIZE,
                                     segment) &&
            segment->base >= 0 && segment->end > segment->base &&
            (index == 0 || follows(segment, &out->segments[index - 1], out->checkpoint.start));
        if (!good) {
            break;
        }
        out->count++;
        at += ENTRY_SIZE;
    }
    if (at < known_bytes) {
        free(out->segments);
        out->segments = NULL;
        out->count = 0;
        return fc_fail(err, FC_ERR_CORRUPT, "%s: damaged entry at byte %" PRIu64,
                       manifest->path, ENTRIES_BEGIN + at);
    }
    out->whole = at == known_bytes && bytes.len == ENTRIES_BEGIN + at;
    manifest->entries_bytes = at;
    manifest->entries_synced = known_bytes;
    return FC_OK;
}

static fc_code read_whole(struct fc_manifest *manifest, struct fc_buf *to, struct fc_error *err)
{
    uint64_t size = 0;
    fc_code code = manifest->fs->ops->size(manifest->file, &size, err);
    uint8_t *room;
    if (code != FC_OK) {
        return code;
    }
    room = size <= FILE_SIZE_MAX ? fc_buf_reserve(to, (size_t)size + 1) : NULL;
    if (room == NULL) {
        return fc_fail(err, FC_ERR_CORRUPT, "%s: too large to be a manifest", manifest->path);
    }
    return manifest->fs->ops->read(manifest->file, 0, room, (size_t)size, &to->len, err);
}

fc_code fc_manifest_load(struct fc_manifest *manifest, struct fc_fs *fs, const char *dir,
                         bool read_only, struct fc_manifest_content *out_content,
                         struct fc_error *err)
{
    struct fc_manifest_content content = { 0 };
    struct fc_buf bytes;
    uint64_t known_bytes = 0;
    fc_code code;
    memset(manifest, 0, sizeof(*manifest));
    (void)pthread_mutex_init(&manifest->lock, NULL); /* these cannot fail on Linux */
    (void)pthread_cond_init(&manifest->idle, NULL);
    fc_buf_init(&bytes, (size_t)FILE_SIZE_MAX + 1);
    manifest->fs = fs;
    manifest->path = manifest_path(dir);
    code = fs->ops->open(fs, manifest->path, read_only ? FC_FS_READ : FC_FS_WRITE,
                         &manifest->file, err);
    if (code == FC_OK) {
        code = read_whole(manifest, &bytes, err);
    }
    if (code == FC_OK) {
        code = check_header(manifest, fc_buf_slice(&bytes), err);
    }
    if (code == FC_OK) {
        code = decode_slots(manifest, fc_buf_slice(&bytes), &content.checkpoint, &known_bytes,
                            err);
    }
    if (code == FC_OK) {
        code = decode_entries(manifest, fc_buf_slice(&bytes), known_bytes, &content, err);
    }
    fc_buf_release(&bytes);
    if (code == FC_OK) {
        *out_content = content;
    } else {
        fc_manifest_release(manifest);
    }
    return code;
}

fc_code fc_manifest_peek(struct fc_fs *fs, const char *dir, int64_t *out_durable,
                         struct fc_error *err)
{
    char *path = manifest_path(dir);
    struct fc_file *file = NULL;
    uint64_t newest = 0;
    bool found = false;
    fc_code code = fs->ops->open(fs, path, FC_FS_READ, &file, err);
    for (uint64_t slot = 0; code == FC_OK && slot < 2; slot++) {
        uint8_t bytes[SLOT_SIZE];
        struct fc_checkpoint read;
        uint64_t sequence = 0;
        uint64_t entries_bytes = 0;
        size_t got = 0;
        code = fs->ops->read(file, SLOT_SPACING * (slot + 1), bytes, SLOT_SIZE, &got, err);
        if (code == FC_OK && got == SLOT_SIZE &&
            fc_manifest_decode_slot(bytes, &read, &sequence, &entries_bytes) &&
            (!found || sequence > newest)) {
            found = true;
            newest = sequence;
            *out_durable = read.durable;
        }
    }
    if (code == FC_OK && !found) {
        code = fc_fail(err, FC_ERR_CORRUPT, "%s: no checkpoint is whole", path);
    }
    fs->ops->close(file);
    free(path);
    return code;
}

fc_code fc_manifest_begin(struct fc_manifest *manifest, struct fc_fs *fs, const char *dir,
                          const struct fc_checkpoint *checkpoint,
                          struct fc_manifest_content *out_content, struct fc_error *err)
{
    fc_code code = fc_manifest_create(fs, dir, checkpoint, err);
    if (code == FC_OK) {
        code = fc_manifest_load(manifest, fs, dir, false, out_content, err);
    }
    if (code == FC_OK) {
        manifest->doubtful = false;
    }
    return code;
}

void fc_manifest_release(struct fc_manifest *manifest)
{
    if (manifest->fs != NULL) {
        manifest->fs->ops->close(manifest->file);
        (void)pthread_cond_destroy(&manifest->idle);
        (void)pthread_mutex_destroy(&manifest->lock);
    }
    free(manifest->path);
    memset(manifest, 0, sizeof(*manifest));
}

static fc_code check_whole(const struct fc_manifest *manifest, struct fc_error *err)
{
    if (manifest->broken && err != NULL) {
        *err = manifest->why;
    }
    return manifest->broken ? manifest->why.code : FC_OK;
}

/* Once no sync runs beside. The lock is held then, until end_work, also on failure. */
static fc_code begin_work(struct fc_manifest *manifest, struct fc_error *err)
{
    (void)pthread_mutex_lock(&manifest->lock);
    while (manifest->syncing_beside) {
        (void)pthread_cond_wait(&manifest->idle, &manifest->lock);
    }
    return check_whole(manifest, err);
}

static fc_code end_work(struct fc_manifest *manifest, fc_code code)
{
    (void)pthread_mutex_unlock(&manifest->lock);
    return code;
}

static fc_code add(struct fc_manifest *manifest, const struct fc_segment *segments,
                   size_t count, struct fc_error *err)
{
    uint8_t bytes[ADD_AT_ONCE_MAX * ENTRY_SIZE];
    uint64_t added = 0;
    for (size_t done = 0; done < count;) {
        size_t now = count - done < ADD_AT_ONCE_MAX ? count - done : ADD_AT_ONCE_MAX;
        struct iovec part = { bytes, now * ENTRY_SIZE };
        fc_code code;
        for (size_t index = 0; index < now; index++) {
            fc_manifest_encode_entry(&segments[done + index], bytes + index * ENTRY_SIZE);
        }
        code = manifest->fs->ops->write(
            manifest->file, ENTRIES_BEGIN + manifest->entries_bytes + added, &part, 1, err);
        if (code != FC_OK) {
            return code;
        }
        added += part.iov_len;
        done += now;
    }
    manifest->entries_bytes += added;
    manifest->unsynced = manifest->unsynced || count > 0;
    return FC_OK;
}

fc_code fc_manifest_add(struct fc_manifest *manifest, const struct fc_segment *segments,
                        size_t count, struct fc_error *err)
{
    fc_code code = begin_work(manifest, err);
    return end_work(manifest, code == FC_OK ? add(manifest, segments, count, err) : code);
}

/* Have the loaded checkpoint on disk for certain. */
static fc_code settle(struct fc_manifest *manifest, struct fc_error *err)
{
    struct iovec part = { manifest->loaded, SLOT_SIZE };
    fc_code code = FC_OK;
    if (manifest->doubtful) {
        code = manifest->fs->ops->write(
            manifest->file, (uint64_t)SLOT_SPACING * (2 - manifest->slot), &part, 1, err);
        if (code == FC_OK) {
            code = fc_fs_sync_once(manifest->file, err);
        }
        manifest->doubtful = code != FC_OK;
    }
    return code;
}

static fc_code put(struct fc_manifest *manifest, const struct fc_checkpoint *checkpoint,
                   struct fc_error *err)
{
    uint8_t bytes[SLOT_SIZE];
    struct iovec part = { bytes, SLOT_SIZE };
    fc_code code = settle(manifest, err);
    if (code != FC_OK) {
        return code;
    }
    fc_manifest_encode_slot(checkpoint, manifest->sequence + 1, manifest->entries_synced,
                            bytes);
    manifest->sequence++;
    manifest->slot_written = true;
    manifest->unsynced = true;
    return manifest->fs->ops->write(
        manifest->file, (uint64_t)SLOT_SPACING * (manifest->slot + 1), &part, 1, err);
}

fc_code fc_manifest_put(struct fc_manifest *manifest, const struct fc_checkpoint *checkpoint,
                        struct fc_error *err)
{
    fc_code code;
    (void)pthread_mutex_lock(&manifest->lock);
    code = check_whole(manifest, err);
    if (code == FC_OK && manifest->syncing_beside) {
        manifest->held = true;
        manifest->held_back = *checkpoint;
    } else if (code == FC_OK) {
        code = put(manifest, checkpoint, err);
    }
    return end_work(manifest, code);
}

/* All that was written is durable. */
static void note_synced(struct fc_manifest *manifest)
{
    manifest->unsynced = false;
    manifest->entries_synced = manifest->entries_bytes;
    manifest->slot = manifest->slot_written ? 1 - manifest->slot : manifest->slot;
    manifest->slot_written = false;
}

static fc_code sync_now(struct fc_manifest *manifest, struct fc_error *err)
{
    fc_code code = FC_OK;
    if (manifest->unsynced) {
        code = fc_fs_sync_once(manifest->file, err);
        if (code == FC_OK) {
            note_synced(manifest);
        }
    }
    return code;
}

fc_code fc_manifest_sync(struct fc_manifest *manifest, struct fc_error *err)
{
    fc_code code = begin_work(manifest, err);
    return end_work(manifest, code == FC_OK ? sync_now(manifest, err) : code);
}

fc_code fc_manifest_sync_beside(struct fc_manifest *manifest, struct fc_error *err)
{
    struct fc_error why;
    fc_code code = begin_work(manifest, err);
    if (code != FC_OK || !manifest->unsynced) {
        return end_work(manifest, code);
    }
    manifest->syncing_beside = true;
    (void)pthread_mutex_unlock(&manifest->lock);
    code = fc_fs_sync_once(manifest->file, &why);
    (void)pthread_mutex_lock(&manifest->lock);
    manifest->syncing_beside = false;
    if (code == FC_OK) {
        note_synced(manifest);
        code = manifest->held ? put(manifest, &manifest->held_back, &why) : FC_OK;
    }
    if (code != FC_OK && code != FC_ERR_FULL) { /* room is what an overwrite may need */
        manifest->broken = true;
        manifest->why = why;
    }
    if (code != FC_OK && err != NULL) {
        *err = why;
    }
    manifest->held = false;
    (void)pthread_cond_broadcast(&manifest->idle);
    return end_work(manifest, code);
}

fc_code fc_manifest_take_over(struct fc_manifest *manifest,
                              const struct fc_manifest_content *content, struct fc_error *err)
{
    size_t vouched = (size_t)(manifest->entries_synced / ENTRY_SIZE);
    uint8_t bytes[SLOT_SIZE];
    struct iovec part = { bytes, SLOT_SIZE };
    fc_code code = manifest->fs->ops->truncate(manifest->file,
                                               ENTRIES_BEGIN + manifest->entries_bytes, err);
    fc_manifest_encode_slot(&content->checkpoint, manifest->sequence, manifest->entries_synced,
                            bytes);
    if (code == FC_OK) {
        code = manifest->fs->ops->write(
            manifest->file, (uint64_t)SLOT_SPACING * (2 - manifest->slot), &part, 1, err);
    }
    if (code == FC_OK) {
        manifest->entries_bytes = manifest->entries_synced;
        code = add(manifest, content->segments + vouched, content->count - vouched, err);
    }
    manifest->unsynced = true;
    code = code == FC_OK ? sync_now(manifest, err) : code;
    manifest->doubtful = code != FC_OK;
    return code;
}

fc_code fc_manifest_rewrite(struct fc_manifest *manifest, const struct fc_segment *segments,
                            size_t count, const struct fc_checkpoint *checkpoint,
                            struct fc_error *err)
{
    struct fc_file *file = NULL;
    struct fc_buf bytes;
    fc_code code = begin_work(manifest, err);
    if (code != FC_OK) {
        return end_work(manifest, code);
    }
    fc_manifest_encode_all(segments, count, checkpoint, manifest->sequence + 1, &bytes);
    code = fc_fs_replace_open(manifest->fs, manifest->path, bytes.data, bytes.len, &file, err);
    fc_buf_release(&bytes);
    if (code == FC_OK) {
        manifest->fs->ops->close(manifest->file);
        manifest->file = file;
        manifest->sequence++;
        manifest->slot = 1;
        manifest->slot_written = false;
        manifest->unsynced = false;
        manifest->doubtful = false;
        manifest->entries_bytes = count * ENTRY_SIZE;
        manifest->entries_synced = manifest->entries_bytes;
    }
    return end_work(manifest, code);
}
