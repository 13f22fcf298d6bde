/*  error_text: an interpreter's error as users see it: the message, its causes, and the frames. */
#include "apic/run/interpret.h"

#include "apic/packages/locator.h"

#include <string.h>

#define EVALUATION "Evaluation error: "

static void
put_frame(str_t *out, const star_frame_t *frame, const char *what)
{
    const bool is_nowhere =
        !strcmp(frame->file, PACKAGES_SCRIPT) || !strcmp(frame->file, "<builtin>");
    str_printf(out, "\n\tat [%s%s%u:%u]: %s", is_nowhere ? "" : frame->file, is_nowhere ? "" : ":",
               frame->line, frame->column, what);
}

char *
run_error_text(star_t *star)
{
    const star_error_t *error = star_error(star);
    str_t out = STR_EMPTY;
    if (!error)
        return str_format("UnknownError: the interpreter failed\n");
    switch (error->kind) {
    case STAR_ERROR_SYNTAX:
        str_add(&out, "/!\\ Errors interpreting Startosis script");
        break;
    case STAR_ERROR_RESOLVE:
        str_add(&out, "Multiple errors caught interpreting the Starlark script. Listing each of "
                      "them below.");
        break;
    case STAR_ERROR_EVAL:
    case STAR_ERROR_LIMIT:
    case STAR_ERROR_CANCELLED:
        str_printf(&out, "%s%s", str_starts(error->message, EVALUATION) ? "" : EVALUATION,
                   error->message);
        break;
    }
    for (size_t i = 0; i < error->n_frames; i++) {
        const star_frame_t *frame = &error->frames[i];
        if (frame->message)
            put_frame(&out, frame, frame->message);
        else if (frame->name && strcmp(frame->name, "import_module") != 0)
            put_frame(&out, frame, frame->name);
    }
    return str_take(&out);
}
