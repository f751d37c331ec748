/* Runs every target on its seeds, in a process for each file, so that one crash does not hide the next. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/base/array.h"
#include "gate/base/file.h"
#include "tests/fuzz/fuzz.h"

#define SEED_LIMIT   (4u << 20) /* bytes; a larger seed only slows the fuzzer down */
#define SEED_SECONDS 30u        /* a seed that takes longer hangs */
#define EXIT_READ    2          /* of the process: the file could not be read */

static size_t reported, failed;

static void report(bool good, const char *what, const char *why) {
    reported++;
    failed += !good;
    printf("%sok %zu - %s%s%s\n", good ? "" : "not ", reported, what, why[0] ? ": " : "", why);
    fflush(stdout);
}

/* The copy has the file's exact size: what is read behind it, the address sanitizer sees. */
static void run_seed(const struct fuzz_target *target, const char *path) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(text_clear) struct text text = {0};
    if (file_read(path, SEED_LIMIT, &text, &err) < 0) {
        fprintf(stderr, "%s\n", error_message(&err));
        _exit(EXIT_READ);
    }
    uint8_t *bytes = malloc(text.length > 0 ? text.length : 1);
    if (bytes == NULL)
        abort();
    if (text.length > 0)
        memcpy(bytes, text.bytes, text.length);
    target->run(bytes, text.length);
    free(bytes);
}

static void replay_file(const struct fuzz_target *target, const char *path, const char *shown) {
    char why[64] = "";
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(SEED_SECONDS);
        run_seed(target, path);
        exit(0); /* with the leak check, unlike _exit */
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0)
        snprintf(why, sizeof why, "cannot start a process: %s", strerror(errno));
    else if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "ended by SIG%s", sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        snprintf(why, sizeof why, "ended with status %d", WEXITSTATUS(status));
    report(why[0] == '\0', shown, why);
}

/* The names in a folder, in order; nothing where it cannot be read. */
static void list_folder(const char *path, struct string_list *names) {
    _cleanup_(error_clear) struct error err = {0};
    DIR *opened = opendir(path);
    if (opened == NULL)
        return;
    for (struct dirent *entry = readdir(opened); entry != NULL; entry = readdir(opened))
        if (entry->d_name[0] != '.' && string_list_add(names, entry->d_name, &err) < 0)
            abort();
    closedir(opened);
    string_list_sort(names);
}

static char *corpus_path(const char *name) {
    _cleanup_(error_clear) struct error err = {0};
    const char *source = getenv("PINGATE_TEST_SOURCE");
    char *path = string_format(&err, "%s/tests/fuzz/corpus%s%s", source != NULL ? source : ".",
                               name[0] != '\0' ? "/" : "", name);
    if (path == NULL)
        abort();
    return path;
}

static void replay_target(const struct fuzz_target *target) {
    _cleanup_(error_clear) struct error err = {0};
    _cleanup_(string_list_clear) struct string_list seeds = {0};
    _cleanup_(free_pointer) char *folder = corpus_path(target->name);
    list_folder(folder, &seeds);
    if (seeds.count == 0)
        report(false, target->name, "has no seeds in tests/fuzz/corpus");
    for (size_t i = 0; i < seeds.count; i++) {
        _cleanup_(free_pointer) char *path = file_join(folder, seeds.items[i], &err);
        _cleanup_(free_pointer) char *shown = file_join(target->name, seeds.items[i], &err);
        if (path == NULL || shown == NULL)
            abort();
        replay_file(target, path, shown);
    }
}

/* A folder of seeds without a target is a target that was not linked, or a typo. */
static void replay_all(void) {
    _cleanup_(string_list_clear) struct string_list folders = {0};
    _cleanup_(free_pointer) char *corpus = corpus_path("");
    list_folder(corpus, &folders);
    for (size_t i = 0; i < folders.count; i++)
        if (fuzz_find(folders.items[i]) == NULL)
            report(false, folders.items[i], "has seeds, but there is no such target");
    for (const struct fuzz_target *target = fuzz_targets(); target; target = target->next)
        replay_target(target);
}

int main(int count, char **arguments) {
    const struct fuzz_target *target = count > 1 ? fuzz_find(arguments[1]) : NULL;
    if (count > 1 && target == NULL) {
        fprintf(stderr, "no target \"%s\"\n", arguments[1]);
        return EXIT_USAGE;
    }
    if (count == 1)
        replay_all();
    else if (count == 2)
        replay_target(target);
    for (int i = 2; i < count; i++)
        replay_file(target, arguments[i], arguments[i]);
    printf("1..%zu\n", reported);
    return failed == 0 && reported > 0 ? 0 : 1;
}
