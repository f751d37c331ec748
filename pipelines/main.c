#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

/* NULL with *err set. */
static const struct command *find_command(int argc, char **argv, struct error *err) {
    const char *names[32] = {0};
    for (size_t i = 0; i < 31 && commands[i] != NULL; i++)
        names[i] = commands[i]->name;
    if (argc < 2) {
        error_set(err, ERROR_USAGE, "a command is needed; `pingate --help` lists them");
        return NULL;
    }
    const struct command *found = command_find(argv[1]);
    if (found != NULL)
        return found;
    const char *nearest = string_nearest(argv[1], names);
    if (argv[1][0] == '-')
        error_set(err, ERROR_USAGE,
                  "the command comes first, and its options behind it: pingate COMMAND %s",
                  argv[1]);
    else if (nearest != NULL)
        error_set(err, ERROR_USAGE, "unknown command \"%s\"; did you mean \"%s\"?", argv[1],
                  nearest);
    else
        error_set(err, ERROR_USAGE, "unknown command \"%s\"; `pingate --help` lists them", argv[1]);
    return NULL;
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

/* A descriptor of 0 to 2 that the caller closed would go to the next file that is opened, and what is printed into that. */
static void keep_standard_descriptors(void) {
    /* writing to 1 then fails, and is told */
    static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[fd]) != fd)
            _exit(EXIT_COULD_NOT);
}

static int check_root(const char *root, struct error *err) {
    struct stat status;
    if (stat(root, &status) < 0 && errno != ENOENT && errno != ENOTDIR)
        return error_set_errno(err, "look at %s", root);
    if (stat(root, &status) < 0)
        return error_set(err, ERROR_NOT_FOUND, "%s: no such folder", root);
    return S_ISDIR(status.st_mode) ? 0 : error_set(err, ERROR_NOT_FOUND, "%s: not a folder", root);
}

/* told: an error was printed already, maybe this very one. */
static int finish_output(int exit_status, bool told) {
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) == 0 && !failed)
        return exit_status;
    if (!told)
        fprintf(stderr, "pingate: standard output could not be written\n");
    return exit_status == EXIT_DONE ? EXIT_COULD_NOT : exit_status;
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
    int result = check_root(invocation->root, err);
    if (result == 0)
        result = invocation->command->run(invocation, exit_status, err);
    if (result < 0 && cancel.signal != 0) {
        *exit_status = EXIT_SIGNAL + cancel.signal;
        error_clear(err); /* which call noticed it first is of no use to anybody */
        result = error_set(err, ERROR_CANCELLED, "stopped by SIG%s", sigabbrev_np(cancel.signal));
    }
    cancel_clear(&cancel);
    invocation->cancel = NULL;
    invocation->terminal = NULL;
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
    keep_standard_descriptors();
    bool utf8 = set_locale();
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                      strcmp(argv[1], "help") == 0)) {
        struct screen screen;
        screen_open(&screen, stdout, utf8);
        help_all(&screen);
        return finish_output(EXIT_DONE, false);
    }
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        printf("pingate " PINGATE_VERSION "\n");
        return finish_output(EXIT_DONE, false);
    }
    _cleanup_(error_clear) struct error err = {0};
    struct invocation invocation = {.out = stdout};
    screen_open(&invocation.screen, stdout, utf8);
    int exit_status = EXIT_DONE;
    bool asks_help = argc == 3 && strcmp(argv[1], "help") == 0; /* pingate help COMMAND */
    invocation.command = find_command(argc - asks_help, argv + asks_help, &err);
    int result = invocation.command != NULL ? 0 : -1;
    if (asks_help)
        invocation.options.given[OPTION_HELP] = true;
    else if (invocation.command != NULL)
        result = options_parse(argc - 1, argv + 1, invocation.command->options, &invocation.options,
                               &err);
    if (result == 0 && invocation.options.given[OPTION_HELP])
        help_command(&invocation.screen, invocation.command);
    else if (result == 0)
        result = run_command(&invocation, &exit_status, &err);
    if (result < 0 && err.kind == ERROR_NONE)
        error_set(&err, ERROR_BUG, "a step failed and did not say why");
    if (result < 0 && exit_status == EXIT_DONE)
        exit_status = error_exit_status(err.kind);
    if (result < 0)
        print_error(&err, invocation.options.given[OPTION_VERBOSE], utf8);
    options_clear(&invocation.options);
    return finish_output(exit_status, result < 0);
}
