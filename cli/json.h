/*  json: what `--output json` prints: the schema's own JSON, field names as in the schema, indented
 * by two blanks. */
#ifndef KURTOSIS_CLI_JSON_H
#define KURTOSIS_CLI_JSON_H

#include "bus/schema/api_container.pb-c.h"
#include "bus/schema/engine.pb-c.h"

/* One object with "enclave", "services" (an array, by name) and "files_artifacts"; NULL parts are
 * empty. */
void json_print_enclave(const EngineApi__EnclaveInfo *info,
                        const ApiContainerApi__GetServicesResponse *services,
                        const ApiContainerApi__ListFilesArtifactNamesAndUuidsResponse *artifacts);
/* An array of enclaves, in the order given. */
void json_print_enclaves(const EngineApi__GetEnclavesResponse *enclaves);

#endif
