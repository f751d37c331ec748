/* usage: move_pins ROOT OUT TAG DIGEST
 * Moves every pin of the tree to TAG and DIGEST and back, checks on the way what moved.h says, and writes the files that
 * have pins, moved, into OUT. The tree stays as it is. Ends with 1 and a line on standard error when something does not hold.
 */
#include <stdio.h>
#include <string.h>

#include "gate/base/file.h"
#include "gate/pins/scan.h"
#include "tests/golden/moved.h"

#define FILE_LIMIT (64u << 20) /* bytes of a file of a case */

static int write_below(const char *folder, const char *name, const struct text *bytes,
                       struct error *err) {
    _cleanup_(free_pointer) char *path = file_join(folder, name, err);
    if (path == NULL)
        return -1;
    char *slash = strrchr(path, '/');
    *slash = '\0';
    if (file_make_folders(path, err) < 0)
        return -1;
    *slash = '/';
    return file_replace(path, text_string(bytes), bytes->length, err);
}

static int move_file(char **arguments, const char *name, struct error *err) {
    _cleanup_(text_clear) struct text bytes = {0}, moved = {0};
    _cleanup_(free_pointer) char *path = file_join(arguments[1], name, err);
    if (path == NULL || file_read(path, FILE_LIMIT, &bytes, err) < 0 ||
        moved_check(name, text_string(&bytes), bytes.length, arguments[3], arguments[4], &moved,
                    err) < 0)
        return error_wrap(err, "%s", name);
    return write_below(arguments[2], name, &moved, err);
}

static int move_tree(char **arguments, struct error *err) {
    _cleanup_(scan_clear) struct scan scan = {0};
    if (scan_tree(arguments[1], NULL, &scan, err) < 0)
        return -1;
    for (size_t i = 0; i < scan.pins.count; i++)
        if ((i == 0 || strcmp(scan.pins.items[i - 1].file, scan.pins.items[i].file) != 0) &&
            move_file(arguments, scan.pins.items[i].file, err) < 0)
            return -1;
    return 0;
}

int main(int count, char **arguments) {
    struct error err = {0};
    if (count != 5) {
        fprintf(stderr, "usage: move_pins ROOT OUT TAG DIGEST\n");
        return 2;
    }
    int result = move_tree(arguments, &err);
    if (result < 0)
        fprintf(stderr, "%s\n", error_message(&err));
    error_clear(&err);
    return result == 0 ? 0 : 1;
}
