/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/host.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/batch.h"
#include "runner/config.h"

/* `public` comes first: a struct fc_host pointer is one to this. */
struct host {
    struct fc_host public;
    const char *name;
    const struct fc_options *options;
    struct fc_diag *diag;
};

static const struct host *of_public(const struct fc_host *public)
{
    return (const struct host *)(const void *)public;
}

static const char *option_text(const struct fc_host *host, const char *key)
{
    return fc_options_text(of_public(host)->options, key);
}

static int64_t option_int(const struct fc_host *host, const char *key)
{
    return fc_options_int(of_public(host)->options, key);
}

static uint32_t option_list(const struct fc_host *host, const char *key,
                            const char *const **out_items)
{
    return fc_options_list(of_public(host)->options, key, out_items);
}

static uint32_t option_map(const struct fc_host *host, const char *key,
                           const char *const **out_pairs)
{
    return fc_options_map(of_public(host)->options, key, out_pairs);
}

static fc_code option_wrap(const struct fc_host *host, const char *key, uint32_t item,
                           struct fc_error *err)
{
    return fc_options_wrap(of_public(host)->options, key, item, err);
}

static const char *connector_name(const struct fc_host *host)
{
    return of_public(host)->name;
}

static void report(const struct fc_host *host, int level, const char *text)
{
    fc_diag_level known = FC_DIAG_ERROR;
    if (level <= FC_DIAG_DEBUG) {
        known = FC_DIAG_DEBUG;
    } else if (level < FC_DIAG_ERROR) {
        known = (fc_diag_level)level;
    }
    fc_diag_report(of_public(host)->diag, known, "%s", text);
}

struct fc_host *fc_host_new(const struct fc_config *config, const struct fc_options *options,
                            struct fc_diag *diag)
{
    struct host *host = fc_new(struct host);
    host->name = config->name;
    host->public.exactly_once = config->exactly_once;
    host->public.skips_gaps = config->skips_gaps;
    host->options = options;
    host->diag = diag;
    host->public.size = sizeof(host->public);
    host->public.option_text = option_text;
    host->public.option_int = option_int;
    host->public.option_list = option_list;
    host->public.option_map = option_map;
    host->public.connector_name = connector_name;
    host->public.report = report;
    host->public.batch_add = fc_batch_add;
    host->public.batch_alloc = fc_batch_alloc;
    host->public.batch_position = fc_batch_set_position;
    host->public.option_wrap = option_wrap;
    return &host->public;
}

void fc_host_free(struct fc_host *host)
{
    free(host);
}
