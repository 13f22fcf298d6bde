/*  ports: the ports of a service. */
#include "apic/compose/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORT_MAX 65535u

typedef struct {
    const service_t *service;
    str_t *out;
    size_t n; /* written */
} ports_t;

static bool
is_http(unsigned long number)
{
    return number == 8080 || number == 8000 || number == 80 || number == 443;
}

static int
write_port(ports_t *self, unsigned long number, const char *protocol, err_t **err)
{
    static const char *const known[] = {"TCP", "UDP", "SCTP"};
    const char *name = NULL;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (!strcasecmp(protocol, known[i]))
            name = known[i];
    if (!name)
        return err_fail(err, ERR_INVALID, "Port #%zu has unsupported protocol '%s'", self->n,
                        protocol);
    if (number == 0 || number > PORT_MAX)
        return err_fail(err, ERR_INVALID, "Port #%zu is %lu, which is not in 1 to %u", self->n,
                        number, PORT_MAX);
    if (self->n == COMPOSE_PORTS_MAX)
        return err_fail(err, ERR_LIMIT, "the service has more than %u ports", COMPOSE_PORTS_MAX);
    str_printf(self->out, "%s\"port%zu\": PortSpec(number=%lu, transport_protocol=\"%s\"",
               self->n ? ", " : "", self->n, number, name);
    if (is_http(number))
        str_printf(self->out, ", application_protocol=\"http\", url=\"http://%s:%lu\"",
                   self->service->name, number);
    str_add_char(self->out, ')');
    self->n++;
    return 0;
}

static int
compare_as_text(const void *a, const void *b)
{
    char one[16], two[16];
    snprintf(one, sizeof one, "%lu/", *(const unsigned long *)a);
    snprintf(two, sizeof two, "%lu/", *(const unsigned long *)b);
    return strcmp(one, two);
}

/* "3000" or "3000-3002". */
static int
write_range(ports_t *self, const char *text, const char *protocol, err_t **err)
{
    char *end;
    const unsigned long first = isdigit((unsigned char)text[0]) ? strtoul(text, &end, 10) : 0;
    unsigned long last = first;
    if (first && *end == '-' && isdigit((unsigned char)end[1]))
        last = strtoul(end + 1, &end, 10);
    if (!first || *end || last < first || last > PORT_MAX)
        return err_fail(err, ERR_INVALID, "invalid containerPort: %s", text);
    const size_t count = last - first + 1;
    AUTO_FREE unsigned long *numbers = malloc(count * sizeof(*numbers));
    if (!numbers)
        abort();
    for (size_t i = 0; i < count; i++)
        numbers[i] = first + i;
    qsort(numbers, count, sizeof(*numbers), compare_as_text);
    for (size_t i = 0; i < count; i++)
        if (write_port(self, numbers[i], protocol, err) < 0)
            return -1;
    return 0;
}

/* "[[ip:]host:]container[/protocol]" */
static int
write_short(ports_t *self, const char *text, err_t **err)
{
    const char *slash = strrchr(text, '/');
    AUTO_FREE char *numbers = slash ? strndup(text, (size_t)(slash - text)) : strdup(text);
    const char *colon = strrchr(numbers, ':');
    return write_range(self, colon ? colon + 1 : numbers, slash ? slash + 1 : "tcp", err);
}

static int
write_long(ports_t *self, const node_t *node, err_t **err)
{
    static const char *const keys[] = {"target", "published", "host_ip",     "protocol",
                                       "mode",   "name",      "app_protocol"};
    for (size_t i = 0; i < node->n; i++) {
        if (!node_key_known(node->keys[i], keys, ARRAY_LEN(keys)))
            return err_fail(err, ERR_INVALID, "Port #%zu: additional property %s is not allowed",
                            self->n, node->keys[i]);
    }
    return write_range(self, node_text(node_get(node, "target"), ""),
                       node_text(node_get(node, "protocol"), "tcp"), err);
}

int
ports_write(const service_t *self, str_t *out, bool *ret_any, err_t **err)
{
    const node_t *list = node_get(self->node, "ports");
    ports_t ports = {.service = self, .out = out};
    if (list && list->kind != NODE_LIST)
        return err_fail(err, ERR_INVALID, "services.%s.ports must be a list", self->key);
    *ret_any = list && list->n;
    if (!*ret_any)
        return 0;
    str_add(out, "ports={");
    for (size_t i = 0; i < list->n; i++) {
        const node_t *item = list->items[i];
        const int rc = item->kind == NODE_MAP ? write_long(&ports, item, err)
                                              : write_short(&ports, node_text(item, ""), err);
        if (rc < 0)
            return rc;
    }
    str_add_char(out, '}');
    return 0;
}
