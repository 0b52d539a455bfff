/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/local_groups.h"

#include "core/spu/coordinator.h"

/* The lock is held. */
static fc_code commit(struct fc_coordinator *coordinator, struct fc_slice group_id,
                      struct fc_commit *wanted, struct fc_error *err)
{
    const struct fc_group_speaker nobody = { fc_slice_text(""), fc_slice_null(), -1 };
    struct fc_coordinated *group = fc_coordinator_ensure(coordinator, group_id);
    const struct fc_committed *there =
        fc_group_offsets_get(&group->offsets, wanted->topic, wanted->partition);
    if (there != NULL && there->offset >= wanted->committed.offset) {
        return FC_OK;
    }
    if (fc_group_on_commit(group->group, &nobody, false, fc_coordinator_now_ms(coordinator)) !=
        FC_KAFKA_NONE) {
        return fc_fail(err, FC_ERR_REJECTED, "group %.*s has members", (int)group_id.len,
                       (const char *)group_id.data);
    }
    return fc_coordinator_commit(coordinator, group, wanted, 1, -1, -1, err);
}

fc_code fc_spu_commit_forward(struct fc_spu *spu, const char *group, const char *topic,
                              uint32_t partition, int64_t offset, struct fc_error *err)
{
    struct fc_commit wanted = { fc_slice_text(topic),
                                (int32_t)partition,
                                { offset, -1, fc_slice_text(""),
                                  fc_clock_wall_ms(spu->config.net.clock), 0 } };
    fc_code code = fc_coordinator_make_ready(spu->coordinator, err);
    if (code == FC_OK) {
        fc_coordinator_lock(spu->coordinator);
        code = commit(spu->coordinator, fc_slice_text(group), &wanted, err);
        fc_coordinator_unlock(spu->coordinator);
    }
    return code == FC_OK ? fc_data_dir_flush(spu->data, err) : code;
}
