/*  duration: nanoseconds as Go prints them. */
#ifndef KURTOSIS_APIC_CORE_DURATION_H
#define KURTOSIS_APIC_CORE_DURATION_H

#include <stdint.h>

/* "2m0s", "1.5s", "500ms", "0s"; yours, free(). */
char *duration_text(int64_t ns);

#endif
