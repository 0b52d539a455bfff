/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/bridge/place.h"

#include <inttypes.h>

#include <jansson.h>

#include "core/base/alloc.h"

/* One and the same object, under a name of our own. */
static json_t *json_of(const struct fc_places *places)
{
    return fc_unconst(places);
}

fc_code fc_places_decode(struct fc_slice text, struct fc_places **out_places,
                         struct fc_error *err)
{
    json_t *json =
        text.len == 0 ? json_object() : json_loadb((const char *)text.data, text.len, 0, NULL);
    if (!json_is_object(json)) {
        json_decref(json);
        return fc_fail(err, FC_ERR_CORRUPT, "the checkpoint is not of a bridge");
    }
    *out_places = (struct fc_places *)(void *)json;
    return FC_OK;
}

void fc_places_free(struct fc_places *places)
{
    json_decref(json_of(places));
}

/* The list of offsets of a topic's entry. */
static json_t *offsets_of(const json_t *entry)
{
    return json_is_object(entry) ? json_object_get(entry, "next") : fc_unconst(entry);
}

int64_t fc_places_get(const struct fc_places *places, const char *topic, uint32_t partition)
{
    const json_t *entry = json_object_get(json_of(places), topic);
    const json_t *offset = json_array_get(offsets_of(entry), partition);
    return json_is_integer(offset) ? json_integer_value(offset) : -1;
}

const char *fc_places_id(const struct fc_places *places, const char *topic)
{
    return json_string_value(json_object_get(json_object_get(json_of(places), topic), "id"));
}

void fc_places_encode_begin(struct fc_buf *out, const char *topic, const char *id)
{
    fc_buf_append_fmt(out, "\"%s\":", topic);
    if (id != NULL) {
        fc_buf_append_fmt(out, "{\"id\":\"%s\",\"next\":", id);
    }
    fc_buf_append_text(out, "[");
}

void fc_places_encode_end(struct fc_buf *out, const char *id)
{
    fc_buf_append_text(out, id == NULL ? "]" : "]}");
}

void fc_places_encode_others(const struct fc_places *places,
                             bool (*is_known)(void *ctx, const char *topic), void *ctx,
                             bool comma, struct fc_buf *out)
{
    const char *topic;
    json_t *entry;
    json_object_foreach(json_of(places), topic, entry)
    {
        if (!is_known(ctx, topic)) {
            const char *id = fc_places_id(places, topic);
            const json_t *offsets = offsets_of(entry);
            fc_buf_append_text(out, comma ? "," : "");
            fc_places_encode_begin(out, topic, id);
            for (size_t index = 0; index < json_array_size(offsets); index++) {
                fc_buf_append_fmt(out, "%s%" PRId64, index == 0 ? "" : ",",
                                  (int64_t)json_integer_value(json_array_get(offsets, index)));
            }
            fc_places_encode_end(out, id);
            comma = true;
        }
    }
}
