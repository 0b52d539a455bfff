/* SPDX-License-Identifier: Apache-2.0 */
/* generator HEADER SOURCE SCHEMA...: write the C of core/wire's messages. */
#include <stdlib.h>

#include "core/wire/generator/emit.h"

static void write_file(const struct schema *schema, const char *path,
                       void (*emit)(const struct schema *schema, FILE *to))
{
    FILE *to = fopen(path, "w");
    if (to == NULL) {
        schema_fail(path, 0, "cannot be written");
    }
    emit(schema, to);
    if (ferror(to) != 0 || fclose(to) != 0) {
        schema_fail(path, 0, "cannot be written");
    }
}

int main(int argc, char **argv)
{
    struct schema *schema = calloc(1, sizeof(*schema));
    if (schema == NULL || argc < 4) {
        schema_fail("usage", 0, "generator HEADER SOURCE SCHEMA...");
    }
    for (int index = 3; index < argc; index++) {
        schema_read(schema, argv[index]);
    }
    schema_finish(schema);
    write_file(schema, argv[1], emit_header);
    write_file(schema, argv[2], emit_source);
    free(schema);
    return 0;
}
