/*  ip: see ip.h. */
#include "apic/core/ip.h"

#include <arpa/inet.h>
#include <string.h>

int
ip_parse(const char *text, uint32_t *ret_ip, err_t **err)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1)
        return err_fail(err, ERR_INVALID, "'%s' is not an IPv4 address", text);
    *ret_ip = ntohl(address.s_addr);
    return 0;
}

void
ip_text(uint32_t ip, char ret_text[IP_TEXT_SIZE])
{
    struct in_addr address = {.s_addr = htonl(ip)};
    inet_ntop(AF_INET, &address, ret_text, IP_TEXT_SIZE);
}

int
ip_net_parse(const char *text, ip_net_t *ret_net, err_t **err)
{
    const char *slash = strchr(text, '/');
    char address[IP_TEXT_SIZE] = "";
    if (slash && (size_t)(slash - text) < sizeof address)
        memcpy(address, text, (size_t)(slash - text));

    char *end = NULL;
    long bits = slash && slash[1] >= '0' && slash[1] <= '9' ? strtol(slash + 1, &end, 10) : -1;
    uint32_t network = 0;
    if (bits < 8 || bits > 30 || *end || ip_parse(address, &network, NULL) < 0)
        return err_fail(err, ERR_INVALID,
                        "'%s' is not an IPv4 network such as '172.16.0.0/22' (prefix 8 to 30)",
                        text);

    uint32_t hosts = UINT32_MAX >> bits;
    if (network & hosts)
        return err_fail(err, ERR_INVALID, "'%s' is not a network: '%s' is an address inside it",
                        text, address);
    *ret_net = (ip_net_t){.network = network, .broadcast = network | hosts};
    return 0;
}

bool
ip_net_has(const ip_net_t *self, uint32_t ip)
{
    return ip > self->network && ip < self->broadcast;
}
