#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/base/process.h"
#include "pipelines/stages/ledger_parts.h"

#define ACTOR_LIMIT    256   /* bytes; names that are longer are cut */
#define GIT_TIMEOUT_MS 10000 /* it reads two small files */
#define PASSWD_SIZE    16384 /* bytes of one line of the user database */

/* What tells that a CI system runs us, who started the job, and where people see it. The first row that fits counts.
 * address: $NAME is replaced by that variable, letters and "_"; all of them have to be set.
 *   src  the systems' lists of predefined variables; Gitea and Forgejo set GitHub's */
static const struct {
    const char *mark;
    const char *actors[3]; /* the first that is set */
    const char *address;
} systems[] = {
    {"GITHUB_ACTIONS",
     {"GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"},
     "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"},
    {"GITLAB_CI", {"GITLAB_USER_LOGIN", "GITLAB_USER_EMAIL"}, "$CI_JOB_URL"},
    {"CIRCLECI", {"CIRCLE_USERNAME"}, "$CIRCLE_BUILD_URL"},
    {"BUILDKITE",
     {"BUILDKITE_BUILD_CREATOR_EMAIL", "BUILDKITE_BUILD_CREATOR"},
     "$BUILDKITE_BUILD_URL"},
    {"TF_BUILD",
     {"BUILD_REQUESTEDFOREMAIL", "BUILD_REQUESTEDFOR"},
     "$SYSTEM_COLLECTIONURI$SYSTEM_TEAMPROJECT/_build/results?buildId=$BUILD_BUILDID"},
    {"BITBUCKET_BUILD_NUMBER",
     {"BITBUCKET_STEP_TRIGGERER_UUID"},
     "https://bitbucket.org/$BITBUCKET_REPO_FULL_NAME/pipelines/results/$BITBUCKET_BUILD_NUMBER"},
    {"DRONE", {"DRONE_COMMIT_AUTHOR"}, "$DRONE_BUILD_LINK"},
    {"CI_PIPELINE_URL", {"CI_COMMIT_AUTHOR"}, "$CI_PIPELINE_URL"}, /* Woodpecker */
    {"JENKINS_URL", {"BUILD_USER_ID"}, "$BUILD_URL"},
    {"CI", {NULL}, "$CI_JOB_URL"},
};

#define SYSTEM_COUNT (sizeof systems / sizeof *systems)

/* An environment variable, or NULL when it is empty or not set. */
static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static size_t this_system(void) {
    for (size_t i = 0; i < SYSTEM_COUNT; i++) {
        const char *value = variable(systems[i].mark);
        if (value != NULL && strcmp(value, "false") != 0)
            return i;
    }
    return SYSTEM_COUNT;
}

/* On one line, and not endless. */
static char *one_line(const char *words, struct error *err) {
    size_t length = strlen(words);
    if (length > ACTOR_LIMIT)
        length = ACTOR_LIMIT;
    while (length > 0 && length == ACTOR_LIMIT && ((unsigned char)words[length] & 0xc0) == 0x80)
        length--;
    char *line = string_dup_length(words, length, err);
    for (char *at = line; at != NULL && *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = ' ';
    return line;
}

/* NULL without an error when git knows none, or there is no git. */
static char *git_email(const char *root, struct error *err) {
    const char *const argv[] = {"git", "-C", root, "config", "--get", "user.email", NULL};
    struct process_options options = {
        .argv = argv, .timeout_ms = GIT_TIMEOUT_MS, .output_limit = 4096};
    struct process_result result = {0};
    char *email = NULL;
    if (process_run(&options, &result, err) < 0) {
        if (err->kind != ERROR_NO_MEMORY)
            error_clear(err);
    } else if (result.exit_status == 0) {
        text_truncate(&result.output, strcspn(text_string(&result.output), "\r\n"));
        if (result.output.length > 0)
            email = one_line(text_string(&result.output), err);
    }
    process_result_clear(&result);
    return email;
}

static char *login_name(struct error *err) {
    _cleanup_(free_pointer) char *room = malloc(PASSWD_SIZE);
    struct passwd user, *found = NULL;
    if (room == NULL) {
        error_no_memory(err);
        return NULL;
    }
    if (getpwuid_r(getuid(), &user, room, PASSWD_SIZE, &found) == 0 && found != NULL &&
        found->pw_name[0] != '\0')
        return one_line(found->pw_name, err);
    return string_format(err, "user %lu", (unsigned long)getuid());
}

char *ledger_actor(const char *root, struct error *err) {
    size_t system = this_system();
    for (size_t i = 0; system < SYSTEM_COUNT && i < 3 && systems[system].actors[i] != NULL; i++) {
        const char *value = variable(systems[system].actors[i]);
        if (value != NULL)
            return one_line(value, err);
    }
    const char *given = variable("PINGATE_ACTOR");
    if (given != NULL)
        return one_line(given, err);
    char *email = git_email(root, err);
    if (email != NULL || err->kind == ERROR_NO_MEMORY)
        return email;
    return login_name(err);
}

/* out stays empty when a variable lacks. */
static void fill_address(const char *form, struct text *out) {
    static const char name_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    while (*form != '\0') {
        if (*form != '$') {
            text_add_char(out, *form++);
            continue;
        }
        char name[64];
        size_t length = strspn(++form, name_letters);
        snprintf(name, sizeof name, "%.*s", (int)length, form);
        form += length;
        const char *value = variable(name);
        if (value == NULL) {
            text_truncate(out, 0);
            return;
        }
        text_add(out, value);
    }
}

/* http or https, one word, and no credentials in it. */
static bool address_is_fit(const char *address) {
    const char *host = string_has_prefix(address, "https://")  ? address + 8
                       : string_has_prefix(address, "http://") ? address + 7
                                                               : NULL;
    if (host == NULL)
        return false;
    for (const char *at = host; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    size_t length = strcspn(host, "/?#");
    return length > 0 && memchr(host, '@', length) == NULL;
}

char *ledger_ci(struct error *err) {
    size_t system = this_system();
    if (system == SYSTEM_COUNT)
        return NULL;
    _cleanup_(text_clear) struct text address = {.ceiling = 4096};
    fill_address(systems[system].address, &address);
    if (address.failed == ERROR_NO_MEMORY) {
        error_no_memory(err);
        return NULL;
    }
    if (address.failed != ERROR_NONE || !address_is_fit(text_string(&address)))
        return NULL;
    return text_steal(&address, err);
}
