/*  Images that Nix builds from flakes; nix.sh makes them, and runs this. */
#include "archive/archive.h"
#include "tests/contract/world.h"

#include <stdlib.h>

#define BUILT "kurtosis-contract/flake:1"
#define OWN_NAME "kurtosis-contract/flake-own-name:1" /* in the flake's archive */

static int
send_piece(void *arg, const void *data, size_t size, err_t **err)
{
    (void)err;
    Orchestrator__BuildImagePart part = ORCHESTRATOR__BUILD_IMAGE_PART__INIT;
    part.data.data = (uint8_t *)data;
    part.data.len = size;
    stream_send(arg, &part);
    return 0;
}

/* Sends a flake of nix.sh as the context of a build. */
static stream_t *
begin(const char *flake, const char *output)
{
    Orchestrator__BuildImageArgs args = ORCHESTRATOR__BUILD_IMAGE_ARGS__INIT;
    Orchestrator__BuildImagePart first = ORCHESTRATOR__BUILD_IMAGE_PART__INIT;
    AUTO_FREE char *folder = str_format("%s/%s", getenv("KURTOSIS_FLAKES"), flake);
    AUTO(err) err = NULL;
    args.image = (char *)BUILT;
    args.is_flake = true;
    args.flake_output = (char *)output;
    first.args = &args;
    stream_t *stream = driver_open(driver, "BuildImage", NULL);
    stream_send(stream, &first);
    if (archive_context_pack(folder, NULL, send_piece, stream, &err) < 0)
        fail_msg("%s", err_string(err));
    stream_end(stream);
    return stream;
}

/* To the end: 0 and *ret_last (yours), or negative and the error. */
static int
finish(stream_t *stream, str_t *log, Orchestrator__FetchImageProgress **ret_last, err_t **err)
{
    Orchestrator__FetchImageProgress *next = NULL;
    int got;
    while ((got = stream_recv(stream, &next, err)) == 1) {
        str_add(log, next->log);
        orchestrator__fetch_image_progress__free_unpacked(*ret_last, NULL);
        *ret_last = next;
    }
    stream_close(&stream);
    return got;
}

static void
the_output_of_a_flake_becomes_the_image_under_the_name_that_was_asked_for(void **state)
{
    (void)state;
    static const char *const outputs[] = {"image", ""};
    for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
        AUTO_STR log = STR_EMPTY;
        AUTO(err) err = NULL;
        Orchestrator__FetchImageProgress *last = NULL;
        if (finish(begin("good", outputs[i]), &log, &last, &err) < 0)
            fail_msg("BuildImage failed: %s", err_string(err));
        assert_int_equal(last->origin, ORCHESTRATOR__FETCH_ORIGIN__FETCH_BUILT);
        assert_string_equal(last->info->image, BUILT);
        assert_string_equal(last->info->entrypoint[0], "/bin/sh");
        orchestrator__fetch_image_progress__free_unpacked(last, NULL);
        if (i == 0 && !strstr(log.data, "from the builder\n")) /* then it is in the store */
            fail_msg("the log is '%s'", log.data);
    }
    Orchestrator__ServiceSpec spec;
    spec_init(&spec, "flake");
    spec.image = (char *)BUILT;
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    assert_int_equal(run_in(spec.service_uuid, "test -x /flake", NULL), 0);
    service_remove(spec.service_uuid);
    driver_forget_image(driver, BUILT);
    driver_forget_image(driver, OWN_NAME);
}

static void
a_flake_that_makes_no_image_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *flake, *output, *words, *also;
    } rows[] = {
        {"failing", "", "line 100\n", "exit code 1"},
        {"wrong", "", "the last lines of the build were", "flake.nix"},
        {"good", "absent", "'absent'", "exit code 1"},
        {"good", "image#other", "'image#other' is no output", "cannot build image '" BUILT "'"},
        {"folder", "", "is a folder", "dockerTools.buildImage"},
        {"junk", "", "cannot load the flake's output", "image.tar'"},
        {"untagged", "", "has no tag", "'tag' of dockerTools.buildImage"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_STR log = STR_EMPTY;
        AUTO(err) err = NULL;
        Orchestrator__FetchImageProgress *last = NULL;
        assert_true(finish(begin(rows[i].flake, rows[i].output), &log, &last, &err) < 0);
        orchestrator__fetch_image_progress__free_unpacked(last, NULL);
        AUTO_FREE char *text = err_string(err);
        if (!strstr(text, rows[i].words) || !strstr(text, rows[i].also))
            fail_msg("the error of row %zu is: %s", i, text);
    }
    Orchestrator__ImageRef ref = ORCHESTRATOR__IMAGE_REF__INIT;
    ref.image = (char *)BUILT;
    ask_fails("InspectImage", &ref, ERR_NOT_FOUND, BUILT);
    ref.image = getenv("KURTOSIS_UNTAGGED");
    ask_fails("InspectImage", &ref, ERR_NOT_FOUND, ref.image);
}

/* nix.sh looks whether it really does. */
static void
a_build_ends_when_its_caller_gives_up(void **state)
{
    (void)state;
    stream_t *stream = begin("slow", "");
    AUTO_STR log = STR_EMPTY;
    while (!strstr(log.len ? log.data : "", "it runs\n")) {
        Orchestrator__FetchImageProgress *next = NULL;
        AUTO(err) err = NULL;
        if (stream_recv(stream, &next, &err) != 1)
            fail_msg("the build ended: %s", err_string(err));
        str_add(&log, next->log);
        orchestrator__fetch_image_progress__free_unpacked(next, NULL);
    }
    stream_close(&stream);
    assert_int_equal(driver_deaths(driver), 0);
}

int
flakes_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_output_of_a_flake_becomes_the_image_under_the_name_that_was_asked_for),
        cmocka_unit_test(a_flake_that_makes_no_image_says_why),
        cmocka_unit_test(a_build_ends_when_its_caller_gives_up),
    };
    return cmocka_run_group_tests_name("flakes", tests, NULL, NULL);
}
