/*  directory: Directory and StoreSpec: files that go into containers, and come out of them. */
#include "apic/types/object.h"
#include "apic/types/service_config.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MEGABYTES 1024

enum { DIRECTORY_ARTIFACTS, DIRECTORY_KEY, DIRECTORY_SIZE };
static const types_field_t directory_fields[] = {
    {"artifact_names", TYPES_LIST, .check = types_check_texts},
    {"persistent_key", TYPES_STRING, .check = types_check_text, .about = "artifact_names"},
    {"size", TYPES_INT, .check = types_check_range, .min = 1, .max = INT64_MAX},
};

enum { STORE_SRC, STORE_NAME };
static const types_field_t store_fields[] = {
    {"src", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED, .about = "name"},
    {"name", TYPES_STRING, .check = types_check_text},
};

TYPES_DEFINE(types_directory, "Directory", "*directory.Directory", directory_fields);
TYPES_DEFINE(types_store_spec, "StoreSpec", "*store_spec.StoreSpec", store_fields);

static int
cast_directory(star_t *star, star_value_t value, const char *path, types_directory_fn *directory,
               void *arg, err_t **err)
{
    const star_value_t *values = types_values(value, &types_directory);
    char **artifacts = NULL, *key = NULL;
    uint64_t megabytes = DEFAULT_MEGABYTES;

    if (star_kind(value) == STAR_STRING) {
        artifacts = calloc(2, sizeof(*artifacts));
        if (types_cast_text(value, path, &artifacts[0], err) < 0) {
            free(artifacts);
            return -1;
        }
        return directory(arg, path, artifacts, NULL, 0, err);
    }
    if (star_ok(values[DIRECTORY_ARTIFACTS]) == star_ok(values[DIRECTORY_KEY])) {
        AUTO_FREE char *text = types_text(star, value);
        return err_fail(err, ERR_INVALID,
                        "Parameter 'artifact_names' and 'persistent_key' cannot be set on the same "
                        "'Directory' object: '%s'",
                        text);
    }
    if (star_ok(values[DIRECTORY_SIZE]))
        types_get_uint(star, values[DIRECTORY_SIZE], &megabytes);
    if (star_ok(values[DIRECTORY_KEY]))
        return types_cast_text(values[DIRECTORY_KEY], "persistent_key", &key, err) < 0
                   ? -1
                   : directory(arg, path, NULL, key, megabytes, err);
    if (types_cast_texts(star, values[DIRECTORY_ARTIFACTS], "artifact_names", &artifacts, err) < 0)
        return -1;
    return directory(arg, path, artifacts, NULL, 0, err);
}

int
types_cast_files(star_t *star, star_value_t value, types_directory_fn *directory, void *arg,
                 err_t **err)
{
    if (star_kind(value) != STAR_DICT)
        return err_fail(err, ERR_INVALID, "'files' argument is expected to be a dict. Got %s",
                        types_go_name(value));
    star_value_t key, item;
    for (size_t cursor = 0; star_dict_next(value, &cursor, &key, &item);) {
        const bool fits = star_kind(item) == STAR_STRING || types_values(item, &types_directory);
        if (star_kind(key) != STAR_STRING || !fits) {
            AUTO_FREE char *text = types_text(star, value);
            return err_fail(err, ERR_INVALID,
                            "Unable to convert %s of 'files' dictionary '%s' to %s",
                            fits ? "key" : "value", text, fits ? "string" : "a Directory object");
        }
        AUTO_FREE char *path = NULL;
        if (types_cast_text(key, "files", &path, err) < 0 ||
            cast_directory(star, item, path, directory, arg, err) < 0)
            return -1;
    }
    return 0;
}

int
types_cast_store(star_value_t value, char **ret_src, char **ret_name, err_t **err)
{
    const star_value_t *values = types_values(value, &types_store_spec);
    AUTO_FREE char *src = NULL;
    *ret_name = NULL;
    if (values) {
        if (types_cast_text(values[STORE_SRC], "src", &src, err) < 0 ||
            types_cast_field(&store_fields[STORE_NAME], values[STORE_NAME], ret_name, err) < 0)
            return -1;
    } else if (star_kind(value) == STAR_STRING) {
        if (types_cast_text(value, "src", &src, err) < 0)
            return -1;
    } else {
        return err_fail(err, ERR_INVALID, "'%s' is no StoreSpec", types_go_name(value));
    }
    *ret_src = TAKE(src);
    return 0;
}
