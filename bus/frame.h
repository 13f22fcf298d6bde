/*  frame: the header before every body on the bus. docs/wire-protocol.md shows each byte.
 *
 *  One frame is one ØMQ message of one part: 32 fixed bytes, three texts, the body. Numbers are
 *  big-endian.
 *
 *       0  'K'                   4  correlation (8)          28  bytes of to
 *       1  version               12 remaining ms (4)         29  bytes of from
 *       2  kind                  16 trace (8)                30  bytes of method
 *       3  side                  24 count (4)                31  0
 *      32  to, from, method, body
 */
#ifndef KURTOSIS_BUS_FRAME_H
#define KURTOSIS_BUS_FRAME_H

#include "bus/bus.h"

#include <zmq.h>

#define BUS_VERSION 1u
#define BUS_HEADER_SIZE 32u
#define BUS_HEADER_MAX (BUS_HEADER_SIZE + 3 * BUS_NAME_MAX)
#define BUS_FRAME_MAX (BUS_HEADER_MAX + BUS_BODY_MAX)

#define BUS_ADDRESS_BROKER "broker" /* the broker's own name on the bus */

/* What a frame is: name, number, flags, meaning. A conversation is known by its asker and the
 * asker's number for it; side says who of the two speaks. */
#define BUS_KINDS(X)                                                                               \
    X(HELLO, 1, BUS_FLAG_JOIN, "a peer names itself and proves its key (body bus.Hello)")          \
    X(WELCOME, 2, BUS_FLAG_JOIN, "the broker registered the peer (body bus.Welcome)")              \
    X(BYE, 3, BUS_FLAG_JOIN, "the sender leaves; the connection says no more")                     \
    X(ASK, 4, BUS_FLAG_OPENS, "a request that wants one REPLY or ERROR")                           \
    X(TELL, 5, BUS_FLAG_ALONE, "a message that wants no answer")                                   \
    X(OPEN, 6, BUS_FLAG_OPENS, "opens a stream; body is the one request of a server stream")       \
    X(REPLY, 7, BUS_FLAG_CONTINUES | BUS_FLAG_ENDS, "the answer to an ASK or to a client stream")  \
    X(DATA, 8, BUS_FLAG_CONTINUES, "one message of a stream; count is its number, from 1")         \
    X(END, 9, BUS_FLAG_CONTINUES,                                                                  \
      "no more DATA from the sender; from the asked side it is the last")                          \
    X(CREDIT, 10, BUS_FLAG_CONTINUES, "count more DATA may be sent to the sender of this")         \
    X(CANCEL, 11, BUS_FLAG_CONTINUES | BUS_FLAG_ENDS, "the asker gave up")                         \
    X(ERROR, 12, BUS_FLAG_CONTINUES | BUS_FLAG_ENDS, "it failed (body bus.ErrorChain)")

enum {
    BUS_FLAG_JOIN = 1,      /* about the connection itself, between a peer and the broker only */
    BUS_FLAG_OPENS = 2,     /* opens a conversation */
    BUS_FLAG_ALONE = 4,     /* has a method, and no conversation */
    BUS_FLAG_CONTINUES = 8, /* belongs to an open conversation */
    BUS_FLAG_ENDS = 16,     /* and ends it */
};

typedef enum {
#define BUS_KIND_ENUM(name, number, flags, meaning) BUS_KIND_##name = number,
    BUS_KINDS(BUS_KIND_ENUM)
#undef BUS_KIND_ENUM
} bus_kind_t;

/* "ASK"; "?" for a number that is none. */
const char *bus_kind_name(unsigned kind);
/* The flags of the table; 0 for a number that is none. */
unsigned bus_kind_flags(unsigned kind);

/* Before bytes are given to libzmq and after they came from it: tells ThreadSanitizer, which does not
 * see into libzmq, that whoever gets them sees what was written before. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *at);
void __tsan_release(void *at);
#define bus_bytes_go(at) __tsan_release(at)
#define bus_bytes_came(at) __tsan_acquire(at)
#else
#define bus_bytes_go(at) ((void)(at))
#define bus_bytes_came(at) ((void)(at))
#endif
#define bus_msg_goes(msg) bus_bytes_go(zmq_msg_data(msg))
#define bus_msg_came(msg) bus_bytes_came(zmq_msg_data(msg))

/* Bytes inside a frame; not NUL-terminated. */
typedef struct {
    const char *data;
    size_t len;
} bus_text_t;

/* A frame taken apart. The texts and the body point into the bytes that were decoded. */
typedef struct {
    bus_kind_t kind;
    bool answer;          /* side: false from the one who asked, true from the one who was asked */
    uint64_t correlation; /* chosen by the asker, unique among what it has open */
    uint32_t remaining;   /* milliseconds until the asker gives up; 0 for never */
    uint64_t trace;       /* the same through everything that one ask causes */
    uint32_t count;       /* DATA: its number; CREDIT: how many more */
    bus_text_t to;
    bus_text_t from;
    bus_text_t method; /* only when a conversation opens, and in TELL */
    const void *body;
    size_t body_size;
} bus_frame_t;

static inline bus_text_t
bus_text(const char *text)
{
    return (bus_text_t){text, __builtin_strlen(text)};
}

static inline bool
bus_text_is(bus_text_t self, const char *text, size_t len)
{
    return self.len == len && __builtin_memcmp(self.data, text, len) == 0;
}

/* Copies to a C string; space must hold BUS_NAME_MAX + 1. */
void bus_text_copy(bus_text_t self, char *ret_text);

/* Takes apart; checks every length, the kind, which texts the kind must have, and their characters.
 * INVALID says what is wrong, LIMIT that the body is too large. When the 32 fixed bytes could be
 * read *ret_frame has kind and correlation even then, so that an error can be answered; else its
 * kind is 0. */
int bus_frame_decode(const void *data, size_t size, bus_frame_t *ret_frame, err_t **err);

/* Appends header and texts (body not); what is empty begins in a recycled buffer. The texts must be
 * at most BUS_NAME_MAX long. */
void bus_frame_begin(str_t *out, const bus_frame_t *frame);
/* Makes a whole message of a frame with its body, copying it. */
void bus_frame_msg(const bus_frame_t *frame, zmq_msg_t *ret_msg);
/* Changes the count of a frame that is made already. */
void bus_frame_count(zmq_msg_t *msg, uint32_t count);
/* Makes a message of the bytes in text, which becomes empty; they are not copied. */
void bus_msg_take(str_t *text, zmq_msg_t *ret_msg);

#endif
