/* The folder that a run reports into: taken for this run alone, emptied of the last one's logs and artifacts, with reports in it from the
 * first moment on. */
#include <config.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gate/base/clock.h"
#include "gate/base/file.h"
#include "pipelines/gate.h"
#include "pipelines/lock.h"
#include "reports/report.h"

/* A repository may bring a link along, and what is below it is not ours to write. A folder that the caller named is. */
static int refuse_link(const char *path, struct error *err) {
    struct stat status;
    if (lstat(path, &status) < 0 || !S_ISLNK(status.st_mode))
        return 0;
    return error_set(err, ERROR_IO,
                     "%s is a link: reports are not written through links that stand in the "
                     "project; remove it, or name a folder with --output",
                     path);
}

/* "012-answers": what numbered_folder in gate_trials.c makes, and nothing that somebody else put there. */
static bool is_log_folder(const char *name) {
    size_t digits = strspn(name, "0123456789");
    return digits >= 3 && name[digits] == '-';
}

/* kind: "logs", "artifacts" */
static int remove_folders(const char *output, const char *kind, struct error *err) {
    _cleanup_(free_pointer) char *logs = file_join(output, kind, err);
    if (logs == NULL || refuse_link(logs, err) < 0)
        return -1;
    DIR *folder = opendir(logs);
    if (folder == NULL)
        return errno == ENOENT ? 0 : error_set_errno(err, "look into %s", logs);
    int result = 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL && result == 0;
         entry = readdir(folder)) {
        if (!is_log_folder(entry->d_name))
            continue;
        _cleanup_(free_pointer) char *path = file_join(logs, entry->d_name, err);
        result = path != NULL ? file_remove_tree(path, err) : -1;
    }
    closedir(folder);
    return result;
}

static int take_folder(const struct gate_options *options, int *folder_fd, struct error *err) {
    const char *output = options->output;
    if (!options->output_is_named && refuse_link(output, err) < 0)
        return -1;
    if (file_make_folders(output, err) < 0)
        return -1;
    *folder_fd = open(output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*folder_fd < 0)
        return error_set_errno(err, "open %s", output);
    return output_lock(*folder_fd, output, err);
}

/* What stays when the run is killed: better than nothing, and than the reports of the run before. */
static int write_first_reports(const struct gate_options *options, struct result *result,
                               struct error *err) {
    if (string_list_add(&result->errors, "the run did not end: it was killed, or is at work still",
                        err) < 0)
        return -1;
    result->exit_status = EXIT_COULD_NOT;
    result->finished_ms = result->started_ms;
    int written = report_write_all(result, options->output, err);
    string_list_clear(&result->errors);
    result->exit_status = EXIT_DONE;
    return written;
}

int gate_begin(const struct gate_options *options, struct result *result, int *folder_fd,
               struct error *err) {
    *result = (struct result){.started_ms = clock_now_ms(), .dry_run = options->dry_run};
    *folder_fd = -1;
    result->command = string_dup(options->command, err);
    result->program_version = string_dup(PINGATE_VERSION, err);
    if (result->command == NULL || result->program_version == NULL)
        return -1;
    result->diff = string_dup("", err);
    if (result->diff == NULL)
        return -1;
    if (take_folder(options, folder_fd, err) < 0 ||
        remove_folders(options->output, "logs", err) < 0 ||
        remove_folders(options->output, "artifacts", err) < 0 ||
        write_first_reports(options, result, err) < 0) {
        error_wrap(err, "prepare the folder of reports, for which --output can name another "
                        "(nothing was tested or written)");
        result->exit_status = error_exit_status(err->kind);
        return -1;
    }
    return 0;
}

int gate_end(const struct gate_options *options, const struct cancel *cancel,
             struct terminal *terminal, struct result *result, int outcome, struct error *err) {
    struct error why = {0};
    if (outcome < 0)
        result->exit_status =
            cancel->signal != 0 ? EXIT_SIGNAL + cancel->signal : error_exit_status(err->kind);
    if (outcome < 0 && string_list_add(&result->errors, error_message(err), &why) < 0)
        error_clear(&why);
    result->finished_ms = clock_now_ms();
    if (report_write_all(result, options->output, &why) == 0)
        return outcome;
    error_wrap(&why, "write the reports");
    if (outcome < 0) {
        terminal_error(terminal, "%s", error_message(&why));
        error_clear(&why);
        return -1;
    }
    result->exit_status = error_exit_status(why.kind);
    return error_move(err, &why);
}
