/*  service_update: the script of `service update`: the configuration that a service has, as far as it was given by the
 *  user, with what the flags change. */
#include "cli/service_config.h"

#include "cli/starlark.h"

#include <inttypes.h>
#include <string.h>

#define PLACEHOLDER_DEFAULT "KURTOSIS_IP_ADDR_PLACEHOLDER"

typedef ApiContainerApi__ServiceInfo info_t;

/* "name = text, ", where there is a text. */
static void
put_text(str_t *out, const char *name, const char *text)
{
    if (!*text)
        return;
    str_printf(out, "        %s = ", name);
    starlark_quote(out, text);
    str_add(out, ",\n");
}

static void
put_list(str_t *out, const char *name, char *const *items, size_t count)
{
    if (!count)
        return;
    str_printf(out, "        %s = [", name);
    for (size_t i = 0; i < count; i++) {
        starlark_quote(out, items[i]);
        str_add(out, ", ");
    }
    str_add(out, "],\n");
}

static void
put_number(str_t *out, const char *name, uint64_t number)
{
    if (number)
        str_printf(out, "        %s = %" PRIu64 ",\n", name, number);
}

static void
put_switch(str_t *out, const char *name, bool on)
{
    str_printf(out, "        %s = %s,\n", name, on ? "True" : "False");
}

static void
put_pair(str_t *out, const char *key, const char *value)
{
    starlark_quote(out, key);
    str_add(out, ": ");
    starlark_quote(out, value);
    str_add(out, ", ");
}

/* ------------------------------------------------------------------------- what is merged by key */

static void
put_ports(str_t *out, const info_t *info)
{
    static const char *const transports[] = {"TCP", "SCTP", "UDP"};
    for (size_t i = 0; i < info->n_private_ports; i++) {
        const ApiContainerApi__Port *port = info->private_ports[i]->value;
        if (!port || (size_t)port->transport_protocol >= ARRAY_LEN(transports))
            continue;
        starlark_quote(out, info->private_ports[i]->key);
        str_printf(out, ": PortSpec(number = %u, transport_protocol = \"%s\", ", port->number,
                   transports[port->transport_protocol]);
        if (*port->maybe_application_protocol) {
            str_add(out, "application_protocol = ");
            starlark_quote(out, port->maybe_application_protocol);
            str_add(out, ", ");
        }
        str_add(out, "wait = ");
        if (*port->maybe_wait_timeout)
            starlark_quote(out, port->maybe_wait_timeout);
        else
            str_add(out, "None");
        str_add(out, "), ");
    }
}

static void
put_env(str_t *out, const info_t *info)
{
    for (size_t i = 0; info->given && i < info->given->n_env_vars; i++)
        put_pair(out, info->given->env_vars[i]->key, info->given->env_vars[i]->value);
}

static void
put_files(str_t *out, const info_t *info)
{
    for (size_t i = 0; i < info->n_service_dir_paths_to_files_artifacts_list; i++) {
        const ApiContainerApi__FilesArtifactsList *files =
            info->service_dir_paths_to_files_artifacts_list[i]->value;
        if (!files)
            continue;
        starlark_quote(out, info->service_dir_paths_to_files_artifacts_list[i]->key);
        str_add(out, ": Directory(artifact_names = [");
        for (size_t k = 0; k < files->n_files_artifacts_identifiers; k++) {
            starlark_quote(out, files->files_artifacts_identifiers[k]);
            str_add(out, ", ");
        }
        str_add(out, "]), ");
    }
    for (size_t i = 0; info->given && i < info->given->n_persistent_directories; i++) {
        const ApiContainerApi__PersistentDirectory *directory =
            info->given->persistent_directories[i];
        starlark_quote(out, directory->path);
        str_add(out, ": Directory(persistent_key = ");
        starlark_quote(out, directory->key);
        if (directory->size_megabytes)
            str_printf(out, ", size = %" PRIu64, directory->size_megabytes);
        str_add(out, "), ");
    }
}

/* ----------------------------------------------------------------------------------- the others */

static void
put_labels(str_t *out, const info_t *info)
{
    str_add(out, "        labels = {");
    for (size_t i = 0; i < info->n_labels; i++)
        put_pair(out, info->labels[i]->key, info->labels[i]->value);
    str_add(out, "},\n        node_selectors = {");
    for (size_t i = 0; i < info->n_node_selectors; i++)
        put_pair(out, info->node_selectors[i]->key, info->node_selectors[i]->value);
    str_add(out, "},\n        bind_mounts = {");
    for (size_t i = 0; i < info->n_bind_mounts; i++)
        put_pair(out, info->bind_mounts[i]->key, info->bind_mounts[i]->value);
    str_add(out, "},\n");
}

static void
put_user(str_t *out, const ApiContainerApi__User *user)
{
    if (!user)
        return;
    str_printf(out, "        user = User(uid = %u", user->uid);
    if (user->gid)
        str_printf(out, ", gid = %u", user->gid);
    str_add(out, "),\n");
}

static void
put_tolerations(str_t *out, const info_t *info)
{
    if (!info->n_tolerations)
        return;
    str_add(out, "        tolerations = [");
    for (size_t i = 0; i < info->n_tolerations; i++) {
        const ApiContainerApi__Toleration *one = info->tolerations[i];
        const char *const fields[][2] = {{"key", one->key},
                                         {"operator", one->operator_},
                                         {"value", one->value},
                                         {"effect", one->effect}};
        str_add(out, "Toleration(");
        for (size_t k = 0; k < ARRAY_LEN(fields); k++)
            if (*fields[k][1]) {
                str_printf(out, "%s = ", fields[k][0]);
                starlark_quote(out, fields[k][1]);
                str_add(out, ", ");
            }
        if (one->toleration_seconds)
            str_printf(out, "toleration_seconds = %" PRId64, one->toleration_seconds);
        str_add(out, "), ");
    }
    str_add(out, "],\n");
}

static void
put_gpu(str_t *out, const ApiContainerApi__GpuConfig *gpu)
{
    if (!gpu)
        return;
    str_printf(
        out, "        gpu = GpuConfig(count = %" PRId64 ", shm_size = %" PRIu64 ", device_ids = [",
        gpu->count, gpu->shm_size_megabytes);
    for (size_t i = 0; i < gpu->n_device_ids; i++) {
        starlark_quote(out, gpu->device_ids[i]);
        str_add(out, ", ");
    }
    str_add(out, "], ulimits = {");
    for (size_t i = 0; i < gpu->n_ulimits; i++) {
        starlark_quote(out, gpu->ulimits[i]->key);
        str_printf(out, ": %" PRId64 ", ", gpu->ulimits[i]->value);
    }
    str_add_char(out, '}');
    if (*gpu->docker_driver) {
        str_add(out, ", driver = {\"docker\": ");
        starlark_quote(out, gpu->docker_driver);
        if (*gpu->k8s_resource_name) {
            str_add(out, ", \"kubernetes\": ");
            starlark_quote(out, gpu->k8s_resource_name);
        }
        str_add_char(out, '}');
    }
    str_add(out, "),\n");
}

/* A command line of one word, as `service update` has it, or the one that was given. */
static void
put_words(str_t *out, const char *name, const char *change, char *const *given, size_t count)
{
    char *word = (char *)change;
    put_list(out, name, *change ? &word : given, *change ? 1 : count);
}

static void
put_config(str_t *out, const info_t *info, const service_changes_t *changes)
{
    static const ApiContainerApi__GivenConfig nothing = API_CONTAINER_API__GIVEN_CONFIG__INIT;
    const ApiContainerApi__GivenConfig *given = info->given ? info->given : &nothing;
    const char *placeholder = given->ip_address_placeholder;
    put_text(out, "image",
             *changes->image   ? changes->image
             : info->container ? info->container->image_name
                               : "");
    str_add(out, "        ports = ports,\n        env_vars = env_vars,\n        files = files,\n");
    put_words(out, "entrypoint", changes->entrypoint, given->entrypoint_args,
              given->n_entrypoint_args);
    put_words(out, "cmd", changes->cmd, given->cmd_args, given->n_cmd_args);
    put_text(out, "private_ip_address_placeholder",
             *placeholder ? placeholder : PLACEHOLDER_DEFAULT);
    put_number(out, "max_cpu", info->max_millicpus);
    put_number(out, "min_cpu", info->min_millicpus);
    put_number(out, "max_memory", info->max_memory_megabytes);
    put_number(out, "min_memory", info->min_memory_megabytes);
    put_labels(out, info);
    put_user(out, info->user);
    put_tolerations(out, info);
    put_switch(out, "tini_enabled", info->tini_enabled);
    put_switch(out, "tty_enabled", info->tty_enabled);
    put_list(out, "devices", given->devices, given->n_devices);
    put_list(out, "capabilities", info->capabilities, info->n_capabilities);
    put_gpu(out, info->gpu_config);
    put_switch(out, "privileged", info->privileged);
    put_switch(out, "host_pid_namespace", info->host_pid_namespace);
}

int
service_config_update(const info_t *info, const service_changes_t *changes, str_t *out, err_t **err)
{
    const struct {
        const char *name, *list;
        void (*old)(str_t *out, const info_t *info);
        int (*change)(const char *list, str_t *out, err_t **err);
    } dicts[] = {{"ports", changes->ports, put_ports, service_config_ports},
                 {"env_vars", changes->env, put_env, service_config_env},
                 {"files", changes->files, put_files, service_config_files}};
    str_add(out, "def run(plan):\n");
    for (size_t i = 0; i < ARRAY_LEN(dicts); i++) {
        str_printf(out, "    %s = {", dicts[i].name);
        dicts[i].old(out, info);
        str_printf(out, "}\n    %s.update(", dicts[i].name);
        if (dicts[i].change(dicts[i].list, out, err) < 0)
            return -1;
        str_add(out, ")\n");
    }
    str_add(out, "    plan.add_service(name = ");
    starlark_quote(out, info->name);
    str_add(out, ", config = ServiceConfig(\n");
    put_config(out, info, changes);
    str_add(out, "    ))\n");
    return 0;
}
