/*  shown: see shown.h. */
#include "cli/shown.h"

#include "cli/interrupt.h"
#include "cli/progress.h"

#include <string.h>

void
shown_done(shown_t *self)
{
    str_done(&self->text);
    free(self->last);
    for (size_t i = 0; i < SHOWN_SIDE_BY_SIDE; i++) {
        free(self->running[i].id);
        free(self->running[i].text);
    }
}

/* The place of the instruction with this id, or with NULL a free one; NULL when there is none. */
static shown_instruction_t *
find(shown_t *self, const char *id)
{
    for (size_t i = 0; i < SHOWN_SIDE_BY_SIDE; i++) {
        const char *here = self->running[i].id;
        if (id ? here && !strcmp(here, id) : !here)
            return &self->running[i];
    }
    return NULL;
}

static void
set_last(shown_t *self, const char *id)
{
    free(self->last);
    self->last = strdup(id);
}

/* An instruction that runs beside others begins: its result may come after other lines. */
static void
show_begin(shown_t *self, const ApiContainerApi__StarlarkRunResponseLine *line)
{
    const char *id = line->instruction->instruction_id;
    const size_t start = self->text.len;
    shown_instruction_t *place = find(self, NULL);
    render_line(&self->options, line, out_coloured(), &self->text);
    if (self->text.len == start || !place)
        return;
    *place = (shown_instruction_t){strdup(id), strdup(self->text.data + start)};
    set_last(self, id);
}

/* Its result: below the instruction, which is shown once more unless it was the last thing shown. */
static void
show_result(shown_t *self, const ApiContainerApi__StarlarkRunResponseLine *line)
{
    const char *id = line->instruction_result->instruction_id;
    shown_instruction_t *place = find(self, id);
    if (place && (!self->last || strcmp(self->last, id) != 0))
        str_add(&self->text, place->text);
    render_line(&self->options, line, out_coloured(), &self->text);
    set_last(self, id);
    if (!place)
        return;
    free(place->id);
    free(place->text);
    *place = (shown_instruction_t){0};
}

static void
show_progress(const ApiContainerApi__StarlarkRunProgress *progress)
{
    AUTO_STR text = STR_EMPTY;
    if (!out_is_interactive())
        return;
    /* A row has no room for what the phase is about when there are details. */
    const size_t count = progress->n_current_step_info, first = count > 1;
    for (size_t i = first; i < count; i++)
        str_printf(&text, "%s%s", i > first ? " - " : "", progress->current_step_info[i]);
    progress_set(text.data, progress->current_step_number, progress->total_steps);
}

void
shown_pause(void *arg)
{
    shown_t *self = arg;
    if (self->text.len)
        out_text(self->text.data);
    str_clear(&self->text);
}

int
shown_line(void *arg, const ApiContainerApi__StarlarkRunResponseLine *line, err_t **err)
{
    shown_t *self = arg;
    (void)err;
    self->has_begun = true;
    switch (line->run_response_line_case) {
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_PROGRESS_INFO:
        show_progress(line->progress_info);
        return 0;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_REPOSITORY_WANTED:
        if (out_is_interactive())
            progress_set(line->repository_wanted->url, 0, 0);
        return 0;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION:
        if (!line->instruction->_instruction_id_case)
            break;
        show_begin(self, line);
        return 0;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_INSTRUCTION_RESULT:
        if (!line->instruction_result->_instruction_id_case)
            break;
        show_result(self, line);
        return 0;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_ERROR:
        self->has_failed = true;
        break;
    case API_CONTAINER_API__STARLARK_RUN_RESPONSE_LINE__RUN_RESPONSE_LINE_RUN_FINISHED_EVENT:
        progress_end();
        self->has_finished = true;
        self->is_successful = line->run_finished_event->is_run_successful;
        break;
    default:
        break;
    }
    render_line(&self->options, line, out_coloured(), &self->text);
    free(self->last);
    self->last = NULL;
    return 0;
}

void
shown_interrupts(const char *enclave)
{
    static char *message; /* lent for ever */
    free(message);
    message =
        str_format("Interrupted: the run goes on in the enclave. 'kurtosis enclave attach %s' "
                   "shows it.",
                   enclave);
    interrupt_set(message, 1);
}

int
shown_cut_off(const shown_t *self, const char *enclave, err_t **err)
{
    if (!err || err_code(*err) != ERR_UNAVAILABLE)
        return self->has_begun ? err_wrap(err, "the run was cut off") : -1;
    return err_wrap(err,
                    "the run was cut off: 'kurtosis enclave attach %s' shows how it goes on; if it "
                    "does not, the same run once more does the rest",
                    enclave);
}
