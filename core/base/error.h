/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: a code that tells the caller what to do and a message that tells a person what
 * happened.
 *
 * A struct fc_error has a fixed size, owns nothing and may cross the plugin boundary, so
 * everything here is inline: a connector built only from the installed headers can use it
 * without linking anything.
 */
#ifndef FC_BASE_ERROR_H
#define FC_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FC_MUST_CHECK __attribute__((warn_unused_result))
#define FC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

typedef enum fc_code {
    FC_OK = 0,
    FC_ERR_NOMEM, /* a memory limit was met; try with less, or raise the limit */
    FC_ERR_IO,    /* disk or socket failed; sys_errno says how */
    FC_ERR_FULL, /* the disk is full, or no more files can be opened; nothing was changed, and it
                          goes on by itself when there is room again */
    FC_ERR_CORRUPT,    /* stored bytes are not what was written */
    FC_ERR_PROTOCOL,   /* a peer sent what we cannot read */
    FC_ERR_CONFIG,     /* the user must change a file, a flag or a server setting */
    FC_ERR_LIMIT,      /* an input is larger than allowed */
    FC_ERR_TIMEOUT,    /* nothing came in time; retry */
    FC_ERR_NOT_FOUND,  /* a named thing does not exist */
    FC_ERR_NOT_LEADER, /* another node owns this partition */
    FC_ERR_REJECTED,   /* a peer or a transform said no to this one input */
    FC_ERR_REFUSED,    /* refused for safety; nothing was touched (exit code 3) */
    FC_ERR_CLOSED      /* interrupted or shut down; not a failure */
} fc_code;

enum { FC_ERROR_MESSAGE_SIZE = 480 };

struct fc_error {
    fc_code code;
    bool retriable; /* trying the same again later may succeed */
    int sys_errno;  /* 0 when no system call failed */
    char message[FC_ERROR_MESSAGE_SIZE];
};

FC_PRINTF(3, 0)
static inline fc_code fc_vfail(struct fc_error *err, fc_code code, const char *fmt,
                               va_list args)
{
    if (err != NULL) {
        err->code = code;
        err->retriable = code == FC_ERR_TIMEOUT || code == FC_ERR_FULL;
        err->sys_errno = 0;
        (void)vsnprintf(err->message, sizeof(err->message), fmt, args); /* cut when too long */
    }
    return code;
}

/* Set err and return code, so that a function can end with `return fc_fail(...)`. err may be
 * NULL. */
FC_PRINTF(3, 4)
static inline fc_code fc_fail(struct fc_error *err, fc_code code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    code = fc_vfail(err, code, fmt, args);
    va_end(args);
    return code;
}

/* As fc_fail, for what may succeed when tried again later (a server restarts, a network is
 * down). */
FC_PRINTF(3, 4)
static inline fc_code fc_fail_retriable(struct fc_error *err, fc_code code, const char *fmt,
                                        ...)
{
    va_list args;
    va_start(args, fmt);
    code = fc_vfail(err, code, fmt, args);
    va_end(args);
    if (err != NULL) {
        err->retriable = true;
    }
    return code;
}

/* Prefix the message with what was being done ("open shop/0: ...") and return the code
 * unchanged. */
FC_PRINTF(2, 3)
static inline fc_code fc_wrap(struct fc_error *err, const char *fmt, ...)
{
    char prefixed[FC_ERROR_MESSAGE_SIZE];
    size_t length;
    va_list args;
    if (err == NULL) {
        return FC_ERR_IO;
    }
    va_start(args, fmt);
    (void)vsnprintf(prefixed, sizeof(prefixed), fmt, args);
    va_end(args);
    length = strlen(prefixed);
    if (length + 2 < sizeof(prefixed)) {
        size_t room = sizeof(prefixed) - length - 3;
        size_t kept = strlen(err->message);
        kept = kept < room ? kept : room; /* cut when too long */
        memcpy(prefixed + length, ": ", 2);
        memcpy(prefixed + length + 2, err->message, kept);
        prefixed[length + 2 + kept] = '\0';
    }
    memcpy(err->message, prefixed, sizeof(err->message));
    return err->code;
}

#endif
