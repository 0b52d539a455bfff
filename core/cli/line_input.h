/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a file or of stdin, as long as they are, with a wait that another thread can end. */
#ifndef FC_CLI_LINE_INPUT_H
#define FC_CLI_LINE_INPUT_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/slice.h"

struct fc_line_input {
    int fd;
    int wake_fd; /* an eventfd; fc_line_input_stop makes it readable */
    bool owned;  /* fd is closed at the end */
    bool at_end;
    const char *path; /* for people; borrowed */
    struct fc_buf buf;
    size_t begin;   /* of what was not given yet */
    size_t scanned; /* no line end before this */
};

/* path NULL or "-": stdin. FC_ERR_CONFIG when the file cannot be opened. */
FC_MUST_CHECK fc_code fc_line_input_open(const char *path, size_t line_bytes_max,
                                         struct fc_line_input *out_input, struct fc_error *err);
void fc_line_input_close(struct fc_line_input *input);

/* Any thread: nothing more is read. */
void fc_line_input_stop(struct fc_line_input *input);

/*
 * The next line without its end; borrowed until the next call. out_more: false at the end.
 * wait_ms: FC_ERR_TIMEOUT when nothing came by then; -1: as long as it takes.
 */
FC_MUST_CHECK fc_code fc_line_input_next(struct fc_line_input *input, int wait_ms,
                                         struct fc_slice *out_line, bool *out_more,
                                         struct fc_error *err);
/* All that is left, as one. */
FC_MUST_CHECK fc_code fc_line_input_rest(struct fc_line_input *input, struct fc_slice *out_rest,
                                         struct fc_error *err);

#endif
