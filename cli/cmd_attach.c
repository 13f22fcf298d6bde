/*  cmd_attach: enclave attach: a run that somebody else has started, or that was started from a terminal that is gone. */
#include "cli/commands.h"

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/shown.h"

int
enclave_attach_run(const cli_call_t *call, err_t **err)
{
    AUTO_SESSION session = {0};
    AUTO_SHOWN shown = {.options = {.verbosity = render_verbosity(cli_text(call, "verbosity"))},
                        .text = STR_EMPTY};
    if (session_open_enclave(&session, cli_arg(call, "enclave"), err) < 0)
        return -1;
    const char *name = enclave_context_name(session.enclave);
    shown_interrupts(name);
    int result = enclave_context_attach_starlark_run(session.enclave, cli_bool(call, "only-new"),
                                                     shown_pause, shown_line, &shown, err);
    progress_end();
    if (result < 0)
        return shown_cut_off(&shown, name, err);
    /* a dry run ends without a word on its success */
    return shown.has_finished ? (shown.is_successful ? 0 : CLI_FAILED)
                              : (shown.has_failed ? CLI_FAILED : 0);
}
