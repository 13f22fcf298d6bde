/*  subnet: see subnet.h. */
#include "docker-driver/subnet.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static uint32_t
mask_of(unsigned bits)
{
    return bits ? UINT32_MAX << (32 - bits) : 0;
}

int
subnet_parse_address(const char *text, uint32_t *ret_address, err_t **err)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1)
        return err_fail(err, ERR_INVALID, "'%.60s' is not an IPv4 address", text);
    *ret_address = ntohl(address.s_addr);
    return 0;
}

int
subnet_parse(const char *text, subnet_t *ret_subnet, err_t **err)
{
    char copy[SUBNET_TEXT_SIZE];
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : 0;
    char *end = NULL;
    unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : 99;
    if (!slash || size >= sizeof copy || slash[1] < '0' || slash[1] > '9' || *end || bits > 32)
        return err_fail(err, ERR_INVALID, "'%.60s' is not an IPv4 network such as 172.16.0.0/22",
                        text);
    memcpy(copy, text, size);
    copy[size] = '\0';
    uint32_t address;
    if (subnet_parse_address(copy, &address, err) < 0)
        return -1;
    *ret_subnet = (subnet_t){.address = address & mask_of((unsigned)bits), .bits = (unsigned)bits};
    return 0;
}

void
subnet_address_text(uint32_t address, char ret_text[SUBNET_TEXT_SIZE])
{
    snprintf(ret_text, SUBNET_TEXT_SIZE, "%u.%u.%u.%u", address >> 24, (address >> 16) & 255,
             (address >> 8) & 255, address & 255);
}

void
subnet_text(const subnet_t *self, char ret_text[SUBNET_TEXT_SIZE])
{
    subnet_address_text(self->address, ret_text);
    size_t len = strlen(ret_text);
    snprintf(ret_text + len, SUBNET_TEXT_SIZE - len, "/%u", self->bits & 63);
}

bool
subnet_overlaps(const subnet_t *a, const subnet_t *b)
{
    uint32_t mask = mask_of(a->bits < b->bits ? a->bits : b->bits);
    return (a->address & mask) == (b->address & mask);
}

bool
subnet_contains(const subnet_t *self, uint32_t address)
{
    return (address & mask_of(self->bits)) == self->address;
}

int
subnet_lowest_free(const subnet_t *taken, size_t count, subnet_t *ret_subnet, err_t **err)
{
    subnet_t range;
    if (subnet_parse(SUBNET_RANGE, &range, err) < 0)
        return -1;
    uint32_t step = UINT32_C(1) << (32 - SUBNET_BITS);
    for (uint32_t block = 0; block < UINT32_C(1) << (SUBNET_BITS - range.bits); block++) {
        subnet_t candidate = {.address = range.address + block * step, .bits = SUBNET_BITS};
        bool is_free = true;
        for (size_t i = 0; i < count && is_free; i++)
            is_free = !subnet_overlaps(&candidate, &taken[i]);
        if (is_free) {
            *ret_subnet = candidate;
            return 0;
        }
    }
    return err_fail(
        err, ERR_LIMIT,
        "all %u networks of %s are in use: remove enclaves that are not needed ('kurtosis clean')",
        1u << (SUBNET_BITS - range.bits), SUBNET_RANGE);
}
