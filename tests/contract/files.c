/*  Files: into a service when it starts, out of it at any time. */
#include "bus/bus.h"
#include "docker-driver/tar.h"
#include "tests/contract/world.h"

#include <stdio.h>

static Orchestrator__FilesMount
mount_at(const char *path)
{
    Orchestrator__FilesMount mount = ORCHESTRATOR__FILES_MOUNT__INIT;
    mount.path = (char *)path;
    return mount;
}

static void
tar_of(str_t *tar, const char *path, const char *content)
{
    assert_int_equal(tar_add(tar, path, 0644, content, strlen(content), NULL), 0);
    tar_end(tar);
}

static void
archives_fill_the_mounts_before_the_service_starts(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__FilesMount mounts[] = {mount_at("/data/one"), mount_at("/etc/conf"),
                                         mount_at("/empty")};
    Orchestrator__FilesMount *list[] = {&mounts[0], &mounts[1], &mounts[2]};
    char *cmd[] = {"cat /data/one/a /data/one/b /etc/conf/c; ls /empty | wc -l; trap 'exit 0' "
                   "TERM; sleep 1000000 & wait"};
    spec_init(&spec, "filled");
    spec.files = list, spec.n_files = 3;
    spec.cmd = cmd, spec.n_cmd = 1;
    AUTO_STR first = STR_EMPTY, second = STR_EMPTY, third = STR_EMPTY;
    tar_of(&first, "a", "old a\n");
    assert_int_equal(tar_add(&second, "a", 0644, "new a\n", 6, NULL), 0);
    tar_of(&second, "b", "b\n");
    tar_of(&third, "c", "c\n");
    archive_t archives[] = {{0, &first}, {0, &second}, {1, &third}};
    stream_t *stream = service_open(&spec, archives, 3);
    Orchestrator__ServiceInfo *info = NULL;
    AUTO(err) err = NULL;
    if (stream_recv(stream, &info, &err) != 1)
        fail_msg("StartService failed: %s", err_string(err));
    stream_close(&stream);
    orchestrator__service_info__free_unpacked(info, NULL);
    AUTO_STR out = STR_EMPTY;
    assert_int_equal(run_in(spec.service_uuid,
                            "cat /data/one/a /data/one/b /etc/conf/c; ls /empty | wc -l", &out),
                     0);
    assert_string_equal(out.data, "new a\nb\nc\n0\n");
    AUTO_FREE char *volumes = holds("files-artifact-expansion--");
    assert_non_null(strstr(volumes, enclave));
    service_remove(spec.service_uuid);
    AUTO_FREE char *left = holds("files-artifact-expansion--");
    assert_null(strstr(left, enclave));
}

static void
a_large_archive_is_streamed(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__FilesMount mount = mount_at("/big");
    Orchestrator__FilesMount *list[] = {&mount};
    spec_init(&spec, "large");
    spec.files = list, spec.n_files = 1;
    AUTO_STR content = STR_EMPTY, tar = STR_EMPTY;
    for (int i = 0; i < 1 << 19; i++)
        str_printf(&content, "%07d line of a large file\n", i);
    tar_of(&tar, "file", content.data);
    archive_t archive = {0, &tar};
    stream_t *stream = service_open(&spec, &archive, 1);
    Orchestrator__ServiceInfo *info = NULL;
    AUTO(err) err = NULL;
    if (stream_recv(stream, &info, &err) != 1)
        fail_msg("StartService failed: %s", err_string(err));
    stream_close(&stream);
    orchestrator__service_info__free_unpacked(info, NULL);

    /* And out again, byte for byte. */
    Orchestrator__CopyOutArgs args = ORCHESTRATOR__COPY_OUT_ARGS__INIT;
    Orchestrator__TarChunk *chunk = NULL;
    args.enclave_uuid = enclave;
    args.service_uuid = spec.service_uuid;
    args.path = "/big/file";
    AUTO_STR back = STR_EMPTY;
    stream = driver_open(driver, "CopyOut", &args);
    while (stream_recv(stream, &chunk, &err) == 1) {
        str_add_bytes(&back, chunk->data.data, chunk->data.len);
        orchestrator__tar_chunk__free_unpacked(chunk, NULL);
    }
    stream_close(&stream);
    const char *data;
    size_t size;
    assert_int_equal(tar_first_file(back.data, back.len, &data, &size, NULL), 1);
    assert_int_equal(size, content.len);
    assert_memory_equal(data, content.data, size);
    service_remove(spec.service_uuid);
}

#define HUGE_SIZE UINT64_C(300000000)
#define HUGE_PIECE (1u << 20)
#define PEAK_MAX_KB 40960 /* of the driver: what may be in flight, and the process */

/* Fills in a header's checksum. */
static void
seal(char head[TAR_BLOCK])
{
    memset(head + 148, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += (unsigned char)head[i];
    snprintf(head + 148, 7, "%06o", sum);
}

/* Starts the service with a file of HUGE_SIZE zeros in its mount; the archive is made while it is sent. */
static void
start_with_huge_file(Orchestrator__ServiceSpec *spec)
{
    AUTO_FREE char *piece = calloc(1, HUGE_PIECE);
    AUTO_STR head = STR_EMPTY;
    assert_int_equal(tar_add(&head, "file", 0644, "", 0, NULL), 0);
    snprintf(head.data + 124, 12, "%011llo", (unsigned long long)HUGE_SIZE);
    seal(head.data);
    memcpy(piece, head.data, TAR_BLOCK);
    uint64_t left = TAR_BLOCK + (HUGE_SIZE + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK + 2 * TAR_BLOCK;
    stream_t *stream = driver_open(driver, "StartService", NULL);
    Orchestrator__StartServicePart first = ORCHESTRATOR__START_SERVICE_PART__INIT;
    first.spec = spec;
    stream_send(stream, &first);
    while (left > 0) {
        Orchestrator__StartServicePart part = ORCHESTRATOR__START_SERVICE_PART__INIT;
        part.data.data = (uint8_t *)piece;
        part.data.len = left < HUGE_PIECE ? left : HUGE_PIECE;
        left -= part.data.len;
        part.archive_end = left == 0;
        stream_send(stream, &part);
        memset(piece, 0, TAR_BLOCK);
    }
    stream_end(stream);
    Orchestrator__ServiceInfo *info = NULL;
    AUTO(err) err = NULL;
    if (stream_recv(stream, &info, &err) != 1)
        fail_msg("StartService failed: %s", err_string(err));
    stream_close(&stream);
    orchestrator__service_info__free_unpacked(info, NULL);
}

static bool
are_zeros(const uint8_t *data, size_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* Copies the file out, and looks at each byte as it passes. */
static void
copy_huge_file_out(const Orchestrator__ServiceSpec *spec)
{
    Orchestrator__CopyOutArgs args = ORCHESTRATOR__COPY_OUT_ARGS__INIT;
    Orchestrator__TarChunk *chunk = NULL;
    args.enclave_uuid = enclave;
    args.service_uuid = spec->service_uuid;
    args.path = (char *)"/huge/file";
    AUTO(err) err = NULL;
    uint64_t size = 0;
    int got;
    stream_t *stream = driver_open(driver, "CopyOut", &args);
    while ((got = stream_recv(stream, &chunk, &err)) == 1) {
        size_t head = size == 0 ? TAR_BLOCK : 0;
        assert_true(chunk->data.len >= head);
        if (head)
            assert_int_equal(strtoull((char *)chunk->data.data + 124, NULL, 8), HUGE_SIZE);
        assert_true(are_zeros(chunk->data.data + head, chunk->data.len - head));
        size += chunk->data.len;
        orchestrator__tar_chunk__free_unpacked(chunk, NULL);
    }
    if (got < 0)
        fail_msg("CopyOut failed: %s", err_string(err));
    stream_close(&stream);
    assert_true(size >= HUGE_SIZE + TAR_BLOCK);
}

static void
a_file_of_300_mb_goes_in_and_out_in_constant_memory(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__FilesMount mount = mount_at("/huge");
    Orchestrator__FilesMount *list[] = {&mount};
    spec_init(&spec, "huge");
    spec.files = list, spec.n_files = 1;
    long before = driver_peak(driver);
    start_with_huge_file(&spec);
    long in = driver_peak(driver);
    copy_huge_file_out(&spec);
    long out = driver_peak(driver);
    print_message("driver at its peak: %ld KiB, %ld after the file is in, %ld after it is out\n",
                  before, in, out);
    service_remove(spec.service_uuid);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(out < PEAK_MAX_KB);
#endif
}

static void
a_broken_archive_is_refused_and_leaves_nothing(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__FilesMount mount = mount_at("/data");
    Orchestrator__FilesMount *list[] = {&mount};
    AUTO_STR garbage = STR_EMPTY;
    for (int i = 0; i < 2000; i++)
        str_add(&garbage, "this is no tar. ");
    archive_t archives[] = {{0, &garbage}, {7, &garbage}};
    for (size_t i = 0; i < 2; i++) {
        spec_init(&spec, "garbage");
        spec.files = list, spec.n_files = 1;
        stream_t *stream = service_open(&spec, &archives[i], 1);
        Orchestrator__ServiceInfo *info = NULL;
        AUTO(err) err = NULL;
        assert_true(stream_recv(stream, &info, &err) < 0);
        stream_close(&stream);
        AUTO_FREE char *text = err_string(err);
        assert_non_null(
            strstr(text, i == 0 ? "cannot put files into '/data'" : "a piece is for mount 7"));
        AUTO_FREE char *left = holds(spec.service_uuid);
        assert_string_equal(left, "");
    }
}

static void
a_stream_that_breaks_off_leaves_nothing(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__FilesMount mount = mount_at("/data");
    Orchestrator__FilesMount *list[] = {&mount};
    spec_init(&spec, "broken-off");
    spec.files = list, spec.n_files = 1;
    stream_t *stream = driver_open(driver, "StartService", NULL);
    Orchestrator__StartServicePart part = ORCHESTRATOR__START_SERVICE_PART__INIT;
    part.spec = &spec;
    stream_send(stream, &part);
    part.spec = NULL;
    part.data.data = (uint8_t *)"half of";
    part.data.len = 7;
    stream_send(stream, &part);
    stream_end(stream);
    Orchestrator__ServiceInfo *info = NULL;
    AUTO(err) err = NULL;
    assert_true(stream_recv(stream, &info, &err) < 0);
    stream_close(&stream);
    check_error(err, ERR_INVALID, "the stream ended in the middle of an archive");
    AUTO_FREE char *left = holds(spec.service_uuid);
    assert_string_equal(left, "");
}

/* A regular file with an owner; with link a symbolic link to it. */
static void
add_member(str_t *tar, const char *path, unsigned mode, unsigned uid, unsigned gid,
           const char *content, const char *link)
{
    size_t at = tar->len;
    assert_int_equal(tar_add(tar, "placeholder", mode, content, strlen(content), NULL), 0);
    char *head = tar->data + at;
    memset(head, 0, 100);
    snprintf(head, 100, "%s", path);
    snprintf(head + 108, 8, "%07o", uid);
    snprintf(head + 116, 8, "%07o", gid);
    if (link) {
        head[156] = '2';
        snprintf(head + 157, 100, "%s", link);
    }
    seal(head);
}

/* Starts a service with the archive at /data. 1, or negative with what went wrong. */
static int
start_filled(Orchestrator__ServiceSpec *spec, const str_t *tar, err_t **err)
{
    static Orchestrator__FilesMount mount;
    static Orchestrator__FilesMount *list[] = {&mount};
    mount = mount_at("/data");
    spec->files = list, spec->n_files = 1;
    archive_t archive = {0, tar};
    stream_t *stream = service_open(spec, &archive, 1);
    Orchestrator__ServiceInfo *info = NULL;
    int got = stream_recv(stream, &info, err);
    orchestrator__service_info__free_unpacked(got == 1 ? info : NULL, NULL);
    stream_close(&stream);
    return got;
}

static void
owners_modes_and_links_are_kept(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    AUTO_STR tar = STR_EMPTY;
    AUTO_STR out = STR_EMPTY;
    AUTO(err) err = NULL;
    spec_init(&spec, "owned");
    add_member(&tar, "tool", 0750, 1234, 55, "x", NULL);
    add_member(&tar, "secret", 0600, 77, 0, "y", NULL);
    add_member(&tar, "setuid", 04755, 0, 0, "z", NULL);
    add_member(&tar, "link", 0777, 0, 0, "", "tool");
    tar_end(&tar);
    if (start_filled(&spec, &tar, &err) != 1)
        fail_msg("StartService failed: %s", err_string(err));
    assert_int_equal(run_in(spec.service_uuid,
                            "cd /data; stat -c '%n %a %u:%g' tool secret setuid; readlink link",
                            &out),
                     0);
    assert_string_equal(out.data, "tool 750 1234:55\nsecret 600 77:0\nsetuid 4755 0:0\ntool\n");
    service_remove(spec.service_uuid);
}

/* Whether such an archive is refused or its members are kept inside: nothing comes to lie elsewhere. */
static void
no_member_leaves_its_directory_by_its_name(void **state)
{
    (void)state;
    static const char *const paths[] = {"../escaped", "a/../../escaped", "/escaped"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        Orchestrator__ServiceSpec spec;
        AUTO_STR tar = STR_EMPTY;
        AUTO(err) err = NULL;
        spec_init(&spec, "escaping");
        add_member(&tar, paths[i], 0644, 0, 0, "bad", NULL);
        tar_end(&tar);
        bool started = start_filled(&spec, &tar, &err) == 1;
        bool escaped = started && run_in(spec.service_uuid, "test -e /escaped", NULL) == 0;
        if (started)
            service_remove(spec.service_uuid);
        if (escaped)
            fail_msg("'%s' came to lie outside", paths[i]);
        AUTO_FREE char *left = holds(spec.service_uuid);
        assert_string_equal(left, "");
    }
}

/* Takes events until this one of this service comes. */
static void
wait_event(stream_t *watch, const char *service_uuid, const char *action)
{
    for (bool seen = false; !seen;) {
        Orchestrator__ContainerEvent *event = NULL;
        AUTO(err) err = NULL;
        if (stream_recv(watch, &event, &err) != 1)
            fail_msg("no event '%s' came: %s", action, err_string(err));
        seen = strcmp(event->action, action) == 0 && strcmp(event->service_uuid, service_uuid) == 0;
        orchestrator__container_event__free_unpacked(event, NULL);
    }
}

static void
a_caller_who_gives_up_while_files_go_in_leaves_nothing(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__FilesMount mount = mount_at("/data");
    Orchestrator__FilesMount *list[] = {&mount};
    Orchestrator__EnclaveRef ref = ORCHESTRATOR__ENCLAVE_REF__INIT;
    ref.enclave_uuid = enclave;
    spec_init(&spec, "given-up");
    spec.files = list, spec.n_files = 1;
    stream_t *watch = driver_open(driver, "WatchEnclave", &ref);
    wait_event(watch, "", "ready");
    stream_t *stream = driver_open(driver, "StartService", NULL);
    Orchestrator__StartServicePart part = ORCHESTRATOR__START_SERVICE_PART__INIT;
    part.spec = &spec;
    stream_send(stream, &part);
    part.spec = NULL;
    part.data.data = (uint8_t *)"half of";
    part.data.len = 7;
    /* More than is let through before the first is taken: once these are sent, the container is
     * there. */
    for (unsigned i = 0; i < 2 * BUS_CREDIT; i++)
        stream_send(stream, &part);
    stream_close(&stream);
    wait_event(watch, spec.service_uuid, "destroy");
    stream_close(&watch);
    AUTO_FREE char *left = holds(spec.service_uuid);
    assert_string_equal(left, "");
}

/* What CopyOut of a path gives: the names in the archive, a blank after each. */
static void
names_in(const char *uuid, const char *path, str_t *ret_names)
{
    Orchestrator__CopyOutArgs args = ORCHESTRATOR__COPY_OUT_ARGS__INIT;
    Orchestrator__TarChunk *chunk = NULL;
    AUTO_STR tar = STR_EMPTY;
    AUTO(err) err = NULL;
    args.enclave_uuid = enclave;
    args.service_uuid = (char *)uuid;
    args.path = (char *)path;
    stream_t *stream = driver_open(driver, "CopyOut", &args);
    int got;
    while ((got = stream_recv(stream, &chunk, &err)) == 1) {
        str_add_bytes(&tar, chunk->data.data, chunk->data.len);
        orchestrator__tar_chunk__free_unpacked(chunk, NULL);
    }
    stream_close(&stream);
    if (got < 0) {
        AUTO_FREE char *text = err_string(err);
        str_printf(ret_names, "error %s", text);
        return;
    }
    for (size_t at = 0; at + TAR_BLOCK <= tar.len && tar.data[at];) {
        unsigned long size = strtoul(tar.data + at + 124, NULL, 8);
        const char *name = tar.data + at;
        if (strchr("05\0", tar.data[at + 156]))
            str_printf(ret_names, "%s ", str_starts(name, "./") ? name + 2 : name);
        at += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    }
}

static void
folders_are_copied_out_by_their_contents(void **state)
{
    (void)state;
    static const struct {
        const char *path, *has, *has_not;
    } cases[] = {
        {"/tmp/folder", "a ", "folder"},
        {"/tmp/folder/", "a ", "folder"},
        {"/tmp/folder/*", "sub/b ", "folder"},
        {"/tmp/folder/a", "a ", "sub"},
        {"/tmp/link", "a ", "link"},
        {"/tmp/file-link", "a ", "sub"},
        {"/tmp/none", "error", "./"},
        {"/tmp/folder/a/*", "error", "./"},
        {"relative", "must be absolute", "./"},
        {"/tmp/none", "there is no file or folder '/tmp/none'", "./"},
    };
    Orchestrator__ServiceSpec spec;
    spec_init(&spec, "out");
    orchestrator__service_info__free_unpacked(service_start(&spec), NULL);
    assert_int_equal(
        run_in(spec.service_uuid,
               "mkdir -p /tmp/folder/sub; echo a >/tmp/folder/a; echo b >/tmp/folder/sub/b;"
               "ln -s folder /tmp/link; ln -s folder/a /tmp/file-link",
               NULL),
        0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_STR names = STR_EMPTY;
        names_in(spec.service_uuid, cases[i].path, &names);
        if (!strstr(names.data, cases[i].has) || strstr(names.data, cases[i].has_not))
            fail_msg("'%s' gives '%s'", cases[i].path, names.data);
    }
    service_remove(spec.service_uuid);
}

static void
services_with_the_same_key_share_a_directory(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec a, b;
    Orchestrator__PersistentMount mount = ORCHESTRATOR__PERSISTENT_MOUNT__INIT;
    Orchestrator__PersistentMount *list[] = {&mount};
    mount.path = "/shared", mount.key = "common";
    spec_init(&a, "writer");
    spec_init(&b, "reader");
    a.persistent = b.persistent = list;
    a.n_persistent = b.n_persistent = 1;
    orchestrator__service_info__free_unpacked(service_start(&a), NULL);
    orchestrator__service_info__free_unpacked(service_start(&b), NULL);
    AUTO_STR out = STR_EMPTY;
    assert_int_equal(run_in(a.service_uuid, "echo hello >/shared/note", NULL), 0);
    assert_int_equal(run_in(b.service_uuid, "cat /shared/note", &out), 0);
    assert_string_equal(out.data, "hello\n");
    service_remove(a.service_uuid);
    service_remove(b.service_uuid);
    AUTO_FREE char *kept = holds("common--");
    assert_non_null(strstr(kept, enclave));
}

static void
files_are_moved_before_the_command_begins(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec;
    Orchestrator__FilesMount mount = mount_at("/staging");
    Orchestrator__FilesMount *list[] = {&mount};
    Orchestrator__Pair move = ORCHESTRATOR__PAIR__INIT;
    Orchestrator__Pair *moves[] = {&move};
    move.name = "/staging/it's here", move.value = "/tmp/there";
    spec_init(&spec, "moved");
    spec.files = list, spec.n_files = 1;
    spec.files_to_be_moved = moves, spec.n_files_to_be_moved = 1;
    AUTO_STR tar = STR_EMPTY;
    tar_of(&tar, "it's here", "moved\n");
    archive_t archive = {0, &tar};
    stream_t *stream = service_open(&spec, &archive, 1);
    Orchestrator__ServiceInfo *info = NULL;
    AUTO(err) err = NULL;
    if (stream_recv(stream, &info, &err) != 1)
        fail_msg("StartService failed: %s", err_string(err));
    stream_close(&stream);
    assert_int_equal(info->state, ORCHESTRATOR__CONTAINER_STATE__CONTAINER_RUNNING);
    orchestrator__service_info__free_unpacked(info, NULL);
    AUTO_STR out = STR_EMPTY;
    assert_int_equal(run_in(spec.service_uuid, "cat /tmp/there", &out), 0);
    assert_string_equal(out.data, "moved\n");
    service_remove(spec.service_uuid);
}

/* Somebody removes a container with Docker's own command; its volumes go soon after, those of others and what is
 * persistent stay. */
static void
files_of_a_service_that_somebody_removed_go_by_themselves(void **state)
{
    (void)state;
    Orchestrator__ServiceSpec spec, other;
    Orchestrator__FilesMount mount = mount_at("/data");
    Orchestrator__FilesMount *list[] = {&mount};
    Orchestrator__PersistentMount persistent = ORCHESTRATOR__PERSISTENT_MOUNT__INIT;
    Orchestrator__PersistentMount *persistents[] = {&persistent};
    persistent.path = "/keep", persistent.key = "orphan-keep";
    spec_init(&other, "stays");
    other.files = list, other.n_files = 1;
    orchestrator__service_info__free_unpacked(service_start(&other), NULL);
    AUTO_FREE char *before = holds("files-artifact-expansion--");
    spec_init(&spec, "orphan");
    spec.files = list, spec.n_files = 1;
    spec.persistent = persistents, spec.n_persistent = 1;
    Orchestrator__ServiceInfo *info = service_start(&spec);
    AUTO_FREE char *volumes = holds("files-artifact-expansion--");
    const char *name = NULL;
    char *save = NULL;
    for (char *line = strtok_r(volumes, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (strstr(line, enclave) && !strstr(before, line))
            name = line + strlen("volume ");
    assert_non_null(name);
    driver_forget_container(driver, info->container_id);
    assert_true(driver_wait_gone(driver, name));
    AUTO_FREE char *kept = holds("orphan-keep");
    assert_string_not_equal(kept, "");
    assert_int_equal(run_in(other.service_uuid, "ls /data", NULL), 0);
    orchestrator__service_info__free_unpacked(info, NULL);
    service_remove(other.service_uuid);
}

int
files_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners_modes_and_links_are_kept),
        cmocka_unit_test(no_member_leaves_its_directory_by_its_name),
        cmocka_unit_test(files_of_a_service_that_somebody_removed_go_by_themselves),
        cmocka_unit_test(archives_fill_the_mounts_before_the_service_starts),
        cmocka_unit_test(a_large_archive_is_streamed),
        cmocka_unit_test(a_file_of_300_mb_goes_in_and_out_in_constant_memory),
        cmocka_unit_test(a_broken_archive_is_refused_and_leaves_nothing),
        cmocka_unit_test(a_stream_that_breaks_off_leaves_nothing),
        cmocka_unit_test(a_caller_who_gives_up_while_files_go_in_leaves_nothing),
        cmocka_unit_test(folders_are_copied_out_by_their_contents),
        cmocka_unit_test(services_with_the_same_key_share_a_directory),
        cmocka_unit_test(files_are_moved_before_the_command_begins),
    };
    return group_run("files", tests, ARRAY_LEN(tests), NULL, NULL);
}
