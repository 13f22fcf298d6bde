/*  outline: collects what a plan makes. */
#include "apic/plan/outline.h"

#include "apic/run/reference.h"

#include <stdlib.h>
#include <string.h>

static char *rewrite(const plan_outline_t *self, const char *text);

void
plan_outline_init(plan_outline_t *self)
{
    *self = (plan_outline_t){0};
    if (!yaml_document_initialize(&self->document, NULL, NULL, NULL, 1, 1))
        abort();             /* no memory */
    plan_outline_item(self); /* the first node is the root */
    self->services = plan_outline_list(self);
    self->artifacts = plan_outline_list(self);
    self->tasks = plan_outline_list(self);
}

void
plan_outline_done(plan_outline_t *self)
{
    yaml_document_delete(&self->document);
    run_map_done(&self->ids, NULL);
    run_map_done(&self->known, NULL);
    run_map_done(&self->images, NULL);
    for (size_t i = 0; i < self->n_names; i++)
        free(self->names[i]);
    free(self->names);
}

void
plan_outline_add(plan_outline_t *self, const plan_step_t *step)
{
    if (step->kind->outline)
        step->kind->outline(step, self);
}

/* ---------------------------------------------------------------------------------------- nodes */

static int
checked(int node)
{
    if (!node)
        abort(); /* no memory */
    return node;
}

int
plan_outline_item(plan_outline_t *self)
{
    return checked(yaml_document_add_mapping(&self->document, NULL, YAML_BLOCK_MAPPING_STYLE));
}

int
plan_outline_list(plan_outline_t *self)
{
    return checked(yaml_document_add_sequence(&self->document, NULL, YAML_BLOCK_SEQUENCE_STYLE));
}

static int
scalar(plan_outline_t *self, const char *text, yaml_scalar_style_t style)
{
    return checked(yaml_document_add_scalar(&self->document, NULL, (const yaml_char_t *)text,
                                            (int)strlen(text), style));
}

void
plan_outline_append(plan_outline_t *self, int list, int node)
{
    checked(yaml_document_append_sequence_item(&self->document, list, node));
}

/* Words that YAML 1.1 takes for something else than text. */
static bool
is_word(const char *text)
{
    static const char *const words[] = {
        "",     "~",     "null",  "Null",  "NULL",  "y",     "Y",     "yes",   "Yes",   "YES",
        "true", "True",  "TRUE",  "on",    "On",    "ON",    "n",     "N",     "no",    "No",
        "NO",   "false", "False", "FALSE", "off",   "Off",   "OFF",   ".nan",  ".NaN",  ".NAN",
        ".inf", ".Inf",  ".INF",  "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", "<<",
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strcmp(text, words[i]))
            return true;
    return false;
}

/* Numbers of any base, of base 60, dates and times: all begin with a digit or a sign and have
 * nothing but these characters. A few texts too many are quoted so, which reads the same. */
static bool
is_number(const char *text)
{
    const char *digits = text + strspn(text, "+-.");
    if (!strchr("0123456789", *digits) || !*digits)
        return false;
    if (digits[0] == '0' && digits[1] && strchr("xXoObB", digits[1]))
        return digits[2] && !digits[2 + strspn(digits + 2, "0123456789abcdefABCDEF_")];
    return !digits[strspn(digits, "0123456789_.:eE+-TtZ ")];
}

int
plan_outline_text(plan_outline_t *self, const char *text)
{
    if (strchr(text, '\n'))
        return scalar(self, text,
                      strchr(" \t\n", text[0]) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
                                               : YAML_LITERAL_SCALAR_STYLE);
    return scalar(self, text,
                  is_word(text) || is_number(text) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
                                                   : YAML_PLAIN_SCALAR_STYLE);
}

int
plan_outline_plain(plan_outline_t *self, const char *text)
{
    return scalar(self, text, YAML_PLAIN_SCALAR_STYLE);
}

void
plan_outline_put(plan_outline_t *self, int to, const char *key, int node)
{
    checked(yaml_document_append_mapping_pair(&self->document, to,
                                              scalar(self, key, YAML_PLAIN_SCALAR_STYLE), node));
}

void
plan_outline_put_some(plan_outline_t *self, int to, const char *key, int list)
{
    const yaml_node_t *node = yaml_document_get_node(&self->document, list);
    if (node->data.sequence.items.start != node->data.sequence.items.top)
        plan_outline_put(self, to, key, list);
}

static void
put_text(plan_outline_t *self, int to, const char *key, const char *text)
{
    if (text && text[0])
        plan_outline_put(self, to, key, plan_outline_text(self, text));
}

static void
put_rewritten(plan_outline_t *self, int to, const char *key, const char *text)
{
    AUTO_FREE char *rewritten = rewrite(self, text);
    put_text(self, to, key, rewritten);
}

static void
put_id(plan_outline_t *self, int to, size_t id)
{
    AUTO_FREE char *text = str_format("%zu", id);
    put_text(self, to, "uuid", text);
}

static void
put_texts(plan_outline_t *self, int to, const char *key, char *const *texts, size_t count)
{
    const int list = plan_outline_list(self);
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *text = rewrite(self, texts[i]);
        plan_outline_append(self, list, plan_outline_text(self, text));
    }
    plan_outline_put_some(self, to, key, list);
}

/* ----------------------------------------------------------------------------------- references */

static bool
is_shown(const char *field, size_t size)
{
    static const char *const fields[] = {"ip_address", "hostname", "code", "output"};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (strlen(fields[i]) == size && !memcmp(fields[i], field, size))
            return true;
    return false;
}

static char *
rewrite(const plan_outline_t *self, const char *text)
{
    const size_t size = strlen(text);
    str_t out = STR_EMPTY;
    run_reference_t found;
    size_t at = 0;
    str_add(&out, "");
    for (; run_reference_find(text, size, at, &found); at = found.end) {
        const char *field = text + found.field;
        const size_t length = found.field_end - found.field;
        const size_t id = (size_t)run_map_get(&self->ids, found.uuid);
        str_add_bytes(&out, text + at, found.start - at);
        if (id && is_shown(field, length))
            str_printf(&out, "{{ kurtosis.%zu.%.*s }}", id, (int)length, field);
        else
            str_add_bytes(&out, text + found.start, found.end - found.start);
    }
    str_add(&out, text + at);
    return str_take(&out);
}

/* ------------------------------------------------------------------------------------ artifacts */

void
plan_outline_artifact(plan_outline_t *self, const char *name, const char *const *files,
                      size_t count)
{
    const size_t id = ++self->n_ids;
    const int item = plan_outline_item(self), list = plan_outline_list(self);
    run_map_put(&self->known, name, (void *)id);
    put_id(self, item, id);
    put_text(self, item, "name", name);
    for (size_t i = 0; i < count; i++)
        plan_outline_append(self, list, plan_outline_text(self, files[i]));
    plan_outline_put_some(self, item, "files", list);
    plan_outline_append(self, self->artifacts, item);
}

static int
artifact_use(plan_outline_t *self, const char *name)
{
    if (!run_map_get(&self->known, name))
        plan_outline_artifact(self, name, NULL, 0);
    const int item = plan_outline_item(self);
    put_id(self, item, (size_t)run_map_get(&self->known, name));
    put_text(self, item, "name", name);
    return item;
}

static int
by_path(const void *one, const void *two)
{
    return strcmp(((const core_files_t *)one)->path, ((const core_files_t *)two)->path);
}

static void
put_files(plan_outline_t *self, int to, const core_service_config_t *core)
{
    const int list = plan_outline_list(self);
    core_files_t *files = calloc(core->n_files + 1, sizeof(*files));
    for (size_t i = 0; i < core->n_files; i++)
        files[i] = core->files[i];
    qsort(files, core->n_files, sizeof(*files), by_path);
    for (size_t i = 0; i < core->n_files; i++) {
        const int item = plan_outline_item(self), artifacts = plan_outline_list(self);
        put_text(self, item, "mountPath", files[i].path);
        for (char **name = files[i].artifacts; *name; name++)
            plan_outline_append(self, artifacts, artifact_use(self, *name));
        plan_outline_put_some(self, item, "filesArtifacts", artifacts);
        plan_outline_append(self, list, item);
    }
    free(files);
    plan_outline_put_some(self, to, "files", list);
}

/* ------------------------------------------------------------------------------------- services */

static int
by_pair(const void *one, const void *two)
{
    return strcmp((*(Orchestrator__Pair *const *)one)->name,
                  (*(Orchestrator__Pair *const *)two)->name);
}

static void
put_env(plan_outline_t *self, int to, const char *key, const Orchestrator__ServiceSpec *spec)
{
    const int list = plan_outline_list(self);
    Orchestrator__Pair **pairs = calloc(spec->n_env + 1, sizeof(*pairs));
    for (size_t i = 0; i < spec->n_env; i++)
        pairs[i] = spec->env[i];
    qsort(pairs, spec->n_env, sizeof(*pairs), by_pair);
    for (size_t i = 0; i < spec->n_env; i++) {
        const int item = plan_outline_item(self);
        AUTO_FREE char *value = rewrite(self, pairs[i]->value);
        plan_outline_put(self, item, "key", plan_outline_text(self, pairs[i]->name));
        plan_outline_put(self, item, "value", plan_outline_text(self, value));
        plan_outline_append(self, list, item);
    }
    free(pairs);
    plan_outline_put_some(self, to, key, list);
}

static int
by_id(const void *one, const void *two)
{
    return strcmp((*(const types_port_t *const *)one)->id, (*(const types_port_t *const *)two)->id);
}

static void
put_ports(plan_outline_t *self, int to, const types_service_config_t *config)
{
    const int list = plan_outline_list(self);
    const types_port_t **ports = calloc(config->n_ports + 1, sizeof(*ports));
    for (size_t i = 0; i < config->n_ports; i++)
        ports[i] = &config->ports[i];
    qsort(ports, config->n_ports, sizeof(*ports), by_id);
    for (size_t i = 0; i < config->n_ports; i++) {
        const int item = plan_outline_item(self);
        AUTO_FREE char *number = str_format("%u", ports[i]->number);
        const ProtobufCEnumValue *transport = protobuf_c_enum_descriptor_get_value(
            &orchestrator__transport__descriptor, (int)ports[i]->transport);
        put_text(self, item, "name", ports[i]->id);
        plan_outline_put(self, item, "number", plan_outline_plain(self, number));
        put_text(self, item, "transportProtocol", transport ? transport->name : NULL);
        put_text(self, item, "applicationProtocol", ports[i]->application_protocol);
        plan_outline_append(self, list, item);
    }
    free(ports);
    plan_outline_put_some(self, to, "ports", list);
}

static void
put_image(plan_outline_t *self, int to, const types_image_t *image, bool with_image)
{
    const int item = plan_outline_item(self);
    put_text(self, item, "name", image->name);
    if (with_image && image->kind == TYPES_IMAGE_BUILD) {
        put_text(self, item, "buildContextLocator", image->context);
        put_text(self, item, "targetStage", image->target);
    }
    if (with_image && image->kind == TYPES_IMAGE_SPEC)
        put_text(self, item, "registry", image->registry);
    plan_outline_put(self, to, "image", item);
    run_map_put(&self->images, image->name, self);
}

void
plan_outline_service(plan_outline_t *self, const char *name, const char *uuid,
                     const types_service_config_t *config, bool with_image)
{
    const Orchestrator__ServiceSpec *spec = config->core->spec;
    const size_t id = ++self->n_ids;
    const int item = plan_outline_item(self);
    AUTO_FREE char *shown = rewrite(self, name);
    plan_outline_service_remove(self, name); /* an update takes its place */
    put_id(self, item, id);
    put_text(self, item, "name", shown);
    put_image(self, item, &config->image, with_image);
    put_texts(self, item, "command", spec->cmd, spec->n_cmd);
    put_texts(self, item, "entrypoint", spec->entrypoint, spec->n_entrypoint);
    put_env(self, item, "envVars", spec);
    put_ports(self, item, config);
    put_files(self, item, config->core);
    run_map_put(&self->ids, uuid, (void *)id);
    plan_outline_append(self, self->services, item);
    self->names = realloc(self->names, (self->n_names + 1) * sizeof(*self->names));
    self->names[self->n_names++] = strdup(name);
}

void
plan_outline_service_remove(plan_outline_t *self, const char *name)
{
    yaml_node_t *node = yaml_document_get_node(&self->document, self->services);
    for (size_t i = 0; i < self->n_names; i++) {
        if (strcmp(self->names[i], name) != 0)
            continue;
        yaml_node_item_t *item = node->data.sequence.items.start + i;
        const size_t after = --self->n_names - i;
        free(self->names[i]);
        memmove(self->names + i, self->names + i + 1, after * sizeof(*self->names));
        memmove(item, item + 1, after * sizeof(*item));
        node->data.sequence.items.top--;
        return;
    }
}

/* ---------------------------------------------------------------------------------------- tasks */

static void
put_stores(plan_outline_t *self, int to, const plan_outline_task_t *task)
{
    const int list = plan_outline_list(self);
    for (size_t i = 0; i < task->n_stores; i++) {
        const char *src = task->stores[i].src;
        plan_outline_artifact(self, task->stores[i].name, &src, 1);
        plan_outline_append(self, list, artifact_use(self, task->stores[i].name));
    }
    plan_outline_put_some(self, to, "store", list);
}

static void
put_python(plan_outline_t *self, int to, const plan_outline_task_t *task)
{
    const int packages = plan_outline_list(self), args = plan_outline_list(self);
    plan_outline_append(self, packages, plan_outline_text(self, "bash")); /* is always installed */
    for (char *const *package = task->packages; *package; package++)
        plan_outline_append(self, packages, plan_outline_text(self, *package));
    for (char *const *arg = task->args; *arg; arg++)
        plan_outline_append(self, args, plan_outline_text(self, *arg));
    plan_outline_put_some(self, to, "pythonPackages", packages);
    plan_outline_put_some(self, to, "pythonArgs", args);
}

static void
put_codes(plan_outline_t *self, int to, const plan_codes_t *codes)
{
    const int list = plan_outline_list(self);
    for (size_t i = 0; i < codes->count; i++) {
        AUTO_FREE char *code = str_format("%lld", (long long)codes->accepted[i]);
        plan_outline_append(self, list, plan_outline_plain(self, code));
    }
    plan_outline_put_some(self, to, "acceptableCodes", list);
}

void
plan_outline_task(plan_outline_t *self, const plan_step_t *step, const plan_outline_task_t *task)
{
    const size_t id = ++self->n_ids;
    const int item = plan_outline_item(self);
    put_id(self, item, id);
    put_text(self, item, "name", step->description);
    put_text(self, item, "taskType", task->type);
    put_texts(self, item, "command", (char *const *)task->command, task->n_command);
    if (task->config) {
        put_text(self, item, "image", task->config->image.name);
        run_map_put(&self->images, task->config->image.name, self);
        put_files(self, item, task->config->core);
    }
    put_stores(self, item, task);
    if (task->config)
        put_env(self, item, "envVar", task->config->core->spec);
    if (task->packages)
        put_python(self, item, task);
    if (task->service)
        put_rewritten(self, item, "serviceName", task->service);
    if (task->codes)
        put_codes(self, item, task->codes);
    run_map_put(&self->ids, task->uuid, (void *)id);
    plan_outline_append(self, self->tasks, item);
}
