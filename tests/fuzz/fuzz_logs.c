/*  fuzz_logs: files of the log store, as they would be after damage. The first byte says which kind of file. */
#include "logs/chunk.h"
#include "logs/logs.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char root[64], folder[96];

static void
file(const char *name, const uint8_t *data, size_t size)
{
    AUTO_FREE char *path = str_format("%s/%s", folder, name);
    AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
}

static void
read_all(uint64_t last)
{
    AUTO(logs_reader) reader = NULL;
    logs_line_t line;
    if (logs_reader_open(root, "e", "s", &reader, NULL) < 0)
        return;
    if (last)
        logs_reader_last(reader, last, NULL);
    for (unsigned lines = 0; lines < 10000 && logs_reader_next(reader, &line, NULL) > 0; lines++) {
        assert(line.size <= LOGS_LINE_MAX);
        logs_position_t position = logs_reader_position(reader);
        assert(position.line > 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!*root) {
        snprintf(root, sizeof root, "/dev/shm/fuzz-logs-%d", (int)getpid());
        snprintf(folder, sizeof folder, "%s/e/s", root);
        AUTO_FREE char *enclave = str_format("%s/e", root);
        mkdir(root, 0700);
        mkdir(enclave, 0700);
    }
    if (size == 0)
        return 0;
    mkdir(folder, 0700);
    file(data[0] & 1 ? "00000001.pack" : "00000001.hot", data + 1, size - 1);
    if (data[0] & 2)
        file("00000002.hot", data + 1, size - 1);
    read_all(0);
    read_all(3);
    AUTO(logs_writer) writer = NULL;
    if (logs_writer_open(root, "e", "s", &writer, NULL) == 0) {
        logs_batch_t batch;
        logs_batch_init(&batch);
        logs_batch_add(&batch, LOGS_ERR, 1, "x", 1);
        assert(logs_writer_put(writer, &batch, "c", 1, NULL) == 0);
        logs_writer_mark(writer, LOGS_ENDED, "c", 1, NULL);
        logs_batch_done(&batch);
    }
    logs_writer_destroy(&writer);
    logs_remove(root, "e", NULL);
    AUTO_FREE char *enclave = str_format("%s/e", root);
    mkdir(enclave, 0700);
    return 0;
}
