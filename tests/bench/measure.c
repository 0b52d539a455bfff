/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `measure FILE COMMAND...`: run a command and write "wall_s user_s sys_s maxrss_kb" of it to FILE.
 * Exits as the command does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval value)
{
    return (double)value.tv_sec + (double)value.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    struct timespec begin;
    struct timespec end;
    struct rusage usage;
    int status = 0;
    pid_t child;
    FILE *out;
    if (argc < 3) {
        (void)fprintf(stderr, "usage: measure FILE COMMAND...\n");
        return 2;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    child = fork();
    if (child == 0) {
        (void)execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("measure");
        return 1;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    out = fopen(argv[1], "we");
    if (out == NULL) {
        perror(argv[1]);
        return 1;
    }
    (void)fprintf(out, "%.3f %.3f %.3f %ld\n",
                  (double)(end.tv_sec - begin.tv_sec) +
                      (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
                  seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss);
    (void)fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
