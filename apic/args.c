/*  args: see args.h. */
#include "apic/args.h"

#include "base/uuid.h"

#include <jansson.h>
#include <string.h>
#include <zmq.h>

typedef char *(get_fn)(const char *name);

static int read_variables(get_fn *get, args_t *self, err_t **err);
static int read_keys(get_fn *get, args_t *self, err_t **err);
static int read_json(get_fn *get, args_t *self, err_t **err);

int
args_read(char *(*get)(const char *name), args_t *ret_args, err_t **err)
{
    args_t self = {.log_level = LOG_INFO};
    if (read_json(get, &self, err) < 0 || read_variables(get, &self, err) < 0 ||
        read_keys(get, &self, err) < 0) {
        args_done(&self);
        return -1;
    }
    *ret_args = self;
    return 0;
}

void
args_done(args_t *self)
{
    char *texts[] = {self->enclave_uuid,  self->enclave_name, self->enclave_env, self->data_folder,
                     self->backend_kind,  self->driver,       self->own_ip,      self->subnet,
                     self->gateway,       self->endpoint,     self->git_mirrors, self->github_token,
                     self->package_cache, self->git_ca};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    bus_keys_wipe(&self->keys);
    *self = (args_t){0};
}

/* The variable's value, or an error that says what it is for. */
static int
require(get_fn *get, const char *name, const char *what, const char **ret_value, err_t **err)
{
    *ret_value = get(name);
    if (!*ret_value || !**ret_value)
        return err_fail(err, ERR_INVALID, "the environment variable %s is not set: it is %s", name,
                        what);
    return 0;
}

static int
read_variables(get_fn *get, args_t *self, err_t **err)
{
    const struct {
        const char *name, *what;
        char **value;
    } table[] = {
        {"OWN_IP_ADDRESS", "this container's address in the enclave's network", &self->own_ip},
        {"KURTOSIS_SUBNET", "the enclave's network, e.g. '172.16.0.0/22'", &self->subnet},
        {"KURTOSIS_GATEWAY", "the gateway of the enclave's network", &self->gateway},
        {"KURTOSIS_BUS_ENDPOINT", "the bus to join, e.g. 'ipc:///run/kurtosis/bus/broker'",
         &self->endpoint},
    };
    const char *value;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (require(get, table[i].name, table[i].what, &value, err) < 0)
            return -1;
        *table[i].value = strdup(value);
    }
    value = get("KURTOSIS_DRIVER");
    self->driver = value && *value ? strdup(value) : str_format("driver/%s", self->backend_kind);
    value = get("KURTOSIS_GIT_MIRROR");
    self->git_mirrors = strdup(value ? value : "");
    value = get("KURTOSIS_GIT_CA_PEM");
    self->git_ca = strdup(value ? value : "");
    value = get("KURTOSIS_GITHUB_TOKEN");
    self->github_token = strdup(value ? value : "");
    value = get("KURTOSIS_PACKAGE_CACHE");
    self->package_cache = strdup(value ? value : "");
    value = get("KURTOSIS_ENCLAVE_NAME");
    self->enclave_name =
        value && *value ? strdup(value) : strndup(self->enclave_uuid, UUID_SHORT_LEN);
    return 0;
}

static int
read_keys(get_fn *get, args_t *self, err_t **err)
{
    const char *broker, *secret;
    char public_key[BUS_KEY_TEXT_SIZE];
    if (require(get, "KURTOSIS_BUS_BROKER_KEY", "the public key of the bus' broker", &broker, err) <
            0 ||
        require(get, "KURTOSIS_BUS_SECRET", "this container's own secret key", &secret, err) < 0)
        return -1;
    if (bus_key_from_text(broker, self->broker_key, err) < 0)
        return err_wrap(err, "the environment variable KURTOSIS_BUS_BROKER_KEY is wrong");
    if (bus_key_from_text(secret, self->keys.secret_key, err) < 0)
        return err_wrap(err, "the environment variable KURTOSIS_BUS_SECRET is wrong");
    if (zmq_curve_public(public_key, secret) < 0)
        return err_fail(err, ERR_INVALID,
                        "the environment variable KURTOSIS_BUS_SECRET is no secret key");
    return bus_key_from_text(public_key, self->keys.public_key, err);
}

/* ----------------------------------------------------------------------------------------- JSON */

/* A string of the object; otherwise (NULL: it must be there) when it is not there. */
static int
text_of(const json_t *object, const char *key, const char *otherwise, char **ret_text, err_t **err)
{
    const json_t *value = json_object_get(object, key);
    if (value && !json_is_string(value))
        return err_fail(err, ERR_INVALID, "'%s' is not a string", key);
    const char *text = value ? json_string_value(value) : otherwise;
    if (!text)
        return err_fail(err, ERR_INVALID, "'%s' is not there", key);
    *ret_text = strdup(text);
    return 0;
}

static int
take_json(const json_t *object, args_t *self, err_t **err)
{
    AUTO_FREE char *level = NULL;
    if (text_of(object, "enclaveUuid", NULL, &self->enclave_uuid, err) < 0 ||
        text_of(object, "enclaveDataVolume", "/kurtosis-data", &self->data_folder, err) < 0 ||
        text_of(object, "kurtosisBackendType", "docker", &self->backend_kind, err) < 0 ||
        text_of(object, "enclaveEnvVars", "", &self->enclave_env, err) < 0 ||
        text_of(object, "logLevel", "info", &level, err) < 0)
        return -1;
    if (!uuid_is(self->enclave_uuid))
        return err_fail(err, ERR_INVALID,
                        "'enclaveUuid' is '%s', which is not a UUID of %d hex digits",
                        self->enclave_uuid, UUID_LEN);
    if (self->data_folder[0] != '/')
        return err_fail(err, ERR_INVALID,
                        "'enclaveDataVolume' is '%s', which is not an absolute path",
                        self->data_folder);
    if (log_level_parse(level, &self->log_level) < 0)
        return err_fail(err, ERR_INVALID, "'logLevel' is '%s', which is not a log level", level);
    const json_t *production = json_object_get(object, "isProductionEnclave");
    if (production && !json_is_boolean(production))
        return err_fail(err, ERR_INVALID, "'isProductionEnclave' is neither true nor false");
    self->is_production = json_is_true(production);
    return 0;
}

static int
read_json(get_fn *get, args_t *self, err_t **err)
{
    const char *text;
    if (require(get, "SERIALIZED_ARGS", "a JSON object with this container's arguments", &text,
                err) < 0)
        return -1;
    size_t size = strlen(text);
    if (size > ARGS_JSON_MAX)
        return err_fail(err, ERR_LIMIT,
                        "the environment variable SERIALIZED_ARGS has %zu bytes, %u are allowed",
                        size, ARGS_JSON_MAX);
    json_error_t why;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    int rc = object ? 0
                    : err_fail(err, ERR_INVALID, "it is not JSON: line %d, column %d: %s", why.line,
                               why.column, why.text);
    if (rc == 0 && !json_is_object(object))
        rc = err_fail(err, ERR_INVALID, "it is not a JSON object");
    if (rc == 0)
        rc = take_json(object, self, err);
    json_decref(object);
    return rc < 0 ? err_wrap(err, "the environment variable SERIALIZED_ARGS is wrong") : 0;
}
