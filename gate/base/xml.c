#include "gate/base/xml.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

struct reading {
    XML_Parser parser;
    const struct xml_handlers *handlers;
    void *context;
    struct error *err;
    size_t depth;
    bool stopped; /* *err tells why */
};

static void stop(struct reading *reading) {
    reading->stopped = true;
    XML_StopParser(reading->parser, XML_FALSE);
}

static unsigned long line_of(const struct reading *reading) {
    return XML_GetCurrentLineNumber(reading->parser);
}

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes) {
    struct reading *reading = data;
    if (reading->stopped)
        return;
    size_t count = 0;
    while (attributes[2 * count] != NULL)
        count++;
    reading->depth++;
    if (reading->depth > XML_DEPTH || count > XML_ATTRIBUTES) {
        error_set(reading->err, ERROR_LIMIT, "line %lu: %s", line_of(reading),
                  count > XML_ATTRIBUTES ? "an element has too many attributes"
                                         : "elements lie too deep in each other");
        stop(reading);
        return;
    }
    if (reading->handlers->start != NULL &&
        reading->handlers->start(reading->context, name, attributes, reading->err) < 0)
        stop(reading);
}

static void XMLCALL on_end(void *data, const XML_Char *name) {
    struct reading *reading = data;
    if (reading->stopped)
        return;
    reading->depth--;
    if (reading->handlers->end != NULL &&
        reading->handlers->end(reading->context, name, reading->err) < 0)
        stop(reading);
}

static void XMLCALL on_text(void *data, const XML_Char *bytes, int length) {
    struct reading *reading = data;
    if (!reading->stopped && reading->handlers->text != NULL &&
        reading->handlers->text(reading->context, bytes, (size_t)length, reading->err) < 0)
        stop(reading);
}

static void XMLCALL on_doctype(void *data, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int has_subset) {
    struct reading *reading = data;
    (void)name;
    (void)system;
    (void)public;
    (void)has_subset;
    if (reading->stopped)
        return;
    error_set(reading->err, ERROR_INPUT,
              "line %lu: a document type (<!DOCTYPE …>) is not read: it can make much of little, "
              "and name other files",
              line_of(reading));
    stop(reading);
}

static int raise_syntax(const struct reading *reading) {
    enum XML_Error code = XML_GetErrorCode(reading->parser);
    if (code == XML_ERROR_NO_MEMORY)
        return error_no_memory(reading->err);
    return error_set(reading->err, ERROR_INPUT, "%lu:%lu: %s", line_of(reading),
                     XML_GetCurrentColumnNumber(reading->parser) + 1, XML_ErrorString(code));
}

/* All at once: a tag that comes in pieces is read again from its beginning with each of them. */
static int feed(struct reading *reading, const char *bytes, size_t length) {
    enum XML_Status status = XML_Parse(reading->parser, bytes, (int)length, XML_TRUE);
    if (reading->stopped)
        return -1;
    return status == XML_STATUS_OK ? 0 : raise_syntax(reading);
}

int xml_read(const char *bytes, size_t length, const struct xml_handlers *handlers, void *context,
             struct error *err) {
    if (length > INT_MAX)
        return error_set(err, ERROR_LIMIT, "larger than %d bytes", INT_MAX);
    struct reading reading = {
        .parser = XML_ParserCreate(NULL), .handlers = handlers, .context = context, .err = err};
    if (reading.parser == NULL)
        return error_no_memory(err);
    XML_SetUserData(reading.parser, &reading);
    XML_SetElementHandler(reading.parser, on_start, on_end);
    XML_SetCharacterDataHandler(reading.parser, on_text);
    XML_SetStartDoctypeDeclHandler(reading.parser, on_doctype);
    int result = feed(&reading, bytes, length);
    XML_ParserFree(reading.parser);
    return result;
}

const char *xml_attribute(const char *const *attributes, const char *name) {
    for (; *attributes != NULL; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}
