#include "tests/fuzz/hostile.h"

#include <ctype.h>
#include <string.h>

#include "gate/base/utf8.h"
#include "tests/fuzz/fuzz.h"

#define DEPTH_LIMIT 32 /* open elements; our reports have five */
#define NAME_LIMIT  64 /* bytes of an element's or attribute's name */

void hostile_check_characters(const struct text *drawn, bool tabs) {
    fuzz_require(drawn->failed == ERROR_NONE);
    fuzz_require(utf8_valid(text_string(drawn), drawn->length));
    for (size_t i = 0; i < drawn->length; i++) {
        unsigned char c = (unsigned char)drawn->bytes[i];
        fuzz_require(c >= 0x20 || c == '\n' || (tabs && c == '\t'));
        fuzz_require(c != 0x7f);
        /* C1 controls, and the marks that turn text around */
        if (c == 0xC2)
            fuzz_require((unsigned char)drawn->bytes[i + 1] >= 0xA0);
        if (c == 0xE2 && (unsigned char)drawn->bytes[i + 1] == 0x80) {
            unsigned char last = (unsigned char)drawn->bytes[i + 2];
            fuzz_require(last < 0xAA || last > 0xAE);
        }
    }
}

void hostile_check_commands(const struct text *drawn) {
    const char *bytes = text_string(drawn);
    for (const char *at = bytes; (at = strstr(at, "##")) != NULL; at++) {
        size_t name = strspn(at, "#");
        while (isalnum((unsigned char)at[name]))
            name++;
        fuzz_require(at[name] != '[');
    }
    for (const char *at = bytes; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        fuzz_require(strncmp(at + strspn(at, " \t"), "::", 2) != 0);
        at += length + (at[length] == '\n');
    }
}

/* XML. Each function gives what comes behind what it read. */

static const char *xml_name(const char *at, char *out) {
    size_t length = 0;
    while (isalnum((unsigned char)at[length]) || strchr("-_", at[length]) != NULL) {
        if (at[length] == '\0')
            break;
        length++;
    }
    fuzz_require(length > 0 && length < NAME_LIMIT);
    memcpy(out, at, length);
    out[length] = '\0';
    return at + length;
}

static const char *xml_text(const char *at, const char *ends) {
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;",  "&quot;",
                                           "&#10;", "&#9;", "&#35;", "&#58;"};
    for (; *at != '\0' && strchr(ends, *at) == NULL; at++) {
        bool known = *at != '&';
        for (size_t i = 0; !known && i < sizeof entities / sizeof *entities; i++)
            known = strncmp(at, entities[i], strlen(entities[i])) == 0;
        fuzz_require(known);
        fuzz_require(*at != '<' && *at != '>');
        /* U+FFFE and U+FFFF are no characters of XML */
        fuzz_require(strncmp(at, "\xEF\xBF\xBE", 3) != 0 && strncmp(at, "\xEF\xBF\xBF", 3) != 0);
    }
    return at;
}

static const char *xml_attributes(const char *at) {
    char names[16][NAME_LIMIT];
    size_t count = 0;
    while (*at == ' ') {
        fuzz_require(count < 16);
        at = xml_name(at + 1, names[count]);
        for (size_t i = 0; i < count; i++)
            fuzz_require(strcmp(names[i], names[count]) != 0);
        count++;
        fuzz_require(strncmp(at, "=\"", 2) == 0);
        at = xml_text(at + 2, "\"<\n\t");
        fuzz_require(*at == '"');
        at++;
    }
    return at;
}

void hostile_check_xml(const struct text *drawn) {
    static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    char open[DEPTH_LIMIT][NAME_LIMIT];
    char name[NAME_LIMIT];
    size_t depth = 0;
    const char *at = text_string(drawn);
    fuzz_require(strlen(at) == drawn->length && strncmp(at, head, strlen(head)) == 0);
    for (at += strlen(head); *at != '\0'; at = xml_text(at, "<")) {
        fuzz_require(*at == '<');
        if (at[1] == '/') {
            at = xml_name(at + 2, name);
            fuzz_require(depth > 0 && strcmp(open[--depth], name) == 0);
        } else {
            fuzz_require(depth < DEPTH_LIMIT);
            at = xml_attributes(xml_name(at + 1, open[depth]));
            depth += *at == '/' ? 0 : 1;
            at += *at == '/';
        }
        fuzz_require(*at == '>');
        at++;
        fuzz_require(depth > 0 || strcmp(at, "\n") == 0);
    }
    fuzz_require(depth == 0);
}

/* Markdown. */

/* The backticks of the span that begins here, and its end; the length of the run alone when nothing closes it. */
static size_t code_span(const char *at, size_t length) {
    size_t run = 0;
    while (run < length && at[run] == '`')
        run++;
    for (size_t i = run; i < length;) {
        size_t next = 0;
        while (i + next < length && at[i + next] == '`')
            next++;
        if (next == run)
            return i + next;
        i += next > 0 ? next : 1;
    }
    return run;
}

static void check_markdown_line(const char *line, size_t length, int *details) {
    static const char *const tags[] = {"<details>",  "<details open>", "<summary>",
                                       "</summary>", "</details>",     "<sub>",
                                       "</sub>",     "<code>",         "</code>"};
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\\' || line[i] == '`') {
            i += line[i] == '\\' ? 1 : code_span(line + i, length - i) - 1;
            continue;
        }
        bool ours = line[i] != '<';
        for (size_t k = 0; !ours && k < sizeof tags / sizeof *tags; k++)
            ours = strncmp(line + i, tags[k], strlen(tags[k])) == 0;
        fuzz_require(ours);
        *details += strncmp(line + i, "<details", 8) == 0;
        *details -= strncmp(line + i, "</details>", 10) == 0;
        /* an image or link would need these two unescaped */
        fuzz_require(strncmp(line + i, "](", 2) != 0);
    }
}

void hostile_check_markdown(const struct text *drawn) {
    size_t fence = 0;
    int details = 0;
    for (const char *line = text_string(drawn); *line != '\0';) {
        size_t length = strcspn(line, "\n");
        size_t run = strspn(line, "`");
        fuzz_require(line[0] != '/');
        if (fence == 0 && run >= 3 && memchr(line + run, '`', length - run) == NULL)
            fence = run;
        else if (fence > 0 && run >= fence && run == length)
            fence = 0;
        else if (fence == 0)
            check_markdown_line(line, length, &details);
        line += length + (line[length] == '\n');
    }
    fuzz_require(fence == 0 && details == 0);
}
