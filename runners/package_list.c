#include "runners/package_list.h"

#include <stdlib.h>
#include <string.h>

/* A word that both formats take for a name or a version. */
static bool is_word(const char *text) {
    size_t length = 0;
    for (; text[length] != '\0'; length++)
        if ((unsigned char)text[length] <= ' ' || (unsigned char)text[length] >= 0x7f)
            return false;
    return length > 0;
}

static int take_word(const struct package_reader *reader, const char *value, size_t length,
                     const char *what, char *out, struct error *err) {
    if (out[0] != '\0')
        return error_set(err, ERROR_INPUT, "line %zu: a package has two %ss", reader->lines, what);
    if (length > PACKAGE_WORD_LIMIT)
        return error_set(err, ERROR_INPUT, "line %zu: a %s of more than %u bytes", reader->lines,
                         what, PACKAGE_WORD_LIMIT);
    memcpy(out, value, length);
    out[length] = '\0';
    return is_word(out) ? 0
                        : error_set(err, ERROR_INPUT, "line %zu: this is no %s of a package",
                                    reader->lines, what);
}

/* ---- the formats ---- */

/* The third word of "install ok installed". Of what is half installed files are there. */
static int take_status(struct package_reader *reader, const char *value, struct error *err) {
    if (reader->has_status)
        return error_set(err, ERROR_INPUT, "line %zu: a package has two states", reader->lines);
    const char *last = strrchr(value, ' ');
    if (last == NULL)
        return error_set(err, ERROR_INPUT, "line %zu: this is no state of a package",
                         reader->lines);
    reader->has_status = true;
    reader->removed =
        strcmp(last + 1, "config-files") == 0 || strcmp(last + 1, "not-installed") == 0;
    return 0;
}

static int read_dpkg_line(struct package_reader *reader, size_t whole, struct error *err) {
    char *colon = strchr(reader->line, ':');
    if (reader->line[0] == ' ' || reader->line[0] == '\t')
        return 0; /* goes on with the field above */
    if (colon == NULL)
        return error_set(err, ERROR_INPUT, "line %zu: a field was expected", reader->lines);
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t cut = (size_t)(value - reader->line);
    for (size_t end = strlen(value); end > 0 && strchr(" \t", value[end - 1]) != NULL; end--)
        value[end - 1] = '\0';
    size_t length = whole < sizeof reader->line ? strlen(value) : whole - cut;
    if (strcasecmp(reader->line, "Package") == 0)
        return take_word(reader, value, length, "name", reader->name, err);
    if (strcasecmp(reader->line, "Version") == 0)
        return take_word(reader, value, length, "version", reader->version, err);
    return strcasecmp(reader->line, "Status") == 0 ? take_status(reader, value, err) : 0;
}

static int read_apk_line(struct package_reader *reader, size_t whole, struct error *err) {
    if (reader->line[0] == '\0' || reader->line[1] != ':')
        return error_set(err, ERROR_INPUT, "line %zu: a letter and a colon were expected",
                         reader->lines);
    if (reader->line[0] == 'P')
        return take_word(reader, reader->line + 2, whole - 2, "name", reader->name, err);
    return reader->line[0] == 'V'
               ? take_word(reader, reader->line + 2, whole - 2, "version", reader->version, err)
               : 0;
}

/* ---- paragraphs and lines ---- */

static int end_paragraph(struct package_reader *reader, struct error *err) {
    if (!reader->any)
        return 0;
    if (reader->name[0] == '\0')
        return error_set(err, ERROR_INPUT, "line %zu: a package without a name ends",
                         reader->lines);
    if (!reader->removed && reader->version[0] == '\0')
        return error_set(err, ERROR_INPUT, "line %zu: package %s has no version", reader->lines,
                         reader->name);
    if (!reader->removed && reader->list->count >= PACKAGES_LIMIT)
        return error_set(err, ERROR_LIMIT, "there are more than %u packages", PACKAGES_LIMIT);
    if (!reader->removed) {
        struct package *package = array_add(reader->list, err);
        if (package == NULL || (package->name = string_dup(reader->name, err)) == NULL ||
            (package->version = string_dup(reader->version, err)) == NULL)
            return -1;
    }
    reader->any = reader->has_status = reader->removed = false;
    reader->name[0] = reader->version[0] = '\0';
    return 0;
}

static int end_line(struct package_reader *reader, struct error *err) {
    size_t whole = reader->length;
    size_t kept = whole < sizeof reader->line ? whole : sizeof reader->line - 1;
    reader->line[kept] = '\0';
    reader->length = 0;
    reader->lines++;
    if (memchr(reader->line, '\0', kept) != NULL)
        return error_set(err, ERROR_INPUT, "line %zu holds a NUL byte", reader->lines);
    if (strspn(reader->line, " \t") == whole)
        return end_paragraph(reader, err);
    reader->any = true;
    return reader->format == PACKAGES_DPKG ? read_dpkg_line(reader, whole, err)
                                           : read_apk_line(reader, whole, err);
}

int package_reader_feed(struct package_reader *reader, const char *bytes, size_t length,
                        struct error *err) {
    for (size_t i = 0; i < length;) {
        const char *end = memchr(bytes + i, '\n', length - i);
        size_t step = end != NULL ? (size_t)(end - (bytes + i)) : length - i;
        size_t room =
            reader->length < sizeof reader->line ? sizeof reader->line - reader->length : 0;
        memcpy(reader->line + (room > 0 ? reader->length : 0), bytes + i,
               step < room ? step : room);
        reader->length += step;
        i += step + (end != NULL ? 1 : 0);
        if (end != NULL && end_line(reader, err) < 0)
            return -1;
    }
    return 0;
}

int package_reader_end(struct package_reader *reader, struct error *err) {
    if (reader->length > 0 && end_line(reader, err) < 0)
        return -1;
    return end_paragraph(reader, err);
}

/* ---- lists ---- */

static int by_name_and_version(const void *a, const void *b) {
    const struct package *one = a;
    const struct package *other = b;
    int order = strcmp(one->name, other->name);
    return order != 0 ? order : strcmp(one->version, other->version);
}

int package_list_settle(struct package_list *list, struct error *err) {
    if (list->count == 0)
        return 0;
    qsort(list->items, list->count, sizeof *list->items, by_name_and_version);
    size_t kept = 0;
    for (size_t i = 0; i < list->count;) {
        _cleanup_(text_clear) struct text versions = {0};
        size_t next = i;
        for (; next < list->count && strcmp(list->items[next].name, list->items[i].name) == 0;
             next++)
            if (next == i || strcmp(list->items[next].version, list->items[next - 1].version) != 0)
                text_printf(&versions, "%s%s", next > i ? ", " : "", list->items[next].version);
        char *joined = text_steal(&versions, err);
        struct package whole = {list->items[i].name, joined};
        list->items[i].name = NULL;
        for (size_t gone = i; gone < next; gone++) {
            free(list->items[gone].name);
            free(list->items[gone].version);
            list->items[gone] = (struct package){0};
        }
        list->items[kept++] = whole;
        i = next;
        if (joined == NULL)
            return -1;
    }
    list->count = kept;
    return 0;
}

void package_list_clear(struct package_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].version);
    }
    free(list->items);
    *list = (struct package_list){0};
}
