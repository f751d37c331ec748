/* healthy: the health check that the container has. */
#include <stdio.h>
#include <stdlib.h>

#include "runners/ready_parts.h"

/* A check that hangs is tried again after the time that engines give it by default. */
#define CHECK_MS (30 * 1000)

int ready_wait_healthy(struct ready_wait *wait, const struct test_ready *ready, struct error *err) {
    (void)ready;
    const struct string_list *health = &wait->facts->health;
    if (health->count == 0) {
        wait->state = READY_NEVER;
        snprintf(wait->said, sizeof wait->said,
                 "the image has no health check; give the service one (health: …), or wait for "
                 "something else (ready: {tcp: 6379})");
        return 0;
    }
    _cleanup_(free_pointer) const char **argv = calloc(health->count + 1, sizeof *argv);
    if (argv == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < health->count; i++)
        argv[i] = health->items[i];
    return ready_try_exec(wait, wait->id, argv, CHECK_MS, err);
}
