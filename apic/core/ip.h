/*  ip: IPv4 addresses and networks as numbers. Pure functions. */
#ifndef KURTOSIS_APIC_CORE_IP_H
#define KURTOSIS_APIC_CORE_IP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define IP_TEXT_SIZE 16 /* "255.255.255.255" and NUL */

/* Host byte order. */
typedef struct {
    uint32_t network;   /* first address */
    uint32_t broadcast; /* last address */
} ip_net_t;

/* "172.16.0.5"; INVALID for anything else. */
int ip_parse(const char *text, uint32_t *ret_ip, err_t **err);
void ip_text(uint32_t ip, char ret_text[IP_TEXT_SIZE]);
/* "172.16.0.0/22": the prefix is 8..30 and the address is the network's own. */
int ip_net_parse(const char *text, ip_net_t *ret_net, err_t **err);
/* A host's address of the network: neither the first nor the last. */
bool ip_net_has(const ip_net_t *self, uint32_t ip);

#endif
