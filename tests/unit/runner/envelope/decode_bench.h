/* SPDX-License-Identifier: Apache-2.0 */
/* An encoder and a decoder of one schema, for the tests of both. */
#ifndef FC_TESTS_DECODE_BENCH_H
#define FC_TESTS_DECODE_BENCH_H

#include "runner/envelope/envelope.h"
#include "tests/support/sample_rows.h"

enum { OUT_LIMIT = 1 << 20, ARENA_LIMIT = 1 << 20 };

struct bench {
    struct fc_envelope *envelope;
    struct fc_row_decoder *decoder;
    struct fc_schema schema;
    struct fc_arena arena;
    struct fc_buf out;
    struct fc_error err;
};

static inline void open_bench(struct bench *bench, const struct fc_shape *shape,
                              fc_envelope_mode mode)
{
    struct fc_envelope_config config = { .mode = mode,
                                         .connector_name = "shop",
                                         .engine = "mysql",
                                         .version = "1",
                                         .fields = fc_sample_fields(),
                                         .clock = fc_sample_clock() };
    memset(bench, 0, sizeof(*bench));
    bench->envelope = fc_envelope_new(&config);
    bench->schema.mode = mode;
    bench->schema.shape = shape;
    bench->decoder = fc_row_decoder_new(&bench->schema);
    fc_arena_init(&bench->arena, ARENA_LIMIT);
    fc_buf_init(&bench->out, OUT_LIMIT);
}

static inline void close_bench(struct bench *bench)
{
    fc_row_decoder_free(bench->decoder);
    fc_envelope_free(bench->envelope);
    fc_arena_release(&bench->arena);
    fc_buf_release(&bench->out);
}

/* Columns a INT, b" TEXT NULL. */
static inline const struct fc_shape *two_columns(void)
{
    static const struct fc_column columns[2] = {
        { .name = "a", .type = FC_TYPE_INT, .bits = 32 },
        { .name = "b\"", .type = FC_TYPE_TEXT, .nullable = true },
    };
    static const struct fc_shape shape = {
        .db = "d", .table = "t", .columns = columns, .column_count = 2
    };
    return &shape;
}

static inline fc_code decode_text(struct bench *bench, const char *text, struct fc_value *out)
{
    fc_arena_clear(&bench->arena);
    return fc_row_decoder_decode(bench->decoder, fc_slice_text(text), &bench->arena, out,
                                 &bench->err);
}

#endif
