/*  labels: see labels.h. */
#include "docker-driver/labels.h"

#include "base/uuid.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ENCLAVE_NAME_MAX 60u
#define PORTS_MAX 1000u /* ports of one service */

static const char *const transport_labels[] = {
    [ORCHESTRATOR__TRANSPORT__TCP] = "TCP",
    [ORCHESTRATOR__TRANSPORT__SCTP] = "SCTP",
    [ORCHESTRATOR__TRANSPORT__UDP] = "UDP",
};
static const char *const transport_names[] = {
    [ORCHESTRATOR__TRANSPORT__TCP] = "tcp",
    [ORCHESTRATOR__TRANSPORT__SCTP] = "sctp",
    [ORCHESTRATOR__TRANSPORT__UDP] = "udp",
};

/* Separators of the port label: between entries, after the id, after number and transport; newest
 * first. */
static const struct {
    char entry, id, word;
} separators[] = {{',', ':', '/'}, {'_', '.', '-'}};

/* ---------------------------------------------------------------------------------------- names */

char *
docker_name_engine(const char *guid)
{
    return str_format("kurtosis-engine--%s", guid);
}

char *
docker_name_network(const char *enclave_name)
{
    return str_format("kt-%s", enclave_name);
}

char *
docker_name_api(const char *enclave_uuid)
{
    return str_format("kurtosis-api--%s", enclave_uuid);
}

char *
docker_name_service(const char *name, const char *uuid)
{
    return str_format("%s--%s", name, uuid);
}

char *
docker_name_files(const char *guid, const char *enclave_uuid)
{
    return str_format("files-artifact-expansion--%s--%s", guid, enclave_uuid);
}

char *
docker_name_persistent(const char *key, const char *enclave_uuid)
{
    return str_format("%s--%s", key, enclave_uuid);
}

/* --------------------------------------------------------------------------------------- checks */

int
docker_check_uuid(const char *what, const char *text, err_t **err)
{
    if (uuid_is(text))
        return 0;
    return err_fail(err, ERR_INVALID, "%s '%.100s' is not a UUID of %d lower-case hex digits", what,
                    text, UUID_LEN);
}

int
docker_check_enclave_name(const char *name, err_t **err)
{
    size_t size = strlen(name);
    bool fine = size >= 1 && size <= ENCLAVE_NAME_MAX;
    for (const char *p = name; *p && fine; p++)
        fine = isalnum((unsigned char)*p) || *p == '-';
    if (fine)
        return 0;
    return err_fail(
        err, ERR_INVALID,
        "enclave name '%.100s' is wrong: 1 to %u letters, digits and hyphens are allowed", name,
        ENCLAVE_NAME_MAX);
}

int
docker_check_service_name(const char *what, const char *name, err_t **err)
{
    size_t size = strlen(name);
    bool fine = size >= 1 && size <= DOCKER_SERVICE_NAME_MAX && islower((unsigned char)name[0]) &&
                name[size - 1] != '-';
    for (const char *p = name; *p && fine; p++)
        fine = islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '-';
    if (fine)
        return 0;
    return err_fail(err, ERR_INVALID,
                    "%s '%.100s' is wrong: 1 to %u lower-case letters, digits and hyphens are "
                    "allowed, the first a "
                    "letter and the last no hyphen",
                    what, name, DOCKER_SERVICE_NAME_MAX);
}

int
docker_check_label(const char *key, const char *value, err_t **err)
{
    size_t size = strlen(key);
    size_t most = DOCKER_NAME_MAX - strlen(DOCKER_LABEL_CUSTOM);
    bool fine = size >= 1 && size <= most;
    for (const char *p = key; *p && fine; p++)
        fine = islower((unsigned char)*p) || isdigit((unsigned char)*p) || strchr("-._", *p);
    if (!fine)
        return err_fail(err, ERR_INVALID,
                        "label key '%.300s' is wrong: 1 to %zu lower-case letters, digits, '-', "
                        "'.' and '_' are allowed",
                        key, most);
    if (strlen(value) > DOCKER_LABEL_VALUE_MAX)
        return err_fail(err, ERR_LIMIT, "the value of label '%s' has more than %u bytes", key,
                        DOCKER_LABEL_VALUE_MAX);
    return 0;
}

/* ---------------------------------------------------------------------------------------- ports */

const char *
docker_transport_name(Orchestrator__Transport transport)
{
    return (size_t)transport < ARRAY_LEN(transport_names) ? transport_names[transport] : "tcp";
}

static int
check_port(const Orchestrator__ServicePort *port, err_t **err)
{
    if (!*port->id || strpbrk(port->id, ":/,"))
        return err_fail(err, ERR_INVALID,
                        "port id '%.100s' is wrong: it must not be empty or hold ':', '/' or ','",
                        port->id);
    if (port->number < 1 || port->number > 65535)
        return err_fail(err, ERR_INVALID, "port '%s' has number %u: 1 to 65535 are allowed",
                        port->id, port->number);
    if (port->public_number > 65535)
        return err_fail(err, ERR_INVALID, "port '%s' has public number %u: 1 to 65535 are allowed",
                        port->id, port->public_number);
    if ((size_t)port->transport >= ARRAY_LEN(transport_names))
        return err_fail(err, ERR_INVALID, "port '%s' has an unknown transport", port->id);
    for (const char *p = port->application_protocol; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("+.-", *p))
            return err_fail(err, ERR_INVALID,
                            "port '%s' has application protocol '%.100s': letters, digits, '+', "
                            "'.' and '-' are allowed",
                            port->id, port->application_protocol);
    return 0;
}

int
docker_ports_pack(Orchestrator__ServicePort *const *ports, size_t count, str_t *out, err_t **err)
{
    if (count > PORTS_MAX)
        return err_fail(err, ERR_LIMIT, "a service with %zu ports: at most %u are allowed", count,
                        PORTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (check_port(ports[i], err) < 0)
            return -1;
        for (size_t k = 0; k < i; k++) {
            if (strcmp(ports[i]->id, ports[k]->id) == 0)
                return err_fail(err, ERR_INVALID, "port id '%s' is given twice", ports[i]->id);
            if (ports[i]->number == ports[k]->number && ports[i]->transport == ports[k]->transport)
                return err_fail(err, ERR_INVALID, "ports '%s' and '%s' are both %u/%s",
                                ports[k]->id, ports[i]->id, ports[i]->number,
                                transport_labels[ports[i]->transport]);
        }
        str_printf(out, "%s%s:%u/%s", i ? "," : "", ports[i]->id, ports[i]->number,
                   transport_labels[ports[i]->transport]);
        if (*ports[i]->application_protocol)
            str_printf(out, "/%s", ports[i]->application_protocol);
    }
    return 0;
}

/* Reads one entry with the separators of row `set`; NULL when it is none. Changes text. */
static Orchestrator__ServicePort *
entry_unpack(char *text, size_t set)
{
    char *number = strchr(text, separators[set].id);
    char *transport = number ? strchr(number, separators[set].word) : NULL;
    if (!transport || number == text)
        return NULL;
    *number++ = '\0';
    *transport++ = '\0';
    char *protocol = strchr(transport, separators[set].word);
    if (protocol)
        *protocol++ = '\0';
    char *end;
    unsigned long value = strtoul(number, &end, 10);
    if (!isdigit((unsigned char)*number) || *end || value < 1 || value > 65535)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(transport_labels); i++) {
        if (strcmp(transport, transport_labels[i]) != 0)
            continue;
        Orchestrator__ServicePort *port = malloc(sizeof *port);
        if (!port)
            abort();
        orchestrator__service_port__init(port);
        port->id = strdup(text);
        port->number = (unsigned)value;
        port->transport = (Orchestrator__Transport)i;
        if (protocol)
            port->application_protocol = strdup(protocol);
        return port;
    }
    return NULL;
}

static bool
unpack_with(const char *text, size_t set, Orchestrator__ServicePort ***ret_ports, size_t *ret_count)
{
    AUTO_FREE char *copy = strdup(text);
    char between[2] = {separators[set].entry, '\0'};
    Orchestrator__ServicePort **ports = NULL;
    size_t count = 0;
    char *save = NULL;
    for (char *entry = strtok_r(copy, between, &save); entry;
         entry = strtok_r(NULL, between, &save)) {
        Orchestrator__ServicePort *port = count < PORTS_MAX ? entry_unpack(entry, set) : NULL;
        if (!port) {
            docker_ports_free(ports, count);
            return false;
        }
        ports = realloc(ports, (count + 1) * sizeof(Orchestrator__ServicePort *));
        if (!ports)
            abort();
        ports[count++] = port;
    }
    *ret_ports = ports;
    *ret_count = count;
    return true;
}

int
docker_ports_unpack(const char *text, Orchestrator__ServicePort ***ret_ports, size_t *ret_count,
                    err_t **err)
{
    for (size_t set = 0; set < ARRAY_LEN(separators); set++)
        if (unpack_with(text, set, ret_ports, ret_count))
            return 0;
    return err_fail(err, ERR_INVALID, "the port label '%.200s' cannot be read", text);
}

void
docker_ports_free(Orchestrator__ServicePort **ports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        orchestrator__service_port__free_unpacked(ports[i], NULL);
    free(ports);
}
