/*  starlark: commands that are one instruction each, run as a small script. */
#ifndef KURTOSIS_CLI_STARLARK_H
#define KURTOSIS_CLI_STARLARK_H

#include "sdk/sdk.h"

/* Runs a script with parameters (JSON) and waits; *ret_output (may be NULL) is yours, what the run
 * said. */
int starlark_run_once(enclave_context_t *enclave, const char *script, const char *params,
                      bool privileged, char **ret_output, err_t **err);
int starlark_start_service(enclave_context_t *enclave, const char *service, err_t **err);
int starlark_stop_service(enclave_context_t *enclave, const char *service, err_t **err);
int starlark_remove_service(enclave_context_t *enclave, const char *service, err_t **err);
int starlark_store_service_files(enclave_context_t *enclave, const char *service, const char *path,
                                 const char *name, char **ret_output, err_t **err);

/* Appends text as a string literal, which JSON and Starlark have in common. */
void starlark_quote(str_t *out, const char *text);

/* Renders one template; data is JSON. name may be "". */
int starlark_render_template(enclave_context_t *enclave, const char *text, const char *data,
                             const char *destination, const char *name, char **ret_output,
                             err_t **err);

#endif
