/*  user: User, Toleration and GpuConfig: what a container runs as, where, and with which devices.
 */
#include "apic/types/object.h"
#include "apic/types/service_config.h"

#include <stdlib.h>
#include <string.h>

enum { USER_UID, USER_GID };
static const types_field_t user_fields[] = {
    {"uid", TYPES_INT, .check = types_check_range, .max = INT64_MAX, .flags = TYPES_REQUIRED},
    {"gid", TYPES_INT, .check = types_check_range, .max = INT64_MAX},
};

enum {
    TOLERATION_KEY,
    TOLERATION_OPERATOR,
    TOLERATION_VALUE,
    TOLERATION_EFFECT,
    TOLERATION_SECONDS
};
static const types_field_t toleration_fields[] = {
    {"key", TYPES_STRING, .check = types_check_text},
    {"operator", TYPES_STRING, .check = types_check_word, .among = "Exists, Equal"},
    {"value", .want = TYPES_STRING},
    {"effect", TYPES_STRING, .check = types_check_word,
     .among = "NoSchedule, NoExecute, PreferNoSchedule"},
    {"toleration_seconds", TYPES_INT, .check = types_check_range, .min = INT64_MIN,
     .max = INT64_MAX},
};

enum { GPU_COUNT, GPU_DEVICES, GPU_SHM, GPU_ULIMITS, GPU_DRIVER };
static const types_field_t gpu_fields[] = {
    {"count", TYPES_INT, .check = types_check_range, .min = INT64_MIN, .max = INT64_MAX},
    {"device_ids", .want = TYPES_LIST},
    {"shm_size", .want = TYPES_INT},
    {"ulimits", .want = TYPES_DICT},
    {"driver", .want = TYPES_ANY},
};

TYPES_DEFINE(types_user, "User", "*service_config.User", user_fields);
TYPES_DEFINE(types_toleration, "Toleration", "*service_config.Toleration", toleration_fields);
TYPES_DEFINE(types_gpu_config, "GpuConfig", "*service_config.GpuConfig", gpu_fields);

int
types_cast_user(star_value_t value, Orchestrator__ServiceSpec *spec, err_t **err)
{
    const star_value_t *values = types_values(value, &types_user);
    int64_t number = 0;
    if (!values)
        return err_fail(err, ERR_INVALID, "'user' is expected to be a User. Got %s",
                        types_go_name(value));
    spec->user = malloc(sizeof(*spec->user));
    orchestrator__service_user__init(spec->user);
    star_get_int(values[USER_UID], &number);
    spec->user->uid = (uint64_t)number;
    if (star_ok(values[USER_GID])) {
        star_get_int(values[USER_GID], &number);
        spec->user->gid = (uint64_t)number;
        spec->user->has_gid = true;
    }
    return 0;
}

static int
check_toleration(const star_value_t *values, err_t **err)
{
    const bool exists =
        star_ok(values[TOLERATION_OPERATOR]) && star_is_text(values[TOLERATION_OPERATOR], "Exists");
    if (!star_ok(values[TOLERATION_KEY]) && !exists)
        return err_fail(err, ERR_INVALID,
                        "'Toleration' expects either 'key' to be set or for 'operator' to be "
                        "'Exists'");
    if (exists && star_ok(values[TOLERATION_VALUE]) && star_length(values[TOLERATION_VALUE]) > 0)
        return err_fail(err, ERR_INVALID,
                        "'Toleration' cannot have non empty value '%s' for 'value' if 'operator' "
                        "is 'Exists'",
                        star_get_text(values[TOLERATION_VALUE], NULL));
    return 0;
}

int
types_check_tolerations(star_value_t list, err_t **err)
{
    star_value_t item;
    for (size_t i = 0; star_ok(list) && star_ok(item = star_at(list, i)); i++) {
        const star_value_t *values = types_values(item, &types_toleration);
        if (!values)
            return err_fail(err, ERR_INVALID,
                            "Expected item at index '%zu' of the tolerations list passed via "
                            "'tolerations' attr to be a 'Toleration' but it wasn't",
                            i);
        if (check_toleration(values, err) < 0)
            return err_wrap(err,
                            "Error occurred while converting object at '%zu' of 'tolerations' list "
                            "to internal type",
                            i);
    }
    return 0;
}

static int
cast_ulimits(star_value_t value, Orchestrator__ServiceSpec *spec, err_t **err)
{
    const size_t count = (size_t)star_length(value);
    star_value_t key, item;
    int64_t number;
    spec->ulimits = calloc(count ? count : 1, sizeof(*spec->ulimits));
    for (size_t cursor = 0; star_dict_next(value, &cursor, &key, &item);) {
        if (star_kind(key) != STAR_STRING)
            return err_fail(err, ERR_INVALID, "Expected string key in 'ulimits' dict, got '%s'",
                            types_go_name(key));
        if (!star_get_int(item, &number))
            return err_fail(err, ERR_INVALID,
                            "Expected int value in 'ulimits' dict for key '%s', got '%s'",
                            star_get_text(key, NULL), types_go_name(item));
        Orchestrator__Ulimit *limit = malloc(sizeof(*limit));
        orchestrator__ulimit__init(limit);
        spec->ulimits[spec->n_ulimits++] = limit;
        if (types_cast_text(key, "ulimits", &limit->name, err) < 0)
            return -1;
        limit->value = number;
    }
    return 0;
}

/* The driver for Docker: the string itself, the dict's "docker", or nvidia. */
static int
cast_driver(star_value_t value, char **ret, err_t **err)
{
    static const char *const backends[] = {"docker", "kubernetes"};
    star_value_t key, item;
    *ret = strdup("nvidia");
    if (!star_ok(value))
        return 0;
    if (star_kind(value) == STAR_STRING) {
        free(*ret);
        *ret = NULL;
        return star_length(value) == 0
                   ? err_fail(err, ERR_INVALID, "Field 'driver' string shorthand cannot be empty")
                   : types_cast_text(value, "driver", ret, err);
    }
    if (star_kind(value) != STAR_DICT)
        return err_fail(err, ERR_INVALID,
                        "Field 'driver' must be a string or a dict with 'docker'/'kubernetes' "
                        "keys, got '%s'",
                        types_go_name(value));
    for (size_t cursor = 0; star_dict_next(value, &cursor, &key, &item);)
        for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
            if (!star_is_text(key, backends[i]))
                continue;
            if (star_kind(item) != STAR_STRING || star_length(item) == 0)
                return err_fail(err, ERR_INVALID,
                                "Key '%s' in field 'driver' must be a non-empty string",
                                backends[i]);
            if (i == 0) {
                free(*ret);
                *ret = NULL;
                if (types_cast_text(item, "driver", ret, err) < 0)
                    return -1;
            }
        }
    return 0;
}

int
types_cast_gpu(star_t *star, star_value_t value, Orchestrator__ServiceSpec *spec, err_t **err)
{
    const star_value_t *values = types_values(value, &types_gpu_config);
    AUTO_FREE char *driver = NULL;
    char **devices = NULL;
    int64_t count = 0;
    if (!values)
        return err_fail(err, ERR_INVALID, "'gpu' is expected to be a GpuConfig. Got %s",
                        types_go_name(value));
    if (star_ok(values[GPU_COUNT]))
        star_get_int(values[GPU_COUNT], &count);
    if (types_cast_texts(star, values[GPU_DEVICES], "device_ids", &devices, NULL) < 0)
        return err_fail(err, ERR_INVALID,
                        "An error occurred parsing field 'device_ids': all elements must be "
                        "strings");
    if (count || devices[0]) {
        spec->gpu = malloc(sizeof(*spec->gpu));
        orchestrator__gpu_request__init(spec->gpu);
        spec->gpu->count = count;
        while (devices[spec->gpu->n_device_ids])
            spec->gpu->n_device_ids++;
        spec->gpu->device_ids = devices;
    } else {
        types_texts_free(devices);
    }
    if (star_ok(values[GPU_SHM]) && !types_get_uint(star, values[GPU_SHM], &spec->shm_megabytes)) {
        AUTO_FREE char *text = types_text(star, values[GPU_SHM]);
        return err_fail(err, ERR_INVALID,
                        "An error occurred parsing field 'shm_size' with value '%s' to uint64",
                        text);
    }
    if (star_ok(values[GPU_ULIMITS]) && cast_ulimits(values[GPU_ULIMITS], spec, err) < 0)
        return -1;
    if (cast_driver(values[GPU_DRIVER], &driver, err) < 0)
        return -1;
    if (spec->gpu)
        spec->gpu->driver = TAKE(driver);
    return 0;
}
