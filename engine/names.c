/*  names: see names.h. */
#include "engine/names.h"

#include "base/str.h"

#include <string.h>

bool
engine_name_is_valid(const char *name)
{
    size_t len = strlen(name);
    return len >= 1 && len <= ENGINE_NAME_MAX && !str_starts(name, ENGINE_NAME_RESERVED) &&
           strspn(name, "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == len;
}
