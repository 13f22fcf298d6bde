/*  Images and the cluster. */
#include "tests/contract/world.h"

static void
a_loaded_image_is_inspected(void **state)
{
    (void)state;
    Orchestrator__ImageRef ref = ORCHESTRATOR__IMAGE_REF__INIT;
    Orchestrator__ImageInfo *info = NULL;
    ref.image = IMAGE_BOX;
    ask("InspectImage", &ref, &info);
    assert_string_equal(info->image, IMAGE_BOX);
    assert_true(info->size > 0 && *info->id && *info->architecture);
    assert_int_equal(info->n_entrypoint, 2);
    assert_string_equal(info->entrypoint[0], "/bin/sh");
    assert_int_equal(info->n_cmd, 1);
    orchestrator__image_info__free_unpacked(info, NULL);
}

static void
an_absent_image_is_not_found(void **state)
{
    (void)state;
    Orchestrator__ImageRef ref = ORCHESTRATOR__IMAGE_REF__INIT;
    ref.image = IMAGE_ABSENT;
    ask_fails("InspectImage", &ref, ERR_NOT_FOUND, IMAGE_ABSENT);
    ref.image = "no such image!";
    ask_fails("InspectImage", &ref, ERR_INVALID, "is not an image reference");
}

/* Fetches; returns the last message, or NULL and the error. */
static Orchestrator__FetchImageProgress *
fetch(const char *image, Orchestrator__FetchMode mode, err_t **err)
{
    Orchestrator__FetchImageArgs args = ORCHESTRATOR__FETCH_IMAGE_ARGS__INIT;
    Orchestrator__FetchImageProgress *last = NULL, *next = NULL;
    args.image = (char *)image;
    args.mode = mode;
    stream_t *stream = driver_open(driver, "FetchImage", &args);
    int got;
    while ((got = stream_recv(stream, &next, err)) == 1) {
        orchestrator__fetch_image_progress__free_unpacked(last, NULL);
        last = next;
    }
    stream_close(&stream);
    if (got == 0)
        return last;
    orchestrator__fetch_image_progress__free_unpacked(last, NULL);
    return NULL;
}

static void
a_present_image_is_not_pulled_when_only_missing_ones_are(void **state)
{
    (void)state;
    Orchestrator__FetchImageProgress *last =
        fetch(IMAGE_BOX, ORCHESTRATOR__FETCH_MODE__FETCH_MISSING, NULL);
    assert_non_null(last);
    assert_int_equal(last->origin, ORCHESTRATOR__FETCH_ORIGIN__FETCH_LOCAL);
    assert_string_equal(last->info->image, IMAGE_BOX);
    assert_string_equal(last->warning, "");
    orchestrator__fetch_image_progress__free_unpacked(last, NULL);
}

static void
an_image_that_cannot_be_pulled_says_why(void **state)
{
    (void)state;
    AUTO(err) err = NULL;
    assert_null(fetch(IMAGE_ABSENT, ORCHESTRATOR__FETCH_MODE__FETCH_MISSING, &err));
    AUTO_FREE char *text = err_string(err);
    assert_non_null(strstr(text, "cannot pull image '" IMAGE_ABSENT "'"));
}

static void
what_is_no_image_archive_is_refused(void **state)
{
    (void)state;
    stream_t *stream = driver_open(driver, "LoadImage", NULL);
    Orchestrator__ImageChunk chunk = ORCHESTRATOR__IMAGE_CHUNK__INIT;
    chunk.data.data = (uint8_t *)"this is no tar";
    chunk.data.len = 14;
    stream_send(stream, &chunk);
    stream_end(stream);
    Orchestrator__ImageInfo *info = NULL;
    AUTO(err) err = NULL;
    assert_true(stream_recv(stream, &info, &err) < 0);
    AUTO_FREE char *text = err_string(err);
    assert_non_null(strstr(text, "cannot load the image"));
    stream_close(&stream);
}

static void
the_cluster_says_what_it_has(void **state)
{
    (void)state;
    Orchestrator__GetClusterInfoArgs args = ORCHESTRATOR__GET_CLUSTER_INFO_ARGS__INIT;
    Orchestrator__ClusterInfo *info = NULL;
    ask("GetClusterInfo", &args, &info);
    assert_true(*info->kind && *info->version && *info->architecture);
    assert_true(info->total_millicpus >= 1000);
    assert_true(info->total_memory_megabytes > 100);
    orchestrator__cluster_info__free_unpacked(info, NULL);

    args.measure_free = true;
    ask("GetClusterInfo", &args, &info);
    if (info->resources_complete) {
        assert_true(info->free_millicpus <= info->total_millicpus);
        assert_in_range(info->free_memory_megabytes, 1, info->total_memory_megabytes);
    }
    orchestrator__cluster_info__free_unpacked(info, NULL);
}

static void
images_of_other_versions_of_kurtosis_go_and_others_stay(void **state)
{
    (void)state;
    AUTO_FREE char *old = str_format("kurtosistech/contract-%.8s:0.0.1", new_uuid());
    AUTO_FREE char *older = str_format("%.*s0", (int)strlen(old) - 1, old);
    AUTO_FREE char *names = str_format("%s,%s", old, older);
    Orchestrator__PruneImagesArgs args = ORCHESTRATOR__PRUNE_IMAGES_ARGS__INIT;
    Orchestrator__PruneImagesReply *reply = NULL;
    Orchestrator__ImageRef ref = ORCHESTRATOR__IMAGE_REF__INIT;
    Orchestrator__ImageInfo *info = NULL;
    args.keep_version = "the newest";
    ask_fails("PruneImages", &args, ERR_INVALID, "'the newest' is no version");
    image_load(names, NULL);
    args.keep_version = "1.20.0";
    ask("PruneImages", &args, &reply);
    size_t told = 0;
    for (size_t i = 0; i < reply->n_images; i++)
        told += strstr(reply->images[i], old) || strstr(reply->images[i], older);
    orchestrator__prune_images_reply__free_unpacked(reply, NULL);
    assert_int_equal(told, 2);
    ref.image = old;
    ask_fails("InspectImage", &ref, ERR_NOT_FOUND, old);
    ref.image = older;
    ask_fails("InspectImage", &ref, ERR_NOT_FOUND, older);
    ref.image = (char *)IMAGE_BOX;
    ask("InspectImage", &ref, &info);
    orchestrator__image_info__free_unpacked(info, NULL);
}

static void
logins_are_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    Orchestrator__SetRegistryLoginsArgs args = ORCHESTRATOR__SET_REGISTRY_LOGINS_ARGS__INIT;
    Orchestrator__RegistryLogin login = ORCHESTRATOR__REGISTRY_LOGIN__INIT, *logins[1001];
    for (size_t i = 0; i < ARRAY_LEN(logins); i++)
        logins[i] = &login;
    args.logins = logins;
    args.n_logins = 1;
    ask_fails("SetRegistryLogins", &args, ERR_INVALID, "for which registry");
    login.registry = "127.0.0.1:1";
    login.username = "me", login.password = "secret";
    ask("SetRegistryLogins", &args, NULL);
    args.n_logins = ARRAY_LEN(logins);
    ask_fails("SetRegistryLogins", &args, ERR_LIMIT, "1000 are the most");
    args.n_logins = 0;
    ask("SetRegistryLogins", &args, NULL);
}

int
images_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_image_is_inspected),
        cmocka_unit_test(an_absent_image_is_not_found),
        cmocka_unit_test(a_present_image_is_not_pulled_when_only_missing_ones_are),
        cmocka_unit_test(an_image_that_cannot_be_pulled_says_why),
        cmocka_unit_test(what_is_no_image_archive_is_refused),
        cmocka_unit_test(the_cluster_says_what_it_has),
        cmocka_unit_test(images_of_other_versions_of_kurtosis_go_and_others_stay),
        cmocka_unit_test(logins_are_taken_whole_or_not_at_all),
    };
    return group_run("images", tests, ARRAY_LEN(tests), NULL, NULL);
}
