/*  fuzz_docker_entries: Docker's log streams, by the fast way. The first byte says whether there is a terminal and in which
 *  pieces the rest comes. The cursor takes the times. */
#include "docker-driver/cursor.h"
#include "docker-driver/entries.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
on_line(void *arg, docker_stream_t stream, int64_t time, const char *line, size_t size, err_t **err)
{
    (void)err;
    (void)line;
    assert(stream < DOCKER_STREAMS && size <= DOCKER_LINE_MAX);
    docker_cursor_take(arg, time, size & 1);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t step = (data[0] >> 1) + 1u;
    const char *bytes = (const char *)data + 1;
    size--;
    docker_cursor_t cursor;
    docker_entries_t entries;
    docker_cursor_init(&cursor, "id", bytes, size < DOCKER_CURSOR_SIZE ? size : DOCKER_CURSOR_SIZE);
    docker_entries_init(&entries, data[0] & 1, on_line, &cursor);
    bool fine = true;
    for (size_t at = 0; at < size && fine; at += step)
        fine = docker_entries_feed(&entries, bytes + at, size - at < step ? size - at : step,
                                   NULL) == 0;
    if (fine)
        docker_entries_end(&entries, NULL);
    docker_entries_done(&entries);
    return 0;
}
