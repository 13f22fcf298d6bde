/*  service_config: services as flags, as JSON, and as the Starlark that adds them. */
#ifndef KURTOSIS_CLI_SERVICE_CONFIG_H
#define KURTOSIS_CLI_SERVICE_CONFIG_H

#include "base/err.h"
#include "base/str.h"
#include "bus/schema/api_container.pb-c.h"

#define SERVICE_CONFIG_MAX (1024u * 1024) /* bytes of a configuration file */
#define SERVICE_PORT_WAIT "30s"           /* of ports given by flags */

/* Flags of `service add`; "" where not given. */
typedef struct {
    const char *image, *cmd, *entrypoint, *env, *ports, *files, *ip_address_placeholder;
} service_flags_t;

/* Flags of `service update`; "" where not given. */
typedef struct {
    const char *image, *cmd, *entrypoint, *env, *ports, *files;
} service_changes_t;

/* Each appends a dict of Starlark, as the value of a ServiceConfig's field: K1=V1,K2=V2;
 * ID=[APP:]NUMBER[/tcp|udp|sctp],...; MOUNT:ARTIFACT[|ARTIFACT2...],... INVALID. */
int service_config_env(const char *list, str_t *out, err_t **err);
int service_config_ports(const char *list, str_t *out, err_t **err);
int service_config_files(const char *list, str_t *out, err_t **err);

/* Appends a script that updates the service: what it has, with the changes. INVALID for changes that cannot be read. */
int service_config_update(const ApiContainerApi__ServiceInfo *info,
                          const service_changes_t *changes, str_t *out, err_t **err);

/* Appends "ServiceConfig(...)". INVALID for what cannot be read. */
int service_config_from_flags(const service_flags_t *flags, str_t *out, err_t **err);
/* The same from a JSON file; "-" is stdin. */
int service_config_from_file(const char *path, str_t *out, err_t **err);
int service_config_from_json(const char *text, str_t *out, err_t **err);

/* Appends a service's configuration as JSON, indented by two blanks, or as YAML. */
void service_config_print(const ApiContainerApi__ServiceInfo *info, bool as_yaml, str_t *out);

#endif
