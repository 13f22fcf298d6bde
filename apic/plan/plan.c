/*  plan: the table of instructions, and what all of them share: the call, and the step that it
 * makes. */
#include "apic/plan/plan.h"

#include "apic/plan/kinds.h"

#include <stdlib.h>
#include <string.h>

static const plan_kind_t *const kinds[] = {
    &plan_add_service,
    &plan_add_services,
    &plan_exec_command,
    &plan_get_cluster_type,
    &plan_get_files_artifact,
    &plan_get_service,
    &plan_get_services,
    &plan_print,
    &plan_remove_service,
    &plan_render_templates,
    &plan_request,
    &plan_run_python,
    &plan_run_sh,
    &plan_set_service,
    &plan_start_service,
    &plan_stop_service,
    &plan_store_service_files,
    &plan_upload_files,
    &plan_verify,
    &plan_wait,
};

static star_value_t call(star_t *star, const star_args_t *args);
static plan_step_t *step_new(star_t *star, const plan_kind_t *kind);
static int interpret(plan_scope_t *scope, plan_step_t *step, star_value_t *ret, err_t **err);

star_value_t
plan_module(plan_scope_t *scope)
{
    star_value_t members = star_dict_new(scope->star);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        star_dict_put(scope->star, members, kinds[i]->table.name,
                      star_function_new(scope->star, kinds[i]->table.name, call, (void *)kinds[i]));
    return star_module(scope->star, "plan", members);
}

const plan_kind_t *
plan_kind_at(size_t index)
{
    return index < ARRAY_LEN(kinds) ? kinds[index] : NULL;
}

static star_value_t
call(star_t *star, const star_args_t *args)
{
    plan_scope_t *scope = star_user(star);
    const plan_kind_t *kind = args->user;
    star_value_t values[TYPES_FIELDS_MAX] = {STAR_ABSENT}, value = star_none();
    AUTO(err) err = NULL;

    if (types_bind(star, &kind->table, args, values) < 0)
        return STAR_ABSENT;
    AUTO(plan_step) step = step_new(star, kind);
    memcpy(step->values, values, sizeof(values));
    if (interpret(scope, step, &value, &err) < 0)
        return types_fail(star, &err);
    if (!star_ok(value)) /* a value could not be made: the interpreter knows why */
        return STAR_ABSENT;
    for (size_t i = 0; i <= kind->table.count; i++)
        if (star_ok(step->values[i]))
            star_list_append(star, scope->kept, step->values[i]);
    if (scope->schedule(scope, &step, &value, &err) < 0)
        return types_fail(star, &err);
    return value;
}

static int
interpret(plan_scope_t *scope, plan_step_t *step, star_value_t *ret, err_t **err)
{
    const plan_kind_t *kind = step->kind;
    star_value_t text = step->values[kind->table.count];
    if (kind->interpret && kind->interpret(scope, step, step->values, ret, err) < 0)
        return -1;
    if (star_ok(text) && !step->description &&
        types_cast_text(text, "description", &step->description, err) < 0)
        return -1;
    if (!step->description) {
        AUTO_STR description = STR_EMPTY;
        kind->describe(step, &description);
        step->description = str_take(&description);
    }
    return 0;
}

static plan_step_t *
step_new(star_t *star, const plan_kind_t *kind)
{
    plan_step_t *step = calloc(1, sizeof(*step));
    star_frame_t caller;
    step->kind = kind;
    step->data = calloc(1, kind->data_size ? kind->data_size : 1);
    uuid_new(step->uuid);
    if (star_stack_frame(star, 1, &caller)) {
        step->file = strdup(caller.file);
        step->line = caller.line;
        step->column = caller.column;
    } else {
        step->file = strdup("");
    }
    return step;
}

void
plan_step_destroy(plan_step_t **self_p)
{
    plan_step_t *self = *self_p;
    if (!self)
        return;
    if (self->kind->done)
        self->kind->done(self->data);
    free(self->data);
    free(self->file);
    free(self->description);
    free(self->text);
    for (size_t i = 0; i < self->n_arguments; i++)
        free(self->arguments[i].text);
    free(self->arguments);
    free(self->returned);
    types_texts_free(self->services);
    types_texts_free(self->uses);
    for (size_t i = 0; i < self->n_artifacts; i++) {
        free(self->artifacts[i].name);
        free(self->artifacts[i].md5);
    }
    free(self->artifacts);
    free(self);
    *self_p = NULL;
}

static void
add_text(char ***texts, size_t *count, const char *text)
{
    *texts = realloc(*texts, (*count + 2) * sizeof(**texts));
    (*texts)[(*count)++] = strdup(text);
    (*texts)[*count] = NULL;
}

void
plan_step_add_service(plan_step_t *self, const char *name)
{
    add_text(&self->services, &self->n_services, name);
}

void
plan_step_add_use(plan_step_t *self, const char *name)
{
    add_text(&self->uses, &self->n_uses, name);
}

void
plan_step_add_needs(plan_step_t *self, const types_service_config_t *config)
{
    const core_service_config_t *core = config->core;
    for (size_t i = 0; i < core->n_files; i++)
        for (char **artifact = core->files[i].artifacts; *artifact; artifact++)
            plan_step_add_use(self, *artifact);
    self->needs_resources |=
        config->core->spec->min_millicpus || config->core->spec->min_memory_megabytes;
}

void
plan_step_add_artifact(plan_step_t *self, const char *name, const char *md5)
{
    self->artifacts = realloc(self->artifacts, (self->n_artifacts + 1) * sizeof(*self->artifacts));
    self->artifacts[self->n_artifacts++] = (plan_artifact_t){strdup(name), strdup(md5)};
}

char *
plan_step_text(const plan_step_t *self, star_t *star)
{
    star_text_t text;
    star_text_init(&text, star);
    types_call_put(star, &self->kind->table, self->values, &text);
    char *copy = strndup(text.data ? text.data : "", text.length);
    star_text_done(&text);
    return copy;
}

void
plan_step_seal(plan_step_t *self, star_t *star)
{
    const types_table_t *table = &self->kind->table;
    self->text = plan_step_text(self, star);
    self->returned = types_text(star, self->value);
    self->arguments = calloc(table->count + 1, sizeof(*self->arguments));
    for (size_t i = 0; i <= table->count; i++) {
        if (!star_ok(self->values[i]))
            continue;
        self->arguments[self->n_arguments++] = (plan_argument_t){
            .name = i < table->count ? table->fields[i].name : "description",
            .text = types_text(star, self->values[i]),
            .shown = i < table->count && (table->fields[i].flags & TYPES_SHOWN),
        };
        self->values[i] = STAR_ABSENT;
    }
    self->value = STAR_ABSENT;
}

char *
plan_step_place(const plan_step_t *self)
{
    return str_format("%s[%u:%u]", self->file, self->line, self->column);
}

/* ------------------------------------------------------------------------------------------ in
 * short */

/* The string that a Starlark text makes; other texts as they are. */
static void
put_unquoted(const char *text, str_t *out)
{
    const size_t size = strlen(text);
    if (size < 2 || text[0] != '"') {
        str_add(out, text);
        return;
    }
    for (size_t i = 1; i + 1 < size; i++) {
        if (text[i] == '\\' && i + 2 < size)
            i++;
        str_add_char(out, text[i]);
    }
}

static void
put_brief(const plan_step_t *self, char what, str_t *out)
{
    const char *first = self->n_arguments ? self->arguments[0].text : "";
    switch (what) {
    case 'S':
        str_add(out, self->n_services ? self->services[0] : self->n_uses ? self->uses[0] : "");
        break;
    case 'N':
        str_printf(out, "%zu", self->n_services ? self->n_services : self->n_seen);
        break;
    case 'L':
        for (size_t i = 0; i < self->n_services; i++)
            str_printf(out, "%s%s", i ? ", " : "", self->services[i]);
        break;
    case 'A':
        str_add(out, self->n_artifacts ? self->artifacts[0].name : "");
        break;
    case 'D':
        str_add(out, self->description);
        break;
    case '1':
        put_unquoted(first, out);
        break;
    default:
        str_add(out, first);
        break;
    }
}

void
plan_step_brief(const plan_step_t *self, str_t *out)
{
    str_printf(out, "%s(", self->kind->table.name);
    for (const char *at = self->kind->brief; *at; at++)
        if (*at == '%')
            put_brief(self, *++at, out);
        else
            str_add_char(out, *at);
    str_add_char(out, ')');
}
