/*  fuzz_docker_stream: Docker's output streams. The first byte says whether there is a terminal and
 *  in which pieces the rest comes. */
#include "base/moment.h"
#include "docker-driver/demux.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
on_line(void *arg, docker_stream_t stream, int64_t time, const char *line, size_t size, err_t **err)
{
    (void)arg;
    (void)err;
    assert(stream < DOCKER_STREAMS && size <= DOCKER_LINE_MAX);
    assert(line[size] == '\0');
    char text[40];
    moment_text(time, 9, text);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    bool tty = data[0] & 1;
    size_t step = (data[0] >> 1) + 1u;
    const char *bytes = (const char *)data + 1;
    size--;
    docker_lines_t lines;
    docker_demux_t demux;
    docker_lines_init(&lines, tty, on_line, NULL);
    docker_demux_init(&demux, tty, docker_lines_piece, &lines);
    bool fine = true;
    for (size_t at = 0; at < size && fine; at += step)
        fine =
            docker_demux_feed(&demux, bytes + at, size - at < step ? size - at : step, NULL) == 0;
    if (fine && docker_demux_end(&demux, NULL) == 0)
        docker_lines_end(&lines, NULL);
    docker_demux_done(&demux);
    docker_lines_done(&lines);
    return 0;
}
