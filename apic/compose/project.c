/*  project: a Compose file as a whole: read, completed, checked. */
#include "apic/compose/internal.h"

#include "apic/packages/file.h"
#include "apic/packages/path.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ENV_FILE ".env"
#define PROJECT_NAME "COMPOSE_PROJECT_NAME"
#define DEFAULT_NAME "root-compose-project"

static const char *const top_keys[] = {"version", "name",    "services", "networks",
                                       "volumes", "secrets", "configs"};

static int read_env(project_t *self, err_t **err);
static int set_name(project_t *self, err_t **err);
static int check_top(const project_t *self, err_t **err);
static int extend_all(project_t *self, err_t **err);

int
project_load(project_t *self, err_t **err)
{
    AUTO_FREE char *path = packages_path_join(self->folder, self->file);
    AUTO_STR text = STR_EMPTY;
    if (read_env(self, err) < 0)
        return -1;
    if (packages_file_read(path, COMPOSE_FILE_MAX, &text, err) < 0)
        return err_wrap(err, "An error occurred reading Compose file '%s'", self->file);
    int rc = node_parse(text.data, text.len, &self->root, err);
    if (rc == 0)
        rc = set_name(self, err);
    if (rc == 0)
        rc = interpolate(self->root, &self->env, err);
    if (rc == 0)
        rc = check_top(self, err);
    if (rc == 0)
        rc = extend_all(self, err);
    return rc < 0 ? err_wrap(err,
                             "An error occurred converting Compose file '%s' to a Starlark script.",
                             self->file)
                  : 0;
}

void
project_done(project_t *self)
{
    node_destroy(&self->root);
    vars_done(&self->env);
}

void
project_warn(const project_t *self, const char *format, ...)
{
    AUTO_STR text = STR_EMPTY;
    va_list args;
    if (!self->warn)
        return;
    str_printf(&text, "Compose file '%s': ", self->file);
    va_start(args, format);
    str_vprintf(&text, format, args);
    va_end(args);
    self->warn(self->warn_arg, text.data);
}

static int
read_env(project_t *self, err_t **err)
{
    AUTO_FREE char *path = packages_path_join(self->folder, ENV_FILE);
    AUTO_STR text = STR_EMPTY;
    AUTO(err) why = NULL;
    if (packages_file_read(path, COMPOSE_FILE_MAX, &text, &why) < 0) {
        if (err_code(why) == ERR_NOT_FOUND)
            return 0;
        if (err)
            *err = TAKE(why);
    } else if (vars_read(&self->env, text.data, true, err) == 0) {
        return 0;
    }
    return err_wrap(err,
                    "An .env file was found in the package, but an error occurred reading it.");
}

static int
set_name(project_t *self, err_t **err)
{
    AUTO_STR name = STR_EMPTY;
    for (const char *at = node_text(node_get(self->root, "name"), ""); *at; at++) {
        const char c = (char)tolower((unsigned char)*at);
        if (c && strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", c))
            str_add_char(&name, c);
    }
    const char *start = name.data + strspn(name.data, "_-");
    return vars_set(&self->env, PROJECT_NAME, *start ? start : DEFAULT_NAME, err);
}

static int
check_top(const project_t *self, err_t **err)
{
    for (size_t i = 0; i < self->root->n; i++) {
        const char *key = self->root->keys[i];
        const node_t *item = self->root->items[i];
        if (!strcmp(key, "include"))
            return err_fail(err, ERR_UNSUPPORTED,
                            "'include' is not supported; write the services into this file");
        if (!node_key_known(key, top_keys, ARRAY_LEN(top_keys)))
            return err_fail(err, ERR_INVALID, "Additional property %s is not allowed", key);
        if (!str_starts(key, "x-") && strcmp(key, "version") != 0 && strcmp(key, "name") != 0 &&
            item->kind != NODE_MAP && item->kind != NODE_NULL)
            return err_fail(err, ERR_INVALID, "%s must be a mapping", key);
    }
    const node_t *services = node_get(self->root, "services");
    for (size_t i = 0; services && i < services->n; i++)
        if (services->items[i]->kind != NODE_MAP)
            return err_fail(err, ERR_INVALID, "services.%s must be a mapping", services->keys[i]);
    return 0;
}

/* --------------------------------------------------------------------------------------------
 * extends */

/* Lays the service over the one that it extends; that one first. */
static int
extend(node_t *services, const char *name, unsigned depth, size_t *count, err_t **err)
{
    node_t *self = (node_t *)node_get(services, name);
    const node_t *extends = self ? node_get(self, "extends") : NULL;
    if (!extends)
        return 0;
    if (depth == COMPOSE_DEPTH_MAX)
        return err_fail(err, ERR_INVALID, "service \"%s\" extends itself, or too many others",
                        name);
    if (node_get(extends, "file"))
        return err_fail(err, ERR_UNSUPPORTED,
                        "service \"%s\": 'extends' with 'file' is not supported; write the service "
                        "'%s' into this file",
                        name, node_text(node_get(extends, "service"), ""));
    AUTO_FREE char *base_name =
        strdup(node_text(extends, node_text(node_get(extends, "service"), "")));
    const node_t *base = node_get(services, base_name);
    if (!base)
        return err_fail(err, ERR_INVALID, "cannot extend service \"%s\": service \"%s\" not found",
                        name, base_name);
    if (extend(services, base_name, depth + 1, count, err) < 0)
        return -1;
    *count += node_count(base);
    if (*count > COMPOSE_NODES_MAX)
        return err_fail(err, ERR_LIMIT, "yaml: more than %u values", COMPOSE_NODES_MAX);
    node_remove(self, "extends");
    AUTO(node) under = node_dup(base);
    node_remove(under, "extends");
    node_overlay(under, node_dup(self));
    /* the service keeps its place, and takes what is in the new tree */
    const node_t old = *self;
    *self = *under;
    *under = old;
    return 0;
}

static int
extend_all(project_t *self, err_t **err)
{
    node_t *services = (node_t *)node_get(self->root, "services");
    size_t count = 0;
    for (size_t i = 0; services && i < services->n; i++)
        if (extend(services, services->keys[i], 0, &count, err) < 0)
            return -1;
    return 0;
}
