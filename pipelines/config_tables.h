/* config_tables: what config.c and config_tests.c share; for nobody else. */
#pragma once

#include "pipelines/config.h"
#include "pipelines/config_values.h"

extern const struct key_table config_test_table, config_command_table;

/* field: struct test_list */
read_value config_read_tests;
