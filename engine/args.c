/*  args: the engine's arguments, one JSON object; see engine.h. */
#include "engine/engine.h"

#include "base/duration.h"
#include "logs/logs.h"

#include <jansson.h>
#include <string.h>

/* Fields that must be text and not blank, where the object has them or not. */
static const struct {
    const char *name;
    size_t offset;
} required[] = {
    {"logLevelStr", offsetof(engine_args_t, log_level)},
    {"imageVersionTag", offsetof(engine_args_t, version)},
};

/* Fields that may be blank, unlike every other text. */
static const char *const may_be_blank[] = {"cloud_user_id", "cloud_instance_id", "domain"};

static bool
is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static bool
blank_allowed(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(may_be_blank); i++)
        if (!strcmp(name, may_be_blank[i]))
            return true;
    return false;
}

static int
read_fields(const json_t *object, engine_args_t *self, err_t **err)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        if (json_is_string(value) && is_blank(json_string_value(value)) && !blank_allowed(name))
            return err_fail(err, ERR_INVALID, "the engine's argument '%s' is blank", name);
    }
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        value = json_object_get(object, required[i].name);
        if (!json_is_string(value))
            return err_fail(err, ERR_INVALID, "the engine's arguments have no text '%s'",
                            required[i].name);
        *(char **)((char *)self + required[i].offset) = strdup(json_string_value(value));
    }
    return 0;
}

static int
read_sinks(const json_t *list, engine_args_t *self, err_t **err)
{
    size_t i;
    json_t *url;
    if (!list || json_array_size(list) == 0)
        return 0;
    self->logs_sinks = calloc(json_array_size(list) + 1, sizeof *self->logs_sinks);
    if (!self->logs_sinks)
        abort();
    json_array_foreach(list, i, url)
    {
        if (!json_is_string(url) || logs_sink_check(json_string_value(url), err) < 0)
            return err_link(err, ERR_INVALID,
                            "the engine's argument 'logSinks' is no list of log sinks");
        self->logs_sinks[i] = strdup(json_string_value(url));
    }
    return 0;
}

/* What may be said of the log store. */
static int
read_logs(const json_t *object, engine_args_t *self, err_t **err)
{
    const json_t *period = json_object_get(object, "logRetentionPeriod"),
                 *quota = json_object_get(object, "logQuotaBytes");
    if (period && (!json_is_string(period) ||
                   duration_parse(json_string_value(period), &self->logs_retention_ns, err) < 0 ||
                   self->logs_retention_ns <= 0)) {
        if (err)
            err_destroy(err);
        return err_fail(
            err, ERR_INVALID,
            "the engine's argument 'logRetentionPeriod' is no length of time, e.g. 168h");
    }
    if (quota && (!json_is_integer(quota) || json_integer_value(quota) < 0))
        return err_fail(err, ERR_INVALID,
                        "the engine's argument 'logQuotaBytes' is no number of bytes");
    self->logs_quota = (uint64_t)json_integer_value(quota);
    return read_sinks(json_object_get(object, "logSinks"), self, err);
}

int
engine_args_parse(const char *json, engine_args_t **ret_args, err_t **err)
{
    json_error_t why;
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(object)) {
        json_decref(object);
        return err_fail(err, ERR_INVALID, "the engine's arguments are no JSON object: %s",
                        object ? "something else" : why.text);
    }
    AUTO(engine_args) self = calloc(1, sizeof *self);
    if (!self)
        abort();
    int result = read_fields(object, self, err);
    if (result == 0)
        result = read_logs(object, self, err);
    json_decref(object);
    if (result == 0)
        *ret_args = TAKE(self);
    return result;
}

void
engine_args_destroy(engine_args_t **self_p)
{
    engine_args_t *self = TAKE(*self_p);
    if (!self)
        return;
    for (size_t i = 0; i < ARRAY_LEN(required); i++)
        free(*(char **)((char *)self + required[i].offset));
    for (size_t i = 0; self->logs_sinks && self->logs_sinks[i]; i++)
        free(self->logs_sinks[i]);
    free(self->logs_sinks);
    free(self);
}
