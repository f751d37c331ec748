/* config_surroundings: reads what tests and services say of the container they run in: environment, secrets, entrypoint,
 * limits, tmpfs, platform, profile. */
#pragma once

#include "pipelines/config_values.h"
#include "runners/test.h"

/* Two fields at once: what is given here, and what the caller is asked for. */
int config_read_environment(const char *file, const struct yaml_node *node,
                            struct string_list *environment, struct string_list *environment_from,
                            struct error *err);

/* words: NULL-terminated, owned, of ENTRYPOINT_REPLACE */
int config_read_entrypoint(const char *file, const struct yaml_node *node,
                           enum entrypoint *entrypoint, char ***words, struct error *err);

/* Of keys of a test, with the whole struct test as field. */
read_value config_read_test_environment, config_read_test_entrypoint;

/* Fields: struct test_secret_list; int64_t of bytes; string_list of "/path:options"; ulimit_list; char * "linux/arm64"; bool,
 * true for strict. */
read_value config_read_secrets, config_read_memory, config_read_tmpfs, config_read_ulimits,
    config_read_platform, config_read_profile;

extern const struct key_table config_secret_table;
