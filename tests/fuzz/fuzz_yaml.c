/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connector file of any bytes is read or refused: with one line that names the file, and with
 * everything given back. What is read keeps what its header promises.
 */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/options_check.h"
#include "runner/config.h"
#include "runner/topic_name.h"

static const struct fc_option TABLE[] = {
    { "host", FC_OPTION_TEXT, false, "127.0.0.1", 0, 0, NULL, "where the server is" },
    { "password", FC_OPTION_SECRET, false, NULL, 0, 0, NULL, "of the user" },
    { "port", FC_OPTION_INT, false, "3306", 1, 65535, NULL, "of the server" },
    { "tls", FC_OPTION_BOOL, false, "true", 0, 0, NULL, "encrypt" },
    { "chunk", FC_OPTION_SIZE, false, "1MiB", 4096, 1 << 30, NULL, "of a snapshot" },
    { "wait", FC_OPTION_DURATION, false, "30s", 0, 3600000, NULL, "for an answer" },
    { "mode", FC_OPTION_CHOICE, false, "initial", 0, 0, "initial|never", "of snapshots" },
    { "tables", FC_OPTION_LIST, false, "[\"*.*\"]", 0, 0, NULL, "to capture" },
    { .key = NULL },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(fc_code code, const struct fc_error *error)
{
    fc_assert(code == FC_ERR_CONFIG || code == FC_ERR_LIMIT || code == FC_ERR_NOMEM);
    fc_assert(error->code == code);
    fc_assert(strncmp(error->message, "f.yaml", 6) == 0);
    fc_assert(strpbrk(error->message, "\n\r\033") == NULL);
}

static void check_options(const struct fc_config *config)
{
    struct fc_options *options = NULL;
    struct fc_error error = { 0 };
    const char *const *items = NULL;
    fc_code code = fc_options_new(config, TABLE, &options, &error);
    if (code != FC_OK) {
        check_refusal(code, &error);
        return;
    }
    fc_assert(fc_options_int(options, "port") >= 1 && fc_options_int(options, "port") <= 65535);
    fc_assert(fc_options_int(options, "chunk") >= 4096);
    fc_assert(fc_options_int(options, "wait") <= 3600000);
    fc_assert(fc_options_text(options, "mode") != NULL);
    for (uint32_t count = fc_options_list(options, "tables", &items); count > 0; count--) {
        fc_assert(items[count - 1] != NULL);
    }
    fc_options_free(options);
}

static void check_config(const struct fc_config *config)
{
    fc_assert(config->name[0] != '\0' && strlen(config->name) <= FC_CONFIG_NAME_MAX);
    fc_assert(config->plugin[0] != '\0' && strchr(config->plugin, '/') == NULL);
    fc_assert(fc_topic_name_check(config->topic, NULL) == FC_OK);
    fc_assert(config->topic_config.partitions >= 1);
    fc_assert(config->memory_bytes >= (size_t)8 << 20);
    fc_assert(config->log_dir[0] != '\0');
    for (uint32_t index = 0; index < config->step_count; index++) {
        fc_assert(config->steps[index].uses[0] != '\0');
        fc_assert(config->steps[index].with_json == NULL ||
                  config->steps[index].with_json[0] == '{');
    }
    check_options(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fc_config_source source = { .path = "f.yaml" };
    struct fc_config *config = NULL;
    struct fc_error error = { 0 };
    fc_code code;
    if (size > FC_CONFIG_FILE_BYTES_MAX) {
        return 0;
    }
    code = fc_config_parse(fc_slice_of(data, size), &source, &config, &error);
    if (code == FC_OK) {
        check_config(config);
    } else {
        check_refusal(code, &error);
    }
    fc_config_free(config);
    return 0;
}
