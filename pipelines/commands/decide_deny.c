#include <string.h>

#include "gate/base/clock.h"
#include "gate/selector.h"
#include "pipelines/commands/decide.h"

static void tell(struct text *words, const char *verb, const struct ledger_entry *draft) {
    char until[CLOCK_RFC3339_SIZE];
    text_printf(words, "%s ", verb);
    desk_name(words, draft);
    text_printf(words, ", by %s", draft->actor);
    if (draft->until_ms != 0) {
        clock_rfc3339(draft->until_ms, until);
        text_printf(words, ", until %s", until);
    }
    text_printf(words, ": %s\n", draft->reason);
}

/* ---- deny ---- */

static bool line_is_denied(const char *line, const struct subject *subject) {
    const char *digest = strrchr(line, '@');
    if (subject->kind == SUBJECT_DIGEST)
        return digest != NULL && strcmp(digest + 1, subject->word) == 0;
    struct error ignored = {0};
    struct set_value value;
    bool denied = set_value_parse(line, &value, &ignored) == 0 &&
                  selector_matches(subject->word, value.image, value.tag);
    set_value_clear(&value);
    error_clear(&ignored);
    return denied;
}

static bool set_is_denied(const struct set *set, const struct subject *subject) {
    if (subject->kind == SUBJECT_SET)
        return strcmp(set->id, subject->word) == 0;
    for (size_t i = 0; i < set->lines.count; i++)
        if (line_is_denied(set->lines.items[i], subject))
            return true;
    return false;
}

/* A denial keeps out; it takes nothing away that is in. */
static void tell_standing(struct desk *desk, const struct subject *subject) {
    for (size_t i = 0; i < desk->config.stages.count; i++)
        if (subject->kind != SUBJECT_IMAGE && set_is_denied(&desk->gate.sets[i], subject))
            text_printf(&desk->words, "it stands in %s, and stays there: `pingate rollback %s`\n",
                        desk->config.stages.items[i].name, desk->config.stages.items[i].name);
    if (subject->unseen)
        text_add(&desk->words, "no stage has seen this digest yet; it is denied all the same\n");
}

static int deny(struct desk *desk, struct subject *subject, struct error *err) {
    const struct options *given = &desk->invocation->options;
    const char *name = given->values[OPTION_STAGE];
    if (desk_needs_reason(desk, err) < 0 || (name != NULL && desk_stage(desk, name, err) == NULL) ||
        desk_find(desk, given->arguments[0], NULL, true, true, subject, err) < 0)
        return -1;
    struct ledger_entry *draft = desk_draft(desk, LEDGER_DENIED, err);
    if (draft == NULL)
        return -1;
    draft->stage = name;
    desk_draft_subject(draft, subject);
    tell(&desk->words, "denied", draft);
    tell_standing(desk, subject);
    return desk_record(desk, err) < 0 ? -1 : desk_print(desk, err);
}

static int run_deny(struct invocation *invocation, int *exit_status, struct error *err) {
    (void)exit_status;
    struct desk desk;
    struct subject subject = {0};
    int result = desk_open(invocation, &desk, err);
    if (result == 0)
        result = deny(&desk, &subject, err);
    subject_clear(&subject);
    desk_close(&desk);
    return result;
}

static const enum option_id deny_options[] = {OPTION_REASON, OPTION_STAGE, OPTION_UNTIL,
                                              OPTION_JSON, OPTION_END};
static const char *const deny_examples[] = {
    "pingate deny sha256:3f2a90c1 --reason \"loses writes\"", "that digest enters no stage",
    "pingate deny redis:8.* --stage production --until 7d --reason \"after the fair\"",
    "no such tag enters production for a week", NULL};

const struct command command_deny;
const struct command command_deny = {
    .name = "deny",
    .arguments = "SET|DIGEST|IMAGE",
    .arguments_least = 1,
    .arguments_most = 1,
    .summary = "keep a set, a digest or an image out of the stages",
    .description =
        "Records that a set, a digest or an image may not enter the stages that come from "
        "another one, or that of --stage. It takes nothing away that stands there already. The "
        "beginning of an id is enough, if it is unique; a whole digest that was never seen is "
        "denied as well.\n"
        "The record is a file of the ledger, to be committed: it counts once it is on the target "
        "branch. `pingate release` lifts it.",
    .options = deny_options,
    .examples = deny_examples,
    .run = run_deny,
};

/* ---- hold ---- */

static int find_held(const struct desk *desk, const struct stage *stage, const char *word,
                     struct subject *out, struct error *err) {
    static const struct ledger empty;
    const struct subject_question question = {
        .ledger = &empty,
        .sets = &desk->gate.sets[desk_stage_number(desk, stage)],
        .set_count = 1,
        .stage = stage->name,
        .stage_set = &desk->gate.sets[desk_stage_number(desk, stage)],
        .images = true,
    };
    if (subject_find(&question, word, out, err) < 0)
        return -1;
    if (out->kind == SUBJECT_IMAGE)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "\"%s\" is a set or a digest, and hold takes an image: `pingate deny` keeps "
                     "those out",
                     word);
}

static int hold(struct desk *desk, struct subject *subject, struct error *err) {
    const struct options *given = &desk->invocation->options;
    const struct stage *stage = desk_stage(desk, given->arguments[0], err);
    if (stage == NULL || desk_needs_reason(desk, err) < 0)
        return -1;
    if (given->argument_count == 2 && find_held(desk, stage, given->arguments[1], subject, err) < 0)
        return -1;
    struct ledger_entry *draft = desk_draft(desk, LEDGER_HELD, err);
    if (draft == NULL)
        return -1;
    draft->stage = stage->name;
    draft->image = subject->word;
    tell(&desk->words, "held", draft);
    return desk_record(desk, err) < 0 ? -1 : desk_print(desk, err);
}

static int run_hold(struct invocation *invocation, int *exit_status, struct error *err) {
    (void)exit_status;
    struct desk desk;
    struct subject subject = {0};
    int result = desk_open(invocation, &desk, err);
    if (result == 0)
        result = hold(&desk, &subject, err);
    subject_clear(&subject);
    desk_close(&desk);
    return result;
}

static const enum option_id hold_options[] = {OPTION_REASON, OPTION_UNTIL, OPTION_JSON, OPTION_END};
static const char *const hold_examples[] = {
    "pingate hold production --until 2026-12-27 --reason \"nobody is here\"",
    "nothing enters production over the holidays",
    "pingate hold production redis --reason \"migration\"",
    "redis stays as it is, the others go on", NULL};

const struct command command_hold;
const struct command command_hold = {
    .name = "hold",
    .arguments = "STAGE [IMAGE]",
    .arguments_least = 1,
    .arguments_most = 2,
    .summary = "keep a stage, or one of its images, as it is",
    .description =
        "Records that nothing may enter that stage, or that one of its images stays as it is "
        "while the others go on, as long as their tests passed together with it.\n"
        "The record is a file of the ledger, to be committed: it counts once it is on the target "
        "branch. `pingate release` lifts it.",
    .options = hold_options,
    .examples = hold_examples,
    .run = run_hold,
};
