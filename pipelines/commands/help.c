#include "pipelines/commands/help.h"

#include <string.h>

#define WIDEST  100 /* columns; longer lines are hard to read */
#define USUAL   80  /* columns where the output is no terminal */
#define HANGING 29  /* columns before the words of an option */
#define NARROW  60  /* columns below which an option and its words stand on two lines */

const struct help_status help_statuses[] = {
    {EXIT_DONE, "promoted, or nothing to do; held updates count as that"},
    {EXIT_GATE_CLOSED,
     "the gate is closed: a candidate failed its tests, or what changed in it is denied"},
    {EXIT_USAGE, "the command line or the configuration is wrong"},
    {EXIT_COULD_NOT, "could not look or could not test: registry, engine, files, record"},
    {EXIT_UPDATES, "updates are there (status --exit-code)"},
    {EXIT_BUG, "a bug of pingate"},
    {0, NULL},
};

/* Where help is drawn: words first, then as a whole onto the screen. */
struct page {
    const struct screen *screen;
    size_t columns;
    struct text text;
};

static struct page page_on(const struct screen *screen) {
    size_t columns = screen_columns(screen);
    if (columns == SCREEN_ENDLESS)
        columns = USUAL;
    return (struct page){.screen = screen, .columns = columns > WIDEST ? WIDEST : columns};
}

static void end_page(struct page *page) {
    fwrite(text_string(&page->text), 1, page->text.length, page->screen->stream);
    text_clear(&page->text);
}

/* A term in its column, and words behind it that hang below their first. */
static void add_entry(struct page *page, size_t hanging, const char *term, const char *words) {
    size_t used = screen_width(page->screen, term);
    if (page->columns < NARROW)
        hanging = 8;
    text_add(&page->text, term);
    if (used + 1 > hanging) {
        text_add_char(&page->text, '\n');
        used = 0;
    }
    for (; used < hanging; used++)
        text_add_char(&page->text, ' ');
    screen_wrap(page->screen, &page->text, words, hanging, hanging, page->columns);
    text_add_char(&page->text, '\n');
}

static void add_title(struct page *page, const char *title) {
    text_add_char(&page->text, '\n');
    screen_paint(page->screen, &page->text, STYLE_BOLD, title);
    text_add_char(&page->text, '\n');
}

static void add_options(struct page *page, const char *title, const enum option_id *ids) {
    if (*ids == OPTION_END)
        return;
    add_title(page, title);
    for (; *ids != OPTION_END; ids++) {
        const struct option_spec *spec = option_spec(*ids);
        char letter[8] = "   ";
        char term[80];
        if (spec->letter != 0)
            snprintf(letter, sizeof letter, "-%c,", spec->letter);
        snprintf(term, sizeof term, "  %s --%s%s%s", letter, spec->name,
                 spec->argument != NULL ? "=" : "", spec->argument != NULL ? spec->argument : "");
        add_entry(page, HANGING, term, spec->help);
    }
}

static void add_statuses(struct page *page) {
    char term[16];
    add_title(page, "Exit status:");
    for (const struct help_status *status = help_statuses; status->meaning != NULL; status++) {
        snprintf(term, sizeof term, "  %d", status->status);
        add_entry(page, 10, term, status->meaning);
    }
    add_entry(page, 10, "  128+N", HELP_SIGNAL_MEANING);
}

void help_all(const struct screen *screen) {
    struct page page = page_on(screen);
    screen_wrap(screen, &page.text,
                "pingate - tests newer digests of pinned container images before it writes them\n\n"
                "Usage: pingate COMMAND [OPTION]...",
                0, 0, page.columns);
    text_add_char(&page.text, '\n');
    add_title(&page, "Commands:");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        char term[32];
        snprintf(term, sizeof term, "  %s", (*command)->name);
        add_entry(&page, 14, term, (*command)->summary);
    }
    add_options(&page, "Options of every command:", options_common);
    add_statuses(&page);
    text_add_char(&page.text, '\n');
    screen_wrap(
        screen, &page.text,
        "`pingate COMMAND --help` tells more of one, `man pingate` all, `pingate --version` "
        "the version.\n"
        "New here? pingate init, then pingate run --dry-run.\n",
        0, 0, page.columns);
    end_page(&page);
}

void help_command(const struct screen *screen, const struct command *command) {
    struct page page = page_on(screen);
    text_printf(&page.text, "Usage: pingate %s [OPTION]...%s%s\n\n", command->name,
                *command->arguments != '\0' ? " " : "", command->arguments);
    screen_wrap(screen, &page.text, command->description, 0, 0, page.columns);
    text_add_char(&page.text, '\n');
    add_options(&page, "Options:", command->options);
    add_options(&page, "Options of every command:", options_common);
    if (command->examples != NULL)
        add_title(&page, "Examples:");
    for (const char *const *line = command->examples; line != NULL && *line != NULL; line += 2) {
        text_printf(&page.text, "  %s\n", line[0]);
        add_entry(&page, 6, "", line[1]);
    }
    end_page(&page);
}
