/*  enclave: services through a real broker and a driver in memory: batches, ports, failures, kills,
 * files. */
#include "tests/unit/apic_core/stage.h"

#include "archive/archive.h"
#include "base/file.h"

#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#define WAIT (10 * INT64_C(1000000000))

static core_service_config_t *
service(const char *name, const char *image)
{
    core_service_config_t *config = support_service(name);
    core_set_text(&config->spec->image, image);
    return config;
}

static core_service_t *
find(stage_t *stage, const char *identifier)
{
    core_service_t *found = NULL;
    AUTO(err) err = NULL;
    core_service_find(stage->core, identifier, &found, &err);
    return found;
}

static size_t
registered(stage_t *stage)
{
    size_t count;
    core_service_t **services = core_services_all(stage->core, &count);
    core_services_free(services, count);
    return count;
}

/* Waits until the watch has undone what was left behind: at most 10 s. */
static void
until_containers(stage_t *stage, size_t count)
{
    struct timespec pause = {.tv_nsec = 2000000};
    for (int i = 0; i < 5000 && sim_count(stage->sim) != count; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(sim_count(stage->sim), count);
}

static void
services_get_the_lowest_free_addresses_and_their_ports_are_waited_for(void **state)
{
    stage_t *stage = *state;
    core_service_config_t *a = service("a", "listen"), *b = service("b", "listen");
    support_port(a, "http", 18080, WAIT);
    support_port(a, "admin", 18081, WAIT);
    support_port(b, "http", 18080, WAIT);
    STAGE_START(stage, a, b);

    AUTO(core_service) found_a = find(stage, "a");
    AUTO(core_service) found_b = find(stage, "b");
    assert_string_equal(found_a->private_ip, stage_ip(3));
    assert_string_equal(found_b->private_ip, stage_ip(4));
    assert_int_equal(found_a->status, CORE_SERVICE_STARTED);
    assert_string_equal(found_a->hostname, "a");
    assert_int_equal(found_a->n_ports, 2);
    assert_true(found_a->ports[1].wait_ns == WAIT);

    AUTO_FREE char *uuid = NULL;
    assert_int_equal(core_service_remove(stage->core, NULL, "a", &uuid, NULL), 0);
    assert_string_equal(uuid, found_a->uuid);
    assert_int_equal(sim_count(stage->sim), 1);
    STAGE_START(stage, service("c", "silent"));
    AUTO(core_service) found_c = find(stage, "c");
    assert_string_equal(found_c->private_ip, stage_ip(3));
}

static void
take_spec(void *arg, const sim_container_t *container)
{
    str_printf(arg, "%s|%s|%s|%s|%d|%u", container->spec->entrypoint[0], container->spec->cmd[0],
               container->spec->env[0]->value, container->spec->private_ip,
               container->spec->replace, container->starts);
}

static void
the_placeholder_becomes_the_address_everywhere(void **state)
{
    stage_t *stage = *state;
    core_service_config_t *config = service("a", "silent");
    Orchestrator__ServiceSpec *spec = config->spec;
    spec->entrypoint = calloc(1, sizeof(char *));
    spec->entrypoint[spec->n_entrypoint++] = strdup("x=KURTOSIS_IP_ADDR_PLACEHOLDER");
    spec->cmd = calloc(1, sizeof(char *));
    spec->cmd[spec->n_cmd++] = strdup("KURTOSIS_IP_ADDR_PLACEHOLDER,KURTOSIS_IP_ADDR_PLACEHOLDER");
    Orchestrator__Pair *pair = malloc(sizeof *pair);
    orchestrator__pair__init(pair);
    core_set_text(&pair->name, "KURTOSIS_IP_ADDR_PLACEHOLDER");
    core_set_text(&pair->value, "KURTOSIS_IP_ADDR_PLACEHOLDER:1");
    spec->env = calloc(1, sizeof *spec->env);
    spec->env[spec->n_env++] = pair;
    STAGE_START(stage, config);
    AUTO_STR seen = STR_EMPTY;
    assert_true(sim_look(stage->sim, "a", take_spec, &seen));
    const char *ip = stage_ip(3);
    AUTO_FREE char *expected = str_format("x=%s|%s,%s|%s:1|%s|0|1", ip, ip, ip, ip, ip);
    assert_string_equal(seen.data, expected);
}

static void
a_name_that_is_there_is_updated_in_place(void **state)
{
    stage_t *stage = *state;
    core_service_config_t *old = service("a", "listen"), *new = service("a", "listen");
    support_port(old, "http", 18080, WAIT);
    support_port(new, "http", 18082, WAIT);
    STAGE_START(stage, old);
    AUTO(core_service) before = find(stage, "a");
    STAGE_START(stage, new, service("b", "silent"));
    AUTO(core_service) after = find(stage, "a");
    assert_string_equal(after->uuid, before->uuid);
    assert_string_equal(after->private_ip, before->private_ip);
    assert_int_equal(after->ports[0].number, 18082);
    assert_int_equal(after->status, CORE_SERVICE_STARTED);
    assert_int_equal(sim_count(stage->sim), 2);
}

static void
one_failure_undoes_the_new_services_of_the_batch(void **state)
{
    stage_t *stage = *state;
    STAGE_START(stage, service("old", "silent"));
    err_t *err = NULL;
    core_service_config_t *configs[] = {service("old", "silent"), service("a", "silent"),
                                        service("b", "refused")};
    assert_true(stage_start(stage, configs, 3, 4, &err) < 0);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "cannot start service 'b'"));
    assert_null(strstr(strstr(why, "cannot start service 'b'") + 1, "cannot start service 'b'"));
    assert_non_null(strstr(why, "has no entrypoint"));
    assert_int_equal(registered(stage), 1);
    assert_int_equal(sim_count(stage->sim), 1);
    /* The name and the address are free again. */
    STAGE_START(stage, service("b", "silent"));
    AUTO(core_service) b = find(stage, "b");
    assert_string_equal(b->private_ip, stage_ip(4));
}

static void
a_port_that_never_answers_fails_the_start_with_the_last_lines_of_the_service(void **state)
{
    stage_t *stage = *state;
    core_service_config_t *a = service("a", "silent");
    support_port(a, "http", 18080, 50000000);
    err_t *err = NULL;
    assert_true(stage_start(stage, &a, 1, 1, &err) < 0);
    assert_int_equal(err_code(err), ERR_TIMEOUT);
    AUTO_FREE char *why = support_why(&err);
    AUTO_FREE char *port =
        str_format("port 'http' (18080/TCP) at '%s' did not answer within 50ms", stage_ip(3));
    const char *words[] = {
        "cannot start service 'a'",
        port,
        "== SERVICE 'a' LOGS ===================================\none of a\ntwo of a\n"
        "== FINISHED SERVICE 'a' LOGS ===================================",
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        assert_non_null(strstr(why, words[i]));
    assert_int_equal(sim_count(stage->sim), 0);
    assert_int_equal(registered(stage), 0);
}

static void
a_container_that_dies_while_it_is_waited_for_fails_the_start_at_once(void **state)
{
    stage_t *stage = *state;
    core_service_config_t *a = service("a", "dies");
    support_port(a, "http", 18080, 60 * WAIT);
    err_t *err = NULL;
    assert_true(stage_start(stage, &a, 1, 1, &err) < 0);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "its container ended with exit code 7 before its ports answered"));
}

static void
a_failed_update_keeps_the_service_as_not_started(void **state)
{
    stage_t *stage = *state;
    STAGE_START(stage, service("a", "silent"));
    AUTO(core_service) before = find(stage, "a");
    core_service_config_t *again = service("a", "silent");
    support_port(again, "http", 18080, 50000000);
    AUTO(err) err = NULL;
    assert_true(stage_start(stage, &again, 1, 1, &err) < 0);
    AUTO(core_service) after = find(stage, "a");
    assert_string_equal(after->uuid, before->uuid);
    assert_int_equal(after->status, CORE_SERVICE_REGISTERED);
    /* And the next update repairs it. */
    STAGE_START(stage, service("a", "silent"));
    AUTO(core_service) last = find(stage, "a");
    assert_int_equal(last->status, CORE_SERVICE_STARTED);
}

static void
as_many_services_start_at_once_as_the_parallelism_says(void **state)
{
    stage_t *stage = *state;
    core_service_config_t *configs[10];
    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        AUTO_FREE char *name = str_format("s%zu", i);
        configs[i] = service(name, "silent");
    }
    sim_hold(stage->sim, 3);
    stage_started(stage, configs, ARRAY_LEN(configs), 3);
    assert_int_equal(sim_most(stage->sim), 3);
    assert_int_equal(registered(stage), 10);
}

static void
wrong_configurations_are_refused_before_anything_is_started(void **state)
{
    stage_t *stage = *state;
    core_service_config_t *no_placeholder = service("a", "silent"),
                          *memory = service("a", "silent"), *files = service("a", "silent"),
                          *twice[] = {service("a", "silent"), service("a", "silent")},
                          *nameless = service("", "silent"), *port = service("a", "silent");
    free(no_placeholder->spec->ip_address_placeholder);
    no_placeholder->spec->ip_address_placeholder = strdup("");
    memory->spec->max_memory_megabytes = 5;
    support_files(files, "/x", "nothing");
    support_port(port, "http", 80, WAIT);
    core_set_text(&port->spec->ports[0]->id, "other");
    const struct {
        core_service_config_t **configs;
        size_t count;
        const char *words;
    } cases[] = {
        {&no_placeholder, 1, "placeholder"},        {&memory, 1, "5 megabytes"},
        {&files, 1, "no files artifact 'nothing'"}, {twice, 2, "'a' is there twice"},
        {&nameless, 1, "without a name"},           {&port, 1, "no port 'http'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        err_t *err = NULL;
        assert_true(stage_start(stage, cases[i].configs, cases[i].count, 1, &err) < 0);
        AUTO_FREE char *why = support_why(&err);
        if (!strstr(why, cases[i].words))
            fail_msg("'%s' is not in '%s'", cases[i].words, why);
    }
    assert_int_equal(sim_count(stage->sim), 0);
    assert_int_equal(registered(stage), 0);
}

static void
take_mounts(void *arg, const sim_container_t *container)
{
    str_printf(arg, "%s %zu, %s %zu", container->spec->files[0]->path,
               container->mounts[0].archives, container->spec->files[1]->path,
               container->mounts[1].archives);
}

static void
take_first_mount(void *arg, const sim_container_t *container)
{
    str_add_bytes(arg, container->mounts[0].data.data, container->mounts[0].data.len);
}

static void
artifacts_reach_the_folders_of_a_service_byte_for_byte(void **state)
{
    stage_t *stage = *state;
    /* Larger than some messages and all credit together, and not compressible. */
    size_t size = 3 * 1024 * 1024 + 17;
    AUTO_FREE char *data = malloc(size);
    unsigned number = 1;
    for (size_t i = 0; i < size; i++)
        data[i] = (char)((number = number * 1103515245 + 12345) >> 16);
    core_file_t big = {"big.bin", data, size}, small = {"etc/small.txt", "hello\n", 6};
    AUTO_FREE char *uuid = NULL;
    assert_int_equal(core_artifact_put_files(stage->core, "big", &big, 1, NULL, &uuid, NULL), 0);
    assert_int_equal(core_artifact_put_files(stage->core, "small", &small, 1, NULL, NULL, NULL), 0);

    core_service_config_t *a = service("a", "silent");
    support_files(a, "/data", "big");
    support_files(a, "/conf", "small");
    STAGE_START(stage, a);
    AUTO_STR seen = STR_EMPTY;
    AUTO_STR got = STR_EMPTY;
    assert_true(sim_look(stage->sim, "a", take_mounts, &seen));
    assert_string_equal(seen.data, "/data 1, /conf 1");
    assert_true(sim_look(stage->sim, "a", take_first_mount, &got));

    AUTO_FD int fd = -1;
    AUTO_STR stored = STR_EMPTY;
    assert_int_equal(core_artifact_open(stage->core, uuid, &fd, NULL), 0);
    assert_int_equal(file_read_fd(fd, "big", 2 * size, &stored, NULL), 0);
    assert_int_equal(stored.len, got.len);
    assert_memory_equal(stored.data, got.data, got.len);
}

/* The store's archive of a folder that holds one link, or one file. */
static void
put_folder(stage_t *stage, const char *name, const char *path, const char *link)
{
    AUTO_FREE char *folder = support_folder();
    AUTO_FREE char *full = str_format("%s/%s", folder, path);
    AUTO_FREE char *archive = NULL;
    AUTO_FREE char *md5 = NULL;
    for (char *slash = full + strlen(folder) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        mkdir(full, 0700);
    }
    if (link)
        assert_int_equal(symlink(link, full), 0);
    else
        support_write(full, "x", 1);
    assert_int_equal(core_archive_path(stage->core, folder, &archive, &md5, NULL), 0);
    assert_int_equal(core_artifact_put(stage->core, name, archive, md5, false, NULL, NULL, NULL),
                     0);
    file_remove_tree(folder, NULL);
}

static void
add_artifact(core_service_config_t *config, const char *artifact)
{
    core_files_t *files = &config->files[config->n_files - 1];
    size_t count = 0;
    while (files->artifacts[count])
        count++;
    files->artifacts = realloc(files->artifacts, (count + 2) * sizeof(char *));
    files->artifacts[count] = strdup(artifact);
    files->artifacts[count + 1] = NULL;
}

static void
artifacts_that_would_write_through_each_others_links_are_refused_before_anything_is_made(
    void **state)
{
    stage_t *stage = *state;
    put_folder(stage, "links", "d", ".");
    put_folder(stage, "through", "d/x", NULL);
    put_folder(stage, "beside", "e/x", NULL);
    static const struct {
        const char *artifacts[3], *words; /* NULL: started */
    } rows[] = {
        {{"through", "links"}, NULL},
        {{"links", "beside"}, NULL},
        {{"links", "beside", "through"}, "'through' has a member 'd/x'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        core_service_config_t *config = service("a", "silent");
        support_files(config, "/alone", "links");
        support_files(config, "/data", rows[i].artifacts[0]);
        for (size_t j = 1; j < 3 && rows[i].artifacts[j]; j++)
            add_artifact(config, rows[i].artifacts[j]);
        if (!rows[i].words) {
            STAGE_START(stage, config);
            assert_int_equal(core_service_remove(stage->core, NULL, "a", NULL, NULL), 0);
            continue;
        }
        err_t *err = NULL;
        assert_true(stage_start(stage, &config, 1, 1, &err) < 0);
        AUTO_FREE char *why = support_why(&err);
        assert_non_null(strstr(why, rows[i].words));
        assert_non_null(strstr(why, "folder '/data' do not go together"));
        assert_non_null(strstr(why, "'d', which is a symbolic link in 'links'"));
        assert_int_equal(sim_count(stage->sim), 0);
        assert_int_equal(registered(stage), 0);
    }
}

static void
a_service_stops_and_starts_again(void **state)
{
    stage_t *stage = *state;
    STAGE_START(stage, service("a", "silent"));
    assert_int_equal(core_service_stop(stage->core, NULL, "a", NULL), 0);
    AUTO(core_service) stopped = find(stage, "a");
    assert_int_equal(stopped->status, CORE_SERVICE_STOPPED);
    int code;
    AUTO_STR output = STR_EMPTY;
    AUTO(err) err = NULL;
    assert_true(core_service_exec(stage->core, NULL, "a", (char *[]){"echo", NULL}, NULL, -1, &code,
                                  &output, &err) < 0);
    assert_int_equal(err_code(err), ERR_STATE);
    assert_int_equal(core_service_restart(stage->core, NULL, stopped->uuid, NULL), 0);
    AUTO(core_service) started = find(stage, "a");
    assert_int_equal(started->status, CORE_SERVICE_STARTED);
}

static void
commands_give_code_and_output_within_their_limits(void **state)
{
    stage_t *stage = *state;
    STAGE_START(stage, service("a", "silent"));
    int code = -1;
    AUTO_STR output = STR_EMPTY;
    assert_int_equal(core_service_exec(stage->core, NULL, "a", (char *[]){"echo", "x", "y", NULL},
                                       NULL, -1, &code, &output, NULL),
                     0);
    assert_int_equal(code, 0);
    assert_string_equal(output.data, "x y\n");
    assert_int_equal(core_service_exec(stage->core, NULL, "a", (char *[]){"fail", "3", NULL}, NULL,
                                       -1, &code, &output, NULL),
                     0);
    assert_int_equal(code, 3);

    static const struct {
        char *argv[3];
        int timeout_ms;
        int rc;
        err_code_t code;
    } cases[] = {
        {{"flood", "10485760", NULL}, -1, 0, 0},
        {{"flood", "10485761", NULL}, -1, -1, ERR_LIMIT},
        {{"hang", NULL}, 50, -1, ERR_TIMEOUT},
        {{NULL}, -1, -1, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(err) err = NULL;
        str_clear(&output);
        assert_int_equal(core_service_exec(stage->core, NULL, "a", cases[i].argv, NULL,
                                           cases[i].timeout_ms, &code, &output, &err),
                         cases[i].rc);
        if (cases[i].rc < 0)
            assert_int_equal(err_code(err), cases[i].code);
        else
            assert_int_equal(output.len, 10485760);
    }
}

static void
files_of_a_service_become_an_artifact_and_replace_its_content(void **state)
{
    stage_t *stage = *state;
    STAGE_START(stage, service("a", "silent"));
    AUTO_FREE char *first = NULL;
    AUTO_FREE char *second = NULL;
    assert_int_equal(
        core_artifact_put_from_service(stage->core, NULL, "a", "/etc/x", "files", &first, NULL), 0);
    assert_int_equal(
        core_artifact_put_from_service(stage->core, NULL, "a", "/etc/y", "files", &second, NULL),
        0);
    assert_string_equal(first, second);
    err_t *err = NULL;
    assert_true(core_artifact_put_from_service(stage->core, NULL, "a", "/hostile", "files", NULL,
                                               &err) < 0);
    assert_int_equal(err_code(err), ERR_INVALID);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "cannot copy '/hostile' from service 'a'"));
    assert_non_null(strstr(why, "'../note.txt'"));
    AUTO_FREE char *folder = support_folder();
    AUTO_FD int fd = -1;
    assert_int_equal(core_artifact_open(stage->core, first, &fd, NULL), 0);
    AUTO_FREE char *archive = str_format("/proc/self/fd/%d", fd);
    AUTO_FREE char *note = str_format("%s/note.txt", folder);
    assert_int_equal(archive_tgz_unpack(archive, folder, NULL), 0);
    FILE *file = fopen(note, "r");
    char text[32] = "";
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "/etc/y");
    file_remove_tree(folder, NULL);
}

/* Throws the present process' knowledge away, as a kill does, with a service registered and not
 * acknowledged. */
static void
leave_unacknowledged(stage_t *stage, const char *name)
{
    AUTO_FREE char *sql = str_format("UPDATE service SET acknowledged = 0 WHERE name = '%s'", name);
    assert_int_equal(db_exec(core_db_lock(stage->core), sql, NULL), 0);
    core_db_unlock(stage->core);
}

static void
after_a_kill_what_was_not_acknowledged_is_undone_and_the_rest_stays(void **state)
{
    stage_t *stage = *state;
    STAGE_START(stage, service("kept", "silent"), service("begun", "silent"));
    leave_unacknowledged(stage, "begun");
    stage_close(stage);
    stage_open(stage, NULL, NULL);
    AUTO(core_service) kept = find(stage, "kept");
    assert_non_null(kept);
    assert_int_equal(kept->status, CORE_SERVICE_STARTED);
    assert_null(find(stage, "begun"));
    until_containers(stage, 1);
    STAGE_START(stage, service("begun", "silent"));
    AUTO(core_service) begun = find(stage, "begun");
    assert_string_equal(begun->private_ip, stage_ip(4));
}

static void
what_could_not_be_removed_is_as_soon_as_that_is_possible(void **state)
{
    stage_t *stage = *state;
    STAGE_START(stage, service("a", "silent"));
    sim_refuse_removal(stage->sim, true);
    AUTO(err) err = NULL;
    assert_true(core_service_remove(stage->core, NULL, "a", NULL, &err) < 0);
    assert_int_equal(registered(stage), 0);
    assert_int_equal(sim_count(stage->sim), 1);
    sim_refuse_removal(stage->sim, false);
    until_containers(stage, 0);
}

static void
a_container_that_nobody_registered_is_removed(void **state)
{
    stage_t *stage = *state;
    STAGE_START(stage, service("a", "silent"));
    sim_intrude(stage->sim, SUPPORT_ENCLAVE, "ffffffffffffffffffffffffffffffff", "stranger");
    sim_intrude(stage->sim, "ffffffffffffffffffffffffffffffff", "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
                "other-enclave");
    stage_close(stage);
    stage_open(stage, NULL, NULL);
    until_containers(stage, 2);
    assert_true(sim_look(stage->sim, "other-enclave", NULL, NULL));
    assert_true(sim_look(stage->sim, "a", NULL, NULL));
}

/* Starts a service that nothing answers for, and lets the driver come back meanwhile. */
static void *
driver_goes_and_comes(void *arg)
{
    stage_t *stage = arg;
    struct timespec pause = {.tv_nsec = 5000000};
    while (!sim_look(stage->sim, "a", NULL, NULL))
        nanosleep(&pause, NULL);
    sim_destroy(&stage->sim);
    stage_sim(stage);
    return NULL;
}

static void
a_container_that_is_gone_after_the_driver_was_away_is_noticed_while_its_ports_are_waited_for(
    void **state)
{
    stage_t *stage = *state;
    core_service_config_t *a = service("a", "silent");
    support_port(a, "http", 18080, 60 * WAIT);
    pthread_t thread;
    pthread_create(&thread, NULL, driver_goes_and_comes, stage);
    err_t *err = NULL;
    assert_true(stage_start(stage, &a, 1, 1, &err) < 0);
    pthread_join(thread, NULL);
    AUTO_FREE char *why = support_why(&err);
    assert_non_null(strstr(why, "its container is gone"));
}

typedef struct {
    stage_t *stage;
    err_code_t code;
} waiting_t;

static void *
start_and_wait(void *arg)
{
    waiting_t *self = arg;
    core_service_config_t *a = service("a", "silent");
    support_port(a, "http", 18080, 60 * WAIT);
    AUTO(err) err = NULL;
    stage_start(self->stage, &a, 1, 1, &err);
    self->code = err_code(err);
    return NULL;
}

static void *
exec_and_wait(void *arg)
{
    waiting_t *self = arg;
    int code;
    AUTO_STR output = STR_EMPTY;
    AUTO(err) err = NULL;
    core_service_exec(self->stage->core, NULL, "old", (char *[]){"hang", NULL}, NULL, -1, &code,
                      &output, &err);
    self->code = err_code(err);
    return NULL;
}

static void
the_end_of_the_process_ends_what_waits_and_undoes_it(void **state)
{
    stage_t *stage = *state;
    waiting_t start = {.stage = stage}, exec = {.stage = stage};
    STAGE_START(stage, service("old", "silent"));
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, start_and_wait, &start);
    pthread_create(&threads[1], NULL, exec_and_wait, &exec);
    struct timespec pause = {.tv_nsec = 5000000};
    while (!sim_look(stage->sim, "a", NULL, NULL))
        nanosleep(&pause, NULL);
    core_stop(stage->core);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_int_equal(start.code, ERR_CANCELLED);
    assert_int_equal(exec.code, ERR_CANCELLED);
    assert_int_equal(sim_count(stage->sim), 1);
    assert_int_equal(registered(stage), 1);
}

static void
add_identifier(void *arg, const char *uuid, const char *name)
{
    (void)uuid;
    str_printf(arg, "%s ", name);
}

static void
identifiers_are_remembered_for_ever_and_resolved_in_order(void **state)
{
    stage_t *stage = *state;
    STAGE_START(stage, service("a", "silent"), service("b", "silent"));
    assert_int_equal(core_service_remove(stage->core, NULL, "a", NULL, NULL), 0);
    STAGE_START(stage, service("a", "silent"));
    STAGE_START(stage, service("a", "silent"));
    AUTO_STR names = STR_EMPTY;
    assert_int_equal(core_service_identifiers(stage->core, add_identifier, &names, NULL), 0);
    assert_string_equal(names.data, "a b a ");

    AUTO(core_service) a = find(stage, "a");
    AUTO_FREE char *shortened = strndup(a->uuid, 12);
    AUTO_FREE char *shorter = strndup(a->uuid, 11);
    AUTO(core_service) by_uuid = find(stage, a->uuid);
    AUTO(core_service) by_short = find(stage, shortened);
    assert_string_equal(by_uuid->name, "a");
    assert_string_equal(by_short->name, "a");
    assert_null(find(stage, shorter));
    err_t *err = NULL;
    core_service_t *none;
    assert_true(core_service_find(stage->core, "nobody", &none, &err) < 0);
    assert_int_equal(err_code(err), ERR_NOT_FOUND);
    AUTO_FREE char *why = support_why(&err);
    assert_string_equal(why, "no service has the name or UUID 'nobody'");
}

static void
all_addresses_taken_is_a_clear_error(void **state)
{
    stage_t *stage = *state;
    sqlite3 *db = core_db_lock(stage->core);
    for (int i = 4; i < 255; i++) {
        AUTO_FREE char *sql = str_format("INSERT INTO address (ip) VALUES (%u)",
                                         stage->core->net.network + (unsigned)i);
        assert_int_equal(db_exec(db, sql, NULL), 0);
    }
    core_db_unlock(stage->core);
    STAGE_START(stage, service("last", "silent"));
    core_service_config_t *one_more = service("more", "silent");
    AUTO(err) err = NULL;
    assert_true(stage_start(stage, &one_more, 1, 1, &err) < 0);
    assert_int_equal(err_code(err), ERR_LIMIT);
    assert_int_equal(registered(stage), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int
main(void)
{
    actor_process_init();
    const struct CMUnitTest tests[] = {
        T(services_get_the_lowest_free_addresses_and_their_ports_are_waited_for),
        T(the_placeholder_becomes_the_address_everywhere),
        T(a_name_that_is_there_is_updated_in_place),
        T(one_failure_undoes_the_new_services_of_the_batch),
        T(a_port_that_never_answers_fails_the_start_with_the_last_lines_of_the_service),
        T(a_container_that_dies_while_it_is_waited_for_fails_the_start_at_once),
        T(a_failed_update_keeps_the_service_as_not_started),
        T(as_many_services_start_at_once_as_the_parallelism_says),
        T(wrong_configurations_are_refused_before_anything_is_started),
        T(artifacts_reach_the_folders_of_a_service_byte_for_byte),
        T(a_service_stops_and_starts_again),
        T(commands_give_code_and_output_within_their_limits),
        T(artifacts_that_would_write_through_each_others_links_are_refused_before_anything_is_made),
        T(files_of_a_service_become_an_artifact_and_replace_its_content),
        T(after_a_kill_what_was_not_acknowledged_is_undone_and_the_rest_stays),
        T(what_could_not_be_removed_is_as_soon_as_that_is_possible),
        T(a_container_that_nobody_registered_is_removed),
        T(a_container_that_is_gone_after_the_driver_was_away_is_noticed_while_its_ports_are_waited_for),
        T(the_end_of_the_process_ends_what_waits_and_undoes_it),
        T(identifiers_are_remembered_for_ever_and_resolved_in_order),
        T(all_addresses_taken_is_a_clear_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
