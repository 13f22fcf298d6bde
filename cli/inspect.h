/*  inspect: an enclave as `enclave inspect` and the end of a run show it. */
#ifndef KURTOSIS_CLI_INSPECT_H
#define KURTOSIS_CLI_INSPECT_H

#include "cli/output.h"
#include "sdk/sdk.h"

#define INSPECT_WIDTH 100 /* of the title lines */

/* Prints all of it; CLI_FAILED when a section could not be shown (which is said). */
int inspect_print(kurtosis_context_t *kurtosis, const char *enclave, bool full_uuids, err_t **err);
int inspect_print_json(kurtosis_context_t *kurtosis, const char *enclave, err_t **err);

/* Words and colours of an enclave's status. */
const char *inspect_status_name(EngineApi__EnclaveContainersStatus status);
out_style_t inspect_status_style(EngineApi__EnclaveContainersStatus status);

/* The parts, for tests. */
void inspect_title(str_t *out, const char *title);
/* "http: 80/tcp -> http://127.0.0.1:32768"; public may be NULL. */
void inspect_port(str_t *out, const char *id, const ApiContainerApi__Port *port,
                  const char *public_ip, const ApiContainerApi__Port *public_port);
void inspect_services(str_t *out, const ApiContainerApi__GetServicesResponse *services,
                      bool full_uuids, bool coloured);
void inspect_artifacts(str_t *out,
                       const ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *artifacts,
                       bool full_uuids, bool coloured);

#endif
