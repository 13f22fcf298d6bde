/*  service: one service of a Compose file, checked and written. */
#include "apic/compose/internal.h"

#include "apic/packages/file.h"
#include "apic/packages/path.h"

#include <stdlib.h>
#include <string.h>

/* Keys of a service: those that are used, those that change nothing here, and those that are left
 * out with a warning. */
typedef enum { KEY_USED, KEY_SILENT, KEY_LEFT_OUT } key_use_t;
static const struct {
    const char *name;
    key_use_t use;
} keys[] = {
    {"build", KEY_USED},
    {"cgroup", KEY_USED},
    {"command", KEY_USED},
    {"container_name", KEY_USED},
    {"depends_on", KEY_USED},
    {"deploy", KEY_USED},
    {"entrypoint", KEY_USED},
    {"env_file", KEY_USED},
    {"environment", KEY_USED},
    {"image", KEY_USED},
    {"ipc", KEY_USED},
    {"links", KEY_USED},
    {"network_mode", KEY_USED},
    {"pid", KEY_USED},
    {"ports", KEY_USED},
    {"profiles", KEY_USED},
    {"scale", KEY_USED},
    {"uts", KEY_USED},
    {"volumes", KEY_USED},
    {"volumes_from", KEY_USED},
    {"attach", KEY_SILENT},
    {"expose", KEY_SILENT},
    {"annotations", KEY_LEFT_OUT},
    {"blkio_config", KEY_LEFT_OUT},
    {"cap_add", KEY_LEFT_OUT},
    {"cap_drop", KEY_LEFT_OUT},
    {"cgroup_parent", KEY_LEFT_OUT},
    {"configs", KEY_LEFT_OUT},
    {"cpu_count", KEY_LEFT_OUT},
    {"cpu_percent", KEY_LEFT_OUT},
    {"cpu_period", KEY_LEFT_OUT},
    {"cpu_quota", KEY_LEFT_OUT},
    {"cpu_rt_period", KEY_LEFT_OUT},
    {"cpu_rt_runtime", KEY_LEFT_OUT},
    {"cpu_shares", KEY_LEFT_OUT},
    {"cpus", KEY_LEFT_OUT},
    {"cpuset", KEY_LEFT_OUT},
    {"credential_spec", KEY_LEFT_OUT},
    {"develop", KEY_LEFT_OUT},
    {"device_cgroup_rules", KEY_LEFT_OUT},
    {"devices", KEY_LEFT_OUT},
    {"dns", KEY_LEFT_OUT},
    {"dns_opt", KEY_LEFT_OUT},
    {"dns_search", KEY_LEFT_OUT},
    {"domainname", KEY_LEFT_OUT},
    {"external_links", KEY_LEFT_OUT},
    {"extra_hosts", KEY_LEFT_OUT},
    {"group_add", KEY_LEFT_OUT},
    {"healthcheck", KEY_LEFT_OUT},
    {"hostname", KEY_LEFT_OUT},
    {"init", KEY_LEFT_OUT},
    {"isolation", KEY_LEFT_OUT},
    {"labels", KEY_LEFT_OUT},
    {"logging", KEY_LEFT_OUT},
    {"mac_address", KEY_LEFT_OUT},
    {"mem_limit", KEY_LEFT_OUT},
    {"mem_reservation", KEY_LEFT_OUT},
    {"mem_swappiness", KEY_LEFT_OUT},
    {"memswap_limit", KEY_LEFT_OUT},
    {"networks", KEY_LEFT_OUT},
    {"oom_kill_disable", KEY_LEFT_OUT},
    {"oom_score_adj", KEY_LEFT_OUT},
    {"pids_limit", KEY_LEFT_OUT},
    {"platform", KEY_LEFT_OUT},
    {"privileged", KEY_LEFT_OUT},
    {"pull_policy", KEY_LEFT_OUT},
    {"read_only", KEY_LEFT_OUT},
    {"restart", KEY_LEFT_OUT},
    {"runtime", KEY_LEFT_OUT},
    {"secrets", KEY_LEFT_OUT},
    {"security_opt", KEY_LEFT_OUT},
    {"shm_size", KEY_LEFT_OUT},
    {"stdin_open", KEY_LEFT_OUT},
    {"stop_grace_period", KEY_LEFT_OUT},
    {"stop_signal", KEY_LEFT_OUT},
    {"storage_opt", KEY_LEFT_OUT},
    {"sysctls", KEY_LEFT_OUT},
    {"tmpfs", KEY_LEFT_OUT},
    {"tty", KEY_LEFT_OUT},
    {"ulimits", KEY_LEFT_OUT},
    {"user", KEY_LEFT_OUT},
    {"userns_mode", KEY_LEFT_OUT},
    {"working_dir", KEY_LEFT_OUT},
};

static int check_keys(const service_t *self, const project_t *project, err_t **err);
static int check_references(const service_t *self, const project_t *project, err_t **err);
static int read_needs(service_t *self, const project_t *project, err_t **err);

void
service_done(service_t *self)
{
    for (size_t i = 0; i < self->n_needs; i++)
        free(self->needs[i]);
    free(self->needs);
    free(self->name);
}

/* The name of a service in Kurtosis. */
static char *
name_of(const char *key, const node_t *node)
{
    return text_name(node_text(node_get(node, "container_name"), key));
}

int
service_init(service_t *self, const project_t *project, const char *key, const node_t *node,
             err_t **err)
{
    *self = (service_t){.key = key, .node = node, .name = name_of(key, node)};
    if (!self->name[0])
        return err_fail(err, ERR_INVALID, "service \"%s\" has a name without letters and digits",
                        key);
    if (check_keys(self, project, err) < 0)
        return -1;
    if (!node_get(node, "image") && !node_get(node, "build"))
        return err_fail(err, ERR_INVALID,
                        "service \"%s\" has neither an image nor a build context specified: "
                        "invalid compose project",
                        key);
    return check_references(self, project, err) < 0 ? -1 : read_needs(self, project, err);
}

static int
check_keys(const service_t *self, const project_t *project, err_t **err)
{
    for (size_t i = 0; i < self->node->n; i++) {
        const char *key = self->node->keys[i];
        size_t k = 0;
        if (str_starts(key, "x-"))
            continue;
        while (k < ARRAY_LEN(keys) && strcmp(keys[k].name, key) != 0)
            k++;
        if (k == ARRAY_LEN(keys))
            return err_fail(err, ERR_INVALID, "services.%s Additional property %s is not allowed",
                            self->key, key);
        if (keys[k].use == KEY_LEFT_OUT)
            project_warn(project, "'%s' of service '%s' is not supported and left out", key,
                         self->key);
    }
    return 0;
}

/* The name that an item of a list, or of a map by its key, refers to. */
static const char *
item_name(const node_t *list, size_t i)
{
    return list->kind == NODE_MAP
               ? list->keys[i]
               : node_text(list->items[i], node_text(node_get(list->items[i], "source"), ""));
}

static int
check_references(const service_t *self, const project_t *project, err_t **err)
{
    static const char *const kinds[][2] = {
        {"networks", "network"}, {"secrets", "secret"}, {"configs", "config"}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const node_t *list = node_get(self->node, kinds[i][0]);
        const node_t *declared = node_get(project->root, kinds[i][0]);
        for (size_t k = 0; list && k < list->n; k++) {
            const char *name = item_name(list, k);
            const bool is_given = i == 0 && !strcmp(name, "default");
            if (!is_given && !node_has(declared, name))
                return err_fail(err, ERR_INVALID,
                                "service \"%s\" refers to undefined %s %s: invalid compose project",
                                self->key, kinds[i][1], name);
        }
    }
    return 0;
}

/* --------------------------------------------------------------------------------------------
 * needs */

static int
add_need(service_t *self, const project_t *project, const char *key, err_t **err)
{
    const node_t *services = node_get(project->root, "services");
    const node_t *other = node_get(services, key);
    if (!other)
        return err_fail(err, ERR_INVALID,
                        "service \"%s\" depends on undefined service %s: invalid compose project",
                        self->key, key);
    self->needs = realloc(self->needs, (self->n_needs + 1) * sizeof(*self->needs));
    if (!self->needs)
        abort();
    self->needs[self->n_needs++] = name_of(key, other);
    return 0;
}

static int
read_needs(service_t *self, const project_t *project, err_t **err)
{
    static const char *const modes[] = {"network_mode", "ipc", "pid", "uts", "cgroup"};
    static const char *const lists[] = {"links", "volumes_from"};
    const node_t *list = node_get(self->node, "depends_on");
    for (size_t i = 0; list && i < list->n; i++) {
        if (list->kind == NODE_MAP && node_get(list->items[i], "condition") &&
            strcmp(node_text(node_get(list->items[i], "condition"), ""), "service_started") != 0)
            project_warn(project,
                         "the condition of 'depends_on' of service '%s' is not supported and left "
                         "out",
                         self->key);
        if (add_need(self, project, item_name(list, i), err) < 0)
            return -1;
    }
    for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
        list = node_get(self->node, lists[k]);
        for (size_t i = 0; list && i < list->n; i++) {
            const char *text = node_text(list->items[i], "");
            AUTO_FREE char *key = strndup(text, strcspn(text, ":"));
            if (!(k == 1 && str_starts(text, "container:")) &&
                add_need(self, project, key, err) < 0)
                return -1;
        }
    }
    for (size_t k = 0; k < ARRAY_LEN(modes); k++) {
        const char *mode = node_text(node_get(self->node, modes[k]), "");
        if (str_starts(mode, "service:")) {
            if (add_need(self, project, mode + strlen("service:"), err) < 0)
                return -1;
        } else if (mode[0]) {
            project_warn(project, "'%s' of service '%s' is not supported and left out", modes[k],
                         self->key);
        }
    }
    return 0;
}

/* --------------------------------------------------------------------------------------------
 * writing */

static int
write_image(const service_t *self, const project_t *project, str_t *out, err_t **err)
{
    const node_t *build = node_get(self->node, "build");
    str_add(out, "image=");
    if (!build) {
        text_quote(out, node_text(node_get(self->node, "image"), ""));
        return 0;
    }
    if (build->kind == NODE_LIST)
        return err_fail(err, ERR_INVALID, "services.%s.build must be a text or a mapping",
                        self->key);
    for (size_t i = 0; build->kind == NODE_MAP && i < build->n; i++)
        if (strcmp(build->keys[i], "context") != 0 && strcmp(build->keys[i], "target") != 0 &&
            !str_starts(build->keys[i], "x-"))
            project_warn(project, "'build.%s' of service '%s' is not supported and left out",
                         build->keys[i], self->key);
    AUTO_FREE char *name = str_format("%s-image", self->name);
    const char *target = node_text(node_get(build, "target"), NULL);
    str_add(out, "ImageBuildSpec(image_name=");
    text_quote(out, name);
    str_add(out, ", build_context_dir=");
    text_quote(out, node_text(build, node_text(node_get(build, "context"), ".")));
    if (target) {
        str_add(out, ", target_stage=");
        text_quote(out, target);
    }
    str_add_char(out, ')');
    return 0;
}

static int
write_words(const service_t *self, const char *key, const char *parameter, str_t *out, err_t **err)
{
    const node_t *node = node_get(self->node, key);
    char **words = NULL;
    size_t n = 0;
    if (!node)
        return 0;
    if (node->kind == NODE_MAP)
        return err_fail(err, ERR_INVALID, "services.%s.%s must be a text or a list", self->key,
                        key);
    if (node->kind == NODE_SCALAR && text_split(node->text, &words, err) < 0)
        return err_wrap(err, "services.%s.%s", self->key, key);
    while (words && words[n])
        n++;
    if (node->kind == NODE_LIST)
        n = node->n;
    for (size_t i = 0; i < n; i++) {
        if (i == 0)
            str_printf(out, ", %s=[", parameter);
        else
            str_add(out, ", ");
        text_quote(out, words ? words[i] : node_text(node->items[i], ""));
    }
    if (n)
        str_add_char(out, ']');
    text_words_free(words);
    return 0;
}

static int
read_environment(const service_t *self, const project_t *project, vars_t *env, err_t **err)
{
    const node_t *node = node_get(self->node, "environment");
    if (node && node->kind == NODE_SCALAR)
        return err_fail(err, ERR_INVALID, "services.%s.environment must be a mapping or a list",
                        self->key);
    for (size_t i = 0; node && i < node->n; i++) {
        const node_t *item = node->items[i];
        const char *text = node->kind == NODE_MAP ? node->keys[i] : node_text(item, "");
        const char *equals = node->kind == NODE_LIST ? strchr(text, '=') : NULL;
        AUTO_FREE char *name = equals ? strndup(text, (size_t)(equals - text)) : strdup(text);
        AUTO_FREE char *given =
            node->kind == NODE_MAP && item->kind == NODE_SCALAR ? text_scalar(item) : NULL;
        const char *value = equals ? equals + 1 : given ? given : vars_get(&project->env, name);
        if (value && vars_set(env, name, value, err) < 0)
            return -1;
    }
    return 0;
}

static int
read_env_file(const node_t *item, const project_t *project, vars_t *env, err_t **err)
{
    const char *name = node_text(item, node_text(node_get(item, "path"), ""));
    AUTO_FREE char *path = packages_path_join(project->folder, name);
    AUTO_STR text = STR_EMPTY;
    if (!packages_path_within(path, project->folder))
        return err_fail(err, ERR_DENIED, "the env file '%s' is not in the package", name);
    if (packages_file_read(path, COMPOSE_FILE_MAX, &text, err) < 0)
        return err_wrap(err, "An error occurred opening env file at path: %s", name);
    return vars_read(env, text.data, false, err) < 0
               ? err_wrap(err, "An error occurred reading env file at path: %s", name)
               : 0;
}

static int
write_env(const service_t *self, const project_t *project, str_t *out, err_t **err)
{
    vars_t env = {0};
    const node_t *files = node_get(self->node, "env_file");
    int rc = read_environment(self, project, &env, err);
    if (rc == 0 && files && files->kind != NODE_LIST)
        rc = read_env_file(files, project, &env, err);
    for (size_t i = 0; rc == 0 && files && files->kind == NODE_LIST && i < files->n; i++)
        rc = read_env_file(files->items[i], project, &env, err);
    vars_sort(&env);
    str_add(out, ", env_vars={");
    for (size_t i = 0; i < env.n; i++) {
        str_add(out, i ? ", " : "");
        text_quote(out, env.items[i].name);
        str_add(out, ": ");
        text_quote(out, env.items[i].value);
    }
    str_add_char(out, '}');
    vars_done(&env);
    return rc;
}

/* Of what is below `deploy`, only what is reserved counts. */
static void
warn_of_deploy(const service_t *self, const project_t *project, const node_t *deploy)
{
    static const char *const levels[][2] = {
        {"resources", NULL}, {"reservations", NULL}, {"cpus", "memory"}};
    AUTO_STR path = STR_EMPTY;
    str_add(&path, "deploy");
    for (size_t level = 0; level < ARRAY_LEN(levels) && deploy && deploy->kind == NODE_MAP;
         level++) {
        for (size_t i = 0; i < deploy->n; i++) {
            const char *key = deploy->keys[i];
            if (!node_key_known(key, levels[level], levels[level][1] ? 2 : 1))
                project_warn(project, "'%s.%s' of service '%s' is not supported and left out",
                             path.data, key, self->key);
        }
        str_printf(&path, ".%s", levels[level][0]);
        deploy = node_get(deploy, levels[level][0]);
    }
}

static int
write_reservations(const service_t *self, const project_t *project, str_t *out, err_t **err)
{
    const node_t *deploy = node_get(self->node, "deploy");
    const char *scale = node_text(node_get(self->node, "scale"), "1");
    const bool has_copies = strtol(scale, NULL, 10) > 1;
    if (has_copies)
        project_warn(project, "'scale' of service '%s' is not supported: there will be one",
                     self->key);
    if (!deploy && !has_copies)
        return 0;
    warn_of_deploy(self, project, deploy);
    const node_t *reserved = node_get(node_get(deploy, "resources"), "reservations");
    const char *memory = node_text(node_get(reserved, "memory"), "0");
    const double cpus = strtod(node_text(node_get(reserved, "cpus"), "0"), NULL);
    uint64_t bytes;
    if (!text_bytes(memory, &bytes))
        return err_fail(err, ERR_INVALID, "services.%s: invalid size: '%s'", self->key, memory);
    str_printf(out, ", min_cpu=%lu, min_memory=%lu",
               cpus > 0 && cpus < 1e6 ? (unsigned long)(cpus * 1024) : 0,
               (unsigned long)(bytes / (1024 * 1024)));
    return 0;
}

int
service_write(const service_t *self, const project_t *project, str_t *out, err_t **err)
{
    AUTO_STR config = STR_EMPTY, ports = STR_EMPTY;
    volumes_t volumes = {STR_EMPTY, STR_EMPTY, STR_EMPTY};
    bool has_ports = false;
    int rc = write_image(self, project, &config, err);
    if (rc == 0)
        rc = ports_write(self, &ports, &has_ports, err);
    if (rc == 0)
        rc = volumes_read(self, project, &volumes, err);
    if (has_ports)
        str_printf(&config, ", %s", ports.data);
    if (volumes.files.len)
        str_printf(&config, ", files={%s}", volumes.files.data);
    if (rc == 0)
        rc = write_words(self, "entrypoint", "entrypoint", &config, err);
    if (rc == 0)
        rc = write_words(self, "command", "cmd", &config, err);
    if (rc == 0)
        rc = write_env(self, project, &config, err);
    if (rc == 0)
        rc = write_reservations(self, project, &config, err);
    if (volumes.moves.len)
        str_printf(&config, ", files_to_be_moved={%s}", volumes.moves.data);
    if (rc == 0)
        str_printf(out, "%s    plan.add_service(name = \"%s\", config = ServiceConfig(%s))\n",
                   volumes.uploads.data, self->name, config.data);
    volumes_done(&volumes);
    return rc;
}
