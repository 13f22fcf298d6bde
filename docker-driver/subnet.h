/*  subnet: arithmetic on IPv4 networks. */
#ifndef KURTOSIS_DOCKER_DRIVER_SUBNET_H
#define KURTOSIS_DOCKER_DRIVER_SUBNET_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Where enclaves' networks lie: first where Kurtosis has them, then where hardly anyone else is, then among those that
 * Docker gives to others. 5,120 networks in all. */
#define SUBNET_RANGES                                                                              \
    {                                                                                              \
        "172.16.0.0/16", "10.192.0.0/10", "172.16.0.0/12"                                          \
    }
#define SUBNET_BITS 22u     /* of an enclave's network: 1024 addresses */
#define SUBNET_TEXT_SIZE 19 /* "255.255.255.255/32" and NUL */
#define SUBNET_ROUTE_BITS                                                                          \
    8u /* of a route to hosts; wider ones are detours for everything, and no reason */

/* An IPv4 network: the first address in host byte order, and how many leading bits are fixed
 * (0..32). */
typedef struct {
    uint32_t address;
    unsigned bits;
} subnet_t;

/* Reads "a.b.c.d/n"; host bits are cleared. INVALID for anything else (IPv6 included). */
int subnet_parse(const char *text, subnet_t *ret_subnet, err_t **err);
/* Reads "a.b.c.d". */
int subnet_parse_address(const char *text, uint32_t *ret_address, err_t **err);
void subnet_text(const subnet_t *self, char ret_text[SUBNET_TEXT_SIZE]);
void subnet_address_text(uint32_t address, char ret_text[SUBNET_TEXT_SIZE]);
bool subnet_overlaps(const subnet_t *a, const subnet_t *b);
bool subnet_contains(const subnet_t *self, uint32_t address);

/* Reads one line of /proc/net/route; false for what is no route to hosts: the heading, the default route. */
bool subnet_parse_route(const char *line, subnet_t *ret_subnet);

/* The first network of SUBNET_BITS in SUBNET_RANGES that overlaps none of the taken ones. LIMIT
 * when all are used. */
int subnet_lowest_free(const subnet_t *taken, size_t count, subnet_t *ret_subnet, err_t **err);

#endif
