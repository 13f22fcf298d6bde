/*  The worked examples of docs/wire-protocol.md, made by the code: the document cannot say anything else.
 *
 *      build/bin/test_bus_protocol --print      writes the examples as they should stand in the document
 */
#include "bus/frame.h"
#include "bus/hello.h"
#include "bus/schema/orchestrator.pb-c.h"

#include <ctype.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DOCUMENT "docs/wire-protocol.md"
#define INSPECT "orchestrator.Orchestrator/InspectImage"
#define EXEC "orchestrator.Orchestrator/Exec"
#define APIC "apic/0123456789abcdef0123456789abcdef"

typedef struct {
    const char *name; /* of the block in the document */
    bus_frame_t frame;
    void (*body)(str_t *out); /* NULL for none */
} example_t;

static void
keys_of(uint8_t fill, bus_keys_t *ret_keys)
{
    memset(ret_keys->secret_key, fill, BUS_KEY_SIZE);
    crypto_scalarmult_base(ret_keys->public_key, ret_keys->secret_key);
}

static void
hello(str_t *out)
{
    bus_keys_t peer, broker;
    uint8_t nonce[BUS_NONCE_SIZE];
    keys_of(0x11, &peer);
    keys_of(0x22, &broker);
    memset(nonce, 0x33, sizeof nonce);
    bus_hello_pack(&peer, broker.public_key, "engine", "kurtosis-engine", nonce, out);
}

static void
welcome(str_t *out)
{
    bus_welcome_pack("engine", "00112233445566778899aabbccddeeff", out);
}

static void
image_ref(str_t *out)
{
    Orchestrator__ImageRef ref = ORCHESTRATOR__IMAGE_REF__INIT;
    ref.image = (char *)"nginx:1.25";
    bus_msgpack_pack(&ref.base, out);
}

static void
image_info(str_t *out)
{
    Orchestrator__ImageInfo info = ORCHESTRATOR__IMAGE_INFO__INIT;
    info.id = (char *)"sha256:9bea";
    bus_msgpack_pack(&info.base, out);
}

static void
not_found(str_t *out)
{
    AUTO(err) error = NULL;
    err_fail(&error, ERR_NOT_FOUND, "no such image");
    err_wrap(&error, "cannot inspect 'nginx:1.25'");
    bus_err_pack(error, out);
}

static void
exec_args(str_t *out)
{
    char *command[] = {(char *)"date"};
    Orchestrator__ExecArgs args = ORCHESTRATOR__EXEC_ARGS__INIT;
    args.enclave_uuid = (char *)"0123456789abcdef0123456789abcdef";
    args.service_uuid = (char *)"db";
    args.n_command = 1;
    args.command = command;
    bus_msgpack_pack(&args.base, out);
}

static void
exec_output(str_t *out)
{
    Orchestrator__ExecOutput output = ORCHESTRATOR__EXEC_OUTPUT__INIT;
    output.data = (ProtobufCBinaryData){4, (uint8_t *)"noon"};
    bus_msgpack_pack(&output.base, out);
}

static void
stops(str_t *out)
{
    AUTO(err) error = NULL;
    err_fail(&error, ERR_UNAVAILABLE, "the broker stops");
    bus_err_pack(error, out);
}

/* Filled in at run time, since a text is a pointer and a length. */
static bus_frame_t
frame(bus_kind_t kind, bool answer, uint64_t correlation, const char *from, const char *to,
      const char *method)
{
    return (bus_frame_t){.kind = kind,
                         .answer = answer,
                         .correlation = correlation,
                         .trace = correlation ? 0x1122334455667788 : 0,
                         .to = bus_text(to),
                         .from = bus_text(from),
                         .method = bus_text(method)};
}

static size_t
examples(example_t list[16])
{
    size_t count = 0;
    bus_frame_t ask = frame(BUS_KIND_ASK, false, 1, "engine", "driver/docker", INSPECT);
    bus_frame_t data = frame(BUS_KIND_DATA, true, 7, "driver/docker", APIC, "");
    bus_frame_t credit = frame(BUS_KIND_CREDIT, false, 7, APIC, "driver/docker", "");
    ask.remaining = 30000;
    data.count = 1;
    credit.count = 8;
    credit.trace = 0;
    bus_frame_t cancel = frame(BUS_KIND_CANCEL, false, 7, APIC, "driver/docker", "");
    cancel.trace = 0;
    list[count++] = (example_t){"hello", frame(BUS_KIND_HELLO, false, 0, "engine", "broker", ""), hello};
    list[count++] = (example_t){"welcome", frame(BUS_KIND_WELCOME, false, 0, "broker", "engine", ""), welcome};
    list[count++] = (example_t){"ask", ask, image_ref};
    list[count++] = (example_t){"reply", frame(BUS_KIND_REPLY, true, 1, "driver/docker", "engine", ""), image_info};
    list[count++] = (example_t){"error", frame(BUS_KIND_ERROR, true, 1, "driver/docker", "engine", ""), not_found};
    list[count++] = (example_t){"open", frame(BUS_KIND_OPEN, false, 7, APIC, "driver/docker", EXEC), exec_args};
    list[count++] = (example_t){"data", data, exec_output};
    list[count++] = (example_t){"credit", credit, NULL};
    list[count++] = (example_t){"end", frame(BUS_KIND_END, true, 7, "driver/docker", APIC, ""), NULL};
    list[count++] = (example_t){"cancel", cancel, NULL};
    list[count++] = (example_t){"bye", frame(BUS_KIND_BYE, false, 0, "broker", "engine", ""), stops};
    return count;
}

static void
bytes_of(const example_t *example, str_t *out)
{
    bus_frame_begin(out, &example->frame);
    if (example->body)
        example->body(out);
}

/* ------------------------------------------------------------------------------------- the document */

/* The bytes of the block ```hex NAME of the document: on each line what comes before the first two blanks. */
static bool
block_of(const char *document, const char *name, str_t *out)
{
    AUTO_FREE char *head = str_format("```hex %s\n", name);
    const char *at = strstr(document, head);
    if (!at)
        return false;
    for (at += strlen(head); *at && strncmp(at, "```", 3) != 0; at++) {
        while (isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1])) {
            char digits[3] = {at[0], at[1], '\0'};
            str_add_char(out, (char)strtol(digits, NULL, 16));
            at += 2;
            if (at[0] == ' ' && at[1] != ' ')
                at++;
        }
        at += strcspn(at, "\n");
    }
    return true;
}

static void
read_document(str_t *out)
{
    FILE *in = fopen(DOCUMENT, "r");
    char part[4096];
    size_t size;
    assert_non_null(in);
    while ((size = fread(part, 1, sizeof part, in)))
        str_add_bytes(out, part, size);
    fclose(in);
}

static void
the_examples_of_the_document_are_what_the_code_makes(void **state)
{
    (void)state;
    AUTO_STR document = STR_EMPTY;
    example_t list[16];
    size_t count = examples(list);
    read_document(&document);
    for (size_t i = 0; i < count; i++) {
        AUTO_STR made = STR_EMPTY;
        AUTO_STR written = STR_EMPTY;
        bytes_of(&list[i], &made);
        if (!block_of(document.data, list[i].name, &written))
            fail_msg("%s has no block 'hex %s'", DOCUMENT, list[i].name);
        if (made.len != written.len || memcmp(made.data, written.data, made.len) != 0)
            fail_msg("the block 'hex %s' of %s is out of date: see test_bus_protocol --print", list[i].name,
                     DOCUMENT);
    }
}

static void
the_table_of_kinds_in_the_document_is_complete(void **state)
{
    (void)state;
    AUTO_STR document = STR_EMPTY;
    read_document(&document);
    for (unsigned kind = 0; kind < 256; kind++) {
        if (!bus_kind_flags(kind))
            continue;
        AUTO_FREE char *row = str_format("| %u | %s |", kind, bus_kind_name(kind));
        if (!strstr(document.data, row))
            fail_msg("%s has no row '%s'", DOCUMENT, row);
    }
}

static void
the_example_of_hello_proves_the_key(void **state)
{
    (void)state;
    AUTO_STR body = STR_EMPTY;
    bus_keys_t peer, broker;
    bus_hello_t got;
    keys_of(0x11, &peer);
    keys_of(0x22, &broker);
    hello(&body);
    assert_int_equal(bus_hello_unpack(body.data, body.len, &broker, &got, NULL), 0);
    assert_string_equal(got.name, "engine");
    assert_string_equal(got.program, "kurtosis-engine");
    assert_memory_equal(got.public_key, peer.public_key, BUS_KEY_SIZE);
}

/* ----------------------------------------------------------------------------------------- printing */

static void
print_row(const uint8_t *bytes, size_t size, const char *what)
{
    for (size_t at = 0; at < size || !at; at += 16) {
        size_t len = size - at < 16 ? size - at : 16;
        for (size_t i = 0; i < len; i++)
            printf("%s%02x", i ? " " : "", bytes[at + i]);
        printf("%*s", (int)(50 - 3 * len), "");
        if (what) {
            printf("%s\n", what);
            what = NULL;
        } else {
            for (size_t i = 0; i < len; i++)
                putchar(isprint(bytes[at + i]) ? bytes[at + i] : '.');
            putchar('\n');
        }
    }
}

static void
print_field(const uint8_t *bytes, size_t size, const char *format, ...)
{
    char what[200];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (size)
        print_row(bytes, size, what);
}

static void
print_example(const example_t *example)
{
    AUTO_STR bytes = STR_EMPTY;
    bytes_of(example, &bytes);
    const bus_frame_t *f = &example->frame;
    const uint8_t *at = (const uint8_t *)bytes.data;
    printf("```hex %s\n", example->name);
    print_field(at, 4, "'K', version 1, kind %s, side %u", bus_kind_name(f->kind), f->answer);
    print_field(at + 4, 8, "correlation %llu", (unsigned long long)f->correlation);
    print_field(at + 12, 4, f->remaining ? "remaining: %u ms" : "remaining: no deadline", f->remaining);
    print_field(at + 16, 8, "trace");
    print_field(at + 24, 4, "count %u", f->count);
    print_field(at + 28, 4, "bytes of to, from and method; 0");
    at += BUS_HEADER_SIZE;
    print_field(at, f->to.len, "to \"%.*s\"", (int)f->to.len, f->to.data);
    at += f->to.len;
    print_field(at, f->from.len, "from \"%.*s\"", (int)f->from.len, f->from.data);
    at += f->from.len;
    print_field(at, f->method.len, "method \"%.*s\"", (int)f->method.len, f->method.data);
    at += f->method.len;
    size_t body = bytes.len - (size_t)(at - (const uint8_t *)bytes.data);
    for (size_t i = 0; i < body; i += 16)
        print_row(at + i, body - i < 16 ? body - i : 16, NULL);
    printf("```\n\n");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_document_are_what_the_code_makes),
        cmocka_unit_test(the_table_of_kinds_in_the_document_is_complete),
        cmocka_unit_test(the_example_of_hello_proves_the_key),
    };
    example_t list[16];
    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        for (size_t i = 0, count = examples(list); i < count; i++)
            print_example(&list[i]);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
