/*  path: slash-separated paths as text, by the rules of Go's path package; nothing here touches a
 * disk. */
#ifndef KURTOSIS_APIC_PACKAGES_PATH_H
#define KURTOSIS_APIC_PACKAGES_PATH_H

#include <stdbool.h>

/* The shortest equal path: "a//b/./c/../d" is "a/b/d", "" is ".", "/.." is "/". Yours, free(). */
char *packages_path_clean(const char *path);
/* The two joined by "/" and cleaned. Yours, free(). */
char *packages_path_join(const char *one, const char *two);
/* Everything before the last "/", cleaned; "." when there is none. Yours, free(). */
char *packages_path_dir(const char *path);
/* The last element, "." for "" and "/" for "/". Yours, free(). */
char *packages_path_base(const char *path);
/* Equal to prefix or below it, by whole segments: "a/b" is within "a", "ab" is not. */
bool packages_path_within(const char *path, const char *prefix);

#endif
