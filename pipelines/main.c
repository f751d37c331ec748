#include <config.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gate/base/http.h"
#include "gate/base/trace.h"
#include "pipelines/commands/help.h"

static void print_error(const struct error *err, bool verbose, bool utf8) {
    struct screen screen;
    struct text line = {0};
    screen_open(&screen, stderr, utf8);
    screen_paint(&screen, &line, STYLE_BAD, "pingate:");
    text_add_char(&line, ' ');
    screen_fit(&screen, &line, error_message(err), SCREEN_ENDLESS);
    fflush(stdout); /* what was printed before stands before it */
    fprintf(stderr, "%s\n", text_string(&line));
    if (verbose && err->file != NULL)
        fprintf(stderr, "pingate: raised at %s:%d (%s)\n", err->file, err->line,
                error_kind_name(err->kind));
    text_clear(&line);
}

static int find_command(int argc, char **argv, const struct command **out, struct error *err) {
    const char *names[32] = {0};
    for (size_t i = 0; i < 31 && commands[i] != NULL; i++)
        names[i] = commands[i]->name;
    if (argc < 2)
        return error_set(err, ERROR_USAGE, "a command is needed; `pingate --help` lists them");
    *out = command_find(argv[1]);
    if (*out != NULL)
        return 0;
    const char *nearest = string_nearest(argv[1], names);
    if (nearest != NULL)
        return error_set(err, ERROR_USAGE, "unknown command \"%s\"; did you mean \"%s\"?", argv[1],
                         nearest);
    return error_set(err, ERROR_USAGE, "unknown command \"%s\"; `pingate --help` lists them",
                     argv[1]);
}

static int check_arguments(const struct invocation *invocation, struct error *err) {
    const struct command *command = invocation->command;
    size_t count = invocation->options.argument_count;
    if (count < command->arguments_least)
        return error_set(err, ERROR_USAGE, "%s needs %s; see `pingate %s --help`", command->name,
                         command->arguments, command->name);
    if (count > command->arguments_most)
        return error_set(err, ERROR_USAGE, "%s: \"%s\" is one argument too many", command->name,
                         invocation->options.arguments[command->arguments_most]);
    return 0;
}

static int start(struct cancel *cancel, struct error *err) {
    json_object_seed((size_t)time(NULL)); /* before any thread */
    if (trace_init(err) < 0 || http_global_init(err) < 0 || cancel_init(cancel, err) < 0)
        return -1;
    return cancel_on_signals(cancel, err);
}

static int run_command(struct invocation *invocation, int *exit_status, struct error *err) {
    struct cancel cancel = {.fd = -1};
    _cleanup_(terminal_freep) struct terminal *terminal = NULL;
    struct terminal_options options = {.stream = stderr,
                                       .quiet = invocation->options.given[OPTION_QUIET],
                                       .utf8 = invocation->screen.utf8,
                                       .cancel = &cancel};
    if (check_arguments(invocation, err) < 0 || start(&cancel, err) < 0 ||
        terminal_new(&options, &terminal, err) < 0)
        return -1;
    /* the invocation ends with this call, and so does what it points to */
    // cppcheck-suppress autoVariables
    invocation->cancel = &cancel;
    invocation->terminal = terminal;
    const char *root = invocation->options.values[OPTION_DIRECTORY];
    invocation->root = root != NULL ? root : ".";
    int result = invocation->command->run(invocation, exit_status, err);
    if (result < 0 && cancel.signal != 0) {
        *exit_status = EXIT_SIGNAL + cancel.signal;
        error_clear(err); /* which call noticed it first is of no use to anybody */
        result = error_set(err, ERROR_CANCELLED, "stopped by SIG%s", sigabbrev_np(cancel.signal));
    }
    cancel_clear(&cancel);
    return result;
}

/* Names that are not ASCII must reach archives and messages whatever the locale; numbers stay as they are in C. Gives
 * whether the caller's screen shows UTF-8. */
static bool set_locale(void) {
    bool utf8 = setlocale(LC_CTYPE, "") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!utf8)
        setlocale(LC_CTYPE, "C.UTF-8");
    return utf8;
}

int main(int argc, char **argv) {
    bool utf8 = set_locale();
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                      strcmp(argv[1], "help") == 0)) {
        struct screen screen;
        screen_open(&screen, stdout, utf8);
        help_all(&screen);
        return EXIT_DONE;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("pingate " PINGATE_VERSION "\n");
        return EXIT_DONE;
    }
    _cleanup_(error_clear) struct error err = {0};
    struct invocation invocation = {.out = stdout};
    screen_open(&invocation.screen, stdout, utf8);
    int exit_status = EXIT_DONE;
    int result = find_command(argc, argv, &invocation.command, &err);
    if (result == 0)
        result = options_parse(argc - 1, argv + 1, invocation.command->options, &invocation.options,
                               &err);
    if (result == 0 && invocation.options.given[OPTION_HELP])
        help_command(&invocation.screen, invocation.command);
    else if (result == 0)
        result = run_command(&invocation, &exit_status, &err);
    if (result < 0 && exit_status == EXIT_DONE)
        exit_status = error_exit_status(err.kind);
    if (result < 0)
        print_error(&err, invocation.options.given[OPTION_VERBOSE], utf8);
    options_clear(&invocation.options);
    if (fflush(stdout) != 0 && exit_status == EXIT_DONE) {
        fprintf(stderr, "pingate: standard output could not be written\n");
        exit_status = EXIT_COULD_NOT;
    }
    return exit_status;
}
