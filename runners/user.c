#include "runners/user.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "runners/engine/container.h"

#define BLOCK        512u /* bytes, of a tar archive */
#define SIZE_AT      124u /* fields of a header, POSIX.1-2017, pax, "ustar Interchange Format" */
#define SIZE_LENGTH  12u
#define TYPE_AT      156u
#define LINK_AT      157u
#define LINK_LENGTH  100u
#define USER_MOST    4294967294LL

#define PASSWD       "/etc/passwd"
#define PASSWD_LIMIT (1u << 20) /* bytes of the archive that holds it */
#define LINKS_LIMIT  4          /* from there on: images made by Nix link to a store */

void user_first_file(const char *bytes, size_t length, const char **content, size_t *size,
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

int64_t user_number(const char *user, const char *passwd, size_t length) {
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

static int on_passwd(void *context, const char *bytes, size_t length, struct error *err) {
    struct text *archive = context;
    archive->ceiling = PASSWD_LIMIT;
    text_append(archive, bytes, length);
    return text_check(archive, err);
}

/* What cannot be read names nobody. archive: empty then */
static int read_passwd(struct engine *engine, const char *id, const char *path,
                       struct text *archive, struct error *err) {
    if (container_get(engine, id, path, on_passwd, archive, err) == 0)
        return 0;
    text_clear(archive);
    if (err->kind != ERROR_NOT_FOUND && err->kind != ERROR_LIMIT)
        return -1;
    error_clear(err);
    return 0;
}

static int look_up(struct engine *engine, const char *id, const char *user, int64_t *out,
                   struct error *err) {
    _cleanup_(free_pointer) char *path = string_dup(PASSWD, err);
    *out = user_number(user, "", 0);
    for (int links = 0; path != NULL && links < LINKS_LIMIT; links++) {
        _cleanup_(text_clear) struct text archive = {0};
        const char *content;
        size_t size;
        char *link;
        if (read_passwd(engine, id, path, &archive, err) < 0)
            return -1;
        user_first_file(text_string(&archive), archive.length, &content, &size, &link);
        if (content != NULL)
            *out = user_number(user, content, size);
        free(path);
        path = link != NULL && *link != '/' ? string_format(err, "/etc/%s", link) : link;
        if (path != link)
            free(link);
        if (path == NULL)
            return err->kind != ERROR_NONE ? -1 : 0;
    }
    return path != NULL ? 0 : -1;
}

/* As whom the container was made to run: its image's user, or the test's. A number is nobody's name, usually, and needs no
 * question; root has none either. */
int user_of_container(struct engine *engine, const char *id, int64_t *user, struct error *err) {
    _cleanup_(free_pointer) char *path = string_format(err, "/containers/%s/json", id);
    json_auto_t *answer = NULL;
    if (path == NULL || engine_get(engine, path, &answer, err) < 0)
        return -1;
    const char *name =
        json_string_value(json_object_get(json_object_get(answer, "Config"), "User"));
    *user = 0;
    if (name == NULL || *name == '\0' || *name == ':')
        return 0;
    if (strspn(name, "0123456789") == strcspn(name, ":")) {
        *user = user_number(name, "", 0);
        return 0;
    }
    return look_up(engine, id, name, user, err);
}
