/* result_parts: the tables that say how the fields of struct result and of what it holds are named and what they are;
 * clearing (result.c), writing (result_json.c) and reading (result_read.c) all walk them, so that a new field is one line in
 * result.c and one in schemas/result.schema.json.
 */
#pragma once

#include "reports/result.h"

enum field_kind {
    FIELD_STRING,         /* char *, never NULL */
    FIELD_STRING_OR_NULL, /* char * */
    FIELD_INT64,          /* int64_t */
    FIELD_INT,            /* int */
    FIELD_UINT,           /* unsigned int */
    FIELD_SIZE,           /* size_t */
    FIELD_BOOL,           /* bool */
    FIELD_VERDICT,        /* enum verdict, by name */
    FIELD_CODE,           /* enum verdict_code, by name; null for CODE_NONE */
    FIELD_OUTCOME,        /* enum outcome, by name */
    FIELD_STRING_LIST,    /* struct string_list */
    FIELD_SIZES,          /* size_t * and its count */
    FIELD_STRUCTS,        /* pointer to structs and their count */
    FIELD_STRUCT_OR_NULL, /* pointer to one struct */
};

struct fields;

struct field {
    const char *name; /* in JSON */
    enum field_kind kind;
    size_t offset;
    size_t count_offset;         /* sizes and structs */
    const struct fields *fields; /* structs */
    bool optional;               /* may lack: what an earlier program did not write */
};

struct fields {
    size_t size; /* of the struct */
    const struct field *items;
    size_t count;
};

extern const struct fields result_fields; /* of struct result */
