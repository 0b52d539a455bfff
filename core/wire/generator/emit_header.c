/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "core/wire/generator/emit.h"

static void emit_versions(const struct composite *owner, const struct field *field, FILE *to)
{
    bool always = field->from <= owner->version_min && field->to >= owner->version_max;
    bool can_be_null = field->null_from != NEVER;
    if (always && !can_be_null) {
        return;
    }
    (void)fprintf(to, " /*");
    if (!always && field->from == field->to) {
        (void)fprintf(to, " version %d", field->from);
    } else if (!always && field->to >= owner->version_max) {
        (void)fprintf(to, " from version %d", field->from);
    } else if (!always) {
        (void)fprintf(to, " versions %d to %d", field->from, field->to);
    }
    if (can_be_null) {
        (void)fprintf(to, always ? " may be null" : "; may be null");
        if (field->null_from > field->from && field->null_from > owner->version_min) {
            (void)fprintf(to, " from %d", field->null_from);
        }
    }
    (void)fprintf(to, " */");
}

static void emit_struct(const struct composite *composite, FILE *to)
{
    (void)fprintf(to, "struct fc_msg_%s {\n", composite->name);
    if (composite->field_count == 0) {
        (void)fprintf(to, "    bool nothing; /* the message has no fields; C needs one */\n");
    }
    for (int index = 0; index < composite->field_count; index++) {
        const struct field *field = &composite->fields[index];
        const char *star = field->array || field_is_pointer(field) ? "*" : "";
        if (field->composite != NULL) {
            (void)fprintf(to, "    struct fc_msg_%s %s%s;", field->composite->name, star,
                          field->name);
        } else {
            (void)fprintf(to, "    %s %s%s;", field->primitive->ctype, star, field->name);
        }
        emit_versions(composite, field, to);
        (void)fputc('\n', to);
        if (field->array) {
            (void)fprintf(to, "    int32_t %s_count;\n", field->name);
        }
    }
    (void)fprintf(to, "};\nextern const struct fc_wire_type fc_msg_%s_type;\n\n",
                  composite->name);
}

void emit_header(const struct schema *schema, FILE *to)
{
    (void)fprintf(to, "/* SPDX-License-Identifier: Apache-2.0 */\n"
                      "/* Kafka's messages. Generated from core/wire/schema. */\n"
                      "#ifndef FC_WIRE_MESSAGES_H\n#define FC_WIRE_MESSAGES_H\n\n"
                      "#include <stdbool.h>\n#include <stdint.h>\n\n"
                      "#include \"core/base/slice.h\"\n#include \"core/base/uuid.h\"\n"
                      "#include \"core/wire/type.h\"\n\nenum {\n");
    for (int index = 0; index < schema->api_count; index++) {
        (void)fprintf(to, "    FC_API_");
        for (const char *at = schema->apis[index].name; *at != '\0'; at++) {
            (void)fputc(toupper((unsigned char)*at), to);
        }
        (void)fprintf(to, " = %d,\n", schema->apis[index].key);
    }
    (void)fprintf(to, "};\n\n");
    for (int index = 0; index < schema->order_count; index++) {
        emit_struct(schema->order[index], to);
    }
    (void)fprintf(to, "#endif\n");
}
