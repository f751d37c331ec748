/* config_services: reads the services of a test. */
#pragma once

#include "pipelines/config_values.h"

/* The whole struct test as field. */
read_value config_read_services;

extern const struct key_table config_service_table, config_ready_table;
