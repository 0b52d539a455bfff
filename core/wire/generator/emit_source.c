/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "core/wire/generator/emit.h"

/* The initialiser of a struct's defaults, without what is zero. */
static void emit_defaults(const struct composite *composite, FILE *to)
{
    bool any = false;
    (void)fprintf(to, "{");
    for (int index = 0; index < composite->field_count; index++) {
        const struct field *field = &composite->fields[index];
        bool is_null = strcmp(field->initial, "null") == 0;
        const char *comma = any ? ", " : " ";
        any = true;
        if (field->array && is_null) {
            (void)fprintf(to, "%s.%s_count = -1", comma, field->name);
        } else if (!field->array && field->composite != NULL && !is_null) {
            (void)fprintf(to, "%s.%s = ", comma, field->name);
            emit_defaults(field->composite, to);
        } else if (!field->array && field->primitive != NULL && field->primitive->is_slice &&
                   !is_null) {
            (void)fprintf(to, "%s.%s = { fc_wire_nothing, 0 }", comma, field->name);
        } else if (field->initial[0] != '\0' && !is_null) {
            (void)fprintf(to, "%s.%s = %s", comma, field->name, field->initial);
        } else {
            any = comma[0] == ',';
        }
    }
    (void)fprintf(to, any ? " }" : " 0 }");
}

static void emit_field(const struct composite *owner, const struct field *field, FILE *to)
{
    (void)fprintf(to, "    { \"%s\", &fc_%s%s_type, offsetof(struct fc_msg_%s, %s),",
                  field->name, field->composite != NULL ? "msg_" : "wire_",
                  field->composite != NULL ? field->composite->name : field->primitive->name,
                  owner->name, field->name);
    (void)fprintf(to, " %d, %d, %d, %d, FC_WIRE_%s, %s, %s },\n", field->from, field->to,
                  field->null_from, field->tag,
                  field->composite != NULL ? "STRUCT" : field->primitive->kind,
                  field->array ? "true" : "false", field_is_pointer(field) ? "true" : "false");
}

static bool has_tags(const struct composite *composite)
{
    for (int index = 0; index < composite->field_count; index++) {
        if (composite->fields[index].tag >= 0) {
            return true;
        }
    }
    return false;
}

static void emit_type(const struct composite *composite, FILE *to)
{
    const char *name = composite->name;
    if (composite->field_count > 0) {
        (void)fprintf(to, "static const struct fc_wire_field %s_fields[] = {\n", name);
        for (int index = 0; index < composite->field_count; index++) {
            emit_field(composite, &composite->fields[index], to);
        }
        (void)fprintf(to, "};\n");
    }
    (void)fprintf(to, "static const struct fc_msg_%s %s_defaults = ", name, name);
    emit_defaults(composite, to);
    (void)fprintf(to, ";\nconst struct fc_wire_type fc_msg_%s_type = {\n    \"%s\", ", name,
                  name);
    if (composite->field_count > 0) {
        (void)fprintf(to, "%s_fields", name);
    } else {
        (void)fprintf(to, "NULL");
    }
    (void)fprintf(
        to,
        ", &%s_defaults, sizeof(struct fc_msg_%s), %d, %d, %d, %d, FC_WIRE_STRUCT, %s\n};\n\n",
        name, name, composite->field_count, composite->version_min, composite->version_max,
        composite->flexible_from, has_tags(composite) ? "true" : "false");
}

/* "add_partitions_to_txn" as Kafka writes it. */
static void emit_camel(const char *name, FILE *to)
{
    bool upper = true;
    for (; *name != '\0'; name++) {
        if (*name == '_') {
            upper = true;
        } else {
            (void)fputc(upper ? toupper((unsigned char)*name) : *name, to);
            upper = false;
        }
    }
}

void emit_source(const struct schema *schema, FILE *to)
{
    (void)fprintf(to, "/* SPDX-License-Identifier: Apache-2.0 */\n"
                      "/* Generated from core/wire/schema. */\n"
                      "#include \"core/wire/messages.h\"\n\n#include <stddef.h>\n\n"
                      "#include \"core/wire/api_table.h\"\n\n");
    for (int index = 0; index < schema->order_count; index++) {
        emit_type(schema->order[index], to);
    }
    (void)fprintf(to, "const struct fc_wire_api fc_wire_api_table[] = {\n");
    for (int index = 0; index < schema->api_count; index++) {
        const struct api *api = &schema->apis[index];
        (void)fprintf(to, "    { %d, \"", api->key);
        emit_camel(api->name, to);
        (void)fprintf(to, "\", %d, %d, %d, &fc_msg_%s_type, &fc_msg_%s_type },\n",
                      api->advertised_min, api->version_max, api->flexible_from,
                      api->request->name, api->response->name);
    }
    (void)fprintf(to, "};\nconst size_t fc_wire_api_count = %d;\n\n", schema->api_count);
    (void)fprintf(to, "const struct fc_wire_type *const fc_wire_message_table[] = {\n");
    for (int index = 0; index < schema->order_count; index++) {
        if (schema->order[index]->is_message) {
            (void)fprintf(to, "    &fc_msg_%s_type,\n", schema->order[index]->name);
        }
    }
    (void)fprintf(to, "    NULL,\n};\n");
}
