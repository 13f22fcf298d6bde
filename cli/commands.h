/*  commands: the functions behind the table, one file a group. */
#ifndef KURTOSIS_CLI_COMMANDS_H
#define KURTOSIS_CLI_COMMANDS_H

#include "bus/schema/api_container.pb-c.h"
#include "cli/command.h"

cli_run_fn bus_ls_run, bus_tap_run;
cli_run_fn clean_run;
cli_run_fn enclave_add_run, enclave_attach_run, enclave_inspect_run, enclave_ls_run, enclave_rm_run,
    enclave_stop_run;
cli_run_fn dump_run, enclave_dump_run, engine_logs_run;
cli_run_fn enclave_connect_run, engine_restart_run, engine_start_run, engine_status_run,
    engine_stop_run;
cli_run_fn files_download_run, files_inspect_run, files_rendertemplate_run, files_storeservice_run,
    files_storeweb_run, files_upload_run;
cli_run_fn port_print_run;
cli_run_fn run_run;
cli_run_fn service_add_run, service_exec_run, service_inspect_run, service_logs_run, service_rm_run,
    service_shell_run, service_start_run, service_stop_run, service_update_run;
cli_run_fn version_run;

/* Appends a published port in the pieces of a format ("protocol,ip,number"); for tests. */
int port_format(const char *format, const ApiContainerApi__Port *port, str_t *out, err_t **err);

#endif
