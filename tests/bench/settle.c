/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As long as it runs, this machine has the memory of one that has run for a day on its own hardware.
 *
 *   settle      touches all memory that is to be had, prints "settled", and waits to be ended
 *
 * A virtual machine gives free memory back to its host, a block of 2 MB and more at a time, and gets it again page by page when it is
 * first touched. That costs several times what a server does with the bytes that go there, so
 * that runs differ threefold and a latency of 1 ms becomes 50 ms. Once touched, memory comes from the host; and no block of it is free as a
 * whole, and so given back, while one page of it is kept here. It takes root to see where pages lie and
 * to keep them from being moved; without, more of them are kept, which does less. On hardware of its own there is nothing to do.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    PAGE_BITS = 12,
    BLOCK_BITS = 21,
    UNKNOWN_KEEP = 64, /* of so many pages one is kept where it is not known where they lie */
    LEFT_MIB = 600,    /* for everyone else meanwhile */
    STEP_MIB = 64,
    PIPE_PAGES = 256,
    MACHINE_BITS = 46 /* of a physical address */
};

/* Documentation/admin-guide/mm/pagemap.rst: the number of the page frame, and whether there is one. */
static const uint64_t frame_mask = (1ULL << 55) - 1;

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static size_t available_mib(void)
{
    char text[128];
    long kib = -1;
    FILE *info = fopen("/proc/meminfo", "r");
    if (info == NULL) {
        fail("/proc/meminfo");
    }
    while (kib < 0 && fgets(text, sizeof(text), info) != NULL) {
        (void)sscanf(text, "MemAvailable: %ld kB", &kib);
    }
    (void)fclose(info);
    return kib < 0 ? 0 : (size_t)kib >> 10;
}

/* The last to be killed for want of memory is whoever is measured. */
static void offer_to_die(void)
{
    FILE *score = fopen("/proc/self/oom_score_adj", "w");
    if (score != NULL) {
        (void)fputs("1000", score);
        (void)fclose(score);
    }
}

/* Touch memory until little is left; how many bytes. */
static size_t touch(uint8_t *memory, size_t size)
{
    size_t done = 0;
    while (done < size && available_mib() > LEFT_MIB) {
        size_t step = (size_t)STEP_MIB << 20;
        step = step < size - done ? step : size - done;
        if (madvise(memory + done, step, MADV_POPULATE_WRITE) != 0) {
            fail("settle: populate");
        }
        done += step;
    }
    return done;
}

/* A page that a pipe refers to cannot be moved away by the kernel, to make its block free as a whole. */
static void pin(uint8_t *page)
{
    static int ends[2] = { -1, -1 };
    static int room;
    struct iovec one = { .iov_base = page, .iov_len = (size_t)1 << PAGE_BITS };
    if (room == 0) {
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0 ||
            fcntl(ends[1], F_SETPIPE_SZ, PIPE_PAGES << PAGE_BITS) < 0) {
            fail("settle: pipe");
        }
        room = PIPE_PAGES;
    }
    if (vmsplice(ends[1], &one, 1, 0) != (ssize_t)one.iov_len) {
        fail("settle: vmsplice");
    }
    room--;
}

/* Give all back but a page of each block. */
static void thin(uint8_t *memory, size_t size)
{
    size_t pages = size >> PAGE_BITS;
    uint8_t *seen = calloc(1, (size_t)1 << (MACHINE_BITS - BLOCK_BITS));
    int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    size_t first = 0;
    if (seen == NULL || map < 0) {
        fail("settle: pagemap");
    }
    for (size_t page = 0; page < pages; page++) {
        uint64_t entry = 0;
        uint64_t block;
        off_t at = (off_t)((((uintptr_t)memory >> PAGE_BITS) + page) * sizeof(entry));
        bool keep;
        if (pread(map, &entry, sizeof(entry), at) != (ssize_t)sizeof(entry)) {
            fail("settle: pagemap");
        }
        entry &= frame_mask;
        block = entry >> (BLOCK_BITS - PAGE_BITS);
        keep = entry == 0 ? page % UNKNOWN_KEEP == 0
                          : block < (1ULL << (MACHINE_BITS - BLOCK_BITS)) && seen[block] == 0;
        if (keep) {
            if (entry != 0) {
                seen[block] = 1;
                pin(memory + (page << PAGE_BITS));
            }
            if (page > first) {
                (void)madvise(memory + (first << PAGE_BITS), (page - first) << PAGE_BITS,
                              MADV_DONTNEED);
            }
            first = page + 1;
        }
    }
    (void)madvise(memory + (first << PAGE_BITS), (pages - first) << PAGE_BITS, MADV_DONTNEED);
    (void)close(map);
    free(seen);
}

static bool is_virtual(void)
{
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info != NULL && !found && getline(&line, &size, info) > 0) {
        found = strncmp(line, "flags", 5) == 0 && strstr(line, " hypervisor") != NULL;
    }
    free(line);
    if (info != NULL) {
        (void)fclose(info);
    }
    return found;
}

static void settle(void)
{
    size_t size = available_mib() << 20;
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        fail("settle: mmap");
    }
    (void)madvise(memory, size, MADV_NOHUGEPAGE); /* single pages can be given back */
    thin(memory, touch(memory, size));
}

int main(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    offer_to_die();
    if (is_virtual()) {
        settle();
    }
    (void)puts("settled");
    (void)fflush(stdout);
    for (;;) {
        (void)pause();
    }
}
