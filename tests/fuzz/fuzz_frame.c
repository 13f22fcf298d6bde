/*  fuzz_frame: any bytes as a frame. What decodes must encode to the same bytes; HELLO, WELCOME and
 *  ERROR bodies are read too. */
#include "bus/frame.h"
#include "bus/hello.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(err) error = NULL;
    bus_frame_t frame;
    if (bus_frame_decode(data, size, &frame, &error) < 0) {
        if (!error)
            abort();
        return 0;
    }
    zmq_msg_t msg;
    bus_frame_msg(&frame, &msg);
    if (zmq_msg_size(&msg) != size || memcmp(zmq_msg_data(&msg), data, size) != 0)
        abort();
    zmq_msg_close(&msg);
    if (frame.kind == BUS_KIND_HELLO) {
        bus_keys_t keys = {.secret_key = {0x22}};
        bus_hello_t hello;
        bus_hello_unpack(frame.body, frame.body_size, &keys, &hello, NULL);
    }
    if (frame.kind == BUS_KIND_ERROR || frame.kind == BUS_KIND_BYE) {
        AUTO(err) chain = bus_err_unpack(frame.body, frame.body_size);
        if (!chain)
            abort();
    }
    return 0;
}
