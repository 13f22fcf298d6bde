# Images: built from a package's Dockerfile.
image busybox

it "a package builds its images before its first service starts, each of them once"
script shop/kurtosis.yml <<<"name: github.com/me/shop"
script shop/api/conf/page.txt <<<"a page of the package"
script shop/api/left.out <<<"not for the image"
script shop/api/.dockerignore <<<"*.out"
script shop/api/Dockerfile <<'DOCKER'
FROM busybox:1.36 AS base
ARG GREETING=none
COPY . /app
RUN echo "$GREETING" >/greeting && ls /app >/list
CMD ["sleep", "1000000"]
FROM base AS broken
RUN exit 9
FROM base AS final
ENTRYPOINT ["sleep"]
DOCKER
script shop/api/tools/Other.Dockerfile <<'DOCKER'
FROM busybox:1.36
COPY note.txt /note
CMD ["sleep", "1000000"]
DOCKER
script shop/api/tools/note.txt <<<"beside the file"
script shop/lib/images.star <<'STAR'
def api(stage):
    return ImageBuildSpec(image_name = "me/api-" + stage, build_context_dir = "../api", target_stage = stage,
                          build_args = {"GREETING": "hello from args"})
STAR
script shop/main.star <<'STAR'
images = import_module("./lib/images.star")
def run(plan, stage = "base"):
    image = ImageBuildSpec(image_name = "me/api-" + stage, build_context_dir = "./api", target_stage = stage,
                           build_args = {"GREETING": "hello from args"})
    plan.add_service("one", ServiceConfig(image = image))
    plan.add_service("two", ServiceConfig(image = image))
    plan.add_service("other", ServiceConfig(image = ImageBuildSpec(
        image_name = "me/other:2", build_context_dir = "./api", build_file = "tools/Other.Dockerfile")))
    result = plan.exec("one", ExecRecipe(["sh", "-c", "cat /greeting /list /app/conf/page.txt"]))
    plan.print(result["output"])
    plan.print(plan.exec("other", ExecRecipe(["cat", "/note"]))["output"])
STAR
ok kurtosis run shop --enclave build
says "> me/api-base - locally built" "> me/other:2 - locally built" "hello from args" "a page of the package" \
    "beside the file" "Adding service with name 'one' and image 'me/api-base'"
never_says "left.out"
same "times that the image is named" 1 "$(grep -c 'me/api-base - locally built' <<<"$out")"
added_images="$added_images me/api-base me/other:2"

it "a build that fails stops the run before anything starts, with the build's last lines"
fails kurtosis run shop '{"stage": "broken"}' --enclave broken
says "Failed to build the required image 'me/api-broken'" "exit code: 9"
same "services" "" "$(service_container broken one)"
script shop/api/Dockerfile <<'DOCKER'
FROM busybox:1.36 AS base
RUN echo "fatal: no such header" >&2; false
DOCKER
fails kurtosis run shop --enclave broken
says "fatal: no such header" "cannot build image 'me/api-base'"

it "what a build needs must be in the package"
script shop/main.star <<'STAR'
def run(plan):
    plan.add_service("one", ServiceConfig(image = ImageBuildSpec(image_name = "x", build_context_dir = "./nowhere")))
STAR
fails kurtosis run shop --enclave broken
says "nowhere"

it "an image of another architecture is used, with a warning"
mkdir foreign
docker save "$image" | tar -x -C foreign
config=$(jq -r '.[0].Config' foreign/manifest.json)
own=$(jq -r .architecture "foreign/$config")
jq -c '.architecture = "riscv64"' "foreign/$config" >foreign/config.json
jq -c '[.[0] | {Config: "config.json", RepoTags: ["other/machine:1"], Layers}]' foreign/manifest.json >foreign/manifest.new
mv foreign/manifest.new foreign/manifest.json
rm -f foreign/repositories foreign/index.json foreign/oci-layout
ok sh -c 'tar -c -C foreign . | docker load'
added_images="$added_images other/machine:1"
script foreign.star <<'STAR'
def run(plan):
    plan.add_service("own", ServiceConfig(image = "busybox:1.36", cmd = ["sleep", "1000000"]))
    plan.add_service("foreign", ServiceConfig(image = "other/machine:1", cmd = ["sleep", "1000000"]))
STAR
ok kurtosis run foreign.star --enclave foreign
says "different architecture than expected($own):" "> other/machine:1 - riscv64"
never_says "busybox:1.36 - $own"

it "a dry run builds nothing"
script shop/main.star <<'STAR'
def run(plan):
    plan.add_service("one", ServiceConfig(image = ImageBuildSpec(image_name = "me/dry", build_context_dir = "./api")))
STAR
ok kurtosis run shop --dry-run --enclave broken
fails docker image inspect me/dry

it "Nix is needed for an image of a flake"
script shop/flake.nix <<<"{ }"
script shop/main.star <<'STAR'
def run(plan):
    plan.add_service("one", ServiceConfig(image = NixBuildSpec(
        image_name = "me/nix", build_context_dir = ".", flake_location_dir = ".")))
STAR
fails kurtosis run shop --enclave broken
says "Failed to build the required image 'me/nix'" "there is no program 'nix'" "kurtosis engine restart"
