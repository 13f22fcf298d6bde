/*  package: see package.h. */
#include "cli/package.h"

#include "base/file.h"
#include "cli/download.h"
#include "sdk/sdk.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define MANIFEST "kurtosis.yml"
#define REMOTE "github.com/"

static int
find_file(const char *path, package_source_t *ret_source, err_t **err)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    if (!strcmp(base, MANIFEST)) {
        AUTO_FREE char *folder =
            slash ? strndup(path, (size_t)(slash - path) + (slash == path)) : strdup(".");
        ret_source->kind = PACKAGE_FOLDER;
        ret_source->path = realpath(folder, NULL);
        return ret_source->path
                   ? 0
                   : err_fail(err, ERR_NOT_FOUND, "cannot find '%s': %s", folder, strerror(errno));
    }
    if (!str_ends(path, ".star"))
        return err_fail(err, ERR_INVALID,
                        "'%s' is no Starlark script: its name must end in '.star'", path);
    ret_source->kind = PACKAGE_SCRIPT;
    return file_read_text(path, PACKAGE_SCRIPT_MAX, &ret_source->script, err);
}

static int
find_folder(const char *path, package_source_t *ret_source, err_t **err)
{
    if (kurtosis_package_check(path, err) < 0)
        return -1;
    ret_source->kind = PACKAGE_FOLDER;
    ret_source->path = realpath(path, NULL);
    return ret_source->path
               ? 0
               : err_fail(err, ERR_NOT_FOUND, "cannot find '%s': %s", path, strerror(errno));
}

int
package_source_find(const char *argument, package_source_t *ret_source, err_t **err)
{
    *ret_source = (package_source_t){.argument = argument, .script = STR_EMPTY};
    if (str_starts(argument, REMOTE)) {
        ret_source->kind = PACKAGE_REMOTE;
        return 0;
    }
    struct stat about;
    if (stat(argument, &about) < 0)
        return err_fail(err, ERR_NOT_FOUND,
                        "cannot find the script or package '%s': %s; give a .star file, a "
                        "directory with a '" MANIFEST "', or " REMOTE "author/package",
                        argument, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return find_folder(argument, ret_source, err);
    if (S_ISREG(about.st_mode))
        return find_file(argument, ret_source, err);
    return err_fail(err, ERR_INVALID, "'%s' is neither a file nor a directory", argument);
}

void
package_source_done(package_source_t *self)
{
    free(self->path);
    if (self->script.data)
        str_done(&self->script);
}

int
package_read_params(const char *args, const char *args_file, char **ret_params, err_t **err)
{
    AUTO_STR text = STR_EMPTY;
    AUTO_STR json = STR_EMPTY;
    bool use_file = !strcmp(args, "{}") && *args_file;
    bool use_web = str_starts(args_file, "http://") || str_starts(args_file, "https://");
    if (!use_file)
        str_add(&text, args);
    else if ((use_web ? download_text(args_file, PACKAGE_SCRIPT_MAX, &text, err)
                      : file_read_text(args_file, PACKAGE_SCRIPT_MAX, &text, err)) < 0)
        return err_wrap(err, "cannot read the arguments");
    if (starlark_params_to_json(text.data, &json, err) < 0)
        return err_wrap(err, "Error validating args, because it is not a valid JSON or YAML.");
    *ret_params = str_take(&text);
    return 0;
}
