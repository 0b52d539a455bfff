/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/consume_watch.h"

enum { LOOK_EVERY_MS = 2000, LOOK_MS = 1000 };

void fc_consume_watch_start(struct fc_cli *cli, struct fc_cluster *cluster, const char *topic,
                            struct fc_consume_watch *out_watch)
{
    *out_watch = (struct fc_consume_watch){
        .cli = cli,
        .cluster = cluster,
        .topic = rd_kafka_topic_new(cluster->rk, topic, NULL),
        .name = topic,
        .next_ms = fc_clock_steady_ms(cli->clock) + LOOK_EVERY_MS,
    };
}

void fc_consume_watch_end(struct fc_consume_watch *watch)
{
    if (watch->topic != NULL) {
        rd_kafka_topic_destroy(watch->topic);
        watch->topic = NULL;
    }
}

/* One answer that is late is not told: only silence for as long as --timeout, or no connection. */
static fc_consume_health look(struct fc_consume_watch *watch)
{
    const struct rd_kafka_metadata *metadata = NULL;
    fc_consume_health health = FC_CONSUME_FINE;
    int64_t now_ms = fc_clock_steady_ms(watch->cli->clock);
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(watch->cluster->rk, 0, watch->topic, &metadata, LOOK_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        watch->failed_ms = watch->failed_ms == 0 ? now_ms : watch->failed_ms;
        return watch->cluster->all_down || now_ms - watch->failed_ms >= watch->cli->timeout_ms
                   ? FC_CONSUME_UNREACHED
                   : watch->told;
    }
    watch->failed_ms = 0;
    watch->cluster->all_down = false;
    for (int index = 0; index < metadata->topic_cnt; index++) {
        if (metadata->topics[index].err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
            health = FC_CONSUME_GONE;
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return health;
}

void fc_consume_watch_idle(struct fc_consume_watch *watch)
{
    const char *where = watch->cluster->settings.where;
    fc_consume_health health;
    if (fc_clock_steady_ms(watch->cli->clock) < watch->next_ms) {
        return;
    }
    health = look(watch);
    watch->next_ms = fc_clock_steady_ms(watch->cli->clock) + LOOK_EVERY_MS;
    if (health == watch->told) {
        return;
    }
    if (health == FC_CONSUME_UNREACHED) {
        fc_cli_note(watch->cli, "%s is not reached any more; trying on", where);
    } else if (health == FC_CONSUME_GONE) {
        fc_cli_note(watch->cli, "topic `%s` is not at %s any more; waiting for it", watch->name,
                    where);
    } else if (watch->told == FC_CONSUME_UNREACHED) {
        fc_cli_note(watch->cli, "%s is reached again", where);
    } else {
        fc_cli_note(watch->cli, "topic `%s` is there again", watch->name);
    }
    watch->told = health;
}
