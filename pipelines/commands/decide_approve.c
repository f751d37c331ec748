#include <string.h>

#include "gate/base/clock.h"
#include "pipelines/commands/decide.h"

struct approval {
    struct desk *desk;
    const struct stage *stage, *from;
    struct subject subject;
};

/* What the rule says of the approved set, or of what stands in the stage before. */
static int ask(const struct approval *approval, struct entry_answer *out, struct error *err) {
    const struct desk *desk = approval->desk;
    const struct set *sets = desk->gate.sets;
    const struct entry_case c = {
        .ledger = &desk->gate.ledger,
        .config = &desk->config,
        .stage = approval->stage,
        .from = approval->subject.kind == SUBJECT_SET
                    ? &approval->subject.set
                    : &sets[desk_stage_number(desk, approval->from)],
        .target = &sets[desk_stage_number(desk, approval->stage)],
        .sets = sets,
        .now_ms = desk->now_ms,
    };
    return entry_decide(&c, out, err);
}

/* The set that waits. */
static int find_waiting(struct approval *approval, struct error *err) {
    struct desk *desk = approval->desk;
    struct entry_answer answer;
    approval->subject.kind = SUBJECT_DIGEST; /* asks about what stands there */
    if (ask(approval, &answer, err) < 0)
        return -1;
    int result = 0;
    if (answer.changes.count == 0)
        result = error_set(err, ERROR_USAGE, "nothing waits for %s: %s", approval->stage->name,
                           answer.reason != NULL ? answer.reason
                                                 : "it holds what the stage before it holds");
    else
        result = desk_find(desk, answer.considered.items[0].set, approval->from, false, false,
                           &approval->subject, err);
    entry_answer_clear(&answer);
    return result;
}

static int find_subject(struct approval *approval, struct error *err) {
    const struct options *given = &approval->desk->invocation->options;
    approval->stage = desk_stage(approval->desk, given->arguments[0], err);
    if (approval->stage == NULL)
        return -1;
    if (approval->stage->from == NULL)
        return error_set(err, ERROR_USAGE,
                         "stage \"%s\" comes from no other stage: what enters it needs no approval",
                         approval->stage->name);
    approval->from = stage_find(&approval->desk->config.stages, approval->stage->from);
    if (given->argument_count == 1)
        return find_waiting(approval, err);
    return desk_find(approval->desk, given->arguments[1], approval->from, false, false,
                     &approval->subject, err);
}

/* What would change, before it is bound. */
static int show_changes(const struct approval *approval, struct error *err) {
    struct desk *desk = approval->desk;
    struct entry_answer answer;
    if (approval->subject.kind != SUBJECT_SET)
        return 0;
    if (ask(approval, &answer, err) < 0)
        return -1;
    int result = 0;
    if (answer.considered.count == 0)
        result = error_set(err, ERROR_USAGE, "set %.*s would change nothing in %s",
                           SET_SHORT_LENGTH, approval->subject.word, approval->stage->name);
    text_printf(&desk->words, "set %.*s of %s changes in %s:\n", SET_SHORT_LENGTH,
                approval->subject.word, approval->from->name, approval->stage->name);
    for (size_t i = 0; i < answer.changes.count; i++)
        text_printf(&desk->words, "  %s\n    becomes %s\n", answer.changes.items[i].line,
                    answer.changes.items[i].candidate);
    entry_answer_clear(&answer);
    return result < 0 ? -1 : desk_say(desk, err);
}

/* The same by the same person, which holds as long. */
static const struct ledger_entry *find_earlier(const struct approval *approval,
                                               const struct ledger_entry *draft) {
    const struct decision_list *counting = &approval->desk->counting;
    for (size_t i = 0; i < counting->count; i++) {
        const struct ledger_entry *entry = counting->items[i];
        if (entry->type == LEDGER_APPROVED && string_equal(entry->stage, draft->stage) &&
            string_equal(entry->actor, draft->actor) && string_equal(entry->set, draft->set) &&
            string_equal(entry->digest, draft->digest) &&
            (entry->instead_of_soak || !draft->instead_of_soak) &&
            !decision_ends_later(draft, entry))
            return entry;
    }
    return NULL;
}

static void tell_approval(struct text *words, const struct ledger_entry *draft) {
    char until[CLOCK_RFC3339_SIZE];
    text_add(words, "approved ");
    desk_name(words, draft);
    text_printf(words, ", by %s%s", draft->actor,
                draft->instead_of_soak ? ", instead of its soak" : "");
    if (draft->until_ms != 0) {
        clock_rfc3339(draft->until_ms, until);
        text_printf(words, ", until %s", until);
    }
    text_add(words, "\n");
}

/* An approval is not all that a set needs. */
static int tell_rest(const struct approval *approval, struct error *err) {
    struct text *words = &approval->desk->words;
    struct entry_answer answer;
    if (ask(approval, &answer, err) < 0)
        return -1;
    if (answer.considered.count > 0) {
        const struct entry_considered *considered = &answer.considered.items[0];
        if (considered->code == CODE_NONE)
            text_printf(words, "nothing keeps it out: `pingate promote %s`\n",
                        approval->stage->name);
        else
            text_printf(words, "it is still kept out (%s): %s\n", considered->codes,
                        considered->reason);
        if (strstr(considered->codes, verdict_code_name(CODE_REVOKED)) != NULL)
            terminal_warning(approval->desk->invocation->terminal,
                             "a test failed on it, and no approval goes over that");
    }
    entry_answer_clear(&answer);
    return 0;
}

static int approve(struct approval *approval, struct error *err) {
    struct desk *desk = approval->desk;
    if (find_subject(approval, err) < 0 || show_changes(approval, err) < 0)
        return -1;
    struct ledger_entry *draft = desk_draft(desk, LEDGER_APPROVED, err);
    if (draft == NULL)
        return -1;
    draft->stage = approval->stage->name;
    draft->instead_of_soak = desk->invocation->options.given[OPTION_INSTEAD_OF_SOAK];
    desk_draft_subject(draft, &approval->subject);
    const struct ledger_entry *earlier = find_earlier(approval, draft);
    if (earlier != NULL) {
        char time[CLOCK_RFC3339_SIZE];
        clock_rfc3339(earlier->time_ms, time);
        text_printf(&desk->words,
                    "%s approved it already at %s: one person counts once, and nothing was "
                    "recorded\n",
                    draft->actor, time);
    } else {
        tell_approval(&desk->words, draft);
        if (desk_record(desk, err) < 0)
            return -1;
    }
    return tell_rest(approval, err) < 0 ? -1 : desk_print(desk, err);
}

static int run(struct invocation *invocation, int *exit_status, struct error *err) {
    (void)exit_status;
    struct desk desk;
    struct approval approval = {.desk = &desk};
    int result = desk_open(invocation, &desk, err);
    if (result == 0)
        result = approve(&approval, err);
    subject_clear(&approval.subject);
    desk_close(&desk);
    return result;
}

static const enum option_id options[] = {OPTION_INSTEAD_OF_SOAK, OPTION_UNTIL, OPTION_REASON,
                                         OPTION_JSON, OPTION_END};
static const char *const examples[] = {
    "pingate approve production", "the set that waits for production",
    "pingate approve production 3f2a90c1 --instead-of-soak --reason \"CVE-2026-1\"",
    "that set, and it need not stand in staging for the soak time", NULL};

const struct command command_approve;
const struct command command_approve = {
    .name = "approve",
    .arguments = "STAGE [SET|DIGEST]",
    .arguments_least = 1,
    .arguments_most = 2,
    .summary = "approve what waits for a stage",
    .description =
        "Records that you approve a set (without a name: the one that waits) or a digest for that "
        "stage. An approval is bound to exactly that: what comes later needs a new one. The "
        "beginning of an id is enough, if it is unique.\n"
        "Where the stage asks for several approvals, they are of different people. "
        "--instead-of-soak stands in for the soak time. No approval goes over a failed test, a "
        "denial or a hold.\n"
        "The record is a file of the ledger, to be committed: it counts once it is on the target "
        "branch.",
    .options = options,
    .examples = examples,
    .run = run,
};
