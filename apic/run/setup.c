/*  setup: from what a client asked for to a program: the package on disk, its manifest, its main
 * file. */
#include "apic/compose/compose.h"
#include "apic/packages/compose_names.h"
#include "apic/packages/file.h"
#include "apic/packages/locator.h"
#include "apic/packages/path.h"
#include "apic/run/phases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_clients(const run_request_t *request, const char *url)
{
    for (size_t i = 0; i < request->n_client_repositories; i++)
        if (str_starts(url, request->client_repositories[i]))
            return true;
    return false;
}

int
run_fetch(const run_enclave_t *enclave, const run_request_t *request, const char *author,
          const char *repo, const char *version, const char *token_of, err_t **err)
{
    const run_world_t *world = enclave->world;
    AUTO_FREE char *url = str_format("https://" PACKAGES_HOST "/%s/%s.git", author, repo);
    if (!enclave->bring || !is_clients(request, url)) {
        AUTO_FREE char *note = NULL;
        if (world->package_clone(world->self, author, repo, version, token_of, &note, err) < 0)
            return -1;
        if (note && enclave->warn)
            enclave->warn(enclave->arg, note);
        return 0;
    }
    AUTO_FREE char *archive = NULL;
    if (enclave->bring(enclave->arg, url, version, &archive, err) < 0)
        return -1;
    AUTO_FREE char *id = str_format(PACKAGES_HOST "/%s/%s", author, repo);
    const int rc = world->package_put(world->self, id, archive, err);
    unlink(archive);
    return rc;
}

/* A dependency's repository: with the user's token, whatever the root package has. */
static int
clone_dependency(void *arg, const char *author, const char *repo, const char *version, err_t **err)
{
    const run_setup_t *self = arg;
    return run_fetch(self->enclave, self->request, author, repo, version, "", err);
}

/* Older clients send the package in the request. */
static int
keep_archive(const run_world_t *world, const run_request_t *request, err_t **err)
{
    AUTO_FREE char *path = str_format("%s/package-XXXXXX", world->tmp);
    AUTO_FD int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_fail(err, ERR_LIMIT, "cannot keep the package '%s': %s", request->package_id,
                        strerror(errno));
    const ssize_t written = write(fd, request->archive, request->archive_size);
    const int rc = written == (ssize_t)request->archive_size
                       ? world->package_put(world->self, request->package_id, path, err)
                       : err_fail(err, ERR_LIMIT, "cannot keep the package '%s': the disk is full",
                                  request->package_id);
    unlink(path);
    return rc;
}

/* Brings what the client has not uploaded. */
static int
fetch_package(const run_enclave_t *enclave, const run_request_t *request, err_t **err)
{
    const run_world_t *world = enclave->world;
    const char *id = request->package_id;
    AUTO(packages_locator) locator = NULL;
    if (packages_locator_parse(id, &locator, err) < 0)
        return err_wrap(err, "An error occurred parsing Git URL for package ID '%s'", id);
    if (request->token && request->token[0] &&
        world->package_token(world->self, id, request->token, err) < 0)
        return -1;
    if (request->archive)
        return keep_archive(world, request, err);
    return request->clone ? run_fetch(enclave, request, locator->author, locator->repo,
                                      locator->version, id, err)
                          : 0;
}

static void
warn(void *arg, const char *text)
{
    run_setup_t *self = arg;
    run_map_put(&self->warnings, text, self);
}

/* A package without kurtosis.yml: its Compose file is the main file. */
static int
setup_compose(const run_enclave_t *enclave, const run_request_t *request, const char *folder,
              run_setup_t *self, err_t **err)
{
    const char *id = request->package_id;
    const char *name = request->main_file[0] ? request->main_file : packages_compose_find(folder);
    if (!name)
        return err_fail(err, ERR_NOT_FOUND,
                        "No 'kurtosis.yml' file was found in the package root so fell back to "
                        "Docker Compose package, but no default Compose files "
                        "(" PACKAGES_COMPOSE_LIST
                        ") were found. Either add a 'kurtosis.yml' file to the package root or add "
                        "one of the default Compose files.");
    AUTO_FREE char *below = packages_path_join("/", name);
    if (compose_transpile(folder, below + 1, warn, self, &self->text, err) < 0)
        return err_wrap(
            err, "An error occurred transpiling the Docker Compose package '%s' to Starlark", id);
    self->file = packages_path_join(id, below);
    self->program.packages =
        (packages_t){.repositories = enclave->world->repositories, .package_id = id};
    return 0;
}

static int
setup_package(const run_enclave_t *enclave, const run_request_t *request, run_setup_t *self,
              err_t **err)
{
    const char *id = request->package_id, *repositories = enclave->world->repositories;
    const char *main_file = request->main_file[0] ? request->main_file : PACKAGES_MAIN;
    AUTO_FREE char *folder = NULL;
    struct stat status;

    if (fetch_package(enclave, request, err) < 0 ||
        packages_folder(repositories, id, &folder, err) < 0)
        return -1;
    if (stat(folder, &status) < 0)
        return err_fail(err, ERR_NOT_FOUND, "Package '%s' does not exist on disk at '%s'", id,
                        folder);
    AUTO_FREE char *manifest = packages_path_join(folder, PACKAGES_MANIFEST);
    if (stat(manifest, &status) < 0)
        return setup_compose(enclave, request, folder, self, err);
    if (packages_manifest_read(repositories, folder, &self->manifest, err) < 0)
        return -1;
    AUTO_FREE char *below = packages_path_join("/", main_file);
    AUTO_FREE char *path = packages_path_join(folder, below);
    if (stat(path, &status) < 0) {
        err_fail(err, ERR_NOT_FOUND, "stat %s: no such file or directory", path);
        return err_wrap(err,
                        "An error occurred while verifying that '%s' exists in the package '%s' at "
                        "'%s'",
                        PACKAGES_MAIN, id, path);
    }
    if (packages_file_read(path, PACKAGES_FILE_MAX, &self->text, err) < 0)
        return err_wrap(err, "cannot read the main file of package '%s'", id);
    self->file = packages_path_join(self->manifest->name, below);
    self->program.packages = (packages_t){.repositories = repositories,
                                          .package_id = self->manifest->name,
                                          .replaces = self->manifest->replaces,
                                          .n_replaces = self->manifest->n_replaces};
    return 0;
}

int
run_setup(const run_enclave_t *enclave, const run_request_t *request, run_setup_t *self,
          err_t **err)
{
    run_program_t *program = &self->program;
    self->enclave = enclave;
    self->request = request;
    if (request->package_id) {
        if (setup_package(enclave, request, self, err) < 0)
            return -1;
    } else {
        str_add(&self->text, request->script);
        self->file = strdup(PACKAGES_SCRIPT);
        program->packages = (packages_t){.repositories = enclave->world->repositories,
                                         .package_id = PACKAGES_SCRIPT};
        program->is_script = true;
    }
    program->packages.clone = clone_dependency;
    program->packages.arg = self;
    program->file = self->file;
    program->text = self->text.data;
    program->size = self->text.len;
    program->main_function = request->main_function;
    program->params = request->params;
    program->allow_privileged = request->allow_privileged;
    return 0;
}

void
run_setup_done(run_setup_t *self)
{
    packages_manifest_destroy(&self->manifest);
    run_map_done(&self->warnings, NULL);
    str_done(&self->text);
    free(self->file);
}
