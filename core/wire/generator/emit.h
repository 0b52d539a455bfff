/* SPDX-License-Identifier: Apache-2.0 */
/* What the generator writes: the structs, and the tables that describe them. */
#ifndef FC_WIRE_GENERATOR_EMIT_H
#define FC_WIRE_GENERATOR_EMIT_H

#include <stdio.h>

#include "core/wire/generator/schema.h"

void emit_header(const struct schema *schema, FILE *to);
void emit_source(const struct schema *schema, FILE *to);

#endif
