/*  chunk: packs of compressed hot files, and the names of all files of a log.
 *
 *      4  "KLP1"               12  CRC-32 of all the rest     24  number of lines
 *      4  bytes after the head 16  number of the hot file     28  time of the oldest line, 36 of the newest
 *      4  bytes unpacked       (head of 44 bytes, then a zlib stream)
 */
#ifndef KURTOSIS_LOGS_CHUNK_H
#define KURTOSIS_LOGS_CHUNK_H

#include "logs/logs.h"

#include <sys/types.h>

#define LOGS_CHUNK_HEAD 44u

typedef struct {
    uint64_t number;
    uint32_t lines;
    int64_t oldest, newest; /* times; 0 when there are no lines */
    uint32_t packed, unpacked, crc;
} logs_chunk_t;

/* Appends a chunk to a pack in memory. */
int logs_chunk_put(str_t *out, logs_chunk_t *chunk, const void *bytes, size_t size, err_t **err);
/* Reads the head at an offset of a pack: 1, or 0 when no whole chunk is there (it ends, or is being written). INVALID. */
int logs_chunk_head(int fd, off_t offset, logs_chunk_t *ret_chunk, err_t **err);
/* Checks and unpacks what follows that head; appends. */
int logs_chunk_get(int fd, off_t offset, const logs_chunk_t *chunk, str_t *out, err_t **err);
static inline off_t
logs_chunk_next(off_t offset, const logs_chunk_t *chunk)
{
    return offset + (off_t)LOGS_CHUNK_HEAD + (off_t)chunk->packed;
}

/* What is in the folder of a log: numbers of its hot files and packs (a pack's is its first chunk's), ascending. */
typedef struct {
    uint64_t *hots, *packs;
    size_t hot_count, pack_count;
} logs_folder_t;
/* NOT_FOUND when there is no such folder. */
int logs_folder_read(const char *path, logs_folder_t *ret_folder, err_t **err);
void logs_folder_done(logs_folder_t *self);
#define AUTO_FOLDER __attribute__((cleanup(logs_folder_done))) logs_folder_t

#define LOGS_HOT "hot"
#define LOGS_PACK "pack"
#define LOGS_META "meta"
/* "<folder>/00000007.hot"; yours, free(). */
char *logs_path(const char *folder, uint64_t number, const char *kind);
/* "<root>/<enclave>/<service>"; yours. INVALID for what is no name. */
int logs_folder_path(const char *root, const char *enclave, const char *service, char **ret_path,
                     err_t **err);
/* Reads a descriptor from an offset to its end, at most LOGS_CHUNK_MAX bytes; appends. */
int logs_read_all(int fd, off_t offset, str_t *out, err_t **err);
/* An error about a file, with errno; LIMIT when it is about room. Returns -1. */
int logs_file_failed(const char *what, const char *path, err_t **err);

#endif
