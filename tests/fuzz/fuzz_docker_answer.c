/*  fuzz_docker_answer: HTTP answers. The first byte says whether it is one to HEAD and in which
 *  pieces the rest comes. */
#include "docker-driver/answer.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
on_body(void *arg, const char *data, size_t size, err_t **err)
{
    (void)data;
    (void)err;
    *(size_t *)arg += size;
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t step = (data[0] >> 1) + 1u, body = 0;
    answer_t answer;
    answer_init(&answer, data[0] & 1);
    data++;
    size--;
    for (size_t at = 0; at < size && answer.state != ANSWER_DONE;) {
        size_t part = size - at < step ? size - at : step;
        long used = answer_feed(&answer, (const char *)data + at, part, on_body, &body, NULL);
        if (used < 0)
            break;
        assert(used > 0 && (size_t)used <= part);
        at += (size_t)used;
    }
    assert(body <= size);
    assert(!answer.head_done || (answer.status >= 100 && answer.status <= 999));
    answer_end(&answer, NULL);
    answer_done(&answer);
    return 0;
}
