/*  packages: a client's packages and repositories on their way into the enclave. */
#include "apic/api/chunks.h"
#include "base/memory.h"

#include <google/protobuf/empty.pb-c.h>

static void
answer(actor_call_t *call, int rc, err_t **err_p)
{
    Google__Protobuf__Empty reply = GOOGLE__PROTOBUF__EMPTY__INIT;
    if (rc < 0)
        actor_call_fail(&call, err_p);
    else
        actor_call_reply(&call, &reply.base);
}

void
on_upload_package(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    core_t *core = ((api_t *)state)->core;
    AUTO(err) err = NULL;
    AUTO_FREE char *path = core_tmp_path(core, ".tgz");
    AUTO_FREE char *name = NULL;
    int rc = chunks_receive(call, path, &name, &err);
    if (rc < 0)
        err_wrap(&err, "cannot receive a package");
    else if (!name[0])
        rc = err_fail(&err, ERR_INVALID, "the uploaded package has no name");
    else
        rc = core_package_put(core, name, path, &err);
    unlink(path);
    answer(call, rc, &err);
    /* A transfer is the largest thing this process ever holds. */
    memory_give_back();
}

void
on_provide_repository(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    (void)request;
    const api_t *api = state;
    AUTO(err) err = NULL;
    AUTO_FREE char *path = core_tmp_path(api->core, ".tgz");
    AUTO_FREE char *id = NULL;
    int rc = chunks_receive(call, path, &id, &err);
    if (rc < 0)
        err_wrap(&err, "cannot receive a repository");
    else
        rc = run_provide(api->run, id, &path, &err);
    if (path)
        unlink(path);
    answer(call, rc, &err);
}

void
on_refuse_repository(void *state, actor_call_t *call, const ProtobufCMessage *request)
{
    const ApiContainerApi__RefuseRepositoryArgs *args =
        (const ApiContainerApi__RefuseRepositoryArgs *)request;
    AUTO(err) err = NULL;
    answer(call, run_refuse(((api_t *)state)->run, args->id, args->reason, &err), &err);
}
