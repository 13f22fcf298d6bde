#include "bus/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define assert_error(error, wanted_code, words)                                                    \
    do {                                                                                           \
        AUTO_FREE char *text_ = err_string(error);                                                 \
        if (err_code(error) != (wanted_code) || !strstr(text_, words))                             \
            fail_msg("error %d '%s', wanted %d '%s'", err_code(error), text_, wanted_code, words); \
    } while (0)

static bus_frame_t
an_ask(void)
{
    return (bus_frame_t){.kind = BUS_KIND_ASK,
                         .correlation = UINT64_C(0x0102030405060708),
                         .remaining = 30000,
                         .trace = UINT64_C(0xf1f2f3f4f5f6f7f8),
                         .to = bus_text("driver/docker"),
                         .from = bus_text("engine"),
                         .method = bus_text("orchestrator.Orchestrator/GetEnclaves"),
                         .body = "\x80",
                         .body_size = 1};
}

/* The bytes of a frame in memory of exactly their size, so that a sanitizer sees a read past the end. */
static uint8_t *
bytes_of(const bus_frame_t *frame, size_t *ret_size)
{
    zmq_msg_t msg;
    bus_frame_msg(frame, &msg);
    *ret_size = zmq_msg_size(&msg);
    uint8_t *bytes = malloc(*ret_size);
    memcpy(bytes, zmq_msg_data(&msg), *ret_size);
    zmq_msg_close(&msg);
    return bytes;
}

static void
a_frame_comes_out_as_it_went_in(void **state)
{
    (void)state;
    bus_frame_t in = an_ask(), out;
    size_t size;
    AUTO_FREE uint8_t *bytes = bytes_of(&in, &size);
    assert_int_equal(bus_frame_decode(bytes, size, &out, NULL), 0);
    assert_int_equal(out.kind, in.kind);
    assert_false(out.answer);
    assert_int_equal(out.correlation, in.correlation);
    assert_int_equal(out.remaining, in.remaining);
    assert_int_equal(out.trace, in.trace);
    assert_true(bus_text_is(out.to, "driver/docker", 13));
    assert_true(bus_text_is(out.from, "engine", 6));
    assert_true(bus_text_is(out.method, "orchestrator.Orchestrator/GetEnclaves", 37));
    assert_int_equal(out.body_size, 1);
    assert_memory_equal(out.body, "\x80", 1);
}

static void
a_frame_cut_at_any_byte_before_its_body_is_refused(void **state)
{
    (void)state;
    bus_frame_t frame = an_ask(), out;
    size_t size;
    AUTO_FREE uint8_t *bytes = bytes_of(&frame, &size);
    for (size_t cut = 0; cut < size - 1; cut++) {
        AUTO(err) error = NULL;
        AUTO_FREE uint8_t *part = malloc(cut ? cut : 1);
        memcpy(part, bytes, cut);
        assert_true(bus_frame_decode(part, cut, &out, &error) < 0);
        assert_int_equal(err_code(error), ERR_INVALID);
        if (cut >= BUS_HEADER_SIZE)
            assert_int_equal(out.correlation, frame.correlation);
        else
            assert_int_equal(out.kind, 0);
    }
    /* The body may be empty: what it must hold is the method's affair. */
    assert_int_equal(bus_frame_decode(bytes, size - 1, &out, NULL), 0);
    assert_int_equal(out.body_size, 0);
}

static const struct {
    size_t at;
    uint8_t value;
    const char *words;
} wrong_bytes[] = {
    {0, 'X', "does not start with 'K'"},
    {1, 0, "version 0"},
    {1, 2, "version 2, this side speaks version 1"},
    {2, 0, "no frame of kind 0"},
    {2, 13, "no frame of kind 13"},
    {2, 255, "no frame of kind 255"},
    {3, 2, "byte 3"},
    {31, 1, "byte 3 or 31"},
    {28, 0, "needs both addresses"}, /* no receiver */
    {28, 101, "at most 100"},
    {28, 255, "at most 100"},
    {29, 100, "within the sender's name"},
    {30, 100, "within the method's name"},
    {30, 0, "must have a method"},
    {2, BUS_KIND_REPLY, "cannot come from that side"},
    {3, 1, "cannot come from that side"}, /* an ASK in answer */
    {2, BUS_KIND_CANCEL, "must not have a method"},
    {32, ' ', "cannot have"},
    {32, 0, "cannot have"},
    {32, 0xc3, "cannot have"},
    {45, '\'', "cannot have"},
    {51, '\n', "cannot have"},
};

static void
a_frame_with_a_wrong_byte_is_refused_with_the_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong_bytes); i++) {
        AUTO(err) error = NULL;
        bus_frame_t frame = an_ask(), out;
        size_t size;
        AUTO_FREE uint8_t *bytes = bytes_of(&frame, &size);
        bytes[wrong_bytes[i].at] = wrong_bytes[i].value;
        if (bus_frame_decode(bytes, size, &out, &error) == 0)
            fail_msg("row %zu was accepted", i);
        assert_error(error, ERR_INVALID, wrong_bytes[i].words);
    }
}

static void
every_kind_has_a_name_and_decodes_in_its_proper_shape(void **state)
{
    (void)state;
    unsigned kinds = 0;
    for (unsigned kind = 0; kind < 300; kind++) {
        unsigned flags = bus_kind_flags(kind);
        if (!flags) {
            assert_string_equal(bus_kind_name(kind), "?");
            continue;
        }
        kinds++;
        bool method = flags & (BUS_FLAG_OPENS | BUS_FLAG_ALONE);
        bus_frame_t in = {.kind = kind,
                          .answer = kind == BUS_KIND_REPLY,
                          .correlation = 1,
                          .to = bus_text("engine"),
                          .from = bus_text("client/1"),
                          .method = bus_text(method ? "a/B" : "")};
        bus_frame_t out;
        size_t size;
        AUTO_FREE uint8_t *bytes = bytes_of(&in, &size);
        assert_int_equal(bus_frame_decode(bytes, size, &out, NULL), 0);
        assert_int_equal(out.kind, kind);
    }
    assert_int_equal(kinds, 12);
}

static void
a_body_of_the_limit_passes_and_one_byte_more_does_not(void **state)
{
    (void)state;
    AUTO(err) error = NULL;
    AUTO_FREE uint8_t *body = calloc(1, BUS_BODY_MAX + 1);
    bus_frame_t in = an_ask(), out;
    zmq_msg_t msg;
    in.body = body;
    in.body_size = BUS_BODY_MAX;
    bus_frame_msg(&in, &msg);
    assert_int_equal(bus_frame_decode(zmq_msg_data(&msg), zmq_msg_size(&msg), &out, NULL), 0);
    zmq_msg_close(&msg);
    in.body_size++;
    bus_frame_msg(&in, &msg);
    assert_true(bus_frame_decode(zmq_msg_data(&msg), zmq_msg_size(&msg), &out, &error) < 0);
    assert_error(error, ERR_LIMIT, "the body has 16777217 bytes, at most 16777216 are allowed");
    assert_int_equal(out.correlation, in.correlation);
    zmq_msg_close(&msg);
}

static void
names_of_the_limit_pass(void **state)
{
    (void)state;
    char name[BUS_NAME_MAX + 1];
    memset(name, 'n', BUS_NAME_MAX);
    name[BUS_NAME_MAX] = '\0';
    bus_frame_t in = an_ask(), out;
    in.to = in.from = in.method = bus_text(name);
    size_t size;
    AUTO_FREE uint8_t *bytes = bytes_of(&in, &size);
    assert_int_equal(size, BUS_HEADER_MAX + 1);
    assert_int_equal(bus_frame_decode(bytes, size, &out, NULL), 0);
    assert_int_equal(out.method.len, BUS_NAME_MAX);
}

static bool
may_be_in_a_name(unsigned c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\';
}

static void
each_character_is_judged_at_each_place_of_a_name(void **state)
{
    (void)state;
    bus_frame_t in = an_ask(), out;
    in.method = bus_text("package.Service/Method");
    size_t size;
    AUTO_FREE uint8_t *bytes = bytes_of(&in, &size);
    size_t first = BUS_HEADER_SIZE + in.to.len + in.from.len;
    for (size_t at = first; at < first + in.method.len; at++) {
        uint8_t old = bytes[at];
        for (unsigned c = 0; c < 256; c++) {
            bytes[at] = (uint8_t)c;
            if ((bus_frame_decode(bytes, size, &out, NULL) == 0) != may_be_in_a_name(c))
                fail_msg("character %u at %zu", c, at - first);
        }
        bytes[at] = old;
    }
}

static void
a_frame_built_piece_by_piece_is_the_same(void **state)
{
    (void)state;
    const size_t sizes[] = {1,    200,  900,
                            1000, 5000, 100000}; /* in a recycled buffer, and grown out of it */
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        AUTO_FREE uint8_t *body = calloc(1, sizes[i]);
        bus_frame_t frame = an_ask();
        zmq_msg_t whole, pieces;
        AUTO_STR out = STR_EMPTY;
        memset(body, 'b', sizes[i]);
        frame.body = body;
        frame.body_size = sizes[i];
        bus_frame_msg(&frame, &whole);
        bus_frame_begin(&out, &frame);
        str_add_bytes(&out, body, sizes[i]);
        bus_msg_take(&out, &pieces);
        assert_int_equal(out.len, 0);
        assert_int_equal(zmq_msg_size(&whole), zmq_msg_size(&pieces));
        assert_memory_equal(zmq_msg_data(&whole), zmq_msg_data(&pieces), zmq_msg_size(&whole));
        bus_frame_t decoded;
        bus_frame_count(&pieces, 77);
        bus_frame_decode(zmq_msg_data(&pieces), zmq_msg_size(&pieces), &decoded, NULL);
        assert_int_equal(decoded.count, 77);
        zmq_msg_close(&whole);
        zmq_msg_close(&pieces);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_comes_out_as_it_went_in),
        cmocka_unit_test(a_frame_cut_at_any_byte_before_its_body_is_refused),
        cmocka_unit_test(a_frame_with_a_wrong_byte_is_refused_with_the_reason),
        cmocka_unit_test(every_kind_has_a_name_and_decodes_in_its_proper_shape),
        cmocka_unit_test(a_body_of_the_limit_passes_and_one_byte_more_does_not),
        cmocka_unit_test(names_of_the_limit_pass),
        cmocka_unit_test(each_character_is_judged_at_each_place_of_a_name),
        cmocka_unit_test(a_frame_built_piece_by_piece_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
