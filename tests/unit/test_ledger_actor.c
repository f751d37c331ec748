#include "pipelines/stages/ledger.h"

#include "tests/unit/tree.h"
#include "tests/unit/unit.h"

extern char **environ;

/* variables: "NAME=value NAME=value"; all others are taken away, but for what git needs. */
static void set_environment(const char *variables, const char *home) {
    char path[4096];
    snprintf(path, sizeof path, "%s", getenv("PATH"));
    clearenv();
    setenv("PATH", path, 1);
    setenv("HOME", home, 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    char copy[2048];
    snprintf(copy, sizeof copy, "%s", variables);
    for (char *word = copy; *word != '\0';) {
        size_t length = strcspn(word, " ");
        bool last = word[length] == '\0';
        word[length] = '\0';
        char *equals = strchr(word, '=');
        *equals = '\0';
        setenv(word, equals + 1, 1);
        word += length + !last;
        if (last)
            break;
    }
}

START_TEST(who_acts_and_where) {
    static const struct {
        const char *variables;
        const char *actor; /* NULL: what git says */
        const char *ci;
    } rows[] = {
        {"", NULL, NULL},
        {"PINGATE_ACTOR=ada", "ada", NULL},
        {"PINGATE_ACTOR=", NULL, NULL},
        {"GITHUB_ACTIONS=true GITHUB_ACTOR=octocat GITHUB_SERVER_URL=https://github.example.com "
         "GITHUB_REPOSITORY=acme/app GITHUB_RUN_ID=7",
         "octocat", "https://github.example.com/acme/app/actions/runs/7"},
        {"GITHUB_ACTIONS=true GITHUB_ACTOR=octocat GITHUB_TRIGGERING_ACTOR=hubot", "hubot", NULL},
        {"GITHUB_ACTIONS=true GITHUB_ACTOR=octocat PINGATE_ACTOR=ada", "octocat", NULL},
        {"GITHUB_ACTIONS=false GITHUB_ACTOR=octocat PINGATE_ACTOR=ada", "ada", NULL},
        {"GITHUB_ACTIONS=true PINGATE_ACTOR=ada", "ada", NULL},
        {"GITHUB_ACTOR=octocat", NULL, NULL},
        {"CI=true GITLAB_CI=true GITLAB_USER_LOGIN=ada "
         "CI_JOB_URL=https://gitlab.example.com/a/-/jobs/1",
         "ada", "https://gitlab.example.com/a/-/jobs/1"},
        {"CIRCLECI=true CIRCLE_USERNAME=ada CIRCLE_BUILD_URL=https://circleci.com/gh/a/b/1", "ada",
         "https://circleci.com/gh/a/b/1"},
        {"BUILDKITE=true BUILDKITE_BUILD_CREATOR=Ada "
         "BUILDKITE_BUILD_URL=https://buildkite.com/a/b/1",
         "Ada", "https://buildkite.com/a/b/1"},
        {"TF_BUILD=True BUILD_REQUESTEDFOREMAIL=ada@example.com "
         "SYSTEM_COLLECTIONURI=https://dev.azure.com/acme/ SYSTEM_TEAMPROJECT=app BUILD_BUILDID=9",
         "ada@example.com", "https://dev.azure.com/acme/app/_build/results?buildId=9"},
        {"BITBUCKET_BUILD_NUMBER=3 BITBUCKET_REPO_FULL_NAME=acme/app PINGATE_ACTOR=ada", "ada",
         "https://bitbucket.org/acme/app/pipelines/results/3"},
        {"DRONE=true DRONE_COMMIT_AUTHOR=ada DRONE_BUILD_LINK=http://drone.example.com/1", "ada",
         "http://drone.example.com/1"},
        {"CI=woodpecker CI_PIPELINE_URL=https://ci.example.com/repos/1/pipeline/2 "
         "CI_COMMIT_AUTHOR=ada",
         "ada", "https://ci.example.com/repos/1/pipeline/2"},
        {"JENKINS_URL=https://jenkins.example.com/ BUILD_USER_ID=ada "
         "BUILD_URL=https://jenkins.example.com/job/a/1/",
         "ada", "https://jenkins.example.com/job/a/1/"},
        {"CI=true CI_JOB_URL=https://ci.example.com/1", NULL, "https://ci.example.com/1"},
        {"CI=false CI_JOB_URL=https://ci.example.com/1", NULL, NULL},
        /* what is no address, or holds a password, is none */
        {"CI=true CI_JOB_URL=javascript:alert(1)", NULL, NULL},
        {"CI=true CI_JOB_URL=https://", NULL, NULL},
        {"CI=true CI_JOB_URL=https://user:secret@ci.example.com/1", NULL, NULL},
        {"CI=true CI_JOB_URL=https://ci.example.com/a@b", NULL, "https://ci.example.com/a@b"},
        {"CI=true CI_JOB_URL=https://ci.example.com/\n::stop::", NULL, NULL},
        {"PINGATE_ACTOR=ada\n::warning::\x1b[31m", "ada ::warning:: [31m", NULL},
    };
    struct tree tree = tree_new();
    tree_write(&tree, ".gitconfig", "[user]\n\temail = git@example.com\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        set_environment(rows[i].variables, tree.root);
        char *actor = ledger_actor(tree.root, &err);
        char *ci = ledger_ci(&err);
        const char *wanted = rows[i].actor != NULL ? rows[i].actor : "git@example.com";
        ck_assert_msg(actor != NULL && strcmp(actor, wanted) == 0, "row %zu: %s", i, actor);
        ck_assert_msg(string_equal(ci, rows[i].ci) && err.kind == ERROR_NONE, "row %zu: %s", i, ci);
        free(actor);
        free(ci);
    }
    tree_free(&tree);
}
END_TEST

START_TEST(without_git_it_is_the_login) {
    struct tree tree = tree_new();
    struct error err = {0};
    set_environment("", tree.root);
    char *actor = ledger_actor(tree.root, &err);
    ck_assert_ptr_nonnull(actor);
    ck_assert(*actor != '\0' && strchr(actor, '@') == NULL);
    free(actor);
    setenv("PATH", "/nonexistent", 1);
    actor = ledger_actor(tree.root, &err);
    ck_assert_ptr_nonnull(actor);
    ck_assert(*actor != '\0' && err.kind == ERROR_NONE);
    free(actor);
    tree_free(&tree);
}
END_TEST

START_TEST(long_names_are_cut_between_characters) {
    struct tree tree = tree_new();
    struct error err = {0};
    char name[1001];
    name[0] = 'a';
    for (size_t i = 1; i < 999; i += 2)
        memcpy(name + i, "ä", 2);
    name[999] = '\0';
    set_environment("", tree.root);
    setenv("PINGATE_ACTOR", name, 1);
    char *actor = ledger_actor(tree.root, &err);
    ck_assert_ptr_nonnull(actor);
    ck_assert_uint_eq(strlen(actor), 255);
    ck_assert_int_eq(memcmp(actor, name, 255), 0);
    free(actor);
    tree_free(&tree);
}
END_TEST

UNIT_MAIN("ledger_actor", {
    tcase_add_test(cases, who_acts_and_where);
    tcase_add_test(cases, without_git_it_is_the_login);
    tcase_add_test(cases, long_names_are_cut_between_characters);
})
