/* Of what failed: where its output first is another one than on the current digests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/file.h"
#include "pipelines/gate.h"
#include "runners/difference.h"

static void file_close(FILE **file) {
    if (*file != NULL)
        fclose(*file);
}

/* Our own logs; one that cannot be opened any more says nothing. NULL for that. */
static FILE *open_log(const struct gate *gate, const char *path) {
    _cleanup_(error_clear) struct error ignored = {0};
    _cleanup_(free_pointer) char *whole =
        path != NULL ? file_join(gate->options->output, path, &ignored) : NULL;
    return whole != NULL ? fopen(whole, "rbe") : NULL;
}

static int compare_stream(const struct gate *gate, const char *now_path, const char *before_path,
                          char **words, struct error *err) {
    _cleanup_(file_close) FILE *now = open_log(gate, now_path);
    _cleanup_(file_close) FILE *before = open_log(gate, before_path);
    *words = NULL;
    return now != NULL && before != NULL ? difference_find(now, before, words, err) : 0;
}

/* Standard output first: standard error is the noisier one. */
static int compare_command(const struct gate *gate, struct result_command *now,
                           const struct result_command *before, struct error *err) {
    if (now->difference != NULL)
        return 0;
    _cleanup_(free_pointer) char *words = NULL;
    if (compare_stream(gate, now->out_path, before->out_path, &now->difference, err) < 0 ||
        now->difference != NULL)
        return now->difference != NULL ? 0 : -1;
    if (compare_stream(gate, now->err_path, before->err_path, &words, err) < 0)
        return -1;
    if (words != NULL)
        now->difference = string_format(err, "standard error, %s", words);
    return words == NULL || now->difference != NULL ? 0 : -1;
}

static bool is_about(const struct result_trial *baseline, const struct result_trial *trial) {
    if (!baseline->baseline || baseline->reused != NULL || trial->update_count == 0 ||
        strcmp(baseline->test, trial->test) != 0)
        return false;
    for (size_t i = 0; i < trial->update_count; i++)
        if (!result_trial_covers(baseline, trial->updates[i]))
            return false;
    return true;
}

/* The same commands, in the same order: of the first that did not pass. */
static int compare_trial(const struct gate *gate, struct result_trial *trial,
                         const struct result_trial *baseline, struct error *err) {
    for (size_t i = 0; i < trial->command_count && i < baseline->command_count; i++)
        if (outcome_is_failure(trial->commands[i].outcome))
            return compare_command(gate, &trial->commands[i], &baseline->commands[i], err);
    return 0;
}

int gate_tell_differences(struct gate *gate, struct error *err) {
    struct result *result = gate->result;
    for (size_t t = 0; t < result->trial_count; t++) {
        struct result_trial *trial = &result->trials[t];
        for (size_t b = 0;
             b < result->trial_count && !trial->baseline && outcome_is_failure(trial->outcome); b++)
            if (is_about(&result->trials[b], trial) &&
                compare_trial(gate, trial, &result->trials[b], err) < 0)
                return -1;
    }
    return 0;
}
