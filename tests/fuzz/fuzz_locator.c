/*  Locators: any text is taken apart or refused; what is taken apart stays in its repository's
 * folder. */
#include "apic/packages/locator.h"
#include "apic/packages/path.h"
#include "apic/packages/resolve.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    const packages_t packages = {"/nonexistent", "github.com/me/pkg", replaces, 1};
    AUTO(packages_found) found = NULL;
    AUTO_FREE char *path = NULL;
    if (packages_resolve(&packages, "github.com/me/pkg/main.star", text, &found, NULL) == 0 &&
        packages_locate(&packages, found, true, &path, NULL) == 0)
        abort();
    return 0;
}
