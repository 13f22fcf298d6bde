/*  The engine container. Its volumes have fixed names, so these tests need an orchestrator without
 *  another engine. */
#include "bus/bus.h"
#include "tests/contract/world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static char user_key[BUS_KEY_TEXT_SIZE];

static unsigned
free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void
engine_args(Orchestrator__CreateEngineArgs *args)
{
    bus_keys_t keys;
    bus_keys_new(&keys);
    bus_key_to_text(keys.public_key, user_key);
    orchestrator__create_engine_args__init(args);
    args->guid = (char *)new_uuid();
    args->image = IMAGE_ENGINE;
    args->version = "1.20.0";
    args->log_level = "info";
    args->user_public_key = user_key;
    args->bus_port = free_port();
}

static Orchestrator__GetEnginesReply *
list(void)
{
    Orchestrator__Empty nothing = ORCHESTRATOR__EMPTY__INIT;
    Orchestrator__GetEnginesReply *reply = NULL;
    ask("GetEngines", &nothing, &reply);
    return reply;
}

static Orchestrator__EngineInfo *
find(Orchestrator__GetEnginesReply *reply, const char *guid)
{
    for (size_t i = 0; i < reply->n_engines; i++)
        if (strcmp(reply->engines[i]->guid, guid) == 0)
            return reply->engines[i];
    return NULL;
}

static void
engine_stop(const char *guid, bool remove)
{
    Orchestrator__StopEngineArgs args = ORCHESTRATOR__STOP_ENGINE_ARGS__INIT;
    args.guid = (char *)guid;
    args.grace_seconds = 5;
    args.remove = remove;
    ask("StopEngine", &args, NULL);
}

static void
an_engine_is_made_listed_stopped_and_removed(void **state)
{
    (void)state;
    Orchestrator__CreateEngineArgs args;
    Orchestrator__EngineInfo *made = NULL;
    engine_args(&args);
    ask("CreateEngine", &args, &made);
    assert_true(made->is_running);
    assert_int_equal(strlen(made->public_key), BUS_KEY_TEXT_SIZE - 1);
    AUTO_FREE char *name = str_format("container kurtosis-engine--%s\n", args.guid);
    AUTO_FREE char *names = holds(args.guid);
    assert_string_equal(names, name);

    Orchestrator__GetEnginesReply *reply = list();
    Orchestrator__EngineInfo *found = find(reply, args.guid);
    assert_non_null(found);
    assert_true(found->is_running);
    assert_string_equal(found->public_key, made->public_key);
    assert_string_equal(found->version, "1.20.0");
    assert_int_equal(found->bus_port, args.bus_port);
    assert_string_equal(found->image, IMAGE_ENGINE);
    orchestrator__get_engines_reply__free_unpacked(reply, NULL);

    Orchestrator__AuthorizeUserArgs user = ORCHESTRATOR__AUTHORIZE_USER_ARGS__INIT;
    user.guid = args.guid;
    user.user_public_key = "not a key";
    ask_fails("AuthorizeUser", &user, ERR_INVALID, "public key is wrong");
    user.user_public_key = user_key;
    ask("AuthorizeUser", &user, NULL);

    engine_stop(args.guid, false);
    reply = list();
    found = find(reply, args.guid);
    assert_false(found->is_running);
    assert_int_equal(found->bus_port, 0);
    orchestrator__get_engines_reply__free_unpacked(reply, NULL);
    engine_stop(args.guid, true);
    AUTO_FREE char *left = holds(args.guid);
    assert_string_equal(left, "");
    Orchestrator__StopEngineArgs again = ORCHESTRATOR__STOP_ENGINE_ARGS__INIT;
    again.guid = args.guid;
    ask_fails("StopEngine", &again, ERR_NOT_FOUND, "there is no engine");
    orchestrator__engine_info__free_unpacked(made, NULL);
}

/* The suite's enclave is there, so the volumes stay when the engine goes, and so does its key. */
static void
an_engine_made_again_has_the_key_of_its_data(void **state)
{
    (void)state;
    Orchestrator__CreateEngineArgs args;
    Orchestrator__EngineInfo *first = NULL, *second = NULL;
    engine_args(&args);
    ask("CreateEngine", &args, &first);
    engine_stop(args.guid, true);
    engine_args(&args);
    ask("CreateEngine", &args, &second);
    assert_string_equal(first->public_key, second->public_key);
    Orchestrator__GetEnginesReply *reply = list();
    assert_string_equal(find(reply, args.guid)->public_key, first->public_key);
    orchestrator__get_engines_reply__free_unpacked(reply, NULL);
    engine_stop(args.guid, true);
    orchestrator__engine_info__free_unpacked(first, NULL);
    orchestrator__engine_info__free_unpacked(second, NULL);
}

static void
an_engine_whose_port_is_in_use_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    Orchestrator__CreateEngineArgs args;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    engine_args(&args);
    address.sin_port = htons((uint16_t)args.bus_port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0);
    AUTO_FREE char *words = str_format("port %u of the host is in use", args.bus_port);
    ask_fails("CreateEngine", &args, ERR_STATE, words);
    close(fd);
    AUTO_FREE char *left = holds(args.guid);
    assert_string_equal(left, "");
}

static void
wrong_arguments_are_refused(void **state)
{
    (void)state;
    Orchestrator__CreateEngineArgs args;
    engine_args(&args);
    args.guid = "x";
    ask_fails("CreateEngine", &args, ERR_INVALID, "engine 'x' is not a UUID");
    engine_args(&args);
    args.bus_port = 70000;
    ask_fails("CreateEngine", &args, ERR_INVALID, "bus port 70000");
    engine_args(&args);
    args.user_public_key = "short";
    ask_fails("CreateEngine", &args, ERR_INVALID, "the user's public key is wrong");
    engine_args(&args);
    args.image = IMAGE_ABSENT;
    ask_fails("CreateEngine", &args, ERR_NOT_FOUND, IMAGE_ABSENT);
}

int
engine_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_engine_is_made_listed_stopped_and_removed),
        cmocka_unit_test(an_engine_made_again_has_the_key_of_its_data),
        cmocka_unit_test(an_engine_whose_port_is_in_use_says_so_and_leaves_nothing),
        cmocka_unit_test(wrong_arguments_are_refused),
    };
    return group_run("engine", tests, ARRAY_LEN(tests), NULL, NULL);
}
