/*  port_spec: PortSpec and Service. */
#include "apic/types/object.h"
#include "apic/types/service_config.h"
#include "base/duration.h"

#include <stdlib.h>
#include <string.h>

enum { PORT_NUMBER, PORT_TRANSPORT, PORT_APPLICATION, PORT_WAIT, PORT_URL, PORT_FIELDS };
static const types_field_t port_fields[PORT_FIELDS] = {
    {"number", TYPES_INT, .check = types_check_range, .min = 1, .max = 65535},
    {"transport_protocol", TYPES_STRING, .check = types_check_word, .among = "TCP, SCTP, UDP",
     .fallback = "TCP"},
    {"application_protocol", TYPES_STRING, .check = types_check_letters, .among = "a-zA-Z0-9+.-",
     .fallback = ""},
    {"wait", TYPES_STRING | TYPES_NONE, .check = types_check_duration_or_none, .fallback = "2m"},
    {"url", TYPES_STRING, .check = types_check_url},
};

enum { SERVICE_NAME, SERVICE_HOSTNAME, SERVICE_ADDRESS, SERVICE_PORTS, SERVICE_FIELDS };
static const types_field_t service_fields[SERVICE_FIELDS] = {
    {"name", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED},
    {"hostname", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED},
    {"ip_address", TYPES_STRING, .check = types_check_text, .flags = TYPES_REQUIRED},
    {"ports", TYPES_DICT, .flags = TYPES_REQUIRED},
};

TYPES_DEFINE(types_port_spec, "PortSpec", "*port_spec.PortSpec", port_fields);
TYPES_DEFINE(types_service, "Service", "*kurtosis_types.Service", service_fields);

static const struct {
    const char *name;
    Orchestrator__Transport transport;
} transports[] = {
    {"TCP", ORCHESTRATOR__TRANSPORT__TCP},
    {"SCTP", ORCHESTRATOR__TRANSPORT__SCTP},
    {"UDP", ORCHESTRATOR__TRANSPORT__UDP},
};

const char *
types_transport_name(Orchestrator__Transport transport)
{
    for (size_t i = 0; i < ARRAY_LEN(transports); i++)
        if (transports[i].transport == transport)
            return transports[i].name;
    return "TCP";
}

int
types_cast_port(star_t *star, star_value_t value, const char *id, types_port_t *ret, err_t **err)
{
    const star_value_t *values = types_values(value, &types_port_spec);
    AUTO_FREE char *transport = NULL, *wait = NULL;
    types_port_t self = {.wait_ns = -1};
    uint64_t number;
    (void)star;

    if (!values)
        return err_fail(err, ERR_INVALID, "port '%s' is expected to be a PortSpec. Got %s", id,
                        types_go_name(value));
    if (!star_ok(values[PORT_NUMBER]) || !types_get_uint(star, values[PORT_NUMBER], &number))
        return err_fail(err, ERR_INVALID,
                        "'number' argument on 'PortSpec' is mandatory but was unset. This is a "
                        "Kurtosis internal bug");
    self.number = (uint32_t)number;
    const bool unchecked = star_ok(values[PORT_WAIT]) && star_kind(values[PORT_WAIT]) == STAR_NONE;
    int rc =
        types_cast_field(&port_fields[PORT_TRANSPORT], values[PORT_TRANSPORT], &transport, err);
    if (rc == 0)
        rc = types_cast_field(&port_fields[PORT_APPLICATION], values[PORT_APPLICATION],
                              &self.application_protocol, err);
    if (rc == 0 && !unchecked) {
        rc = types_cast_field(&port_fields[PORT_WAIT], values[PORT_WAIT], &wait, err);
        if (rc == 0)
            rc = duration_parse(wait, &self.wait_ns, err);
    }
    if (rc == 0)
        rc = types_cast_field(&port_fields[PORT_URL], values[PORT_URL], &self.url, err);
    if (rc < 0) {
        types_port_done(&self);
        return rc;
    }
    for (size_t i = 0; i < ARRAY_LEN(transports); i++)
        if (!strcmp(transports[i].name, transport))
            self.transport = transports[i].transport;
    self.id = strdup(id);
    *ret = self;
    return 0;
}

void
types_port_done(types_port_t *self)
{
    free(self->id);
    free(self->application_protocol);
    free(self->url);
    *self = (types_port_t){.wait_ns = -1};
}

/* A PortSpec as it is found in a Service: what has a default has it. */
static star_value_t
port_of_service(star_t *star, const char *service, const types_port_t *port)
{
    star_value_t values[PORT_FIELDS + 1] = {STAR_ABSENT};
    values[PORT_NUMBER] = star_int(star, port->number);
    values[PORT_TRANSPORT] = star_string(star, types_transport_name(port->transport), (size_t)-1);
    if (port->application_protocol[0])
        values[PORT_APPLICATION] = star_string(star, port->application_protocol, (size_t)-1);
    if (port->wait_ns >= 0) {
        AUTO_STR wait = STR_EMPTY;
        duration_put(&wait, port->wait_ns);
        values[PORT_WAIT] = star_string(star, wait.data, wait.len);
    }
    if (port->url)
        values[PORT_URL] = star_string(star, port->url, (size_t)-1);
    else if (port->application_protocol[0])
        values[PORT_URL] = star_string_format(star, "%s://%s:%u", port->application_protocol,
                                              service, port->number);
    return types_object_new(star, &types_port_spec, values);
}

star_value_t
types_service_new(star_t *star, const char *name, const char *hostname, const char *address,
                  const types_port_t *ports, size_t n_ports)
{
    star_value_t values[SERVICE_FIELDS + 1] = {STAR_ABSENT};
    values[SERVICE_NAME] = star_string(star, name, (size_t)-1);
    values[SERVICE_HOSTNAME] = star_string(star, hostname, (size_t)-1);
    values[SERVICE_ADDRESS] = star_string(star, address, (size_t)-1);
    values[SERVICE_PORTS] = star_dict_new(star);
    for (size_t i = 0; i < n_ports; i++)
        star_dict_put(star, values[SERVICE_PORTS], ports[i].id,
                      port_of_service(star, name, &ports[i]));
    return types_object_new(star, &types_service, values);
}
