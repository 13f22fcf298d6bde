/*  chunks: file transfer in chunks that vouch for each other: each carries the
 * SHA-1 of the one before and the name of what is transferred.
 */
#ifndef KURTOSIS_APIC_API_CHUNKS_H
#define KURTOSIS_APIC_API_CHUNKS_H

#include "apic/api/handlers.h"

#define CHUNKS_SIZE 262144u /* bytes of a chunk that we send */
#define CHUNKS_FILE_MAX                                                                            \
    UINT64_C(2097152000)      /* bytes of a file that we receive: reaching it is an error */
#define CHUNKS_NAME_MAX 4096u /* bytes of its name */

/* Receives a client's stream into the new file path; *ret_name (yours) is the name its chunks
 * carry, "" when there are no chunks. On failure the file is removed. */
int chunks_receive(actor_call_t *call, const char *path, char **ret_name, err_t **err);
/* Sends a file as the answer's stream. */
int chunks_send(actor_call_t *call, int fd, const char *name, err_t **err);

#endif
