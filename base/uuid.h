/*  uuid: random version-4 UUIDs without hyphens, and names drawn from word lists. */
#ifndef KURTOSIS_BASE_UUID_H
#define KURTOSIS_BASE_UUID_H

#include <stdbool.h>

#define UUID_LEN 32       /* hex digits of a UUID */
#define UUID_SHORT_LEN 12 /* hex digits of a shortened UUID */

/* 32 lower-case hex digits and a NUL. */
void uuid_new(char ret_uuid[UUID_LEN + 1]);
/* Exactly 32 lower-case hex digits? */
bool uuid_is(const char *text);

#endif
