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

bool
subnet_parse_route(const char *line, subnet_t *ret_subnet)
{
    unsigned destination, mask;
    /* Addresses are words of the machine as they lie in memory: network byte order. */
    if (sscanf(line, "%*s %8x %*8x %*x %*d %*d %*d %8x", &destination, &mask) != 2)
        return false;
    mask = ntohl(mask);
    unsigned bits = mask ? 32 - (unsigned)__builtin_ctz(mask) : 0;
    if (bits < SUBNET_ROUTE_BITS)
        return false;
    *ret_subnet = (subnet_t){.address = ntohl(destination) & mask_of(bits), .bits = bits};
    return true;
}

/* Marks the blocks of a range that a network overlaps. */
static void
mark_blocks(const subnet_t *range, const subnet_t *network, bool *used)
{
    uint32_t count = UINT32_C(1) << (SUBNET_BITS - range->bits), first = 0, last = count - 1;
    if (!subnet_overlaps(range, network))
        return;
    if (network->bits > range->bits) {
        uint32_t end = network->address | ~mask_of(network->bits);
        first = (network->address - range->address) >> (32 - SUBNET_BITS);
        last = (end - range->address) >> (32 - SUBNET_BITS);
    }
    for (uint32_t block = first; block <= last; block++)
        used[block] = true;
}

static bool
lowest_in(const subnet_t *range, const subnet_t *taken, size_t count, subnet_t *ret_subnet)
{
    uint32_t blocks = UINT32_C(1) << (SUBNET_BITS - range->bits), block = 0;
    AUTO_FREE bool *used = calloc(blocks, sizeof *used);
    if (!used)
        abort();
    for (size_t i = 0; i < count; i++)
        mark_blocks(range, &taken[i], used);
    while (block < blocks && used[block])
        block++;
    if (block == blocks)
        return false;
    *ret_subnet =
        (subnet_t){.address = range->address + (block << (32 - SUBNET_BITS)), .bits = SUBNET_BITS};
    return true;
}

int
subnet_lowest_free(const subnet_t *taken, size_t count, subnet_t *ret_subnet, err_t **err)
{
    static const char *const ranges[] = SUBNET_RANGES;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        subnet_t range;
        if (subnet_parse(ranges[i], &range, err) < 0)
            return -1;
        if (lowest_in(&range, taken, count, ret_subnet))
            return 0;
    }
    return err_fail(err, ERR_LIMIT,
                    "all networks of %s, %s and %s are in use: remove enclaves that are not needed "
                    "('kurtosis clean')",
                    ranges[0], ranges[1], ranges[2]);
}
