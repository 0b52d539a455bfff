/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/watch.h"

#include "core/log/partition_state.h"

void fc_partition_watch(struct fc_partition *partition, struct fc_watch *watch)
{
    (void)pthread_mutex_lock(&partition->watch_lock);
    watch->next = partition->watches;
    watch->link = &partition->watches;
    if (watch->next != NULL) {
        watch->next->link = &watch->next;
    }
    partition->watches = watch;
    partition->watches_count++;
    (void)pthread_mutex_unlock(&partition->watch_lock);
}

void fc_partition_unwatch(struct fc_partition *partition, struct fc_watch *watch)
{
    (void)pthread_mutex_lock(&partition->watch_lock);
    if (watch->link != NULL) {
        *watch->link = watch->next;
        if (watch->next != NULL) {
            watch->next->link = watch->link;
        }
        watch->link = NULL;
        watch->next = NULL;
        partition->watches_count--;
    }
    (void)pthread_mutex_unlock(&partition->watch_lock);
}

/* The count is written before a watcher looks at the offsets, so who moves them and sees none
 * has moved them in time for that look. */
void fc_partition_notify(struct fc_partition *partition)
{
    if (partition->watches_count == 0) {
        return;
    }
    (void)pthread_mutex_lock(&partition->watch_lock);
    for (const struct fc_watch *watch = partition->watches; watch != NULL;
         watch = watch->next) {
        watch->fn(watch->ctx);
    }
    (void)pthread_mutex_unlock(&partition->watch_lock);
}
