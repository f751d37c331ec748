#include "gate/policy/tagfilter.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/glob.h"
#include "gate/base/text.h"

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

int tagfilter_set_match(struct tagfilter *filter, const char *pattern, struct error *err) {
    return regex_compile(pattern, &filter->match, err);
}

/* ---- the template ---- */

static int add_part(struct tagfilter *filter, char *take_text, size_t group, struct error *err) {
    struct tagfilter_part *part = array_add(&filter->extract, err);
    if (part == NULL) {
        free(take_text);
        return -1;
    }
    *part = (struct tagfilter_part){.text = take_text, .group = group};
    return 0;
}

static int add_literal(struct tagfilter *filter, const char *at, size_t length, struct error *err) {
    if (length == 0)
        return 0;
    char *text = string_dup_length(at, length, err);
    return text != NULL ? add_part(filter, text, 0, err) : -1;
}

static int refuse_group(const struct tagfilter *filter, const char *name, bool braced,
                        size_t column, struct error *err) {
    _cleanup_(free_pointer) char *names = regex_group_names(filter->match, err);
    if (names == NULL)
        return -1;
    return error_set(
        err, ERROR_CONFIG,
        "column %zu: the pattern has no group \"%s\", or several; it has 0 to %zu%s%s%s", column,
        name, regex_group_count(filter->match) - 1, names[0] != '\0' ? ", " : "", names,
        braced ? "" : "; braces end a name: \"${1}x\"");
}

/* A name, or a number: no group's name begins with a digit. */
static bool find_group(const struct regex *regex, const char *name, size_t *number) {
    if (name[strspn(name, "0123456789")] != '\0')
        return regex_group_find(regex, name, number);
    *number = strtoul(name, NULL, 10); /* too many digits: ULONG_MAX */
    return *number < regex_group_count(regex);
}

/* at: behind the "$". Moves it behind the reference. */
static int add_group(struct tagfilter *filter, const char **at, size_t column, struct error *err) {
    bool braced = **at == '{';
    const char *start = *at + braced;
    size_t length = strspn(start, NAME_BYTES);
    const char *end = start + length + braced;
    if (length == 0 || (braced && start[length] != '}'))
        return error_set(err, ERROR_CONFIG,
                         "column %zu: a group was expected behind \"$\", such as $1, $v or ${v}; "
                         "\"$$\" is a dollar",
                         column);
    _cleanup_(free_pointer) char *name = string_dup_length(start, length, err);
    size_t number;
    if (name == NULL)
        return -1;
    if (!find_group(filter->match, name, &number))
        return refuse_group(filter, name, braced, column, err);
    *at = end;
    return add_part(filter, NULL, number, err);
}

int tagfilter_set_extract(struct tagfilter *filter, const char *template, struct error *err) {
    if (filter->match == NULL)
        return error_set(err, ERROR_CONFIG,
                         "column 1: it names groups of \"match\", and there is none");
    if (strlen(template) > TAGFILTER_TEMPLATE_LIMIT)
        return error_set(err, ERROR_CONFIG, "column %u: the template is longer than %u bytes",
                         TAGFILTER_TEMPLATE_LIMIT + 1, TAGFILTER_TEMPLATE_LIMIT);
    for (const char *at = template; *at != '\0';) {
        size_t literal = strcspn(at, "$");
        if (add_literal(filter, at, literal, err) < 0)
            return -1;
        at += literal;
        if (*at == '\0')
            break;
        at++;
        if (*at == '$') {
            if (add_literal(filter, at++, 1, err) < 0)
                return -1;
        } else if (add_group(filter, &at, (size_t)(at - template), err) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < filter->extract.count; i++)
        if (filter->extract.items[i].text == NULL)
            return 0;
    return error_set(err, ERROR_CONFIG,
                     "column 1: it takes no group, so all tags would be the same; write $1, $v or "
                     "${v}");
}

/* ---- tags ---- */

const char *tagfilter_ignored(const struct tagfilter *filter, const char *tag) {
    for (size_t i = 0; i < filter->ignore.count; i++)
        if (glob_match(filter->ignore.items[i], tag))
            return filter->ignore.items[i];
    return NULL;
}

static char *extract(const struct tagfilter *filter, const char *tag,
                     const struct regex_match *match, struct error *err) {
    _cleanup_(text_clear) struct text text = {0};
    for (size_t i = 0; i < filter->extract.count; i++) {
        const struct tagfilter_part *part = &filter->extract.items[i];
        if (part->text != NULL)
            text_add(&text, part->text);
        else
            text_append(&text, tag + match->groups[part->group].offset,
                        match->groups[part->group].length);
    }
    return text_steal(&text, err);
}

/* What the user can do about it; the error tells pattern and tag. */
static int add_remedy(struct error *err) {
    _cleanup_(free_pointer) char *words = string_dup(error_message(err), err);
    return words != NULL
               ? error_set(
                     err, ERROR_LIMIT,
                     "%s, so the tags cannot be told apart; write tags.match so that it can "
                     "match in one way only (\"^\" in front, no repetition within a repetition "
                     "as in \"(a+)+\"), or put the tag into tags.ignore",
                     words)
               : -1;
}

int tagfilter_read(const struct tagfilter *filter, const char *tag, struct tagfilter_result *result,
                   struct error *err) {
    *result = (struct tagfilter_result){0};
    if (filter->match == NULL) {
        result->matches = true;
        return 0;
    }
    struct regex_match match;
    if (regex_match(filter->match, tag, strlen(tag), &match, err) < 0)
        return err->kind == ERROR_LIMIT ? add_remedy(err) : -1;
    if (match.found && filter->extract.count > 0) {
        result->extracted = extract(filter, tag, &match, err);
        if (result->extracted == NULL)
            return -1;
    }
    result->matches = match.found;
    return 0;
}

int tagfilter_read_followed(const struct tagfilter *filter, const char *tag, char **extracted,
                            struct error *err) {
    struct tagfilter_result result;
    if (tagfilter_read(filter, tag, &result, err) < 0)
        return -1;
    if (!result.matches)
        return error_set(
            err, ERROR_INPUT,
            "the rule's tags.match, \"%s\", does not match the tag %s that is followed, "
            "so nothing tells which tags are newer; change the pattern, or give this "
            "image a rule of its own before it",
            regex_pattern(filter->match), tag);
    *extracted = result.extracted;
    return 0;
}

void tagfilter_clear(struct tagfilter *filter) {
    string_list_clear(&filter->ignore);
    regex_freep(&filter->match);
    for (size_t i = 0; i < filter->extract.count; i++)
        free(filter->extract.items[i].text);
    free(filter->extract.items);
    *filter = (struct tagfilter){0};
}
