/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/stopper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/base/alloc.h"

enum { EXIT_AT_ONCE = 1 };

struct fc_stopper {
    void (*on_stop)(void *ctx);
    void *ctx;
    int signal_fd;
    int end_fd;
    bool stopping; /* the stopper's thread */
    pthread_t thread;
};

static void on_signal(struct fc_stopper *stopper)
{
    struct signalfd_siginfo info;
    if (read(stopper->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
        return; /* taken already */
    }
    if (stopper->stopping) {
        _exit(EXIT_AT_ONCE);
    }
    stopper->stopping = true;
    stopper->on_stop(stopper->ctx);
}

static void *wait_for_signals(void *ctx)
{
    struct fc_stopper *stopper = ctx;
    for (;;) {
        struct pollfd waits[2] = { { .fd = stopper->signal_fd, .events = POLLIN },
                                   { .fd = stopper->end_fd, .events = POLLIN } };
        int ready = poll(waits, 2, -1);
        fc_assert(ready >= 0 || errno == EINTR);
        if (ready > 0 && waits[1].revents != 0) {
            return NULL;
        }
        if (ready > 0 && waits[0].revents != 0) {
            on_signal(stopper);
        }
    }
}

static void close_files(struct fc_stopper *stopper)
{
    if (stopper->signal_fd >= 0) {
        (void)close(stopper->signal_fd); /* nothing is lost */
    }
    if (stopper->end_fd >= 0) {
        (void)close(stopper->end_fd);
    }
}

fc_code fc_stopper_start(void (*on_stop)(void *ctx), void *ctx, struct fc_stopper **out_stopper,
                         struct fc_error *err)
{
    struct fc_stopper *stopper = fc_new(struct fc_stopper);
    sigset_t signals;
    (void)sigemptyset(&signals); /* these take any valid set and signal */
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    stopper->on_stop = on_stop;
    stopper->ctx = ctx;
    stopper->end_fd = eventfd(0, EFD_CLOEXEC);
    stopper->signal_fd = pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0
                             ? signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)
                             : -1;
    if (stopper->signal_fd < 0 || stopper->end_fd < 0 ||
        pthread_create(&stopper->thread, NULL, wait_for_signals, stopper) != 0) {
        close_files(stopper);
        free(stopper);
        return fc_fail(err, FC_ERR_IO, "cannot wait for signals: %s", strerrordesc_np(errno));
    }
    *out_stopper = stopper;
    return FC_OK;
}

void fc_stopper_end(struct fc_stopper *stopper)
{
    if (stopper != NULL) {
        uint64_t one = 1;
        ssize_t put = write(stopper->end_fd, &one, sizeof(one));
        fc_assert(put == (ssize_t)sizeof(one)); /* an eventfd at 0 takes a 1 */
        (void)pthread_join(stopper->thread, NULL);
        close_files(stopper);
        free(stopper);
    }
}
