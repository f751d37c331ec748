/* exec: a command in the service itself. */
#include "runners/ready_parts.h"

int ready_wait_exec(struct ready_wait *wait, const struct test_ready *ready, struct error *err) {
    return ready_try_exec(wait, wait->id, (const char *const *)ready->command.argv, 0, err);
}
