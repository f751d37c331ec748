/* The man page, in the language of roff. `make man` writes docs/pingate.1 with it. */
#include <config.h>
#include <string.h>

#include "pipelines/commands/help.h"

#define PAGE_DATE      "2026-11-25" /* of the last change to what the page says */
#define SOURCE_COLUMNS 79           /* of the page's own source, for who reads a difference of it */

/* What reads and writes it, beside the tables of options. */
static const struct {
    const char *name, *words;
} files[] =
    {
        {"pingate.yaml", "the configuration; `pingate init` writes a first one"},
        {"pingate-out/", "reports and logs of the last run: result.json, junit.xml, report.md, "
                         "pins.diff, logs/"},
        {".pingate/local/", "what a promotion notes down while it writes; when it is there after "
                            "a crash, the next run finishes or undoes that promotion"},
        {"~/.docker/config.json", "credentials of registries, and helpers that have them"},
        {NULL, NULL},
},
  environment[] = {
      {"DOCKER_HOST", "the engine, where --engine names none"},
      {"PINGATE_ENGINE_TIMEOUT", "how long the engine may take to answer one call, such as 5m; 60s "
                                 "where it is not set"},
      {"DOCKER_CONFIG", "the folder of config.json, instead of ~/.docker"},
      {"REGISTRY_AUTH_FILE", "the file with credentials, instead of docker's and podman's own"},
      {"https_proxy, http_proxy, no_proxy", "the proxy on the way to registries; loopback needs "
                                            "none"},
      {"NO_COLOR, FORCE_COLOR", "no colours at all; colours also where the output is no terminal"},
      {"CI", "plain lines, also on a terminal, unless it is \"false\""},
      {"PINGATE_TRACE", "what is traced on standard error: http, engine, scan, gate, all; several "
                        "with commas"},
      {"TMPDIR", "where the copy of the project is kept that trials get; else /tmp"},
      {NULL, NULL},
};

/* One word with hyphens and backslashes as roff wants them. */
static void print_word(FILE *out, const char *word, size_t length) {
    if (*word == '.' || *word == '\'')
        fputs("\\&", out);
    for (size_t i = 0; i < length; i++) {
        if (word[i] == '\\')
            fputs("\\e", out);
        else if (word[i] == '-')
            fputs("\\-", out);
        else if (word[i] == '`' || word[i] == '"' || word[i] == '\'')
            fputs(word[i] == '`' ? "\\(ga" : word[i] == '"' ? "\\(dq" : "\\(aq", out);
        else if (word[i] == '~')
            fputs("\\(ti", out);
        else if (strncmp(word + i, "…", strlen("…")) == 0) {
            fputs("...", out);
            i += strlen("…") - 1;
        } else
            fputc(word[i], out);
    }
}

/* What print_word prints, in bytes, at most. */
static size_t printed_length(const char *word, size_t length) {
    size_t printed = length;
    for (size_t i = 0; i < length; i++)
        printed += strchr("\\-`\"'~.", word[i]) != NULL ? 3 : 0;
    return printed;
}

/* Filled text; each sentence begins a line. A line feed begins a paragraph. */
static void print_text(FILE *out, const char *text) {
    size_t at = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, " \n");
        size_t printed = printed_length(text, length);
        if (at > 0 && at + printed > SOURCE_COLUMNS)
            at = 0, fputc('\n', out);
        if (at > 0)
            fputc(' ', out);
        print_word(out, text, length);
        at += printed + 1;
        text += length;
        if (*text == '\n')
            fputs("\n.PP", out);
        if (*text == '\n' || (*text == ' ' && length > 1 && text[-1] == '.' && text[-2] != '.'))
            at = 0, fputc('\n', out);
        text += *text != '\0' ? 1 : 0;
    }
    fputc('\n', out);
}

static void print_entry(FILE *out, const char *name, const char *words) {
    fprintf(out, ".TP\n\\fB");
    print_word(out, name, strlen(name));
    fprintf(out, "\\fR\n");
    print_text(out, words);
}

static void print_option(FILE *out, enum option_id id) {
    const struct option_spec *spec = option_spec(id);
    fprintf(out, ".TP\n");
    if (spec->letter != 0)
        fprintf(out, "\\fB\\-%c\\fR, ", spec->letter);
    fprintf(out, "\\fB\\-\\-");
    print_word(out, spec->name, strlen(spec->name));
    fprintf(out, "\\fR");
    if (spec->argument != NULL)
        fprintf(out, "=\\fI%s\\fR", spec->argument);
    fprintf(out, "\n");
    print_text(out, spec->help);
}

static void print_command(FILE *out, const struct command *command) {
    fprintf(out, ".SS \"%s", command->name);
    if (*command->arguments != '\0')
        fputc(' ', out);
    print_word(out, command->arguments, strlen(command->arguments));
    fprintf(out, "\"\n");
    print_text(out, command->description);
    for (const enum option_id *id = command->options; *id != OPTION_END; id++)
        print_option(out, *id);
}

static void print_examples(FILE *out) {
    fprintf(out, ".SH EXAMPLES\n");
    for (const struct command *const *command = commands; *command != NULL; command++)
        for (const char *const *line = (*command)->examples; line != NULL && *line != NULL;
             line += 2)
            print_entry(out, line[0], line[1]);
}

void help_man_page(FILE *out) {
    fprintf(out,
            ".\\\" Made from the tables of commands and options: change those, then `make man`.\n"
            ".TH PINGATE 1 \"" PAGE_DATE "\" \"pingate " PINGATE_VERSION "\" \"User Commands\"\n"
            ".SH NAME\n"
            "pingate \\- tests newer digests of pinned container images before it writes them\n"
            ".SH SYNOPSIS\n"
            "\\fBpingate\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
            ".SH DESCRIPTION\n");
    print_text(out, "pingate finds the container images that a project pins by digest, asks their "
                    "registries for newer ones that the update policy allows, runs the project's "
                    "declared tests against each candidate in containers, writes reports, and "
                    "moves the pins only when the tests passed on exactly the digests that it "
                    "writes. A signal is obeyed before the first pin is written or after the "
                    "last one, never between.");
    fprintf(out, ".SH COMMANDS\n");
    for (const struct command *const *command = commands; *command != NULL; command++)
        print_command(out, *command);
    fprintf(out, ".SH OPTIONS\nEvery command takes these.\n");
    for (const enum option_id *id = options_common; *id != OPTION_END; id++)
        print_option(out, *id);
    fprintf(out, ".PP\n\\fBpingate \\-\\-version\\fR prints the version,\n\\fBpingate "
                 "\\-\\-help\\fR the commands.\n");
    fprintf(out, ".SH EXIT STATUS\n");
    for (const struct help_status *status = help_statuses; status->meaning != NULL; status++) {
        char number[16];
        snprintf(number, sizeof number, "%d", status->status);
        print_entry(out, number, status->meaning);
    }
    print_entry(out, "128+N", HELP_SIGNAL_MEANING);
    fprintf(out, ".PP\n");
    print_text(out, "Where several hold, 2 comes before 3, and 3 before 1.");
    fprintf(out, ".SH FILES\n");
    for (size_t i = 0; files[i].name != NULL; i++)
        print_entry(out, files[i].name, files[i].words);
    fprintf(out, ".SH ENVIRONMENT\n");
    for (size_t i = 0; environment[i].name != NULL; i++)
        print_entry(out, environment[i].name, environment[i].words);
    print_examples(out);
}
