/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/spu.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/spu/coordinator.h"
#include "core/spu/dispatch.h"
#include "core/spu/fetch_session.h"
#include "core/spu/producer_ids.h"
#include "core/spu/quotas.h"
#include "core/spu/sasl.h"
#include "core/spu/security.h"
#include "core/spu/task_queue.h"
#include "core/spu/txns.h"

#define CLUSTER_FILE "cluster.id"

/* Names and tokens of SASL are small; so is what a stranger can make us keep. */
enum { FRAME_BEFORE_AUTHENTICATION_MAX = 8 * 1024 };

void fc_spu_config_init(struct fc_spu_config *config)
{
    memset(config, 0, sizeof(*config));
    fc_server_config_init(&config->net);
    config->net.frame_auth_max = FRAME_BEFORE_AUTHENTICATION_MAX;
    config->node_id = 1;
    config->auto_create_topics = true;
    config->partitions_default = 1;
    config->partitions_max = 10000;
    config->group_session_min_ms = 6000;
    config->group_session_max_ms = 1800000;
    config->group_size_max = 1000;
    config->offsets_partitions = 8;
    config->offsets_retention_ms = (int64_t)7 * 24 * 3600 * 1000;
    config->offset_metadata_max = 4096;
    config->transactions_partitions = 8;
    config->transaction_timeout_max_ms = 900000;
    config->transactional_id_retention_ms = (int64_t)7 * 24 * 3600 * 1000;
    config->fetch_sessions_max = 1000;
}

/* The data directory's cluster id, made when it has none: a uuid as Kafka prints it. */
static fc_code read_cluster_id(struct fc_spu *spu, struct fc_error *err)
{
    struct fc_fs *fs = fc_fs_system();
    char *path = fc_asprintf("%s/" CLUSTER_FILE, fc_data_dir_path(spu->data));
    char text[FC_UUID_TEXT_SIZE] = "";
    struct fc_file *file = NULL;
    size_t size = 0;
    fc_code code = fs->ops->open(fs, path, FC_FS_READ, &file, err);
    if (code == FC_OK) {
        code = fs->ops->read(file, 0, text, sizeof(text) - 1, &size, err);
        text[size] = '\0';
        text[strcspn(text, "\n")] = '\0';
        if (code == FC_OK && text[0] == '\0') {
            code = fc_fail(err, FC_ERR_CORRUPT, "%s is empty: it holds the cluster's id", path);
        }
    } else if (code == FC_ERR_NOT_FOUND) {
        fc_uuid_to_text(fc_uuid_random(), text);
        code = fc_fs_replace(fs, path, text, strlen(text), err);
    }
    fs->ops->close(file);
    free(path);
    if (code == FC_OK) {
        spu->cluster_id = fc_strdup(text);
    }
    return code;
}

/* Once for all that wait; whether it went well shows in the durable offsets. */
static void make_durable(void *ctx)
{
    struct fc_spu *spu = ctx;
    fc_code synced = fc_data_dir_flush(spu->data, NULL);
    (void)synced;
}

static void free_spu(struct fc_spu *spu)
{
    if (spu->txns != NULL) {
        fc_txns_stop(spu->txns); /* or what is tried again would be for ever */
    }
    fc_task_queue_free(spu->acks);
    fc_task_queue_free(spu->slow);
    fc_fetch_sessions_free(spu->sessions);
    fc_coordinator_free(spu->coordinator);
    fc_txns_free(spu->txns);
    fc_producer_ids_close(spu->producer_ids);
    fc_server_free(spu->server);
    fc_quotas_free(spu->quotas);
    fc_security_free(spu->security);
    free(spu->cluster_id);
    free(spu);
}

fc_code fc_spu_start(const struct fc_spu_config *config, struct fc_data_dir *data,
                     struct fc_spu **out_spu, struct fc_error *err)
{
    struct fc_spu *spu = fc_new(struct fc_spu);
    fc_code code = FC_OK;
    spu->config = *config;
    spu->data = data;
    spu->sessions = fc_fetch_sessions_new(config->fetch_sessions_max);
    spu->config.net.on_request = fc_dispatch;
    spu->config.net.on_connection = fc_sasl_on_connection;
    spu->config.net.on_arrival = fc_quota_on_arrival;
    spu->config.net.ctx = spu;
    if (config->cluster_id != NULL) {
        spu->cluster_id = fc_strdup(config->cluster_id);
    } else {
        code = read_cluster_id(spu, err);
    }
    if (code == FC_OK) {
        code = fc_security_new(&spu->config, data, &spu->security, err);
    }
    if (code == FC_OK) {
        code = fc_quotas_new(fc_security_store(spu->security), config->net.clock, &spu->quotas,
                             err);
    }
    if (code == FC_OK) {
        code = fc_task_queue_new(make_durable, spu, &spu->acks, err);
    }
    if (code == FC_OK) {
        code = fc_task_queue_new(NULL, NULL, &spu->slow, err);
    }
    if (code == FC_OK) {
        code = fc_producer_ids_open(fc_fs_system(), fc_data_dir_path(data), &spu->producer_ids,
                                    err);
    }
    if (code == FC_OK) {
        code = fc_coordinator_new(spu, &spu->coordinator, err);
    }
    if (code == FC_OK) {
        code = fc_txns_new(spu, &spu->txns, err);
    }
    if (code == FC_OK) {
        code = fc_txns_recover(spu->txns, err);
    }
    if (code == FC_OK) {
        code = fc_server_start(&spu->config.net, &spu->server, err);
    }
    if (code == FC_OK) {
        fc_coordinator_start_timer(spu->coordinator, fc_server_loop(spu->server, 0));
        fc_txns_start_timer(spu->txns, fc_server_loop(spu->server, 0));
        *out_spu = spu;
    } else {
        free_spu(spu);
    }
    return code;
}

void fc_spu_stop(struct fc_spu *spu, int64_t wait_ms)
{
    if (spu != NULL) {
        fc_coordinator_stop(spu->coordinator);
        fc_txns_stop(spu->txns);
        fc_server_stop(spu->server, wait_ms);
        free_spu(spu);
    }
}

struct fc_server *fc_spu_server(const struct fc_spu *spu)
{
    return spu->server;
}
