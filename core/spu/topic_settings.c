/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spu/topic_settings.h"

#include "core/spu/kept_settings.h"

static size_t used_count(void)
{
    size_t count = 0;
    while (fc_log_topic_config_key(count) != NULL) {
        count++;
    }
    return count;
}

size_t fc_topic_settings_count(void)
{
    size_t count = used_count();
    for (size_t index = 0; fc_kept_setting_key(index) != NULL; index++) {
        count++;
    }
    return count;
}

static void add(struct fc_topic_setting *setting, fc_setting_source source, const char *text)
{
    setting->values[setting->count].source = source;
    setting->values[setting->count].text = text;
    setting->count++;
}

/* One that the log goes by. */
static void tell_used(const struct fc_spu *spu, const char *key, const char *own,
                      struct fc_topic_setting *out)
{
    struct fc_log_topic_config config;
    fc_log_topic_config_init(&config);
    (void)fc_log_topic_config_get(&config, key, out->texts[2]);
    fc_data_dir_defaults(spu->data, &config);
    (void)fc_log_topic_config_get(&config, key, out->texts[1]);
    /* As the log takes it: compact,delete for " delete, compact". */
    if (own != NULL && fc_log_topic_config_set(&config, key, own, NULL) == FC_OK) {
        (void)fc_log_topic_config_get(&config, key, out->texts[0]);
        add(out, FC_SETTING_FROM_TOPIC, out->texts[0]);
    }
    if (strcmp(out->texts[1], out->texts[2]) != 0) {
        add(out, FC_SETTING_FROM_FILE, out->texts[1]);
    }
    add(out, FC_SETTING_FROM_DEFAULT, out->texts[2]);
}

void fc_topic_setting(const struct fc_spu *spu, const struct fc_settings *settings,
                      size_t index, struct fc_topic_setting *out)
{
    size_t used = used_count();
    const char *key =
        index < used ? fc_log_topic_config_key(index) : fc_kept_setting_key(index - used);
    const char *own = fc_settings_get(settings, key);
    out->doc = fc_setting_doc(key);
    out->count = 0;
    if (index < used) {
        tell_used(spu, key, own, out);
        return;
    }
    if (own != NULL) {
        add(out, FC_SETTING_FROM_TOPIC, own);
    }
    add(out, FC_SETTING_FROM_DEFAULT, fc_kept_setting_default(key));
}

fc_code fc_topic_setting_check(const struct fc_spu *spu, const char *key, const char *value,
                               struct fc_error *err)
{
    struct fc_log_topic_config config;
    fc_code code;
    fc_data_dir_defaults(spu->data, &config);
    code = fc_log_topic_config_set(&config, key, value, err);
    return code == FC_ERR_NOT_FOUND ? fc_kept_setting_check(key, value, err) : code;
}
