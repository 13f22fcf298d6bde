/*  session: see session.h. */
#include "cli/session.h"

#include "cli/interrupt.h"
#include "cli/manager.h"

int
session_open(session_t *self, err_t **err)
{
    *self = (session_t){0};
    interrupt_init();
    return manager_ensure(&self->kurtosis, err);
}

int
session_open_enclave(session_t *self, const char *enclave, err_t **err)
{
    if (session_open(self, err) < 0)
        return -1;
    return kurtosis_context_get_enclave_context(self->kurtosis, enclave, &self->enclave, err);
}

void
session_done(session_t *self)
{
    enclave_context_destroy(&self->enclave);
    kurtosis_context_destroy(&self->kurtosis);
}
