#include "runners/trial_build.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate/base/clock.h"
#include "gate/base/file.h"
#include "gate/base/hash.h"
#include "gate/base/trace.h"
#include "runners/build_context.h"
#include "runners/command_log.h"
#include "runners/engine/build.h"
#include "runners/engine/image.h"
#include "runners/engine/volume.h"

#define LAST_WORDS 200 /* bytes of the last line of a step that failed, in the reason */
#define SHORT_ID   12u /* digits of an id */
#define TAG_DIGITS 12u /* of a digest, in the name that its image gets */

void trial_build_clear(struct trial_build *build) {
    for (size_t i = 0; i < build->base_count; i++) {
        free(build->bases[i].image.image);
        free(build->bases[i].image.tag);
        free(build->bases[i].image.digest);
    }
    free(build->bases);
    free(build->diff);
    text_clear(&build->side);
    *build = (struct trial_build){0};
}

void build_result_clear(struct build_result *result) {
    free(result->reason);
    free(result->step);
    free(result->path);
    free(result->image_id);
    text_clear(&result->tail);
    *result = (struct build_result){0};
}

/* One build on its way. */
struct building {
    const struct trial_run *run;
    const struct trial_spec *spec;
    struct build_result *result;
    struct log_sink log;
    int64_t limit_bytes; /* of the log */
    bool over;           /* it was passed */
    bool *used;          /* one a base: it was taken into the build */
};

static void set_outcome(struct build_result *result, enum outcome outcome, const char *reason) {
    struct error ignored = {0};
    result->outcome = outcome;
    free(result->reason);
    result->reason = string_dup(reason, &ignored); /* without memory the outcome still stands */
    error_clear(&ignored);
}

static void set_error(struct build_result *result, const struct error *why) {
    char reason[900];
    snprintf(reason, sizeof reason, "build: %s%s",
             why->kind == ERROR_CANCELLED ? "ended before it was done: " : "", error_message(why));
    set_outcome(result, OUTCOME_ERROR, reason);
}

static int on_output(void *context, const char *bytes, size_t length, struct error *err) {
    struct building *building = context;
    if (log_sink_write(&building->log, bytes, length, err) < 0)
        return -1;
    building->over = *building->log.bytes > building->limit_bytes;
    return building->over ? error_set(err, ERROR_LIMIT, "more than log_limit") : 0;
}

static int on_step(void *context, const char *name, struct error *err) {
    (void)err;
    const struct building *building = context;
    const struct trial_run *run = building->run;
    if (run->on_build != NULL)
        run->on_build(run->context, name);
    return 0;
}

/* By the digest in the step's words, or by the id that the classic builder prints. */
static int on_use(void *context, const char *words, struct error *err) {
    (void)err;
    struct building *building = context;
    const struct trial_build *build = building->spec->build;
    const char *const *ids = building->run->base_ids;
    for (size_t i = 0; i < build->base_count; i++) {
        const char *colon = strchr(ids[i], ':');
        bool is_id =
            strlen(words) == SHORT_ID && colon != NULL && strncmp(colon + 1, words, SHORT_ID) == 0;
        if (is_id || strstr(words, build->bases[i].image.digest) != NULL)
            building->used[i] = true;
    }
    return 0;
}

/* Where a tag of `@digest` at `at` begins, or `at` where it has none: a ":" with neither "/" nor another ":" behind it. */
static const char *tag_before(const char *from, const char *at) {
    const char *c = at;
    while (c > from && c[-1] != '/' && strchr(" \t\r\n=,\"'", c[-1]) == NULL) {
        if (*--c == ':')
            return c;
    }
    return at;
}

int side_dockerfile_tag(const struct text *side, const char *digest, const char *tag,
                        struct text *out, struct error *err) {
    const char *from = text_string(side);
    const char *end = from + side->length;
    size_t length = strlen(digest);
    for (const char *at; (at = memmem(from, (size_t)(end - from), digest, length)) != NULL;
         from = at + length) {
        const char *name_end = at > from && at[-1] == '@' ? tag_before(from, at - 1) : at;
        bool named = name_end > from && name_end < at;
        text_append(out, from, (size_t)((named ? name_end : at) - from));
        if (named)
            text_printf(out, ":%s@", tag);
        text_append(out, digest, length);
    }
    text_append(out, from, (size_t)(end - from));
    return text_check(out, err);
}

/* The mark of a base's name: a volume, as pulled.h has it for images, so that the sweep finds it. */
static char *mark_of(const struct trial_run *run, size_t base, struct error *err) {
    return string_format(err, "%s-base-%zu", run->name, base + 1);
}

static char *tag_of(const struct trial_run *run, const struct trial_base *base, struct error *err) {
    return string_format(err, "%s-%.*s", run->name, (int)TAG_DIGITS,
                         base->image.digest + strlen("sha256:"));
}

static int name_base(const struct building *building, size_t i, struct text *side,
                     struct error *err) {
    const struct trial_run *run = building->run;
    const struct trial_base *base = &building->spec->build->bases[i];
    _cleanup_(free_pointer) char *tag = tag_of(run, base, err);
    _cleanup_(free_pointer) char *mark = mark_of(run, i, err);
    _cleanup_(free_pointer) char *name =
        tag != NULL ? string_format(err, "%s:%s", base->image.image, tag) : NULL;
    struct text changed = {0};
    if (mark == NULL || name == NULL ||
        volume_create(run->cleaner, mark, run->labels, name, err) < 0 ||
        image_tag(run->cleaner, run->base_ids[i], base->image.image, tag, err) < 0)
        return -1;
    if (side_dockerfile_tag(side, base->image.digest, tag, &changed, err) < 0) {
        text_clear(&changed);
        return -1;
    }
    text_clear(side);
    *side = changed;
    return 0;
}

static void remove_names(const struct trial_run *run, const struct trial_spec *spec) {
    for (size_t i = 0; i < spec->build->base_count; i++) {
        _cleanup_(error_clear) struct error why = {0};
        const struct trial_base *base = &spec->build->bases[i];
        _cleanup_(free_pointer) char *tag = tag_of(run, base, &why);
        _cleanup_(free_pointer) char *mark = mark_of(run, i, &why);
        _cleanup_(free_pointer) char *name =
            tag != NULL ? string_format(&why, "%s:%s", base->image.image, tag) : NULL;
        if ((mark == NULL || name == NULL || image_remove(run->cleaner, name, &why) < 0 ||
             volume_remove(run->cleaner, mark, &why) < 0) &&
            run->on_left != NULL)
            run->on_left(run->context, error_message(&why));
    }
}

/* What was built carries the trial's name, and all that the sweep goes by; what is to stay, only the first. */
static json_t *make_labels(const struct trial_run *run) {
    json_t *labels = run->keep_images ? json_object() : labels_to_json(run->labels);
    if (labels != NULL && json_object_set_new(labels, LABEL_BUILD, json_string(run->name)) < 0) {
        json_decref(labels);
        labels = NULL;
    }
    return labels;
}

static int side_name(const struct text *side, char *out, size_t size, struct error *err) {
    char hex[HASH_HEX_SIZE];
    if (hash_hex(text_string(side), side->length, hex, err) < 0)
        return -1;
    snprintf(out, size, ".pingate.%.12s.Dockerfile", hex);
    return 0;
}

static int send_build(struct building *building, const struct text *side, bool buildkit,
                      struct build_stream *stream, struct error *err) {
    const struct trial_run *run = building->run;
    const struct trial_build *build = building->spec->build;
    char name[64];
    _cleanup_(text_clear) struct text tail = {0};
    json_auto_t *labels = make_labels(run);
    if (labels == NULL)
        return error_no_memory(err);
    if (side_name(side, name, sizeof name, err) < 0 ||
        build_context_tail(build->context, name, side, !buildkit || engine_is_podman(run->engine),
                           &tail, err) < 0)
        return -1;
    struct build_wish wish = {.context_fd = build->context->fd,
                              .context_size = build->context->size_bytes,
                              .tail = &tail,
                              .dockerfile = name,
                              .target = build->build->target,
                              .platform = building->spec->test->platform,
                              .args = &build->build->args,
                              .labels = labels,
                              .timeout_ms = building->spec->test->timeout_ms,
                              .buildkit = buildkit};
    return build_start(run->engine, &wish, stream, err);
}

/* What the classic builder made on its way has neither a name nor our labels. Newest first; who has children stays. */
static void remove_between(const struct trial_run *run, const struct build_stream *stream) {
    for (size_t i = stream->between.count; i > 0; i--) {
        _cleanup_(error_clear) struct error ignored = {0};
        _cleanup_(free_pointer) char *id =
            string_format(&ignored, "%s?noprune=1", stream->between.items[i - 1]);
        if (id != NULL && image_remove(run->cleaner, id, &ignored) < 0)
            trace(TRACE_ENGINE, "an image between stays: %s", error_message(&ignored));
    }
}

/* The last line that is more than white space, for the reason. */
static void last_line(const struct text *tail, char *out, size_t size) {
    const char *bytes = text_string(tail);
    size_t end = tail->length;
    out[0] = '\0';
    while (end > 0) {
        size_t from = end;
        while (from > 0 && bytes[from - 1] != '\n')
            from--;
        size_t length = end - from;
        bool ours = length >= 3 && memcmp(bytes + from, "=> ", 3) == 0;
        while (length > 0 && strchr(" \t\r", bytes[from + length - 1]) != NULL)
            length--;
        if (length > 0 && !ours) {
            snprintf(out, size, "%.*s", (int)(length < LAST_WORDS ? length : LAST_WORDS),
                     bytes + from);
            return;
        }
        end = from > 0 ? from - 1 : 0;
    }
}

static void blame_step(struct build_result *result, struct build_stream *stream) {
    char line[LAST_WORDS + 1];
    char reason[1600];
    const char *why = stream->step_error != NULL ? stream->step_error : stream->progress.failure;
    last_line(&result->tail, line, sizeof line);
    snprintf(reason, sizeof reason, "build: %s: %.*s%s%s%s", stream->step,
             (int)strcspn(why, "\r\n"), why, line[0] != '\0' ? "; its last line: \"" : "", line,
             line[0] != '\0' ? "\"" : "");
    set_outcome(result, OUTCOME_FAILED, reason);
}

/* The time is over. An engine that still answers has been building. */
static void blame_time(struct building *building) {
    char words[64];
    char reason[600];
    _cleanup_(error_clear) struct error why = {0};
    clock_duration_words(building->spec->test->timeout_ms, words, sizeof words);
    bool answers = engine_ping(building->run->cleaner, &why) == 0;
    snprintf(reason, sizeof reason,
             "build: %s: the test may take %s in all, and the build took all of it%s%s",
             answers ? "timed out" : "not done", words, answers ? "" : "; ",
             answers ? "" : error_message(&why));
    set_outcome(building->result, answers ? OUTCOME_TIMED_OUT : OUTCOME_ERROR, reason);
}

static void judge_failure(struct building *building, struct build_stream *stream, bool late,
                          const struct error *why) {
    struct build_result *result = building->result;
    char reason[128];
    if (building->over) {
        snprintf(reason, sizeof reason, "build: printed more than %lld bytes (log_limit)",
                 (long long)building->limit_bytes);
        set_outcome(result, OUTCOME_FAILED, reason);
    } else if (late && why->kind == ERROR_TIMEOUT) {
        blame_time(building);
    } else if (why->kind == ERROR_ENGINE && stream->progress.failure != NULL &&
               build_stream_blames_step(stream)) {
        blame_step(result, stream);
    } else {
        set_error(result, why);
    }
    if (stream->step != NULL && why->kind != ERROR_CANCELLED)
        result->step = steal(stream->step);
}

/* Each base that the test covers must have been used: whatever else was built from says nothing of it. */
static int prove_bases(const struct building *building, struct error *err) {
    const struct trial_build *build = building->spec->build;
    for (size_t i = 0; i < build->base_count; i++) {
        const struct trial_base *base = &build->bases[i];
        if (base->needed && !building->used[i])
            return error_set(
                err, ERROR_PROTOCOL,
                "nothing that was built uses %s@%s (%s:%zu), so this build is no test of it: build "
                "a target that needs that stage, take away an arg that replaces it, or name "
                "in `images` what the test is for",
                base->image.image, base->image.digest, build->context->dockerfile, base->line);
    }
    return 0;
}

static int prove(struct building *building, const struct build_stream *stream, struct error *err) {
    if (prove_bases(building, err) < 0 ||
        build_prove(building->run->engine, stream->image_id, building->run->name, err) < 0)
        return -1;
    building->result->image_id = string_dup(stream->image_id, err);
    if (building->result->image_id == NULL)
        return -1;
    building->result->outcome = OUTCOME_PASSED;
    return 0;
}

static int run_build(struct building *building, struct build_stream *stream, struct error *err) {
    const struct trial_build *build = building->spec->build;
    _cleanup_(text_clear) struct text side = {0};
    text_append(&side, text_string(&build->side), build->side.length);
    if (text_check(&side, err) < 0)
        return -1;
    for (size_t i = 0; building->run->names_bases && i < build->base_count; i++)
        if (name_base(building, i, &side, err) < 0)
            return -1;
    int result = send_build(building, &side, true, stream, err);
    if (result == 0 || err->kind != ERROR_NOT_FOUND)
        return result;
    trace(TRACE_ENGINE, "the classic builder instead: %s", error_message(err));
    error_clear(err);
    return send_build(building, &side, false, stream, err);
}

static int open_log(struct building *building, struct error *err) {
    struct build_result *result = building->result;
    const struct grants *grants = building->spec->grants;
    building->log = (struct log_sink){-1, &result->bytes, &result->tail, {0}};
    building->limit_bytes = building->spec->test->log_limit_bytes;
    if (grants != NULL && redact_begin(&building->log.redact, grants->redact, err) < 0)
        return -1;
    result->path = string_format(err, "%s/build.log", building->spec->log_folder);
    if (result->path == NULL)
        return -1;
    _cleanup_(free_pointer) char *side =
        string_format(err, "%s/" TRIAL_DOCKERFILE, building->spec->log_folder);
    if (side == NULL || file_replace(side, text_string(&building->spec->build->side),
                                     building->spec->build->side.length, err) < 0)
        return -1;
    building->log.fd = open(result->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return building->log.fd >= 0 ? 0 : error_set_errno(err, "write %s", result->path);
}

static int build(struct building *building, struct error *err) {
    struct build_stream stream = {
        .on_output = on_output, .on_step = on_step, .on_use = on_use, .context = building};
    int64_t began_ms = clock_monotonic_ms();
    int result = open_log(building, err);
    if (result == 0)
        result = run_build(building, &stream, err);
    int64_t took_ms = clock_monotonic_ms() - began_ms;
    if (result == 0)
        result = prove(building, &stream, err);
    building->result->duration_ms = took_ms;
    log_sink_close(&building->log);
    if (result < 0)
        judge_failure(building, &stream, took_ms >= building->spec->test->timeout_ms, err);
    remove_between(building->run, &stream);
    build_stream_clear(&stream);
    if (result < 0 && err->kind != ERROR_CANCELLED) {
        error_clear(err);
        result = 0;
    }
    return result;
}

int trial_build(const struct trial_run *run, const struct trial_spec *spec,
                struct trial_result *result, struct error *err) {
    result->build = calloc(1, sizeof *result->build);
    if (result->build == NULL)
        return error_no_memory(err);
    result->build->outcome = OUTCOME_ERROR;
    _cleanup_(free_pointer) bool *used = calloc(spec->build->base_count + 1, sizeof *used);
    if (used == NULL)
        return error_no_memory(err);
    if (run->on_build != NULL)
        run->on_build(run->context, NULL);
    struct building building = {
        .run = run, .spec = spec, .result = result->build, .log = {.fd = -1}, .used = used};
    int status = build(&building, err);
    if (run->on_built != NULL)
        run->on_built(run->context, result->build);
    return status;
}

static char *own_images_path(const struct trial_run *run, struct error *err) {
    _cleanup_(free_pointer) char *filters =
        string_format(err, "{\"label\":[\"" LABEL_BUILD "=%s\"]}", run->name);
    _cleanup_(free_pointer) char *escaped = filters != NULL ? http_escape(filters, err) : NULL;
    return escaped != NULL ? string_format(err, "/images/json?all=1&filters=%s", escaped) : NULL;
}

/* By label, so that what was built by a call that was never answered is found too. */
static int remove_built(const struct trial_run *run, struct error *err) {
    _cleanup_(free_pointer) char *path = own_images_path(run, err);
    json_auto_t *list = NULL;
    if (path == NULL || engine_get(run->cleaner, path, &list, err) < 0)
        return -1;
    size_t index;
    const json_t *item;
    int result = 0;
    json_array_foreach(list, index, item) {
        const char *id = json_string_value(json_object_get(item, "Id"));
        const char *label = labels_text(json_object_get(item, "Labels"), LABEL_BUILD);
        struct error why = {0};
        if (id != NULL && strcmp(label, run->name) == 0 &&
            image_remove(run->cleaner, id, &why) < 0 && result == 0)
            result = error_move(err, &why);
        error_clear(&why);
    }
    return result;
}

void trial_build_remove(const struct trial_run *run, const struct trial_spec *spec) {
    _cleanup_(error_clear) struct error why = {0};
    if (run->names_bases)
        remove_names(run, spec);
    if (run->keep_images || remove_built(run, &why) == 0 || run->on_left == NULL)
        return;
    char words[800];
    snprintf(words, sizeof words, "what was built for %s could not be removed: %s", run->name,
             error_message(&why));
    run->on_left(run->context, words);
}
