/* SPDX-License-Identifier: Apache-2.0 */
/* For programs: descriptors 0, 1 and 2 are there, also when they were closed by who started us. */
#ifndef FC_BASE_STANDARD_FDS_H
#define FC_BASE_STANDARD_FDS_H

/*
 * To be called first. Otherwise the next file or socket gets such a number, and what is printed goes into
 * it: a line of diagnostics into a segment of the log. What was closed fails to be read or written, as
 * it did; only stderr, which nobody looks after, takes what it is given.
 */
void fc_standard_fds_keep(void);

#endif
