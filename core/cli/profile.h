/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles: several clusters by name, each with its bootstrap servers and whatever else of
 * librdkafka's properties it needs, in one YAML file that a person may edit.
 *
 *     version: 1
 *     current: local
 *     profiles:
 *       local:
 *         bootstrap.servers: "127.0.0.1:9092"
 *
 * The file may hold secrets: it is written with mode 0600.
 */
#ifndef FC_CLI_PROFILE_H
#define FC_CLI_PROFILE_H

#include "core/base/buf.h"
#include "core/base/error.h"
#include "core/base/slice.h"

enum {
    FC_PROFILES_MAX = 200,
    FC_PROFILE_PROPERTIES_MAX = 100,
    FC_PROFILE_NAME_MAX = 100,
    FC_PROFILE_FILE_SIZE_MAX = 1024 * 1024
};

struct fc_property {
    char *name;
    char *value;
};

struct fc_profile {
    char *name;
    struct fc_property *properties;
    size_t count;
};

struct fc_profiles {
    char *current; /* NULL: none */
    struct fc_profile *items;
    size_t count;
};

/* On failure there is nothing to release. FC_ERR_CONFIG with path:line:column. */
FC_MUST_CHECK fc_code fc_profiles_parse(struct fc_slice text, const char *path,
                                        struct fc_profiles *out_profiles, struct fc_error *err);
/* The file's text; parsing it gives the same profiles. */
void fc_profiles_format(const struct fc_profiles *profiles, struct fc_buf *out);

/*
 * A file that does not exist holds no profile. out_exposed: the file can be read by others.
 *
 * Errors: FC_ERR_CONFIG, FC_ERR_IO.
 */
FC_MUST_CHECK fc_code fc_profiles_read(const char *path, struct fc_profiles *out_profiles,
                                       bool *out_exposed, struct fc_error *err);
/* Replaces the file as a whole, mode 0600; makes its directory with mode 0700. */
FC_MUST_CHECK fc_code fc_profiles_write(const char *path, const struct fc_profiles *profiles,
                                        struct fc_error *err);
void fc_profiles_release(struct fc_profiles *profiles);

/* NULL when there is none of this name. */
struct fc_profile *fc_profiles_find(const struct fc_profiles *profiles, const char *name);
/* An empty profile at the end; the name must be new. Pointers to others end being valid. */
struct fc_profile *fc_profiles_add(struct fc_profiles *profiles, const char *name);
void fc_profiles_remove(struct fc_profiles *profiles, struct fc_profile *profile);

/* Add or replace. */
void fc_profile_set(struct fc_profile *profile, const char *name, const char *value);
/* NULL when it is not set. */
const char *fc_profile_get(const struct fc_profile *profile, const char *name);
void fc_profile_release(struct fc_profile *profile);

/* Letters, digits, '.', '_' and '-', 1 to FC_PROFILE_NAME_MAX of them. */
FC_MUST_CHECK fc_code fc_profile_check_name(const char *name, struct fc_error *err);

/* Properties whose value must neither stand on a command line nor be shown. */
bool fc_property_is_secret(const char *name);

#endif
