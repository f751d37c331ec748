#include <string.h>

#include "pipelines/commands/decide.h"

/* What the command line names: `release STAGE`, `release WHAT`, `release STAGE WHAT`. */
struct question {
    const struct stage *stage; /* NULL: of every stage, and of none */
    const char *what;          /* NULL: the stage itself */
};

static bool begins(const char *whole, const char *word) {
    return whole != NULL && strlen(word) >= SUBJECT_PREFIX_LEAST && string_has_prefix(whole, word);
}

static bool names(const struct ledger_entry *entry, const char *what) {
    if (entry->image != NULL)
        return subject_same_image(entry->image, what);
    if (entry->digest != NULL)
        return begins(entry->digest, what) || begins(entry->digest + strlen("sha256:"), what);
    return begins(entry->set, what);
}

static bool is_asked(const struct question *question, const struct ledger_entry *entry) {
    if (question->stage != NULL && !string_equal(entry->stage, question->stage->name))
        return false;
    if (question->what == NULL)
        return entry->type == LEDGER_HELD && entry->image == NULL;
    return names(entry, question->what);
}

static bool same_words(const struct ledger_entry *a, const struct ledger_entry *b) {
    return string_equal(a->stage, b->stage) && string_equal(a->image, b->image) &&
           string_equal(a->set, b->set) && string_equal(a->digest, b->digest);
}

/* Two different things begin with the word. */
static bool is_other(const struct ledger_entry *a, const struct ledger_entry *b) {
    return !string_equal(a->set, b->set) || !string_equal(a->digest, b->digest);
}

static const char *id_of(const struct ledger_entry *entry) {
    return entry->set != NULL ? entry->set : entry->digest != NULL ? entry->digest : entry->image;
}

static const char *const verbs[LEDGER_TYPE_COUNT] = {
    [LEDGER_APPROVED] = "approved", [LEDGER_DENIED] = "denied", [LEDGER_HELD] = "held"};

/* Nothing was meant: what could have been. */
static int refuse(const struct desk *desk, const struct question *question, struct error *err) {
    struct text list = {0};
    for (size_t i = 0; i < desk->counting.count && i < 8; i++) {
        const struct ledger_entry *entry = desk->counting.items[i];
        text_printf(&list, "%s%s ", i > 0 ? "; " : ": ", verbs[entry->type]);
        desk_name(&list, entry);
    }
    error_set(err, ERROR_USAGE, "nothing that counts is held, denied or approved as %s%s%s%s%s",
              question->stage != NULL ? question->stage->name : "",
              question->stage != NULL && question->what != NULL ? " " : "",
              question->what != NULL ? question->what : "",
              desk->counting.count > 0 ? "; these do" : "; nothing is at all", text_string(&list));
    text_clear(&list);
    return -1;
}

/* A release in the words of the entry, later than it even where its clock was ahead. */
static int draft_release(struct desk *desk, const struct ledger_entry *entry, struct error *err) {
    for (size_t i = 0; i < desk->gate.drafts.count; i++) {
        struct ledger_entry *before = &desk->gate.drafts.items[i];
        if (!same_words(before, entry))
            continue;
        if (entry->time_ms >= before->time_ms)
            before->time_ms = entry->time_ms + 1;
        return 0;
    }
    struct ledger_entry *draft = desk_draft(desk, LEDGER_RELEASED, err);
    if (draft == NULL)
        return -1;
    draft->stage = entry->stage;
    draft->image = entry->image;
    draft->set = entry->set;
    draft->digest = entry->digest;
    if (entry->time_ms >= draft->time_ms)
        draft->time_ms = entry->time_ms + 1;
    return 0;
}

static int draft_releases(struct desk *desk, const struct question *question, struct error *err) {
    const struct ledger_entry *first = NULL;
    for (size_t i = 0; i < desk->counting.count; i++) {
        const struct ledger_entry *entry = desk->counting.items[i];
        if (!is_asked(question, entry))
            continue;
        if (first == NULL)
            first = entry;
        if (question->what != NULL && is_other(first, entry))
            return error_set(err, ERROR_USAGE, "\"%s\" names more than one: %s and %s",
                             question->what, id_of(first), id_of(entry));
        text_printf(&desk->words, "released what %s had %s: ", entry->actor, verbs[entry->type]);
        desk_name(&desk->words, entry);
        text_printf(&desk->words, "%s%s\n", entry->reason != NULL ? ": " : "",
                    entry->reason != NULL ? entry->reason : "");
        if (draft_release(desk, entry, err) < 0)
            return -1;
    }
    return first != NULL ? 0 : refuse(desk, question, err);
}

static int release(struct desk *desk, struct error *err) {
    const struct options *given = &desk->invocation->options;
    struct question question = {0};
    if (given->argument_count == 2)
        question.what = given->arguments[1];
    if (given->argument_count == 2 ||
        stage_find(&desk->config.stages, given->arguments[0]) != NULL) {
        question.stage = desk_stage(desk, given->arguments[0], err);
        if (question.stage == NULL)
            return -1;
    } else {
        question.what = given->arguments[0];
    }
    return draft_releases(desk, &question, err) < 0 || desk_record(desk, err) < 0
               ? -1
               : desk_print(desk, err);
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    (void)exit_status;
    struct desk desk;
    int result = desk_open(invocation, &desk, err);
    if (result == 0)
        result = release(&desk, err);
    desk_close(&desk);
    return result;
}

static const enum option_id options[] = {OPTION_REASON, OPTION_JSON, OPTION_END};
static const char *const examples[] = {"pingate release production",
                                       "what held the whole stage",
                                       "pingate release production redis",
                                       "what held or denied redis there",
                                       "pingate release sha256:3f2a90c1",
                                       "a denial, in whatever stages it was said",
                                       NULL};

const struct command command_release;
const struct command command_release = {
    .name = "release",
    .arguments = "[STAGE] [SET|DIGEST|IMAGE]",
    .arguments_least = 1,
    .arguments_most = 2,
    .summary = "lift a hold or a denial, or withdraw an approval",
    .description =
        "Lifts what was held, denied or approved before in the same words; what others say later "
        "counts anew. With a stage alone: the holds on it as a whole.\n"
        "The record is a file of the ledger, to be committed: it counts once it is on the target "
        "branch.",
    .options = options,
    .examples = examples,
    .run = run,
};
