/* config_tables: what config.c shares with config_tests.c and config_stages.c and config_state.c; for nobody else. */
#pragma once

#include "pipelines/config.h"
#include "pipelines/config_values.h"

#define REUSE_NOT_GIVEN (-1) /* of a test: the default of the file counts */

extern const struct key_table config_test_table, config_command_table, config_stage_table,
    config_state_table, config_build_table;

/* int64_t of milliseconds; 0 as well */
read_value config_read_reuse;
read_value config_read_baseline, config_read_flaky, config_read_candidates; /* config_judging.c */

/* field: struct test_build *; config_build.c */
read_value config_read_build;

/* field: struct test_command, but for `in`: a text for the shell, or a list of words */
read_value config_read_command;

/* field: struct test_list */
read_value config_read_tests;

/* field: struct stage_list */
read_value config_read_stages;

/* field: struct state_config */
read_value config_read_state;

/* field: struct config_deny; enum changes_depth; config_deny.c */
read_value config_read_deny, config_read_changes;

/* Once all keys are read: the stages and tests that stages name exist, and no stage comes from itself. */
int config_check_stages(const char *file, const struct yaml_node *root, const struct config *config,
                        struct error *err);
