/*  frame: see frame.h. */
#include "bus/frame.h"

#include <pthread.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned flags;
} kinds[] = {
#define KIND_ROW(name, number, flags, meaning) [number] = {#name, flags},
    BUS_KINDS(KIND_ROW)
#undef KIND_ROW
};

static void
put32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, 4);
}

static void
put64(uint8_t *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(at, &value, 8);
}

static uint32_t
get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return __builtin_bswap32(value);
}

static uint64_t
get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return __builtin_bswap64(value);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the bus swaps bytes for its wire order");

const char *
bus_kind_name(unsigned kind)
{
    return kind < ARRAY_LEN(kinds) && kinds[kind].name ? kinds[kind].name : "?";
}

unsigned
bus_kind_flags(unsigned kind)
{
    return kind < ARRAY_LEN(kinds) ? kinds[kind].flags : 0;
}

void
bus_text_copy(bus_text_t self, char *ret_text)
{
    memcpy(ret_text, self.data, self.len);
    ret_text[self.len] = '\0';
}

/* Names are what a person can read in a log line: letters, digits and a few marks. The broker looks at some 60
 * characters for every message, so at eight at a time: in a word of which no byte has its high bit set, adding 7f - n to
 * each byte sets the high bit of those greater than n. */
static bool
is_name(bus_text_t text)
{
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
    uint64_t bad = 0;
    for (size_t at = 0; at < text.len; at += 8) {
        uint64_t c = EACH('a');
        memcpy(&c, text.data + at, text.len - at < 8 ? text.len - at : 8);
        bad |= c | (c + EACH(0x01)) | ~(c + EACH(0x7f - ' ')) | ~((c ^ EACH('"')) + EACH(0x7f)) |
               ~((c ^ EACH('\'')) + EACH(0x7f)) | ~((c ^ EACH('\\')) + EACH(0x7f));
    }
    return !(bad & EACH(0x80));
#undef EACH
}

static int
take_text(const uint8_t *data, size_t size, size_t *at, size_t len, const char *what,
          bus_text_t *ret_text, err_t **err)
{
    if (len > BUS_NAME_MAX)
        return err_fail(err, ERR_INVALID, "%s has %zu bytes, at most %u are allowed", what, len,
                        BUS_NAME_MAX);
    if (len > size - *at)
        return err_fail(err, ERR_INVALID, "the frame ends within %s", what);
    *ret_text = (bus_text_t){(const char *)data + *at, len};
    *at += len;
    if (!is_name(*ret_text))
        return err_fail(err, ERR_INVALID, "%s has characters that a name cannot have", what);
    return 0;
}

/* Which texts a frame of this kind must have, and must not. */
static int
check_texts(const bus_frame_t *frame, err_t **err)
{
    unsigned flags = kinds[frame->kind].flags;
    bool wants_method = flags & (BUS_FLAG_OPENS | BUS_FLAG_ALONE);
    if (flags & BUS_FLAG_JOIN)
        return 0;
    if (!frame->to.len || !frame->from.len)
        return err_fail(err, ERR_INVALID, "a frame of kind %s needs both addresses",
                        bus_kind_name(frame->kind));
    if (frame->answer ? wants_method || frame->kind == BUS_KIND_CANCEL
                      : frame->kind == BUS_KIND_REPLY)
        return err_fail(err, ERR_INVALID, "a frame of kind %s cannot come from that side",
                        bus_kind_name(frame->kind));
    if (wants_method != (frame->method.len > 0))
        return err_fail(err, ERR_INVALID, "a frame of kind %s must %shave a method",
                        bus_kind_name(frame->kind), wants_method ? "" : "not ");
    return 0;
}

int
bus_frame_decode(const void *data, size_t size, bus_frame_t *ret_frame, err_t **err)
{
    const uint8_t *bytes = data;
    *ret_frame = (bus_frame_t){0};
    if (size < BUS_HEADER_SIZE)
        return err_fail(err, ERR_INVALID, "the frame has %zu bytes, its header alone has %u", size,
                        BUS_HEADER_SIZE);
    if (bytes[0] != 'K')
        return err_fail(err, ERR_INVALID, "the frame does not start with 'K'");
    if (bytes[1] != BUS_VERSION)
        return err_fail(err, ERR_INVALID, "the frame is of version %u, this side speaks version %u",
                        bytes[1], BUS_VERSION);
    ret_frame->correlation = get64(bytes + 4);
    if (!bus_kind_flags(bytes[2]))
        return err_fail(err, ERR_INVALID, "there is no frame of kind %u", bytes[2]);
    ret_frame->kind = bytes[2];
    if (bytes[3] > 1 || bytes[31])
        return err_fail(err, ERR_INVALID, "byte 3 or 31 of the header is out of range");
    ret_frame->answer = bytes[3];
    ret_frame->remaining = get32(bytes + 12);
    ret_frame->trace = get64(bytes + 16);
    ret_frame->count = get32(bytes + 24);
    size_t at = BUS_HEADER_SIZE;
    if (take_text(bytes, size, &at, bytes[28], "the receiver's name", &ret_frame->to, err) < 0 ||
        take_text(bytes, size, &at, bytes[29], "the sender's name", &ret_frame->from, err) < 0 ||
        take_text(bytes, size, &at, bytes[30], "the method's name", &ret_frame->method, err) < 0)
        return -1;
    ret_frame->body = bytes + at;
    ret_frame->body_size = size - at;
    if (ret_frame->body_size > BUS_BODY_MAX)
        return err_fail(err, ERR_LIMIT, "the body has %zu bytes, at most %u are allowed",
                        ret_frame->body_size, BUS_BODY_MAX);
    return check_texts(ret_frame, err);
}

static size_t
header_put(uint8_t *at, const bus_frame_t *frame)
{
    at[0] = 'K';
    at[1] = BUS_VERSION;
    at[2] = (uint8_t)frame->kind;
    at[3] = frame->answer;
    put64(at + 4, frame->correlation);
    put32(at + 12, frame->remaining);
    put64(at + 16, frame->trace);
    put32(at + 24, frame->count);
    const bus_text_t *texts[] = {&frame->to, &frame->from, &frame->method};
    size_t end = BUS_HEADER_SIZE;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        at[28 + i] = (uint8_t)texts[i]->len;
        if (texts[i]->len)
            memcpy(at + end, texts[i]->data, texts[i]->len);
        end += texts[i]->len;
    }
    at[31] = 0;
    return end;
}

static size_t
header_size(const bus_frame_t *frame)
{
    return BUS_HEADER_SIZE + frame->to.len + frame->from.len + frame->method.len;
}

/* -------------------------------------------------------------------------------------- messages
 */

/* Buffers of small messages, to be used again. libzmq frees a message on its own thread: malloc
 * would give each back to the memory of the thread that made it, under a lock on which the two then
 * meet at every message. */
#define SPACE_SIZE 1024u
#define SPACES_MAX 64u /* kept */

typedef struct space {
    struct space *next;
} space_t;

static struct {
    pthread_mutex_t lock;
    space_t *first;
    unsigned count;
} spaces = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *
space_get(void)
{
    pthread_mutex_lock(&spaces.lock);
    space_t *space = spaces.first;
    if (space) {
        spaces.first = space->next;
        spaces.count--;
    }
    pthread_mutex_unlock(&spaces.lock);
    if (!space && !(space = malloc(SPACE_SIZE)))
        abort(); /* out of memory: as everywhere in this house */
    bus_bytes_came(space);
    return space;
}

/* On libzmq's thread. */
static void
space_put(void *data, void *hint)
{
    space_t *space = data;
    (void)hint;
    bus_bytes_go(space);
    pthread_mutex_lock(&spaces.lock);
    bool keep = spaces.count < SPACES_MAX;
    if (keep) {
        space->next = spaces.first;
        spaces.first = space;
        spaces.count++;
    }
    pthread_mutex_unlock(&spaces.lock);
    if (!keep)
        free(space);
}

static void
free_bytes(void *data, void *hint)
{
    (void)hint;
    free(data);
}

/* A message of these bytes, from malloc; space of them were allocated. */
static void
msg_of(void *data, size_t size, size_t space, zmq_msg_t *ret_msg)
{
    if (zmq_msg_init_data(ret_msg, data, size, space == SPACE_SIZE ? space_put : free_bytes, NULL) <
        0)
        abort();
}

void
bus_frame_begin(str_t *out, const bus_frame_t *frame)
{
    size_t size = header_size(frame);
    if (!out->space)
        *out = (str_t){.data = space_get(), .space = SPACE_SIZE};
    str_reserve(out, size);
    header_put((uint8_t *)out->data + out->len, frame);
    out->len += size;
    out->data[out->len] = '\0';
}

void
bus_frame_msg(const bus_frame_t *frame, zmq_msg_t *ret_msg)
{
    size_t size = header_size(frame) + frame->body_size;
    if (size <= SPACE_SIZE)
        msg_of(space_get(), size, SPACE_SIZE, ret_msg);
    else if (zmq_msg_init_size(ret_msg, size) < 0)
        abort();
    uint8_t *at = zmq_msg_data(ret_msg);
    size_t end = header_put(at, frame);
    if (frame->body_size)
        memcpy(at + end, frame->body, frame->body_size);
}

void
bus_frame_count(zmq_msg_t *msg, uint32_t count)
{
    put32((uint8_t *)zmq_msg_data(msg) + 24, count);
}

void
bus_msg_take(str_t *text, zmq_msg_t *ret_msg)
{
    size_t size = text->len, space = text->space;
    msg_of(str_take(text), size, space, ret_msg);
}
