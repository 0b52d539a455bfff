/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket of a running runner: <data directory>/.control, mode 0600.
 *
 * One request line, one reply line of JSON, then the connection ends. Requests: "status",
 * "mark <json>" (a restore tells that it has begun or ended), "stop". A failure is answered
 * with {"error": "..."}.
 *
 * The server is one thread that serves one connection at a time, each bounded in time and size,
 * so a client that hangs delays others by at most that.
 */
#ifndef FC_RUNNER_CONTROL_H
#define FC_RUNNER_CONTROL_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/slice.h"

#define FC_CONTROL_NAME ".control"

enum {
    FC_CONTROL_LINE_MAX = 64 * 1024, /* of a request or a reply */
    FC_CONTROL_WAIT_MS = 5000,       /* for a line, either way */
    FC_CONTROL_MARK_WAIT_MS = 35000  /* for the answer to a mark: it is durable then */
};

/* Called on the control thread. */
struct fc_control_config {
    const char *dir; /* of a data directory that this process has locked */
    /* Append one JSON object. */
    void (*on_status)(void *ctx, struct fc_buf *out);
    /* json borrows for the call. NULL: marks are answered with an error. */
    fc_code (*on_mark)(void *ctx, struct fc_slice json, struct fc_error *err);
    void (*on_stop)(void *ctx);
    void *ctx;
};

struct fc_control;

/* Replaces a socket that a killed runner left behind: the caller holds the directory's lock. */
FC_MUST_CHECK fc_code fc_control_start(const struct fc_control_config *config,
                                       struct fc_control **out_control, struct fc_error *err);
/* Ends the thread and removes the socket; no callback runs afterwards. NULL is fine. */
void fc_control_stop(struct fc_control *control);

/*
 * Ask the runner that has `dir` open; reply is the JSON line without its end.
 *
 * Errors: FC_ERR_NOT_FOUND (no runner there), FC_ERR_TIMEOUT, FC_ERR_IO, FC_ERR_REJECTED (it
 * answered with an error, which is the message).
 */
FC_MUST_CHECK fc_code fc_control_call(const char *dir, struct fc_slice request,
                                      struct fc_buf *reply, struct fc_error *err);

#endif
