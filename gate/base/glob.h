/* glob: patterns for paths, with the meaning that .gitignore and GitHub's path filters have taught people.
 *
 *     *        any characters but "/", also none
 *     ?        one character but "/"
 *     [a-z_]   one of these ASCII characters, [!a-z] and [^a-z] any other; never "/"
 *     **       as a whole part of the path: any number of parts, also none; at the end at least one, so that
 *              "a" and two stars is what is below a, not a itself; elsewhere the same as one star
 *     \x       the character x itself
 *
 * Names that begin with a dot are names like others. Letter case counts. Braces are no alternatives: they are common in the
 * names of template folders; glob_check refuses "{a,b}" so that nobody waits for a match. Time is at most the product of the
 * lengths of pattern and path, whatever the pattern.
 */
#pragma once

#include "gate/base/array.h"

/* The whole path against the whole pattern. A "[" without its "]" stands for itself. */
bool glob_match(const char *pattern, const char *path);

/* A file, as .gitignore would: a pattern without "/" matches a name at any depth; one that matches a folder matches all that
 * is below it, and a pattern with a "/" at its end only that; a leading "/" or "./" is the root.
 * path: relative, "/" between names. */
bool glob_match_file(const char *pattern, const char *path);

/* Whether any pattern of the list matches the file; false for NULL and the empty list. */
bool glob_list_match_file(const struct string_list *patterns, const char *path);

/* err: config, when the pattern is empty, has an unclosed "[", a backslash at its end, or "{a,b}". */
int glob_check(const char *pattern, struct error *err) _must_check_;
