#include "tests/unit/engine/stage.h"

static int
try_join(stage_t *stage, const char *name, const bus_keys_t *keys, err_t **err)
{
    AUTO(actor) actor = NULL;
    return stage_join(stage, name, keys, &actor, err);
}

static void
only_users_whose_key_is_there_may_join_and_new_ones_at_once(void **state)
{
    stage_t *stage = *state;
    AUTO(err) err = NULL;
    bus_keys_t known = stage_user(stage, true), stranger = stage_user(stage, false);
    assert_done(try_join(stage, "client/1", &known, &err), err);
    assert_error(try_join(stage, "client/2", &stranger, &err), err, ERR_DENIED, "");
    assert_error(try_join(stage, "driver/docker", &known, &err), err, ERR_DENIED, "");
    assert_error(try_join(stage, "engine", &known, &err), err, ERR_DENIED, "");
}

static void
an_api_container_proves_that_it_is_the_one_of_its_enclave(void **state)
{
    stage_t *stage = *state;
    AUTO(actor) client = stage_client(stage);
    AUTO(err) err = NULL;
    AUTO_MESSAGE EngineApi__CreateEnclaveResponse *made = NULL;
    assert_done(ask_create(client, "mine", &made, &err), err);
    AUTO_FREE char *name = str_format("apic/%s", made->enclave_info->enclave_uuid);
    bus_keys_t user = stage_user(stage, true);
    assert_error(try_join(stage, name, &user, &err), err, ERR_DENIED, "");
    assert_error(try_join(stage, "apic/0123456789abcdef0123456789abcdef", &user, &err), err,
                 ERR_DENIED, "");
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_setup, stage_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(only_users_whose_key_is_there_may_join_and_new_ones_at_once),
        ON_STAGE(an_api_container_proves_that_it_is_the_one_of_its_enclave),
    };
    actor_process_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
