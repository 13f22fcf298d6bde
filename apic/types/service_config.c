/*  service_config: ServiceConfig: its table, and its way into what a driver is told. */
#include "apic/types/service_config.h"

#include "apic/types/object.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_MIN 6 /* megabytes; less does not start */

enum {
    CONFIG_IMAGE,
    CONFIG_PORTS,
    CONFIG_PUBLIC_PORTS,
    CONFIG_FILES,
    CONFIG_ENTRYPOINT,
    CONFIG_CMD,
    CONFIG_ENV,
    CONFIG_PLACEHOLDER,
    CONFIG_CPU_ALLOCATION,
    CONFIG_MEMORY_ALLOCATION,
    CONFIG_MAX_CPU,
    CONFIG_MIN_CPU,
    CONFIG_MAX_MEMORY,
    CONFIG_MIN_MEMORY,
    CONFIG_READY,
    CONFIG_LABELS,
    CONFIG_USER,
    CONFIG_TOLERATIONS,
    CONFIG_NODE_SELECTORS,
    CONFIG_MOVES,
    CONFIG_TINI,
    CONFIG_TTY,
    CONFIG_DEVICES,
    CONFIG_PUBLISH_UDP,
    CONFIG_CAPABILITIES,
    CONFIG_GPU,
    CONFIG_PRIVILEGED,
    CONFIG_HOST_PID,
    CONFIG_BIND_MOUNTS,
    CONFIG_FIELDS
};

static const types_field_t fields[CONFIG_FIELDS] = {
    [CONFIG_IMAGE] = {"image", TYPES_ANY, .flags = TYPES_REQUIRED},
    [CONFIG_PORTS] = {"ports", .want = TYPES_DICT},
    [CONFIG_PUBLIC_PORTS] = {"public_ports", .want = TYPES_DICT},
    [CONFIG_FILES] = {"files", .want = TYPES_DICT},
    [CONFIG_ENTRYPOINT] = {"entrypoint", .want = TYPES_LIST},
    [CONFIG_CMD] = {"cmd", .want = TYPES_LIST},
    [CONFIG_ENV] = {"env_vars", .want = TYPES_DICT},
    [CONFIG_PLACEHOLDER] = {"private_ip_address_placeholder", TYPES_STRING,
                            .check = types_check_text, .fallback = TYPES_IP_PLACEHOLDER},
    [CONFIG_CPU_ALLOCATION] =
        {"cpu_allocation", TYPES_INT, .check = types_check_range, .max = INT64_MAX,
         .deprecated = "25/6/2023. This field is being deprecated in favour of `max_cpu` to set a "
                       "maximum cpu a container can use"},
    [CONFIG_MEMORY_ALLOCATION] =
        {"memory_allocation", TYPES_INT, .check = types_check_range, .min = MEMORY_MIN,
         .max = UINT64_MAX,
         .deprecated = "25/6/2023. This field is being deprecated in favour of `max_memory` to set "
                       "maximum memory a container can use"},
    [CONFIG_MAX_CPU] = {"max_cpu", TYPES_INT, .check = types_check_range, .max = INT64_MAX,
                        .about = "cpu_allocation"},
    [CONFIG_MIN_CPU] = {"min_cpu", .want = TYPES_INT},
    [CONFIG_MAX_MEMORY] = {"max_memory", TYPES_INT, .check = types_check_range, .min = MEMORY_MIN,
                           .max = UINT64_MAX, .about = "memory_allocation"},
    [CONFIG_MIN_MEMORY] = {"min_memory", .want = TYPES_INT},
    [CONFIG_READY] = {"ready_conditions", TYPES_ANY, .type = &types_ready_condition},
    [CONFIG_LABELS] = {"labels", TYPES_DICT, .check = types_check_labels},
    [CONFIG_USER] = {"user", TYPES_ANY, .type = &types_user},
    [CONFIG_TOLERATIONS] = {"tolerations", .want = TYPES_LIST},
    [CONFIG_NODE_SELECTORS] = {"node_selectors", TYPES_DICT, .check = types_check_pairs},
    [CONFIG_MOVES] = {"files_to_be_moved", TYPES_DICT, .check = types_check_pairs},
    [CONFIG_TINI] = {"tini_enabled", .want = TYPES_BOOL},
    [CONFIG_TTY] = {"tty_enabled", .want = TYPES_BOOL},
    [CONFIG_DEVICES] = {"devices", .want = TYPES_LIST},
    [CONFIG_PUBLISH_UDP] = {"publish_udp", .want = TYPES_BOOL},
    [CONFIG_CAPABILITIES] = {"capabilities", .want = TYPES_LIST},
    [CONFIG_GPU] = {"gpu", TYPES_ANY, .type = &types_gpu_config},
    [CONFIG_PRIVILEGED] = {"privileged", .want = TYPES_BOOL},
    [CONFIG_HOST_PID] = {"host_pid_namespace", .want = TYPES_BOOL},
    [CONFIG_BIND_MOUNTS] = {"bind_mounts", .want = TYPES_DICT},
};

TYPES_DEFINE(types_service_config, "ServiceConfig", "*service_config.ServiceConfig", fields);

/* One conversion under way. */
typedef struct {
    star_t *star;
    const star_value_t *values;
    types_service_config_t *config;
    Orchestrator__ServiceSpec *spec;
    err_t **err;
} cast_t;

typedef int step_fn(cast_t *cast);
static step_fn cast_ports, cast_public_ports, cast_files, cast_command, cast_resources, cast_labels,
    cast_user, cast_placement, cast_moves, cast_flags, cast_lists, cast_bind_mounts, cast_gpu,
    cast_ready;

/* In the order in which Kurtosis looks at the fields; the image comes before. */
static step_fn *const steps[] = {
    cast_ports,  cast_public_ports, cast_files,     cast_command, cast_resources,
    cast_labels, cast_user,         cast_placement, cast_moves,   cast_flags,
    cast_lists,  cast_bind_mounts,  cast_gpu,       cast_ready,
};

int
types_cast_service_config(star_t *star, star_value_t value, const types_places_t *places,
                          types_service_config_t **ret, err_t **err)
{
    const star_value_t *values = types_values(value, &types_service_config);
    if (!values)
        return err_fail(err, ERR_INVALID, "a ServiceConfig is expected. Got %s",
                        types_go_name(value));
    AUTO(types_service_config) self = calloc(1, sizeof(*self));
    self->core = core_service_config_new();
    if (types_cast_image(star, values[CONFIG_IMAGE], places, &self->image, err) < 0)
        return -1;
    self->core->spec->image = strdup(self->image.name);
    cast_t cast = {star, values, self, self->core->spec, err};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (steps[i](&cast) < 0)
            return -1;
    *ret = TAKE(self);
    return 0;
}

void
types_service_config_destroy(types_service_config_t **self_p)
{
    types_service_config_t *self = *self_p;
    if (!self)
        return;
    core_service_config_destroy(&self->core);
    types_image_done(&self->image);
    for (size_t i = 0; i < self->n_ports; i++)
        types_port_done(&self->ports[i]);
    free(self->ports);
    types_condition_destroy(&self->ready);
    free(self);
    *self_p = NULL;
}

int
types_check_host(const Orchestrator__ServiceSpec *spec, bool *ret_needs, err_t **err)
{
    for (size_t i = 0; i < spec->n_bind_mounts; i++)
        if (strcmp(spec->bind_mounts[i]->name, TYPES_DOCKER_SOCKET) != 0)
            return err_fail(err, ERR_DENIED,
                            "'bind_mounts' host path \"%s\" is not permitted; only the following "
                            "host paths are allowed: [" TYPES_DOCKER_SOCKET "]",
                            spec->bind_mounts[i]->name);
    *ret_needs = spec->privileged || spec->host_pid_namespace || spec->n_bind_mounts > 0;
    return 0;
}

void
types_pairs_move(types_pairs_t *pairs, Orchestrator__Pair ***ret, size_t *ret_count)
{
    *ret = calloc(pairs->count ? pairs->count : 1, sizeof(**ret));
    *ret_count = pairs->count;
    for (size_t i = 0; i < pairs->count; i++) {
        Orchestrator__Pair *pair = malloc(sizeof(*pair));
        orchestrator__pair__init(pair);
        pair->name = TAKE(pairs->items[i].name);
        pair->value = TAKE(pairs->items[i].value);
        (*ret)[i] = pair;
    }
    types_pairs_done(pairs);
}

/* The dict of ports of one field as an array; what is made so far stays in *ret on failure. */
static int
ports_of(cast_t *cast, int field, types_port_t **ret, size_t *ret_count)
{
    star_value_t dict = cast->values[field], key, item;
    if (!star_ok(dict))
        return 0;
    const size_t count = (size_t)star_length(dict);
    *ret = calloc(count ? count : 1, sizeof(**ret));
    for (size_t cursor = 0; star_dict_next(dict, &cursor, &key, &item);) {
        const bool is_port = types_values(item, &types_port_spec);
        if (star_kind(key) != STAR_STRING || !is_port) {
            AUTO_FREE char *text = types_text(cast->star, dict);
            return err_fail(cast->err, ERR_INVALID,
                            "Unable to convert %s of '%s' dictionary '%s' to %s",
                            star_kind(key) != STAR_STRING ? "key" : "value", fields[field].name,
                            text, star_kind(key) != STAR_STRING ? "string" : "a port object");
        }
        AUTO_FREE char *id = NULL;
        if (types_cast_text(key, fields[field].name, &id, cast->err) < 0 ||
            types_cast_port(cast->star, item, id, &(*ret)[*ret_count], cast->err) < 0)
            return -1;
        ++*ret_count;
    }
    return 0;
}

static int
cast_ports(cast_t *cast)
{
    types_service_config_t *config = cast->config;
    /* published unless the script says that it is not to be */
    const bool publish_udp = types_get_bool(cast->values[CONFIG_PUBLISH_UDP], true);
    if (ports_of(cast, CONFIG_PORTS, &config->ports, &config->n_ports) < 0)
        return -1;
    cast->spec->ports = calloc(config->n_ports ? config->n_ports : 1, sizeof(*cast->spec->ports));
    config->core->waits =
        calloc(config->n_ports ? config->n_ports : 1, sizeof(*config->core->waits));
    for (size_t i = 0; i < config->n_ports; i++) {
        const types_port_t *from = &config->ports[i];
        Orchestrator__ServicePort *port = malloc(sizeof(*port));
        orchestrator__service_port__init(port);
        port->id = strdup(from->id);
        port->number = from->number;
        port->transport = from->transport;
        port->application_protocol = strdup(from->application_protocol);
        port->publish = publish_udp || from->transport != ORCHESTRATOR__TRANSPORT__UDP;
        cast->spec->ports[cast->spec->n_ports++] = port;
        config->core->waits[config->core->n_waits++] =
            (core_port_wait_t){strdup(from->id), from->wait_ns};
    }
    return 0;
}

static int
cast_public_ports(cast_t *cast)
{
    types_port_t *ports = NULL;
    size_t count = 0;
    int rc = ports_of(cast, CONFIG_PUBLIC_PORTS, &ports, &count);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        size_t k = 0;
        while (k < cast->spec->n_ports && strcmp(cast->spec->ports[k]->id, ports[i].id) != 0)
            k++;
        if (k == cast->spec->n_ports) {
            rc = err_fail(cast->err, ERR_INVALID,
                          "'public_ports' has the port '%s', which 'ports' has not", ports[i].id);
        } else {
            cast->spec->ports[k]->public_number = ports[i].number;
            cast->spec->ports[k]->publish = true;
        }
    }
    for (size_t i = 0; i < count; i++)
        types_port_done(&ports[i]);
    free(ports);
    return rc;
}

/* Takes artifacts and key. */
static int
add_directory(void *arg, const char *path, char **artifacts, char *key, uint64_t megabytes,
              err_t **err)
{
    cast_t *cast = arg;
    Orchestrator__ServiceSpec *spec = cast->spec;
    (void)err;
    if (artifacts) {
        core_service_config_t *core = cast->config->core;
        core->files = realloc(core->files, (core->n_files + 1) * sizeof(*core->files));
        core->files[core->n_files++] = (core_files_t){strdup(path), artifacts};
        return 0;
    }
    spec->persistent =
        realloc(spec->persistent, (spec->n_persistent + 1) * sizeof(*spec->persistent));
    Orchestrator__PersistentMount *mount = malloc(sizeof(*mount));
    orchestrator__persistent_mount__init(mount);
    mount->path = strdup(path);
    mount->key = key;
    mount->size_megabytes = megabytes;
    spec->persistent[spec->n_persistent++] = mount;
    return 0;
}

static int
cast_files(cast_t *cast)
{
    star_value_t files = cast->values[CONFIG_FILES];
    return star_ok(files) ? types_cast_files(cast->star, files, add_directory, cast, cast->err) : 0;
}

/* A list of texts as a repeated field. */
static int
cast_list(cast_t *cast, int field, char ***ret, size_t *ret_count)
{
    if (types_cast_texts(cast->star, cast->values[field], fields[field].name, ret, cast->err) < 0)
        return -1;
    while ((*ret)[*ret_count])
        ++*ret_count;
    return 0;
}

static int
cast_pairs(cast_t *cast, int field, Orchestrator__Pair ***ret, size_t *ret_count)
{
    types_pairs_t pairs;
    if (types_cast_pairs(cast->star, cast->values[field], fields[field].name, &pairs, cast->err) <
        0)
        return -1;
    types_pairs_move(&pairs, ret, ret_count);
    return 0;
}

static int
cast_command(cast_t *cast)
{
    Orchestrator__ServiceSpec *spec = cast->spec;
    if (cast_list(cast, CONFIG_ENTRYPOINT, &spec->entrypoint, &spec->n_entrypoint) < 0 ||
        cast_list(cast, CONFIG_CMD, &spec->cmd, &spec->n_cmd) < 0 ||
        cast_pairs(cast, CONFIG_ENV, &spec->env, &spec->n_env) < 0)
        return -1;
    return types_cast_field(&fields[CONFIG_PLACEHOLDER], cast->values[CONFIG_PLACEHOLDER],
                            &spec->ip_address_placeholder, cast->err);
}

/* The first of the two that was given; 0 when none was. */
static int
cast_number(cast_t *cast, int field, int older, uint64_t *ret)
{
    const int which = star_ok(cast->values[field]) || older < 0 ? field : older;
    star_value_t value = cast->values[which];
    if (!star_ok(value) || types_get_uint(cast->star, value, ret))
        return 0;
    AUTO_FREE char *text = types_text(cast->star, value);
    return err_fail(cast->err, ERR_INVALID,
                    "An error occurred parsing field '%s' with value '%s' to uint64",
                    fields[which].name, text);
}

static int
cast_resources(cast_t *cast)
{
    if (cast_number(cast, CONFIG_MAX_CPU, CONFIG_CPU_ALLOCATION, &cast->spec->max_millicpus) < 0 ||
        cast_number(cast, CONFIG_MIN_CPU, -1, &cast->spec->min_millicpus) < 0 ||
        cast_number(cast, CONFIG_MAX_MEMORY, CONFIG_MEMORY_ALLOCATION,
                    &cast->spec->max_memory_megabytes) < 0)
        return -1;
    return cast_number(cast, CONFIG_MIN_MEMORY, -1, &cast->spec->min_memory_megabytes);
}

static int
cast_labels(cast_t *cast)
{
    return cast_pairs(cast, CONFIG_LABELS, &cast->spec->labels, &cast->spec->n_labels);
}

static int
cast_user(cast_t *cast)
{
    star_value_t user = cast->values[CONFIG_USER];
    return star_ok(user) ? types_cast_user(user, cast->spec, cast->err) : 0;
}

/* Where a cluster may put it. */
static int
cast_placement(cast_t *cast)
{
    return types_check_tolerations(cast->values[CONFIG_TOLERATIONS], cast->err);
}

static int
cast_moves(cast_t *cast)
{
    return cast_pairs(cast, CONFIG_MOVES, &cast->spec->files_to_be_moved,
                      &cast->spec->n_files_to_be_moved);
}

static int
cast_flags(cast_t *cast)
{
    cast->spec->tini_enabled = types_get_bool(cast->values[CONFIG_TINI], true);
    cast->spec->tty_enabled = types_get_bool(cast->values[CONFIG_TTY], false);
    cast->spec->privileged = types_get_bool(cast->values[CONFIG_PRIVILEGED], false);
    cast->spec->host_pid_namespace = types_get_bool(cast->values[CONFIG_HOST_PID], false);
    return 0;
}

static int
cast_lists(cast_t *cast)
{
    Orchestrator__ServiceSpec *spec = cast->spec;
    return cast_list(cast, CONFIG_DEVICES, &spec->devices, &spec->n_devices) < 0
               ? -1
               : cast_list(cast, CONFIG_CAPABILITIES, &spec->capabilities, &spec->n_capabilities);
}

static int
cast_bind_mounts(cast_t *cast)
{
    Orchestrator__ServiceSpec *spec = cast->spec;
    if (cast_pairs(cast, CONFIG_BIND_MOUNTS, &spec->bind_mounts, &spec->n_bind_mounts) < 0)
        return -1;
    return types_check_host(spec, &cast->config->needs_host, cast->err);
}

static int
cast_gpu(cast_t *cast)
{
    star_value_t gpu = cast->values[CONFIG_GPU];
    return star_ok(gpu) ? types_cast_gpu(cast->star, gpu, cast->spec, cast->err) : 0;
}

static int
cast_ready(cast_t *cast)
{
    star_value_t ready = cast->values[CONFIG_READY];
    return star_ok(ready)
               ? types_cast_ready_condition(cast->star, ready, &cast->config->ready, cast->err)
               : 0;
}
