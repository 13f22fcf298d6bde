/*  Images that are built from a Dockerfile. */
#include "docker-driver/tar.h"
#include "tests/contract/world.h"

#include <stdio.h>

#define BUILT "kurtosis-contract/built:1"
#define FROM "FROM " IMAGE_BOX "\n"

/* Sends a context of a Dockerfile and one file more, and does not end it. */
static stream_t *
begin(Orchestrator__BuildImageArgs *args, const char *path, const char *dockerfile)
{
    stream_t *stream = driver_open(driver, "BuildImage", NULL);
    Orchestrator__BuildImagePart part = ORCHESTRATOR__BUILD_IMAGE_PART__INIT;
    AUTO_STR context = STR_EMPTY;
    part.args = args;
    stream_send(stream, &part);
    assert_int_equal(tar_add(&context, path, 0644, dockerfile, strlen(dockerfile), NULL), 0);
    assert_int_equal(tar_add(&context, "word", 0644, "from the context\n", 17, NULL), 0);
    tar_end(&context);
    for (size_t at = 0; at < context.len; at += 1000) { /* pieces need not be whole blocks */
        part = (Orchestrator__BuildImagePart)ORCHESTRATOR__BUILD_IMAGE_PART__INIT;
        part.data.data = (uint8_t *)context.data + at;
        part.data.len = context.len - at < 1000 ? context.len - at : 1000;
        stream_send(stream, &part);
    }
    return stream;
}

/* Reads to the end; the log, and the last step or an error. */
static Orchestrator__FetchImageProgress *
end(stream_t **stream_p, str_t *log, err_t **err)
{
    Orchestrator__FetchImageProgress *last = NULL, *next = NULL;
    int got;
    while ((got = stream_recv(*stream_p, &next, err)) == 1) {
        str_add(log, next->log);
        orchestrator__fetch_image_progress__free_unpacked(last, NULL);
        last = next;
    }
    stream_close(stream_p);
    if (got == 0)
        return last;
    orchestrator__fetch_image_progress__free_unpacked(last, NULL);
    return NULL;
}

static Orchestrator__FetchImageProgress *
build(Orchestrator__BuildImageArgs *args, const char *path, const char *dockerfile, str_t *log,
      err_t **err)
{
    stream_t *stream = begin(args, path, dockerfile);
    stream_end(stream);
    return end(&stream, log, err);
}

static Orchestrator__BuildImageArgs
args_of(const char *file)
{
    Orchestrator__BuildImageArgs args = ORCHESTRATOR__BUILD_IMAGE_ARGS__INIT;
    args.image = (char *)BUILT;
    args.file = (char *)file;
    return args;
}

static void
an_image_is_built_with_its_file_target_and_arguments(void **state)
{
    (void)state;
    AUTO_FREE char *word = str_format("a+b & \"c\" %%20 %s", new_uuid()); /* so nothing is cached */
    AUTO_FREE char *line = str_format("the argument is %s\n", word);
    static const char dockerfile[] = "FROM " IMAGE_BOX " AS one\n"
                                     "ARG WORD=none\n"
                                     "COPY word /word\n"
                                     "RUN echo \"the argument is $WORD\" | tee /argument\n"
                                     "CMD [\"built command\"]\n"
                                     "FROM one AS two\n"
                                     "RUN exit 7\n";
    Orchestrator__Pair pair = ORCHESTRATOR__PAIR__INIT;
    Orchestrator__Pair *pairs[] = {&pair};
    Orchestrator__BuildImageArgs args = args_of("sub/My.Dockerfile");
    pair.name = (char *)"WORD";
    pair.value = word;
    args.args = pairs, args.n_args = 1;
    args.target = (char *)"one";
    AUTO_STR log = STR_EMPTY;
    AUTO(err) err = NULL;
    Orchestrator__FetchImageProgress *last =
        build(&args, "sub/My.Dockerfile", dockerfile, &log, &err);
    if (!last)
        fail_msg("BuildImage failed: %s", err_string(err));
    assert_int_equal(last->origin, ORCHESTRATOR__FETCH_ORIGIN__FETCH_BUILT);
    assert_string_equal(last->info->image, BUILT);
    assert_string_equal(last->info->cmd[0], "built command");
    orchestrator__fetch_image_progress__free_unpacked(last, NULL);
    assert_non_null(strstr(log.data, line));
    assert_non_null(strstr(log.data, "COPY word /word"));

    Orchestrator__ServiceSpec spec;
    char *cmd[] = {"trap 'exit 0' TERM; sleep 1000000 & wait"};
    spec_init(&spec, "built");
    spec.image = (char *)BUILT;
    spec.cmd = cmd, spec.n_cmd = 1;
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    AUTO_STR out = STR_EMPTY;
    assert_int_equal(run_in(spec.service_uuid, "cat /word /argument", &out), 0);
    assert_true(str_starts(out.data, "from the context\n"));
    assert_string_equal(out.data + 17, line);
    service_remove(spec.service_uuid);
    driver_forget_image(driver, BUILT);
}

static void
a_build_that_fails_says_why_with_its_last_lines(void **state)
{
    (void)state;
    static const struct {
        const char *dockerfile, *words, *also;
    } rows[] = {
        {FROM "RUN for i in $(seq 100); do echo line $i; done; echo 'no such compiler' >&2; exit 3",
         "no such compiler", "line 100\n"},
        {FROM "COPY absent /absent", "absent", "cannot build image '" BUILT "'"},
        {FROM "NONSENSE", "NONSENSE", "cannot build image '" BUILT "'"},
        {"FROM 127.0.0.1:1/absent:1", "127.0.0.1:1", "cannot build image '" BUILT "'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR log = STR_EMPTY;
        AUTO(err) err = NULL;
        Orchestrator__BuildImageArgs args = args_of("Dockerfile");
        assert_null(build(&args, "Dockerfile", rows[i].dockerfile, &log, &err));
        AUTO_FREE char *text = err_string(err);
        if (!strstr(text, rows[i].words) || !strstr(text, rows[i].also))
            fail_msg("the error of row %zu is: %s", i, text);
        assert_null(strstr(text, "line 70\n")); /* only the last lines */
    }
    Orchestrator__ImageRef ref = ORCHESTRATOR__IMAGE_REF__INIT;
    ref.image = (char *)BUILT;
    ask_fails("InspectImage", &ref, ERR_NOT_FOUND, BUILT);
}

static void
a_build_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *image, *file, *words;
    } rows[] = {
        {"not an image!", "Dockerfile", "is not an image reference"},
        {BUILT, "", "is no path of a Dockerfile"},
        {BUILT, "../Dockerfile", "'../Dockerfile' is no path of a Dockerfile"},
        {BUILT, "/etc/passwd", "'/etc/passwd' is no path of a Dockerfile"},
        {BUILT, "Elsewhere", "Elsewhere"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR log = STR_EMPTY;
        AUTO(err) err = NULL;
        Orchestrator__BuildImageArgs args = args_of(rows[i].file);
        args.image = (char *)rows[i].image;
        assert_null(build(&args, "Dockerfile", FROM, &log, &err));
        AUTO_FREE char *text = err_string(err);
        if (!strstr(text, rows[i].words))
            fail_msg("the error of row %zu is: %s", i, text);
    }
    stream_t *stream = driver_open(driver, "BuildImage", NULL);
    AUTO_STR log = STR_EMPTY;
    AUTO(err) err = NULL;
    stream_end(stream);
    assert_null(end(&stream, &log, &err));
    check_error(err, ERR_INVALID, "what to build");
}

/* Waits until the log has the words. */
static void
await_log(stream_t *stream, const char *words)
{
    AUTO_STR log = STR_EMPTY;
    AUTO(err) err = NULL;
    while (!strstr(log.data, words)) {
        Orchestrator__FetchImageProgress *next = NULL;
        if (stream_recv(stream, &next, &err) != 1)
            fail_msg("'%s' is not in the log, but '%s'", words, log.data);
        str_add(&log, next->log);
        orchestrator__fetch_image_progress__free_unpacked(next, NULL);
    }
}

static void
a_build_ends_when_its_caller_gives_up(void **state)
{
    (void)state;
    Orchestrator__BuildImageArgs args = args_of("Dockerfile");
    stream_t *stream = begin(&args, "Dockerfile", FROM "RUN echo it runs; sleep 1000000");
    stream_end(stream);
    await_log(stream, "it runs\n");
    stream_close(&stream);
    stream = begin(&args, "Dockerfile", FROM); /* one whose context never ends */
    stream_close(&stream);
    AUTO_STR log = STR_EMPTY;
    AUTO(err) err = NULL;
    Orchestrator__FetchImageProgress *last = build(&args, "Dockerfile", FROM, &log, &err);
    if (!last)
        fail_msg("BuildImage failed: %s", err_string(err));
    orchestrator__fetch_image_progress__free_unpacked(last, NULL);
    driver_forget_image(driver, BUILT);
    assert_int_equal(driver_deaths(driver), 0);
}

static void
a_large_context_goes_through_in_pieces(void **state)
{
    (void)state;
    static uint8_t piece[1024 * 1024];
    Orchestrator__BuildImageArgs args = args_of("Dockerfile");
    Orchestrator__BuildImagePart part = ORCHESTRATOR__BUILD_IMAGE_PART__INIT;
    stream_t *stream = driver_open(driver, "BuildImage", NULL);
    AUTO_STR head = STR_EMPTY;
    part.args = &args;
    stream_send(stream, &part);
    part.args = NULL;
    AUTO_FREE char *dockerfile =
        str_format(FROM "COPY big /big\nRUN wc -c </big; echo %s\n", new_uuid());
    assert_int_equal(tar_add(&head, "Dockerfile", 0644, dockerfile, strlen(dockerfile), NULL), 0);
    /* The head of a file of 64 MiB: of an empty one, with its size and sum set right. */
    size_t at = head.len;
    assert_int_equal(tar_add(&head, "big", 0644, "", 0, NULL), 0);
    snprintf(head.data + at + 124, 12, "%011o", 64u << 20);
    memset(head.data + at + 148, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += (uint8_t)head.data[at + i];
    snprintf(head.data + at + 148, 8, "%06o", sum);
    part.data.data = (uint8_t *)head.data, part.data.len = head.len;
    stream_send(stream, &part);
    part.data.data = piece, part.data.len = sizeof piece;
    long before = driver_memory(driver);
    for (int i = 0; i < 64; i++)
        stream_send(stream, &part);
    part.data.len = 1024;
    stream_send(stream, &part);
    long during = driver_memory(driver);
    stream_end(stream);
    AUTO_STR log = STR_EMPTY;
    AUTO(err) err = NULL;
    Orchestrator__FetchImageProgress *last = end(&stream, &log, &err);
    if (!last)
        fail_msg("BuildImage failed: %s", err_string(err));
    orchestrator__fetch_image_progress__free_unpacked(last, NULL);
    if (!strstr(log.data, "67108864\n"))
        fail_msg("the log is: %s", log.data);
    driver_forget_image(driver, BUILT);
    assert_true(during - before < 24 * 1024); /* KiB */
}

int
builds_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_built_with_its_file_target_and_arguments),
        cmocka_unit_test(a_build_that_fails_says_why_with_its_last_lines),
        cmocka_unit_test(a_build_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_build_ends_when_its_caller_gives_up),
        cmocka_unit_test(a_large_context_goes_through_in_pieces),
    };
    return group_run("builds", tests, ARRAY_LEN(tests), NULL, NULL);
}
