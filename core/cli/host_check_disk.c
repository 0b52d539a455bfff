/* SPDX-License-Identifier: Apache-2.0 */
/* Room on the disk, and how fast it writes: measured with a file beside the data. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/terminal.h"
#include "core/cli/host_check.h"

enum {
    SYNCS = 64,
    BLOCK_SIZE = 4096,
    CHUNK_SIZE = 1024 * 1024,
    CHUNKS = 64,
    TMPFS = 0x01021994, /* TMPFS_MAGIC of linux/magic.h */
    LATENCY_US_MAX = 20000,
    RATE_MB_MIN = 50
};

static const uint64_t ROOM_NEEDED = UINT64_C(1) << 30;
static const uint64_t ROOM_WANTED = UINT64_C(10) << 30;

static int by_size(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a;
    int64_t second = *(const int64_t *)b;
    return first < second ? -1 : first > second ? 1 : 0;
}

static void check_room(json_t *results, const char *dir)
{
    struct statvfs room;
    struct statfs kind;
    char text[FC_HUMAN_SIZE];
    uint64_t left;
    fc_verdict verdict;
    if (statvfs(dir, &room) != 0 || statfs(dir, &kind) != 0) {
        fc_check_add(results, "disk room", FC_VERDICT_FAIL, NULL, "%s: %s", dir,
                     strerrordesc_np(errno));
        return;
    }
    left = (uint64_t)room.f_bavail * room.f_frsize;
    verdict = left < ROOM_NEEDED   ? FC_VERDICT_FAIL
              : left < ROOM_WANTED ? FC_VERDICT_WARN
                                   : FC_VERDICT_OK;
    fc_check_add(results, "disk room", verdict,
                 verdict == FC_VERDICT_OK
                     ? NULL
                     : "make room, or put data-dir on a larger disk; retention settings bound "
                       "what topics take",
                 "%s left at %s", fc_human_bytes(left, text), dir);
    if (kind.f_type == TMPFS) {
        fc_check_add(results, "disk kind", FC_VERDICT_WARN, "put data-dir on a disk",
                     "%s is in memory (tmpfs): gone with the next boot", dir);
    }
}

/* Write at `at` and sync; microseconds, or -1 with errno. */
static int64_t timed_write(int fd, const uint8_t *bytes, size_t size, int count, off_t at,
                           const struct fc_clock *clock)
{
    int64_t begin = clock->steady_ns(clock);
    for (int index = 0; index < count; index++) {
        if (pwrite(fd, bytes, size, at + (off_t)size * index) != (ssize_t)size) {
            return -1;
        }
    }
    if (fdatasync(fd) != 0) {
        return -1;
    }
    return (clock->steady_ns(clock) - begin) / 1000;
}

static void measure(json_t *results, int fd, const char *dir, const struct fc_clock *clock)
{
    int64_t times_us[SYNCS];
    uint8_t *bytes = fc_new_array(uint8_t, CHUNK_SIZE);
    int64_t median_us;
    int64_t whole_us;
    int64_t rate;
    fc_verdict verdict;
    for (size_t index = 0; index < CHUNK_SIZE; index++) {
        bytes[index] = (uint8_t)(index * 2654435761U >> 11); /* no file system may pack it */
    }
    for (int index = 0; index < SYNCS; index++) {
        times_us[index] =
            timed_write(fd, bytes, BLOCK_SIZE, 1, (off_t)BLOCK_SIZE * index, clock);
        if (times_us[index] < 0) {
            fc_check_add(results, "sync", FC_VERDICT_FAIL,
                         "look at dmesg: a disk that cannot sync loses data", "%s: %s", dir,
                         strerrordesc_np(errno));
            free(bytes);
            return;
        }
    }
    qsort(times_us, SYNCS, sizeof(*times_us), by_size);
    median_us = times_us[SYNCS / 2];
    verdict = median_us > LATENCY_US_MAX ? FC_VERDICT_WARN : FC_VERDICT_OK;
    fc_check_add(results, "sync", verdict,
                 verdict == FC_VERDICT_OK ? NULL
                                          : "an SSD with power-loss protection syncs in well "
                                            "under 5 ms; each acknowledgement waits for one",
                 "4 KiB written and synced in %.2f ms (median), %.2f ms (slowest of %d)",
                 (double)median_us / 1000, (double)times_us[SYNCS - 1] / 1000, SYNCS);
    whole_us = timed_write(fd, bytes, CHUNK_SIZE, CHUNKS, 0, clock);
    free(bytes);
    if (whole_us < 0) {
        fc_check_add(results, "disk speed", FC_VERDICT_FAIL, NULL, "%s: %s", dir,
                     strerrordesc_np(errno));
        return;
    }
    rate = (int64_t)CHUNKS * CHUNK_SIZE / (whole_us > 0 ? whole_us : 1);
    fc_check_add(results, "disk speed", rate < RATE_MB_MIN ? FC_VERDICT_WARN : FC_VERDICT_OK,
                 rate < RATE_MB_MIN ? "use a faster disk, or do not share it" : NULL,
                 "64 MiB written and synced at %lld MB/s", (long long)rate);
}

void fc_check_disk(json_t *results, const char *dir, const struct fc_clock *clock)
{
    char *parent = fc_strdup(dir);
    char *path;
    struct stat info;
    int fd;
    while (stat(parent, &info) != 0 && strrchr(parent, '/') != NULL) {
        *strrchr(parent, '/') = '\0'; /* the nearest that exists is on the same disk */
    }
    if (*parent == '\0') {
        free(parent);
        parent = fc_strdup("/");
    }
    check_room(results, parent);
    path = fc_asprintf("%s/.fluvio-check-XXXXXX", parent);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        fc_check_add(results, "sync", FC_VERDICT_WARN, NULL, "not measured, %s: %s", parent,
                     strerrordesc_np(errno));
    } else {
        (void)unlink(path); /* it goes with the descriptor */
        measure(results, fd, parent, clock);
        (void)close(fd);
    }
    free(path);
    free(parent);
}
