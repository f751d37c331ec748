#include "gate/base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"

struct regex {
    char *pattern;
    pcre2_code *code;
    pcre2_match_data *data;       /* of the match that runs */
    pcre2_match_context *context; /* the limits */
    size_t groups;                /* that can be told, the whole match with them */
};

void regex_freep(struct regex **regex) {
    if (*regex == NULL)
        return;
    free((*regex)->pattern);
    pcre2_match_data_free((*regex)->data);
    pcre2_match_context_free((*regex)->context);
    pcre2_code_free((*regex)->code);
    free(*regex);
    *regex = NULL;
}

static void compile_context_freep(pcre2_compile_context **context) {
    pcre2_compile_context_free(*context);
}

/* PCRE2's own words for a code of its own. */
static const char *words_of(int code, char *words, size_t size) {
    return pcre2_get_error_message(code, (PCRE2_UCHAR *)words, size) > 0 ? words : "refused";
}

static int compile_code(const char *pattern, size_t length, pcre2_code **out, struct error *err) {
    _cleanup_(compile_context_freep) pcre2_compile_context *context =
        pcre2_compile_context_create(NULL);
    if (context == NULL)
        return error_no_memory(err);
    pcre2_set_parens_nest_limit(context, REGEX_NESTING_LIMIT);
    int code = 0;
    PCRE2_SIZE offset = 0;
    *out = pcre2_compile((PCRE2_SPTR)pattern, length,
                         PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_DOLLAR_ENDONLY, &code, &offset,
                         context);
    if (*out != NULL)
        return 0;
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return error_no_memory(err);
    char words[256];
    return error_set(err, ERROR_CONFIG, "column %zu: %s", (size_t)offset + 1,
                     words_of(code, words, sizeof words));
}

int regex_compile(const char *pattern, struct regex **out, struct error *err) {
    size_t length = strnlen(pattern, REGEX_PATTERN_LIMIT + 1);
    if (length > REGEX_PATTERN_LIMIT)
        return error_set(err, ERROR_CONFIG, "column %u: the pattern is longer than %u bytes",
                         REGEX_PATTERN_LIMIT + 1, REGEX_PATTERN_LIMIT);
    _cleanup_(regex_freep) struct regex *regex = calloc(1, sizeof *regex);
    if (regex == NULL)
        return error_no_memory(err);
    regex->pattern = string_dup(pattern, err);
    if (regex->pattern == NULL || compile_code(pattern, length, &regex->code, err) < 0)
        return -1;
    uint32_t captures = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &captures);
    regex->groups = captures + 1 < REGEX_GROUP_LIMIT ? captures + 1 : REGEX_GROUP_LIMIT;
    regex->data = pcre2_match_data_create((uint32_t)regex->groups, NULL);
    regex->context = pcre2_match_context_create(NULL);
    if (regex->data == NULL || regex->context == NULL)
        return error_no_memory(err);
    pcre2_set_match_limit(regex->context, REGEX_STEP_LIMIT);
    pcre2_set_depth_limit(regex->context, REGEX_DEPTH_LIMIT);
    pcre2_set_heap_limit(regex->context, REGEX_HEAP_LIMIT);
    *out = steal(regex);
    return 0;
}

static int refuse(const struct regex *regex, int code, const char *text, size_t length,
                  struct error *err) {
    if (code == PCRE2_ERROR_NOMEMORY)
        return error_no_memory(err);
    char words[256];
    bool steps = code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT;
    return error_set(err, ERROR_LIMIT, "the pattern \"%s\" cannot be matched with \"%.*s\": %s",
                     regex->pattern, (int)length, text,
                     steps ? "it takes more steps than one match may"
                           : words_of(code, words, sizeof words));
}

int regex_match(const struct regex *regex, const char *text, size_t length,
                struct regex_match *match, struct error *err) {
    match->found = false;
    if (length > REGEX_SUBJECT_LIMIT)
        return error_set(err, ERROR_LIMIT, "a text of %zu bytes is longer than a pattern may see",
                         length);
    int code =
        pcre2_match(regex->code, (PCRE2_SPTR)text, length, 0, 0, regex->data, regex->context);
    if (code == PCRE2_ERROR_NOMATCH)
        return 0;
    if (code < 0)
        return refuse(regex, code, text, length, err);
    /* 0: there are more groups than were asked for */
    size_t told = code == 0 ? regex->groups : (size_t)code;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->data);
    for (size_t i = 0; i < REGEX_GROUP_LIMIT; i++) {
        match->groups[i] = (struct regex_span){0};
        /* before PCRE2 10.38, \K in a look-ahead can put the start of the match behind its end */
        if (i < told && ends[2 * i] != PCRE2_UNSET && ends[2 * i] <= ends[2 * i + 1])
            match->groups[i] =
                (struct regex_span){ends[2 * i], ends[2 * i + 1] - ends[2 * i], true};
    }
    match->found = true;
    return 0;
}

const char *regex_pattern(const struct regex *regex) {
    return regex->pattern;
}

size_t regex_group_count(const struct regex *regex) {
    return regex->groups;
}

bool regex_group_find(const struct regex *regex, const char *name, size_t *number) {
    int found = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)name);
    if (found <= 0 || (size_t)found >= regex->groups)
        return false;
    *number = (size_t)found;
    return true;
}

char *regex_group_names(const struct regex *regex, struct error *err) {
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    _cleanup_(text_clear) struct text names = {0};
    for (uint32_t i = 0; i < count; i++) /* an entry: two bytes of number, the name, NUL */
        text_printf(&names, "%s%s", i > 0 ? ", " : "", (const char *)table + (size_t)i * size + 2);
    return text_steal(&names, err);
}
