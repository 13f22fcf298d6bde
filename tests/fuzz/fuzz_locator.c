/*  Locators: any text is taken apart or refused; what is taken apart stays in its repository's
 * folder. */
#include "apic/packages/locator.h"
#include "apic/packages/path.h"
#include "apic/packages/resolve.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing can be cloned here; and names go nowhere else. */
static int
refuse(void *arg, const char *author, const char *repo, const char *version, err_t **err)
{
    (void)arg;
    (void)version;
    if (strchr(author, '/') || strchr(repo, '/'))
        abort();
    return err_fail(err, ERR_UNAVAILABLE, "no repositories here");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = strndup((const char *)data, size);
    AUTO(packages_locator) locator = NULL;
    if (packages_locator_parse(text, &locator, NULL) == 0) {
        AUTO_FREE char *clean = packages_path_clean(locator->path);
        if (strcmp(clean, locator->path) != 0 || packages_path_within(clean, "..") ||
            clean[0] == '/')
            abort();
    }
    packages_replace_t replaces[] = {{"github.com/a/b", "github.com/c/d@1"}};
    const packages_t packages = {.repositories = "/nonexistent",
                                 .package_id = "github.com/me/pkg",
                                 .replaces = replaces,
                                 .n_replaces = 1,
                                 .clone = refuse};
    AUTO(packages_found) found = NULL;
    AUTO_FREE char *path = NULL;
    if (packages_resolve(&packages, "github.com/me/pkg/main.star", text, &found, NULL) == 0 &&
        packages_locate(&packages, found, true, &path, NULL) == 0)
        abort();
    return 0;
}
