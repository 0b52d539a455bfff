/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/log/index.h"
#include "tests/support/fs_lossy.h"

static void fill(struct fc_index *index, int64_t from, int64_t to)
{
    for (int64_t key = from; key < to; key++) {
        fc_index_add(index, key * 10, (uint32_t)key);
    }
}

static fc_code find(const struct fc_index *index, int64_t key, bool *out_found,
                    struct fc_index_entry *out_entry, struct fc_error *err)
{
    const struct fc_index_target target = { false, key };
    return fc_index_find(index, &target, out_found, out_entry, err);
}

static fc_code find_in_file(struct fc_fs *fs, const char *path, fc_segment_file kind,
                            struct fc_index_target target, bool *out_found,
                            struct fc_index_entry *out_entry)
{
    return fc_index_find_in_file(fs, path, kind, &target, out_found, out_entry, NULL);
}

static void an_entry_is_laid_out_as_kafka_does(void **state)
{
    static const uint8_t offsets[] = { 0, 0, 0, 7, 0x01, 0x02, 0x03, 0x04 };
    static const uint8_t times[] = { 0, 0, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x00, 0, 0, 0, 7 };
    struct fc_fs *fs = fs_lossy_new(1, 512);
    struct fc_file *file = NULL;
    struct fc_index index;
    uint8_t bytes[32];
    size_t size = 0;
    (void)state;
    fc_index_init(&index, fs, "", 42, FC_SEGMENT_OFFSETS);
    fc_index_add(&index, 7, 0x01020304);
    assert_int_equal(fc_index_finish(&index, NULL), FC_OK); /* creates it, with no entry */
    assert_int_equal(fc_index_write(&index, NULL), FC_OK);
    fc_index_release(&index);
    assert_int_equal(fs->ops->open(fs, "/00000000000000000042.index", FC_FS_READ, &file, NULL),
                     FC_OK);
    assert_int_equal(fs->ops->read(file, 0, bytes, sizeof(bytes), &size, NULL), FC_OK);
    fs->ops->close(file);
    assert_int_equal(size, sizeof(offsets));
    assert_memory_equal(bytes, offsets, size);
    fc_index_init(&index, fs, "", 42, FC_SEGMENT_TIMES);
    fc_index_add(&index, 1700000000000, 7);
    assert_int_equal(fc_index_write(&index, NULL), FC_OK);
    fc_index_release(&index);
    assert_int_equal(
        fs->ops->open(fs, "/00000000000000000042.timeindex", FC_FS_READ, &file, NULL), FC_OK);
    assert_int_equal(fs->ops->read(file, 0, bytes, sizeof(bytes), &size, NULL), FC_OK);
    fs->ops->close(file);
    assert_int_equal(size, sizeof(times));
    assert_memory_equal(bytes, times, size);
    fs_lossy_free(fs);
}

static void the_last_entry_at_or_below_a_key_is_found_in_file_and_buffer(void **state)
{
    struct fc_fs *fs = fs_lossy_new(1, 512);
    struct fc_index index;
    struct fc_index_entry entry;
    bool found = true;
    (void)state;
    fc_index_init(&index, fs, "", 0, FC_SEGMENT_TIMES);
    assert_int_equal(find(&index, 5, &found, &entry, NULL), FC_OK);
    assert_false(found);
    fill(&index, 1, 2000); /* more than the buffer holds */
    assert_in_range(index.written, 12, 2000 * 12);
    assert_in_range(index.buffered, 12, 2000 * 12);
    assert_int_equal(find(&index, 9, &found, &entry, NULL), FC_OK);
    assert_false(found);
    for (int64_t key = 10; key < 20000; key += 7) {
        assert_int_equal(find(&index, key, &found, &entry, NULL), FC_OK);
        assert_true(found);
        assert_int_equal(entry.value, key / 10 < 2000 ? key / 10 : 1999);
    }
    assert_int_equal(fc_index_write(&index, NULL), FC_OK);
    assert_int_equal(find_in_file(fs, "/00000000000000000000.timeindex", FC_SEGMENT_TIMES,
                                  (struct fc_index_target){ false, 12345 }, &found, &entry),
                     FC_OK);
    assert_true(found);
    assert_int_equal(entry.value, 1234);
    assert_int_equal(find_in_file(fs, "/00000000000000000000.timeindex", FC_SEGMENT_TIMES,
                                  (struct fc_index_target){ true, 777 }, &found, &entry),
                     FC_OK);
    assert_true(found);
    assert_int_equal(entry.key, 7770);
    fc_index_release(&index);
    fs_lossy_free(fs);
}

static void an_index_is_taken_over_only_with_its_checksum(void **state)
{
    struct fc_fs *fs = fs_lossy_new(1, 512);
    struct fc_index index;
    struct fc_index_entry entry;
    bool found = false;
    uint64_t written;
    uint32_t crc;
    (void)state;
    fc_index_init(&index, fs, "", 0, FC_SEGMENT_OFFSETS);
    fill(&index, 0, 100);
    assert_int_equal(fc_index_write(&index, NULL), FC_OK);
    written = index.written;
    crc = index.crc;
    fill(&index, 100, 150); /* of which the checkpoint does not know */
    assert_int_equal(fc_index_write(&index, NULL), FC_OK);
    assert_int_equal(fc_index_restore(&index, written, crc, NULL), FC_OK);
    assert_int_equal(index.written, written);
    assert_int_equal(fc_index_last(&index, &found, &entry, NULL), FC_OK);
    assert_int_equal(entry.value, 99);
    fill(&index, 200, 201); /* the unknown ones are gone from the file, too */
    assert_int_equal(fc_index_write(&index, NULL), FC_OK);
    assert_int_equal(find_in_file(fs, "/00000000000000000000.index", FC_SEGMENT_OFFSETS,
                                  (struct fc_index_target){ false, INT64_MAX }, &found, &entry),
                     FC_OK);
    assert_int_equal(entry.value, 200);
    fs_lossy_flip_byte(fs, "/00000000000000000000.index", 17);
    assert_int_equal(fc_index_restore(&index, written, crc, NULL), FC_OK);
    assert_int_equal(index.written, 0);
    fc_index_release(&index);
    fs_lossy_free(fs);
}

static void on_a_full_disk_an_index_becomes_sparser_and_stays_true(void **state)
{
    struct fc_fs *fs = fs_lossy_new(1, 512);
    struct fc_index index;
    struct fc_index_entry entry;
    bool found = false;
    (void)state;
    fc_index_init(&index, fs, "", 0, FC_SEGMENT_OFFSETS);
    fs_lossy_set_capacity(fs, 100);
    fill(&index, 0, 2000);
    fs_lossy_set_capacity(fs, UINT64_MAX);
    fill(&index, 3000, 3001);
    for (int64_t key = 0; key < 40000; key += 100) {
        assert_int_equal(find(&index, key, &found, &entry, NULL), FC_OK);
        assert_true(found);
        assert_true(entry.key <= key && entry.value * 10 == entry.key);
    }
    assert_int_equal(entry.value, 3000);
    fc_index_release(&index);
    fs_lossy_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_laid_out_as_kafka_does),
        cmocka_unit_test(the_last_entry_at_or_below_a_key_is_found_in_file_and_buffer),
        cmocka_unit_test(an_index_is_taken_over_only_with_its_checksum),
        cmocka_unit_test(on_a_full_disk_an_index_becomes_sparser_and_stays_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
