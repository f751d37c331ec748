#include "gate/pins/dockerfile.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gate/base/text.h"
#include "gate/pins/add.h"

/* of one instruction; more are read as instructions, which finds too much rather than too little */
#define HEREDOCS_LIMIT 16u

/* A word of an instruction. A word that goes on behind a continuation has other bytes in the file than its meaning. */
struct word {
    const char *start, *end;
    bool broken;
};

struct heredoc {
    const char *name;
    size_t length;
    bool strips_tabs;
};

struct reader {
    const char *bytes, *at, *end;
    char escape;
    size_t stage;                            /* number of the next FROM */
    struct heredoc heredocs[HEREDOCS_LIMIT]; /* that the instruction at hand has opened */
    size_t heredoc_count;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static const char *line_end(const struct reader *reader, const char *at) {
    const char *newline = memchr(at, '\n', (size_t)(reader->end - at));
    return newline != NULL ? newline : reader->end;
}

static const char *next_line(const struct reader *reader, const char *at) {
    const char *end = line_end(reader, at);
    return end < reader->end ? end + 1 : end;
}

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* `# name=value`, only before anything else in the file. False when the line at `at` is none. */
static bool read_directive(struct reader *reader) {
    const char *end = line_end(reader, reader->at);
    const char *at = skip_blanks(reader->at, end);
    if (at == end || *at != '#')
        return false;
    const char *name = at = skip_blanks(at + 1, end);
    while (at < end && is_name_character(*at))
        at++;
    size_t length = (size_t)(at - name);
    at = skip_blanks(at, end);
    if (length == 0 || at == end || *at != '=')
        return false;
    at = skip_blanks(at + 1, end);
    if (at == end)
        return false;
    /* Builders refuse any other; a digest could end with it. */
    bool known = (*at == '\\' || *at == '`') && skip_blanks(at + 1, end) == end;
    if (known && length == strlen("escape") && strncasecmp(name, "escape", length) == 0)
        reader->escape = *at;
    reader->at = next_line(reader, reader->at);
    return true;
}

/* Where the instruction goes on when the line ends with the escape character at `at`; NULL when it does not end there.
 * Comments and empty lines between are left out. */
static const char *continued(const struct reader *reader, const char *at) {
    if (*at != reader->escape)
        return NULL;
    /* Blanks first: a line may be long and full of escape characters. */
    const char *end = skip_blanks(at + 1, reader->end);
    if (end == reader->end || *end != '\n')
        return NULL;
    for (const char *line = end + 1; line < reader->end; line = next_line(reader, line)) {
        const char *first = skip_blanks(line, line_end(reader, line));
        if (first < reader->end && *first != '#' && *first != '\n')
            return line;
    }
    return reader->end;
}

/* The next word of the instruction at reader->at; false at the end of the instruction, where reader->at then stands.
 * Quotes hold blanks together and stay in the word. */
static bool read_word(struct reader *reader, struct word *word) {
    *word = (struct word){0};
    char quote = '\0';
    bool continues = false;
    const char *at = reader->at;
    while (at < reader->end && *at != '\n') {
        const char *further = continued(reader, at);
        if (further != NULL) {
            at = further;
            continues = word->start != NULL;
            continue;
        }
        if (is_blank(*at) && quote == '\0') {
            if (word->start != NULL)
                break;
            at++;
            continue;
        }
        if (word->start == NULL)
            word->start = at;
        word->broken = word->broken || continues;
        if (*at == reader->escape && at + 1 < reader->end && at[1] != '\n' && quote != '\'') {
            at += 2;
        } else {
            if (quote != '\0' ? *at == quote : *at == '"' || *at == '\'')
                quote = quote != '\0' ? '\0' : *at;
            at++;
        }
        word->end = at;
    }
    reader->at = at;
    return word->start != NULL;
}

static bool word_is(const struct word *word, const char *text) {
    size_t length = (size_t)(word->end - word->start);
    return !word->broken && length == strlen(text) && strncasecmp(word->start, text, length) == 0;
}

/* Takes the quotes off a word that is quoted as a whole. */
static void unquote(struct word *word) {
    if (word->end - word->start >= 2 && (*word->start == '"' || *word->start == '\'') &&
        word->end[-1] == *word->start) {
        word->start++;
        word->end--;
    }
}

/* "<<NAME", "<<-NAME", "3<<'NAME'" open a body that ends with the line NAME. */
static void note_heredoc(struct reader *reader, struct word word) {
    while (word.start < word.end && *word.start >= '0' && *word.start <= '9')
        word.start++;
    if (word.broken || word.end - word.start < 3 || memcmp(word.start, "<<", 2) != 0)
        return;
    word.start += 2;
    bool strips_tabs = *word.start == '-';
    word.start += strips_tabs ? 1 : 0;
    unquote(&word);
    size_t length = (size_t)(word.end - word.start);
    if (length == 0 || memchr(word.start, '<', length) != NULL ||
        reader->heredoc_count == HEREDOCS_LIMIT)
        return;
    reader->heredocs[reader->heredoc_count++] = (struct heredoc){word.start, length, strips_tabs};
}

/* reader->at stands at the start of a line. */
static void skip_heredocs(struct reader *reader) {
    for (size_t i = 0; i < reader->heredoc_count; i++) {
        const struct heredoc *heredoc = &reader->heredocs[i];
        bool closed = false;
        while (!closed && reader->at < reader->end) {
            const char *start = reader->at, *end = line_end(reader, start);
            reader->at = end < reader->end ? end + 1 : end;
            if (end > start && end[-1] == '\r')
                end--;
            while (heredoc->strips_tabs && start < end && *start == '\t')
                start++;
            closed = (size_t)(end - start) == heredoc->length &&
                     memcmp(start, heredoc->name, heredoc->length) == 0;
        }
    }
    reader->heredoc_count = 0;
}

static int add_from(struct reader *reader, const struct pin_file *file, struct pin_list *pins,
                    struct error *err) {
    struct word word;
    bool found = read_word(reader, &word);
    while (found && word.end - word.start >= 2 && memcmp(word.start, "--", 2) == 0)
        found = read_word(reader, &word);
    size_t stage = reader->stage++;
    if (!found || word.broken)
        return 0;
    unquote(&word);
    if (pin_literal(word.start, word.end) == NULL)
        return 0;
    char path[32];
    snprintf(path, sizeof path, "stage %zu", stage);
    struct error why = {0};
    int added = pin_add(file, pin_format_dockerfile.name, (size_t)(word.start - reader->bytes),
                        (size_t)(word.end - word.start), path, pins, &why);
    if (added < 0 && why.kind != ERROR_INPUT)
        return error_move(err, &why);
    error_clear(&why);
    return 0;
}

static int read_instruction(struct reader *reader, const struct pin_file *file,
                            struct pin_list *pins, struct error *err) {
    struct word word;
    bool found = read_word(reader, &word);
    if (found && word_is(&word, "onbuild"))
        found = read_word(reader, &word);
    if (found && word_is(&word, "from") && add_from(reader, file, pins, err) < 0)
        return -1;
    bool takes_heredocs =
        found && (word_is(&word, "run") || word_is(&word, "copy") || word_is(&word, "add"));
    while (found && read_word(reader, &word))
        if (takes_heredocs)
            note_heredoc(reader, word);
    reader->at = next_line(reader, reader->at);
    skip_heredocs(reader);
    return 0;
}

static int find(const struct pin_file *file, struct pin_list *pins, struct skipped_list *skipped,
                struct error *err) {
    (void)skipped;
    struct reader reader = {.bytes = file->bytes, .at = file->bytes, .escape = '\\'};
    reader.end = file->bytes + file->length;
    if (file->length >= 3 && memcmp(file->bytes, "\xEF\xBB\xBF", 3) == 0)
        reader.at += 3;
    while (reader.at < reader.end && read_directive(&reader))
        continue;
    while (reader.at < reader.end) {
        const char *first = skip_blanks(reader.at, line_end(&reader, reader.at));
        if (first < reader.end && (*first == '#' || *first == '\n')) {
            reader.at = next_line(&reader, reader.at);
            continue;
        }
        if (read_instruction(&reader, file, pins, err) < 0)
            return -1;
    }
    return 0;
}

/* "Dockerfile", "Dockerfile.dev", "dockerfile-ci", "app.Dockerfile", and the same with "Containerfile". */
static bool bid(const struct pin_file *file) {
    static const char *const stems[] = {"dockerfile", "containerfile"};
    const char *slash = strrchr(file->name, '/');
    const char *name = slash != NULL ? slash + 1 : file->name;
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++) {
        size_t stem = strlen(stems[i]);
        if (length < stem)
            continue;
        if (strncasecmp(name, stems[i], stem) == 0 && strchr(".-_", name[stem]) != NULL)
            return true; /* the NUL is in strchr's string too */
        if (strcasecmp(name + length - stem, stems[i]) == 0 && length > stem &&
            name[length - stem - 1] == '.')
            return true;
    }
    return false;
}

const struct pin_format pin_format_dockerfile = {
    .name = "dockerfile",
    .description = "FROM in Dockerfiles and Containerfiles",
    .bid = bid,
    .find = find,
};
