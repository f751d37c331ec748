/* State on a branch of a remote. Only plumbing: neither the index nor the work tree nor HEAD is touched, no hook of the clone
 * runs, nothing asks for a password.
 *
 *     ls-remote      is there such a branch, and where is it
 *     fetch          into refs/pingate/state/BRANCH; shallow where the clone is, so that a full one stays full
 *     cat-file       the file
 *     hash-object, mktree, commit-tree
 *     push           of that commit; refused when somebody was faster: fetch and merge again
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/hash.h"
#include "gate/base/process.h"
#include "pipelines/state/state_parts.h"

#define LOCAL_TIMEOUT_MS   60000
#define NETWORK_TIMEOUT_MS 120000
#define TRIES              6           /* the last one after some 6 s */
#define FIRST_WAIT_MS      200         /* doubled each time, and up to as much again by chance */
#define OID_SIZE           65          /* bytes: sha256 in hex, and the NUL */
#define TREE_LIMIT         (64u << 10) /* bytes of the list of files; there are two */
#define ARGUMENTS_LIMIT    24

static const char readme_name[] = "README.md";
static const char readme_title[] = "# State of pingate\n";
static const char readme[] =
    "# State of pingate\n"
    "\n"
    "`pingate` keeps here when it saw an image's digest first; cooldowns count from it. It is no "
    "part of the project and is\n"
    "merged nowhere. If the branch is removed, cooldowns start over, and nothing else is lost.\n";

extern char **environ;

/* What git is told beside the caller's own environment: never ask, English words. A program that the caller named for giving
 * passwords ($GIT_ASKPASS, as Jenkins does) stays; the one that desktops name for asking people ($SSH_ASKPASS) does not. */
static const char *const overrides[] = {"LC_ALL=C",
                                        "LANGUAGE=",
                                        "GIT_TERMINAL_PROMPT=0",
                                        "GCM_INTERACTIVE=never",
                                        "GIT_AUTHOR_NAME=pingate",
                                        "GIT_AUTHOR_EMAIL=pingate@localhost",
                                        "GIT_COMMITTER_NAME=pingate",
                                        "GIT_COMMITTER_EMAIL=pingate@localhost"};
#define OVERRIDE_COUNT (sizeof overrides / sizeof *overrides)

static bool is_overridden(const char *entry) {
    size_t length = strcspn(entry, "=") + 1;
    for (size_t i = 0; i < OVERRIDE_COUNT; i++)
        if (strncmp(entry, overrides[i], length) == 0)
            return true;
    return false;
}

/* Lent strings; the caller frees the list. */
static const char **make_environment(struct error *err) {
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    const char **list = calloc(count + OVERRIDE_COUNT + 2, sizeof *list);
    if (list == NULL) {
        error_no_memory(err);
        return NULL;
    }
    size_t filled = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_overridden(environ[i]) && !string_has_prefix(environ[i], "SSH_ASKPASS="))
            list[filled++] = environ[i];
    for (size_t i = 0; i < OVERRIDE_COUNT; i++)
        list[filled++] = overrides[i];
    if (getenv("GIT_SSH_COMMAND") == NULL && getenv("GIT_SSH") == NULL)
        list[filled++] = "GIT_SSH_COMMAND=ssh -oBatchMode=yes";
    return list;
}

struct call {
    const char *const *arguments; /* of git, NULL-terminated */
    const void *input;
    size_t input_length;
    size_t output_limit; /* 0: TREE_LIMIT */
    bool network;
};

static int run_git(const struct state *state, const struct call *call,
                   struct process_result *result, struct error *err) {
    const char *argv[ARGUMENTS_LIMIT] = {"git",
                                         "-C",
                                         state->root,
                                         "-c",
                                         "gc.auto=0",
                                         "-c",
                                         "maintenance.auto=false",
                                         "-c",
                                         "protocol.ext.allow=never"};
    size_t count = 9;
    for (size_t i = 0; call->arguments[i] != NULL && count + 1 < ARGUMENTS_LIMIT; i++)
        argv[count++] = call->arguments[i];
    _cleanup_(free_pointer) const char **environment = make_environment(err);
    if (environment == NULL)
        return -1;
    struct process_options options = {
        .argv = argv,
        .environment = environment,
        .input = call->input,
        .input_length = call->input_length,
        .timeout_ms = call->network ? NETWORK_TIMEOUT_MS : LOCAL_TIMEOUT_MS,
        .output_limit = call->output_limit != 0 ? call->output_limit : TREE_LIMIT,
        .cancel = state->cancel};
    return process_run(&options, result, err) < 0 ? error_wrap(err, "git %s", call->arguments[0])
                                                  : 0;
}

/* The last line that says something: git's own words stand behind those of the transport. */
static int refuse(const struct process_result *result, const char *what, enum error_kind kind,
                  const char *remedy, struct error *err) {
    _cleanup_(free_pointer) char *why = process_result_why(result, err);
    if (why == NULL)
        return -1;
    return error_set(err, kind, "git %s: %s%s", what, why, remedy);
}

/* Runs what must succeed. out: the first word of its output, an object's name. */
static int make_object(const struct state *state, const struct call *call, char oid[OID_SIZE],
                       struct error *err) {
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (run_git(state, call, &result, err) < 0)
        return -1;
    if (result.exit_status != 0)
        return refuse(&result, call->arguments[0], ERROR_IO, "", err);
    const char *words = text_string(&result.output);
    size_t length = strspn(words, "0123456789abcdef");
    if (length < 40 || length >= OID_SIZE || (words[length] != '\n' && words[length] != '\t'))
        return error_set(err, ERROR_PROTOCOL, "git %s named no object: \"%.60s\"",
                         call->arguments[0], words);
    memcpy(oid, words, length);
    oid[length] = '\0';
    return 0;
}

/* ---- reading ---- */

static char *local_ref(const struct state *state, struct error *err) {
    return string_format(err, "refs/pingate/state/%s/%s", state->remote, state->branch);
}

static bool has_words(const struct process_result *result, const char *words) {
    return memmem(text_string(&result->error_output), result->error_output.length, words,
                  strlen(words)) != NULL ||
           memmem(text_string(&result->output), result->output.length, words, strlen(words)) !=
               NULL;
}

/* Why the remote could not be asked, with what people can do about it. */
static int refuse_remote(const struct state *state, const struct process_result *result,
                         const char *what, struct error *err) {
    if (has_words(result, "does not appear to be a git repository"))
        return error_set(err, ERROR_CONFIG,
                         "git %s: this clone has no remote \"%s\" that can be read", what,
                         state->remote);
    if (has_words(result, "error: 403") || has_words(result, "error: 401") ||
        has_words(result, "denied") || has_words(result, "Authentication") ||
        has_words(result, "could not read Username"))
        return refuse(result, what, ERROR_AUTH,
                      "; the job must be allowed to write to the repository (GitHub: "
                      "\"permissions: contents: write\"; GitLab: a token with "
                      "write_repository in the remote's address)",
                      err);
    return refuse(result, what, ERROR_NETWORK, "", err);
}

/* out  oid  "" when there is no such branch */
static int ask_remote(const struct state *state, const char *ref, char oid[OID_SIZE],
                      struct error *err) {
    const char *const arguments[] = {"ls-remote", "--exit-code", "--", state->remote, ref, NULL};
    struct call call = {.arguments = arguments, .network = true};
    _cleanup_(process_result_clear) struct process_result result = {0};
    oid[0] = '\0';
    if (run_git(state, &call, &result, err) < 0)
        return -1;
    if (result.exit_status == 2) /* by --exit-code: asked, and there is none */
        return 0;
    if (result.exit_status != 0)
        return refuse_remote(state, &result, "ls-remote", err);
    const char *words = text_string(&result.output);
    size_t length = strspn(words, "0123456789abcdef");
    if (length < 40 || length >= OID_SIZE)
        return error_set(err, ERROR_PROTOCOL, "git ls-remote named no commit: \"%.60s\"", words);
    memcpy(oid, words, length);
    oid[length] = '\0';
    return 0;
}

static int is_shallow(const struct state *state, bool *shallow, struct error *err) {
    const char *const arguments[] = {"rev-parse", "--is-shallow-repository", NULL};
    struct call call = {.arguments = arguments};
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (run_git(state, &call, &result, err) < 0)
        return -1;
    if (result.exit_status != 0)
        return refuse(&result, "rev-parse", ERROR_CONFIG,
                      "; a state branch needs a clone: use a folder (--state DIR) elsewhere", err);
    *shallow = string_has_prefix(text_string(&result.output), "true");
    return 0;
}

/* Whether that very commit is here already. */
static int has_object(const struct state *state, const char *oid, bool *there, struct error *err) {
    _cleanup_(free_pointer) char *name = string_format(err, "%s^{tree}", oid);
    const char *const arguments[] = {"cat-file", "-e", name, NULL};
    struct call call = {.arguments = arguments};
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (name == NULL || run_git(state, &call, &result, err) < 0)
        return -1;
    *there = result.exit_status == 0;
    return 0;
}

/* in, out  oid  where the branch is; another run may push between our question and the fetch, so it is the fetched one then */
static int fetch(const struct state *state, char oid[OID_SIZE], struct error *err) {
    bool shallow = false;
    bool there = false;
    if (is_shallow(state, &shallow, err) < 0 || has_object(state, oid, &there, err) < 0)
        return -1;
    if (there)
        return 0;
    _cleanup_(free_pointer) char *local = local_ref(state, err);
    _cleanup_(free_pointer) char *refs =
        local != NULL ? string_format(err, "+refs/heads/%s:%s", state->branch, local) : NULL;
    if (refs == NULL)
        return -1;
    const char *const arguments[] = {"fetch",
                                     "--quiet",
                                     "--no-tags",
                                     "--no-write-fetch-head",
                                     "--no-recurse-submodules",
                                     shallow ? "--depth=1" : "--no-auto-maintenance",
                                     "--",
                                     state->remote,
                                     refs,
                                     NULL};
    struct call call = {.arguments = arguments, .network = true};
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (run_git(state, &call, &result, err) < 0)
        return -1;
    if (result.exit_status != 0)
        return refuse_remote(state, &result, "fetch", err);
    _cleanup_(free_pointer) char *fetched = string_format(err, "%s^{commit}", local);
    const char *const verify[] = {"rev-parse", "--verify", "--end-of-options", fetched, NULL};
    call = (struct call){.arguments = verify};
    return fetched != NULL ? make_object(state, &call, oid, err) : -1;
}

/* out  bytes, absent  of one file of the commit */
static int read_blob(const struct state *state, const char *commit, const char *name, size_t limit,
                     struct text *bytes, bool *absent, struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "%s:%s", commit, name);
    const char *const exists[] = {"cat-file", "-e", path, NULL};
    const char *const arguments[] = {"cat-file", "blob", path, NULL};
    struct call call = {.arguments = exists, .output_limit = limit};
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (path == NULL || run_git(state, &call, &result, err) < 0)
        return -1;
    *absent = result.exit_status != 0;
    if (*absent)
        return 0;
    process_result_clear(&result);
    call.arguments = arguments;
    if (run_git(state, &call, &result, err) < 0)
        return -1;
    if (result.exit_status != 0)
        return refuse(&result, "cat-file", ERROR_INPUT, "", err);
    text_clear(bytes);
    *bytes = result.output;
    result.output = (struct text){0};
    return 0;
}

/* A branch with other things in it is somebody's work. */
static int check_ours(const struct state *state, const char *commit, struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    bool absent;
    if (read_blob(state, commit, readme_name, TREE_LIMIT, &words, &absent, err) < 0)
        return -1;
    if (!absent && string_has_prefix(text_string(&words), readme_title))
        return 0;
    return error_set(
        err, ERROR_CONFIG,
        "it exists and is no branch of state (its README.md does not begin with \"%.*s\"): it is "
        "left as it is; name another branch",
        (int)strlen(readme_title) - 1, readme_title);
}

/* out  commit  where the branch is now, fetched; "" when there is none */
static int find_tip(const struct state *state, char commit[OID_SIZE], struct error *err) {
    _cleanup_(free_pointer) char *ref = string_format(err, "refs/heads/%s", state->branch);
    if (ref == NULL || ask_remote(state, ref, commit, err) < 0)
        return -1;
    if (commit[0] == '\0')
        return 0;
    return fetch(state, commit, err) < 0 ? -1 : check_ours(state, commit, err);
}

static int read_state(struct state *state, const struct state_file *file, struct text *bytes,
                      bool *absent, struct error *err) {
    char commit[OID_SIZE];
    if (find_tip(state, commit, err) < 0)
        return -1;
    if (commit[0] == '\0')
        return 0;
    return read_blob(state, commit, file->name, file->limit, bytes, absent, err);
}

/* ---- writing ---- */

static int write_blob(const struct state *state, const void *bytes, size_t length,
                      char oid[OID_SIZE], struct error *err) {
    static const char *const arguments[] = {"hash-object", "-w", "--stdin", NULL};
    struct call call = {.arguments = arguments, .input = bytes, .input_length = length};
    return make_object(state, &call, oid, err);
}

/* The files of the commit with this one instead, or beside them. */
static int make_tree(const struct state *state, const char *commit, const struct state_file *file,
                     const struct text *bytes, char oid[OID_SIZE], struct error *err) {
    char blob[OID_SIZE], words[OID_SIZE];
    if (write_blob(state, text_string(bytes), bytes->length, blob, err) < 0 ||
        write_blob(state, readme, strlen(readme), words, err) < 0)
        return -1;
    _cleanup_(text_clear) struct text list = {0};
    if (commit[0] != '\0') {
        const char *const arguments[] = {"ls-tree", "-z", commit, NULL};
        struct call call = {.arguments = arguments};
        _cleanup_(process_result_clear) struct process_result result = {0};
        if (run_git(state, &call, &result, err) < 0)
            return -1;
        if (result.exit_status != 0)
            return refuse(&result, "ls-tree", ERROR_IO, "", err);
        const char *end = text_string(&result.output) + result.output.length;
        for (const char *line = text_string(&result.output); line < end; line += strlen(line) + 1) {
            const char *name = strchr(line, '\t');
            if (name != NULL && strcmp(name + 1, file->name) != 0 &&
                strcmp(name + 1, readme_name) != 0)
                text_append(&list, line, strlen(line) + 1);
        }
    }
    text_printf(&list, "100644 blob %s\t%s%c", words, readme_name, '\0');
    text_printf(&list, "100644 blob %s\t%s%c", blob, file->name, '\0');
    if (text_check(&list, err) < 0)
        return -1;
    static const char *const arguments[] = {"mktree", "-z", NULL};
    struct call call = {
        .arguments = arguments, .input = text_string(&list), .input_length = list.length};
    return make_object(state, &call, oid, err);
}

/* CI systems that build every branch are told not to. */
static int make_commit(const struct state *state, const char *parent, const char *tree,
                       char oid[OID_SIZE], struct error *err) {
    static const char message[] = "Keep state [skip ci]\n";
    const char *const first[] = {"commit-tree", "--no-gpg-sign", tree, NULL};
    const char *const next[] = {"commit-tree", "--no-gpg-sign", "-p", parent, tree, NULL};
    struct call call = {.arguments = parent[0] != '\0' ? next : first,
                        .input = message,
                        .input_length = strlen(message)};
    return make_object(state, &call, oid, err);
}

/* out  faster  another run was: fetch and merge again */
static int push(const struct state *state, const char *commit, bool *faster, struct error *err) {
    _cleanup_(free_pointer) char *refs =
        string_format(err, "%s:refs/heads/%s", commit, state->branch);
    const char *const arguments[] = {
        "push", "--quiet",     "--no-verify", "--porcelain", "--no-recurse-submodules",
        "--",   state->remote, refs,          NULL};
    struct call call = {.arguments = arguments, .network = true};
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (refs == NULL || run_git(state, &call, &result, err) < 0)
        return -1;
    *faster = false;
    if (result.exit_status == 0)
        return 0;
    if (has_words(&result, "[rejected]") || has_words(&result, "cannot lock ref") ||
        has_words(&result, "failed to update ref") ||
        has_words(&result, "reference already exists")) {
        *faster = true;
        return 0;
    }
    if (has_words(&result, "[remote rejected]")) {
        const char *words = text_string(&result.output);
        const char *why = strstr(words, "[remote rejected]");
        return error_set(
            err, ERROR_AUTH,
            "git push: the remote refuses it: %.*s; is the branch protected, or a hook "
            "against it?",
            why != NULL ? (int)strcspn(why, "\n") : 0, why != NULL ? why : "");
    }
    return refuse_remote(state, &result, "push", err);
}

static void remember(const struct state *state, const char *commit) {
    struct error ignored = {0};
    _cleanup_(free_pointer) char *local = local_ref(state, &ignored);
    const char *const arguments[] = {"update-ref", local, commit, NULL};
    struct call call = {.arguments = arguments};
    _cleanup_(process_result_clear) struct process_result result = {0};
    if (local == NULL || run_git(state, &call, &result, &ignored) < 0)
        error_clear(&ignored); /* the next fetch gets it */
}

static int wait_a_little(const struct state *state, int number, struct error *err) {
    unsigned char chance = 0;
    if (hash_random(&chance, sizeof chance, err) < 0)
        return -1;
    int wait_ms = FIRST_WAIT_MS << number;
    struct pollfd watched = {.fd = cancel_fd(state->cancel), .events = POLLIN};
    poll(&watched, 1, wait_ms / 2 + wait_ms * chance / 256);
    return cancel_check(state->cancel, err);
}

/* out  done  false when another run was faster */
static int try_update(struct state *state, const struct state_file *file, state_merge *merge,
                      void *context, char **aside, bool *done, struct error *err) {
    char tip[OID_SIZE], tree[OID_SIZE], commit[OID_SIZE];
    _cleanup_(text_clear) struct text old = {0};
    _cleanup_(text_clear) struct text new = {.ceiling = file->limit};
    bool absent = true;
    bool damaged = false;
    bool faster;
    if (find_tip(state, tip, err) < 0 ||
        (tip[0] != '\0' &&
         read_blob(state, tip, file->name, file->limit, &old, &absent, err) < 0) ||
        merge(context, absent ? NULL : &old, &new, &damaged, err) < 0)
        return -1;
    *done = true;
    if (new.length == 0)
        return 0;
    if (make_tree(state, tip, file, &new, tree, err) < 0 ||
        make_commit(state, tip, tree, commit, err) < 0 || push(state, commit, &faster, err) < 0)
        return -1;
    *done = !faster;
    if (faster)
        return 0;
    remember(state, commit);
    if (damaged) {
        *aside = string_format(err, "%s:%s in the history of the branch", tip, file->name);
        return *aside != NULL ? 0 : -1;
    }
    return 0;
}

static int update_state(struct state *state, const struct state_file *file, state_merge *merge,
                        void *context, char **aside, struct error *err) {
    bool done = false;
    for (int number = 0; number < TRIES; number++) {
        if (number > 0 && wait_a_little(state, number - 1, err) < 0)
            return -1;
        int tried = try_update(state, file, merge, context, aside, &done, err);
        if (tried == 0 && done)
            return 0;
        /* Two fetches into the same clone at once. */
        if (tried < 0 && strstr(error_message(err), "cannot lock ref") == NULL)
            return -1;
        if (tried < 0 && number + 1 < TRIES)
            error_clear(err);
        else if (tried < 0)
            return -1;
    }
    return error_set(err, ERROR_CONFLICT,
                     "others pushed to it %d times in a row before this run could; its sightings "
                     "come with the next run",
                     TRIES);
}

const struct state_kind state_branch = {
    .name = "branch",
    .read = read_state,
    .update = update_state,
};
