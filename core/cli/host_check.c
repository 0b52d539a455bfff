/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/host_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/base/time_text.h"

enum {
    FILES_WANTED = 65536, /* a connection and a segment each take one */
    FILES_NEEDED = 1024,
    OFFSET_US_MAX = 500000
};

/* No clock that is right shows a time before this program was written. */
static const int64_t EARLIEST_MS = INT64_C(1767225600000); /* 2026-01-01 */

void fc_check_add(json_t *results, const char *check, fc_verdict verdict, const char *fix,
                  const char *found_fmt, ...)
{
    static const char *const words[] = { "ok", "warn", "fail" };
    char found[512];
    va_list args;
    json_t *result = json_object();
    va_start(args, found_fmt);
    (void)vsnprintf(found, sizeof(found), found_fmt, args); /* cut when too long */
    va_end(args);
    json_object_set_new(result, "check", json_string(check));
    json_object_set_new(result, "result", json_string(words[verdict]));
    json_object_set_new(result, "found", json_string(found));
    if (fix != NULL && *fix != '\0') {
        json_object_set_new(result, "fix", json_string(fix));
    }
    json_array_append_new(results, result);
}

bool fc_check_any_failed(const json_t *results)
{
    size_t index;
    json_t *result;
    json_array_foreach(results, index, result)
    {
        if (strcmp(json_string_value(json_object_get(result, "result")), "fail") == 0) {
            return true;
        }
    }
    return false;
}

/* --- the data directory ------------------------------------------------------------------- */

/* The nearest directory above that exists; to be freed. */
static char *existing_parent(const char *dir)
{
    char *path = fc_strdup(dir);
    struct stat info;
    while (stat(path, &info) != 0) {
        char *slash = strrchr(path, '/');
        if (slash == NULL || slash == path) {
            free(path);
            return fc_strdup(slash == NULL ? "." : "/");
        }
        *slash = '\0';
    }
    return path;
}

static void check_missing_dir(json_t *results, const char *dir)
{
    char *parent = existing_parent(dir);
    char *fix = fc_asprintf("sudo install -d -m 700 -o $(id -un) %s", dir);
    bool good = access(parent, W_OK | X_OK) == 0;
    fc_check_add(results, "data directory", good ? FC_VERDICT_OK : FC_VERDICT_FAIL,
                 good ? NULL : fix, "%s does not exist; it can%s be made in %s", dir,
                 good ? "" : "not", parent);
    free(fix);
    free(parent);
}

static void check_lock(json_t *results, const char *dir, bool own)
{
    char *path = fc_asprintf("%s/.lock", dir);
    char holder[24] = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0) {
        fc_check_add(results, "data lock", FC_VERDICT_OK, NULL, "nobody has %s open", dir);
    } else {
        ssize_t size = pread(fd, holder, sizeof(holder) - 1, 0);
        holder[size > 0 ? strcspn(holder, "\n") : 0] = '\0';
        fc_check_add(results, "data lock", own ? FC_VERDICT_OK : FC_VERDICT_FAIL,
                     own ? NULL : "stop that process, or give this server its own directory",
                     "%s is open in %sprocess %s", dir, own ? "our own " : "another ",
                     *holder == '\0' ? "(unknown)" : holder);
    }
    if (fd >= 0) {
        (void)close(fd); /* gives the lock back */
    }
    free(path);
}

void fc_check_data_dir(json_t *results, const char *dir, bool own)
{
    struct stat info;
    char *fix = fc_asprintf("sudo chown -R $(id -un) %s", dir);
    if (stat(dir, &info) != 0) {
        check_missing_dir(results, dir);
    } else if (!S_ISDIR(info.st_mode)) {
        fc_check_add(results, "data directory", FC_VERDICT_FAIL, "move the file away",
                     "%s is no directory", dir);
    } else if (access(dir, R_OK | W_OK | X_OK) != 0) {
        fc_check_add(results, "data directory", FC_VERDICT_FAIL, fix, "%s: %s", dir,
                     strerrordesc_np(errno));
    } else {
        fc_check_add(results, "data directory", FC_VERDICT_OK, NULL, "%s can be written", dir);
        check_lock(results, dir, own);
    }
    free(fix);
}

/* --- limits, ports, clock ----------------------------------------------------------------- */

void fc_check_limits(json_t *results)
{
    struct rlimit limit = { 0 };
    static const char fix[] =
        "ulimit -n 65536 before the start, or LimitNOFILE=65536 in its systemd unit";
    fc_verdict verdict = FC_VERDICT_OK;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        fc_check_add(results, "open files", FC_VERDICT_WARN, NULL, "unknown: %s",
                     strerrordesc_np(errno));
        return;
    }
    if (limit.rlim_cur < FILES_WANTED) {
        verdict = limit.rlim_cur < FILES_NEEDED ? FC_VERDICT_FAIL : FC_VERDICT_WARN;
    }
    fc_check_add(results, "open files", verdict, verdict == FC_VERDICT_OK ? NULL : fix,
                 "at most %llu; connections and segments need one each",
                 (unsigned long long)limit.rlim_cur);
}

/* 0, or the errno that binding ends with. */
static int try_to_bind(const struct addrinfo *address)
{
    int on = 1;
    int failed = 0;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* as the server does */
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, 1) != 0) {
        failed = errno;
    }
    (void)close(fd); /* nothing was sent */
    return failed;
}

void fc_check_port(json_t *results, const char *host, int port, bool own)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *list = NULL;
    char text[12];
    char *in_use =
        fc_asprintf("see whose it is: ss -ltnp 'sport = :%d'; or choose another port", port);
    int failed;
    (void)snprintf(text, sizeof(text), "%d", port);
    failed = getaddrinfo(host, text, &hints, &list);
    if (failed != 0) {
        fc_check_add(results, "port", FC_VERDICT_FAIL,
                     "name an address of this machine in `host`", "%s: %s", host,
                     gai_strerror(failed));
    } else {
        failed = try_to_bind(list);
        if (failed == 0 || own) {
            fc_check_add(results, "port", FC_VERDICT_OK, NULL, "%s:%d is %s", host, port,
                         failed == 0 ? "free" : "our own server's");
        } else {
            fc_check_add(results, "port", FC_VERDICT_FAIL,
                         failed == EADDRINUSE      ? in_use
                         : failed == EADDRNOTAVAIL ? "name an address of this machine in `host`"
                                                   : "choose a port from 1024 on",
                         "%s:%d: %s", host, port, strerrordesc_np(failed));
        }
        freeaddrinfo(list);
    }
    free(in_use);
}

void fc_check_clock(json_t *results, const struct fc_clock *clock)
{
    struct timex state = { .modes = 0 };
    char stamp[FC_TIME_STAMP_SIZE];
    int64_t now_ms = fc_clock_wall_ms(clock);
    int answer;
    if (now_ms < EARLIEST_MS) {
        fc_check_add(results, "clock", FC_VERDICT_FAIL,
                     "set it: sudo timedatectl set-ntp true, or sudo date -s ...",
                     "it shows %s, which is past", fc_time_format_ms(now_ms, stamp));
        return;
    }
    answer = adjtimex(&state);
    if (answer < 0) {
        fc_check_add(results, "clock", FC_VERDICT_WARN, NULL,
                     "%s; whether it is kept in time is not known: %s",
                     fc_time_format_ms(now_ms, stamp), strerrordesc_np(errno));
    } else if (answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
        fc_check_add(results, "clock", FC_VERDICT_WARN,
                     "sudo timedatectl set-ntp true (times of records and retention follow it)",
                     "%s; nothing keeps it in time", fc_time_format_ms(now_ms, stamp));
    } else {
        fc_check_add(results, "clock",
                     state.maxerror > 10L * OFFSET_US_MAX ? FC_VERDICT_WARN : FC_VERDICT_OK,
                     NULL, "%s; kept in time to within %ld ms",
                     fc_time_format_ms(now_ms, stamp), state.maxerror / 1000);
    }
}
