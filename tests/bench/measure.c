/* measure: runs a command and tells what it took, with what its children took.
 *
 *   measure RESULT-FILE COMMAND ARGUMENT…
 *
 * Adds one line to the file: seconds of wall clock, seconds of processor time, peak MiB of the largest process, exit status.
 * Exits with the command's status (128 + N for signal N).
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **words) {
    if (count < 3) {
        fprintf(stderr, "usage: measure RESULT-FILE COMMAND ARGUMENT...\n");
        return 2;
    }
    double began = now();
    pid_t pid;
    int failed = posix_spawnp(&pid, words[2], NULL, NULL, words + 2, environ);
    if (failed != 0) {
        fprintf(stderr, "measure: %s: %s\n", words[2], strerror(failed));
        return 127;
    }
    int status;
    struct rusage usage;
    while (wait4(pid, &status, 0, &usage) < 0)
        if (errno != EINTR) {
            perror("measure: wait");
            return 1;
        }
    double wall = now() - began;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    FILE *file = fopen(words[1], "ae");
    if (file == NULL ||
        fprintf(file, "%.4f %.4f %.1f %d\n", wall,
                seconds(usage.ru_utime) + seconds(usage.ru_stime), (double)usage.ru_maxrss / 1024,
                code) < 0 ||
        fclose(file) != 0) {
        perror(words[1]);
        return 1;
    }
    return code;
}
