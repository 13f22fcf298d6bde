/*  uuid: see uuid.h. */
#include "base/uuid.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void
uuid_new(char ret_uuid[UUID_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort();
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof bytes; i++) {
        ret_uuid[2 * i] = digits[bytes[i] >> 4];
        ret_uuid[2 * i + 1] = digits[bytes[i] & 0x0f];
    }
    ret_uuid[UUID_LEN] = '\0';
}

bool
uuid_is(const char *text)
{
    return strlen(text) == UUID_LEN && strspn(text, "0123456789abcdef") == UUID_LEN;
}
