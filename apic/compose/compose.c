/*  compose: the services of a file, in an order in which each comes after those it needs. */
#include "apic/compose/internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    service_t *items;
    size_t n;
} services_t;

static int read_services(const project_t *project, services_t *ret, err_t **err);
static int write_services(const project_t *project, services_t *services, str_t *out, err_t **err);

int
compose_transpile(const char *folder, const char *file, compose_warn_fn *warn, void *arg,
                  str_t *out, err_t **err)
{
    project_t project = {.folder = folder, .file = file, .warn = warn, .warn_arg = arg};
    services_t services = {0};
    AUTO_STR script = STR_EMPTY;
    int rc = project_load(&project, err);
    if (rc == 0) {
        str_add(&script, "def run(plan):\n");
        rc = read_services(&project, &services, err);
        if (rc == 0)
            rc = write_services(&project, &services, &script, err);
        if (rc < 0)
            err_wrap(err, "An error occurred converting Compose file '%s' to a Starlark script.",
                     file);
    }
    if (rc == 0)
        str_add(out, script.data);
    for (size_t i = 0; i < services.n; i++)
        service_done(&services.items[i]);
    free(services.items);
    project_done(&project);
    return rc;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(((const service_t *)a)->name, ((const service_t *)b)->name);
}

static int
read_services(const project_t *project, services_t *ret, err_t **err)
{
    const node_t *list = node_get(project->root, "services");
    if (!list || !list->n)
        return 0;
    ret->items = calloc(list->n, sizeof(*ret->items));
    if (!ret->items)
        abort();
    for (size_t i = 0; i < list->n; i++) {
        const node_t *profiles = node_get(list->items[i], "profiles");
        if (profiles && profiles->n)
            continue;
        if (service_init(&ret->items[ret->n++], project, list->keys[i], list->items[i], err) < 0)
            return -1;
    }
    if (ret->n)
        qsort(ret->items, ret->n, sizeof(*ret->items), compare);
    for (size_t i = 1; i < ret->n; i++)
        if (!strcmp(ret->items[i - 1].name, ret->items[i].name))
            return err_fail(err, ERR_INVALID,
                            "the services \"%s\" and \"%s\" have the same name '%s'",
                            ret->items[i - 1].key, ret->items[i].key, ret->items[i].name);
    return 0;
}

/* The service of a name; NULL for one that was dropped. */
static service_t *
find(const services_t *self, const char *name)
{
    const service_t wanted = {.name = (char *)name};
    return self->n ? bsearch(&wanted, self->items, self->n, sizeof(wanted), compare) : NULL;
}

static bool
is_ready(const services_t *self, const service_t *service)
{
    for (size_t i = 0; i < service->n_needs; i++) {
        const service_t *other = find(self, service->needs[i]);
        if (!other || !other->is_done)
            return false;
    }
    return true;
}

/* Does it need the other one? */
static bool
needs(const service_t *self, const service_t *other)
{
    for (size_t i = 0; i < self->n_needs; i++)
        if (!strcmp(self->needs[i], other->name))
            return true;
    return false;
}

/* First those that need nothing; after each one those for which it was the last. Services are
 * sorted by name. */
static int
write_services(const project_t *project, services_t *services, str_t *out, err_t **err)
{
    AUTO_FREE service_t **queue = calloc(services->n + 1, sizeof(*queue));
    size_t n = 0;
    if (!queue)
        abort();
    for (size_t i = 0; i < services->n; i++)
        if (!services->items[i].n_needs)
            queue[n++] = &services->items[i];
    for (size_t at = 0; at < n; at++) {
        if (service_write(queue[at], project, out, err) < 0)
            return -1;
        queue[at]->is_done = true;
        for (size_t i = 0; i < services->n; i++)
            if (needs(&services->items[i], queue[at]) && is_ready(services, &services->items[i]))
                queue[n++] = &services->items[i];
    }
    return n == services->n ? 0
                            : err_fail(err, ERR_INVALID,
                                       "A cycle was detected in the service dependency graph.");
}
