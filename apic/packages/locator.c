/*  locator: parses locators. */
#include "apic/packages/locator.h"

#include "apic/packages/path.h"
#include "base/str.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static int decode_path(const char *text, size_t size, str_t *out);
static char *scheme_of(const char *text);

int
packages_locator_parse(const char *text, packages_locator_t **ret, err_t **err)
{
    if (strlen(text) > PACKAGES_LOCATOR_MAX)
        return err_fail(err, ERR_LIMIT, "a locator may have at most %u bytes, this one has %zu",
                        PACKAGES_LOCATOR_MAX, strlen(text));
    AUTO_FREE char *scheme = scheme_of(text);
    if (scheme)
        return err_fail(
            err, ERR_INVALID,
            "Error parsing the URL of module '%s'. Expected schema to be empty got '%s'", text,
            scheme);

    const size_t authority = strcspn(text, "/?#");
    const char *host = memrchr(text, '@', authority);
    host = host ? host + 1 : text;
    const size_t path_size = strcspn(text + authority, "?#");
    AUTO_STR decoded = STR_EMPTY;
    if (decode_path(text + authority, path_size, &decoded) < 0)
        return err_fail(err, ERR_INVALID,
                        "Error parsing the URL with scheme for module 'https://%s'", text);
    if ((size_t)(text + authority - host) != strlen(PACKAGES_HOST) ||
        strncasecmp(host, PACKAGES_HOST, strlen(PACKAGES_HOST)) != 0)
        return err_fail(err, ERR_INVALID,
                        "Error parsing the URL of module. We only support modules on Github for "
                        "now but got '%s'",
                        text);

    AUTO_FREE char *path = NULL, *version = NULL;
    packages_version_split(decoded.data, &path, &version);
    char *cleaned = packages_path_clean(path);
    AUTO_STR segments = STR_EMPTY;
    const char *ends[2] = {NULL, NULL}; /* of the first two segments */
    size_t count = 0;
    for (const char *at = cleaned + strspn(cleaned, "/"); *at && strcmp(at, ".") != 0;) {
        const size_t size = strcspn(at, "/");
        str_printf(&segments, "%s%.*s", count ? " " : "", (int)size, at);
        if (count < 2)
            ends[count] = at + size;
        count++;
        at += size;
        at += strspn(at, "/");
    }
    if (count < 2) {
        err_fail(err, ERR_INVALID,
                 "Error parsing the URL of module: '%s'. The path should contain at least 2 "
                 "subpaths got '[%s]'",
                 text, segments.data);
        free(cleaned);
        return -1;
    }

    packages_locator_t *self = calloc(1, sizeof(*self));
    const char *start = cleaned + strspn(cleaned, "/");
    self->author = strndup(start, (size_t)(ends[0] - start));
    self->repo = strndup(ends[0] + 1, (size_t)(ends[1] - ends[0] - 1));
    self->path = strdup(start);
    self->version = TAKE(version);
    free(cleaned);
    *ret = self;
    return 0;
}

void
packages_locator_destroy(packages_locator_t **self_p)
{
    packages_locator_t *self = *self_p;
    if (!self)
        return;
    free(self->author);
    free(self->repo);
    free(self->path);
    free(self->version);
    free(self);
    *self_p = NULL;
}

bool
packages_locator_is(const char *text)
{
    AUTO(packages_locator) self = NULL;
    return packages_locator_parse(text, &self, NULL) == 0;
}

void
packages_version_split(const char *text, char **ret_path, char **ret_version)
{
    AUTO_FREE char *whole = packages_path_clean(text);
    const char *at = strchr(whole, '@');
    if (!at) {
        *ret_path = TAKE(whole);
        *ret_version = strdup("");
        return;
    }
    const char *slash = strrchr(at, '/');
    if (slash && strchr(slash, '.')) {
        *ret_path = str_format("%.*s%s", (int)(at - whole), whole, slash);
        *ret_version = strndup(at + 1, (size_t)(slash - at - 1));
    } else {
        *ret_path = strndup(whole, (size_t)(at - whole));
        *ret_version = strdup(at + 1);
    }
}

/* The scheme in front, as Go's url.Parse sees it; NULL when there is none. */
static char *
scheme_of(const char *text)
{
    for (const char *at = text; *at; at++) {
        if (isalpha((unsigned char)*at) || (at > text && strchr("0123456789+-.", *at)))
            continue;
        return *at == ':' && at > text ? strndup(text, (size_t)(at - text)) : NULL;
    }
    return NULL;
}

static int
decode_path(const char *text, size_t size, str_t *out)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f)
            return -1;
        if (c != '%') {
            str_add_char(out, text[i]);
            continue;
        }
        if (i + 2 >= size || !isxdigit((unsigned char)text[i + 1]) ||
            !isxdigit((unsigned char)text[i + 2]))
            return -1;
        const char digits[3] = {text[i + 1], text[i + 2], '\0'};
        const char byte = (char)strtol(digits, NULL, 16);
        if (!byte)
            return -1;
        str_add_char(out, byte);
        i += 2;
    }
    return 0;
}
