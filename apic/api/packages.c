/*  packages: a client's package on its way into the enclave. */
#include "apic/api/chunks.h"

#include <google/protobuf/empty.pb-c.h>
#include <malloc.h>

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
    if (rc < 0)
        actor_call_fail(&call, &err);
    else {
        Google__Protobuf__Empty reply = GOOGLE__PROTOBUF__EMPTY__INIT;
        actor_call_reply(&call, &reply.base);
    }
    /* A transfer is the largest thing this process ever holds. */
    malloc_trim(0);
}
