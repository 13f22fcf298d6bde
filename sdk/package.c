/*  package: a local package goes to the API container, and with it every local one that replaces a
 * dependency. */
#include "sdk/contexts.h"

#include "base/file.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#define MANIFEST "kurtosis.yml"
#define MANIFEST_MAX (1024 * 1024)
#define COMPOSE_PACKAGE "github.com/NOTIONAL_USER/USER_UPLOADED_COMPOSE_PACKAGE"

static const char *const compose_files[] = {"compose.yml",        "compose.yaml",
                                            "docker-compose.yml", "docker-compose.yaml",
                                            "docker_compose.yml", "docker_compose.yaml"};

/* *ret_manifest: json_decref. */
static int
read_manifest(const char *path, json_t **ret_manifest, err_t **err)
{
    AUTO_STR text = STR_EMPTY;
    AUTO_STR json = STR_EMPTY;
    if (file_read(path, MANIFEST_MAX, &text, err) < 0)
        return -1;
    if (sdk_yaml_to_json(text.data, text.len, &json, err) < 0)
        return err_wrap(err, "'%s' is no YAML", path);
    json_t *manifest =
        json_loadb(json.data, json.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    const json_t *name = json_object_get(manifest, "name");
    if (!json_string_length(name)) {
        const bool is_other = name && !json_is_null(name) && !json_is_string(name);
        json_decref(manifest);
        return err_fail(err, ERR_INVALID,
                        "Field 'name', which is the Starlark package's name, in '%s' needs to be "
                        "%s; write e.g. 'name: github.com/my-user/my-package'",
                        path, is_other ? "a string" : "set and cannot be empty");
    }
    *ret_manifest = manifest;
    return 0;
}

static int
upload_one(enclave_context_t *self, const char *id, const char *folder, err_t **err)
{
    struct stat about;
    if (stat(folder, &about) < 0)
        return err_fail(err, ERR_NOT_FOUND, "cannot find the package '%s' at '%s': %s", id, folder,
                        strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return err_fail(err, ERR_INVALID, "the package '%s' at '%s' is no directory", id, folder);
    AUTO_MESSAGE ProtobufCMessage *reply = NULL;
    if (sdk_pack_and_upload(self, APIC("UploadStarlarkPackage"), true, folder, id, &reply, err) < 0)
        return err_wrap(err, "cannot upload the package '%s'", id);
    return 0;
}

static int
upload_replaces(enclave_context_t *self, const char *folder, json_t *replaces, err_t **err)
{
    const char *from;
    json_t *to;
    json_object_foreach(replaces, from, to)
    {
        const char *target = json_string_value(to);
        if (!target || (*target != '/' && *target != '.'))
            continue;
        AUTO_FREE char *path =
            *target == '/' ? strdup(target) : str_format("%s/%s", folder, target);
        if (upload_one(self, from, path, err) < 0)
            return err_wrap(err,
                            "An error occurred while uploading the local package '%s' that "
                            "'replace' in '%s/" MANIFEST "' names for '%s'",
                            target, folder, from);
    }
    return 0;
}

/* The first of the Compose files that the folder has; yours, NULL for none. */
static char *
find_compose_file(const char *folder)
{
    for (size_t i = 0; i < ARRAY_LEN(compose_files); i++) {
        AUTO_FREE char *path = str_format("%s/%s", folder, compose_files[i]);
        if (access(path, F_OK) == 0)
            return TAKE(path);
    }
    return NULL;
}

int
kurtosis_package_check(const char *folder, err_t **err)
{
    AUTO_STR names = STR_EMPTY;
    AUTO_FREE char *manifest = str_format("%s/" MANIFEST, folder);
    AUTO_FREE char *compose = find_compose_file(folder);
    if (compose || access(manifest, F_OK) == 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(compose_files); i++)
        str_printf(&names, "%s%s", i ? ", " : "", compose_files[i]);
    err_fail(err, ERR_NOT_FOUND,
             "Neither a '" MANIFEST "' file nor one of the default Compose files (%s) was found in "
             "the package root; at least one of these is required",
             names.data);
    return err_wrap(err, "the directory '%s' is no package", folder);
}

int
sdk_upload_package(enclave_context_t *self, const char *folder, char **ret_id, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/" MANIFEST, folder);
    if (access(path, F_OK) == 0) {
        json_t *manifest = NULL;
        if (read_manifest(path, &manifest, err) < 0)
            return -1;
        AUTO_FREE char *id = strdup(json_string_value(json_object_get(manifest, "name")));
        int result = upload_one(self, id, folder, err);
        if (result == 0)
            result = upload_replaces(self, folder, json_object_get(manifest, "replace"), err);
        json_decref(manifest);
        if (result == 0)
            *ret_id = TAKE(id);
        return result;
    }
    if (kurtosis_package_check(folder, err) < 0 ||
        upload_one(self, COMPOSE_PACKAGE, folder, err) < 0)
        return -1;
    *ret_id = strdup(COMPOSE_PACKAGE);
    return 0;
}
