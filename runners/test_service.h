/* test_service: the services of a test, as plain data: what of them is part of the test's definition, and their memory. */
#pragma once

#include <jansson.h>

#include "runners/test.h"

/* For test_definition_hash: all that decides what runs and when it is ready, canonical but for the order of services, in which they
 * are started. NULL without memory. */
json_t *test_services_definition(const struct test *test, struct error *err);

/* It ends by itself, and that is what it is for: a migration. */
bool test_service_is_job(const struct test_service *service);

void test_service_clear(struct test_service *service);
