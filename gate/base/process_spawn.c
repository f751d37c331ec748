#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "gate/base/process_parts.h"

extern char **environ;

static int set_attributes(posix_spawnattr_t *attributes, bool session) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    int group = session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
    int failed = posix_spawnattr_setflags(
        attributes, (short)(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    if (failed == 0)
        failed = posix_spawnattr_setpgroup(attributes, 0);
    if (failed == 0)
        failed = posix_spawnattr_setsigmask(attributes, &none);
    if (failed == 0)
        failed = posix_spawnattr_setsigdefault(attributes, &all);
    return failed;
}

static int spawn_with(const struct process_start *start, posix_spawn_file_actions_t *actions,
                      posix_spawnattr_t *attributes, pid_t *pid) {
    int failed = set_attributes(attributes, start->session);
    for (int i = 0; i < 3 && failed == 0; i++)
        failed = posix_spawn_file_actions_adddup2(actions, start->ends[i], i);
    if (failed == 0)
        failed = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    if (failed != 0)
        return failed;
    char *const *environment =
        start->environment != NULL ? (char *const *)start->environment : environ;
    pid_t started = NO_CHILD;
    failed = posix_spawnp(&started, start->argv[0], actions, attributes, (char *const *)start->argv,
                          environment);
    if (failed == 0)
        *pid = started;
    return failed;
}

int process_spawn(const struct process_start *start, pid_t *pid, struct error *err) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return error_no_memory(err);
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return error_no_memory(err);
    }
    int failed = spawn_with(start, &actions, &attributes, pid);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed == ENOENT)
        return error_set(err, ERROR_NOT_FOUND, "%s: no such program", start->argv[0]);
    errno = failed;
    return failed == 0 ? 0 : error_set_errno(err, "start %s", start->argv[0]);
}
