/* Any bytes through every way of cleaning. */
#include "reports/clean.h"

#include <string.h>

#include "gate/base/utf8.h"
#include "reports/screen.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/hostile.h"

static bool is_equal(const struct text *a, const struct text *b) {
    return a->length == b->length && memcmp(text_string(a), text_string(b), a->length) == 0;
}

static void check_terminal(const char *bytes, size_t size, bool lines) {
    struct text once = {0};
    struct text twice = {0};
    clean_terminal(&once, bytes, size, lines);
    hostile_check_characters(&once, lines);
    hostile_check_commands(&once);
    fuzz_require(lines || strchr(text_string(&once), '\n') == NULL);
    clean_terminal(&twice, text_string(&once), once.length, lines);
    fuzz_require(is_equal(&once, &twice));
    text_clear(&once);
    text_clear(&twice);
}

static void check_xml(const char *bytes, size_t size) {
    struct text file = {0};
    text_add(&file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"");
    clean_xml(&file, bytes, size, true);
    text_add(&file, "\">");
    clean_xml(&file, bytes, size, false);
    text_add(&file, "</a>\n");
    hostile_check_characters(&file, true);
    hostile_check_commands(&file);
    hostile_check_xml(&file);
    text_clear(&file);
}

static void check_markdown(const char *bytes, size_t size) {
    static const char *const infos[] = {"", "sh", "diff", "other"};
    struct text line = {0};
    clean_markdown(&line, bytes, size);
    text_add_char(&line, '\n');
    hostile_check_characters(&line, false);
    hostile_check_commands(&line);
    hostile_check_markdown(&line);
    fuzz_require(strchr(text_string(&line), '\n') == line.bytes + line.length - 1);
    fuzz_require(strpbrk(text_string(&line), "<>|") == NULL);
    text_clear(&line);
    struct text code = {0};
    text_add(&code, "x ");
    clean_markdown_code(&code, bytes, size);
    text_add(&code, " y\n");
    hostile_check_characters(&code, false);
    hostile_check_commands(&code);
    hostile_check_markdown(&code);
    fuzz_require(strchr(text_string(&code), '|') == NULL);
    text_clear(&code);
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        struct text block = {0};
        clean_markdown_block(&block, infos[i], bytes, size);
        hostile_check_characters(&block, true);
        hostile_check_commands(&block);
        hostile_check_markdown(&block);
        text_clear(&block);
    }
}

static void check_tail(const char *bytes, size_t size) {
    size_t length;
    const char *tail = clean_tail(bytes, size, 3, 40, &length);
    fuzz_require(tail >= bytes && length <= 40 && tail + length == bytes + size);
    fuzz_require(!utf8_valid(bytes, size) || utf8_valid(tail, length));
    size_t newlines = 0;
    for (size_t i = 0; i + 1 < length; i++) /* the one at the end belongs to its line */
        newlines += tail[i] == '\n';
    fuzz_require(newlines < 3);
}

static void check_screen(const uint8_t *bytes, size_t size) {
    char *words = fuzz_string(bytes, size);
    struct screen screen = {.stream = stdout, .utf8 = size % 2 == 0, .terminal = size % 3 == 0};
    for (size_t columns = 0; columns < 60; columns += 7) {
        struct text fitted = {0};
        struct text wrapped = {0};
        size_t used = screen_fit(&screen, &fitted, words, columns);
        fuzz_require(used <= columns);
        hostile_check_characters(&fitted, false);
        hostile_check_commands(&fitted);
        screen_wrap(&screen, &wrapped, words, 3, 2, columns);
        hostile_check_characters(&wrapped, false);
        hostile_check_commands(&wrapped);
        text_clear(&fitted);
        text_clear(&wrapped);
    }
    free(words);
}

FUZZ_TARGET(clean) {
    const char *text = (const char *)bytes;
    struct text utf8 = {0};
    clean_utf8(&utf8, text, size);
    fuzz_require(utf8_valid(text_string(&utf8), utf8.length));
    fuzz_require(memchr(text_string(&utf8), '\0', utf8.length) == NULL);
    text_clear(&utf8);
    check_terminal(text, size, false);
    check_terminal(text, size, true);
    check_xml(text, size);
    check_markdown(text, size);
    check_tail(text, size);
    check_screen(bytes, size);
}
