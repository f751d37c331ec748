/* Whose a secret's file is to be. */
#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "runners/secrets.h"

#define BLOCK       512u /* bytes, of a tar archive */
#define SIZE_AT     124u /* fields of a header, POSIX.1-2017, pax, "ustar Interchange Format" */
#define SIZE_LENGTH 12u
#define TYPE_AT     156u
#define LINK_AT     157u
#define LINK_LENGTH 100u
#define USER_MOST   4294967294LL

void secrets_first_file(const char *bytes, size_t length, const char **content, size_t *size,
                        char **link) {
    *content = NULL;
    *link = NULL;
    *size = 0;
    while (length >= BLOCK) {
        char digits[SIZE_LENGTH + 1] = "";
        memcpy(digits, bytes + SIZE_AT, SIZE_LENGTH);
        unsigned long long own = strtoull(digits, NULL, 8);
        char type = bytes[TYPE_AT];
        bytes += BLOCK;
        length -= BLOCK;
        if (type == '2') {
            *link = strndup(bytes - BLOCK + LINK_AT, LINK_LENGTH);
            return;
        }
        if (own > length)
            return;
        if (type == '0' || type == '\0') {
            *content = bytes;
            *size = (size_t)own;
            return;
        }
        if (type != 'x' && type != 'g')
            return;
        size_t padded = ((size_t)own + BLOCK - 1) / BLOCK * BLOCK;
        if (padded > length)
            return;
        bytes += padded;
        length -= padded;
    }
}

static int64_t number(const char *text, size_t length) {
    int64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || value > USER_MOST)
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return length > 0 && value <= USER_MOST ? value : -1;
}

/* "name:password:number:…" */
static int64_t line_user(const char *line, const char *end, const char *name, size_t length) {
    if ((size_t)(end - line) <= length || memcmp(line, name, length) != 0 || line[length] != ':')
        return -1;
    const char *from = memchr(line + length + 1, ':', (size_t)(end - line) - length - 1);
    if (from == NULL)
        return -1;
    from++;
    const char *to = memchr(from, ':', (size_t)(end - from));
    return to != NULL ? number(from, (size_t)(to - from)) : -1;
}

int64_t secrets_user(const char *user, const char *passwd, size_t length) {
    size_t name = strcspn(user, ":");
    const char *end = passwd + length;
    for (const char *line = passwd; name > 0 && line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        int64_t found = line_user(line, next != NULL ? next : end, user, name);
        if (found >= 0)
            return found;
        if (next == NULL)
            break;
        line = next + 1;
    }
    int64_t given = number(user, name);
    return given >= 0 ? given : 0;
}
