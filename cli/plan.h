/*  plan: what a run would do, as its plan YAML says: run --dependencies, --pull and --output-graph. Nothing is run. */
#ifndef KURTOSIS_CLI_PLAN_H
#define KURTOSIS_CLI_PLAN_H

#include "cli/package.h"
#include "cli/session.h"

#include <jansson.h>

/* *ret_plan is yours, json_decref. */
int plan_read(enclave_context_t *enclave, const package_source_t *source,
              const starlark_run_config_t *config, json_t **ret_plan, err_t **err);
/* Prints the images and packages that it needs. */
void plan_show_dependencies(const json_t *plan);
/* Before anything else is done: can plan_pull work here? */
int plan_check_pull(err_t **err);
/* Brings them to this machine: images into Docker, packages into folders beside the one we are in, whose kurtosis.yml gets
 * a `replace` for each, unless it has replaces already; then they are logged. */
int plan_pull(const session_t *session, const json_t *plan, err_t **err);

/* Before anything else is done: can plan_write_graph work here? */
int plan_check_graph(const char *folder, err_t **err);
/* Writes kurtosis-graph-<enclave, if not ""><time>.png to folder, and with_mermaid a .md. */
int plan_write_graph(const json_t *plan, const char *folder, const char *enclave, bool with_mermaid,
                     err_t **err);

#endif
