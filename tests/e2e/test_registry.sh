# Pulls from a registry that wants a login: by what the user's Docker configuration says, by credential helpers, by ImageSpec.
image busybox
address=127.0.0.1:5061
secret=very-secret
mkdir -p "$work/registry" "$work/helpers" "$HOME/.docker"
echo 'me:$2b$04$ezSqtUgKYieJ3DxghDef8.YT21K3.73pEcj5kWzeErsAhK/6cJscW' >"$work/registry/users"
cat >"$work/registry/config.yml" <<YML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry/data}}
http: {addr: "$address"}
auth: {htpasswd: {realm: tests, path: $work/registry/users}}
YML
registry_pid=
registry_start() {
    OTEL_TRACES_EXPORTER=none docker-registry serve "$work/registry/config.yml" >"$work/registry/log" 2>&1 &
    registry_pid=$!
    curl --silent --output /dev/null --retry 50 --retry-delay 0 --retry-max-time 20 --retry-connrefused --noproxy '*' \
        "http://$address/v2/"
}
registry_stop() {
    [ -z "$registry_pid" ] || { kill "$registry_pid" && wait "$registry_pid"; } 2>/dev/null || true
    registry_pid=
}
trap 'registry_stop; fixture_rescue' EXIT
registry_start
login() { # PASSWORD
    printf '{"auths": {"%s": {"auth": "%s"}}}' "$address" "$(printf 'me:%s' "$1" | base64)" >"$HOME/.docker/config.json"
}
forget() { # NAME...: of the registry
    local name
    for name in "$@"; do docker rmi "$address/$name" >/dev/null 2>&1 || true; done
}
publish() { # NAME WORD: an image that nothing else shares its layer with
    printf 'FROM %s\nRUN echo %s >/word\nCMD ["sleep", "1000000"]\n' "$image" "$2" |
        DOCKER_BUILDKIT=0 docker build --quiet --tag "$address/$1" - >/dev/null 2>&1
    docker --config "$work/pusher" push --quiet "$address/$1" >/dev/null
}
mkdir "$work/pusher"
login "$secret"
mv "$HOME/.docker/config.json" "$work/pusher/config.json"
publish one one
publish two two
forget one two
script pull.star <<STAR
def run(plan, name = "one", mode = "plain"):
    image = "$address/" + name
    if mode == "spec":
        image = ImageSpec(image = image, registry = "$address", username = "me", password = "$secret")
    plan.add_service("a", ServiceConfig(image = image, cmd = ["sleep", "1000000"]))
    plan.add_service("b", ServiceConfig(image = image, cmd = ["sleep", "1000000"]))
    plan.print(plan.exec("a", ExecRecipe(["cat", "/word"]))["output"])
STAR

it "without a login the registry refuses, and the error says what to do"
fails kurtosis run pull.star --enclave none
says "Failed fetching the required image '$address/one'." "no basic auth credentials" "docker login"

it "a login of the user's Docker configuration is used as soon as it is there"
login "$secret"
ok kurtosis run pull.star --enclave login
says "> $address/one - remotely downloaded"
matches '^one$'

it "what is there is not pulled again, unless always"
ok kurtosis run pull.star --enclave again
says "> $address/one - locally cached"
ok kurtosis run pull.star --enclave always --image-download always
says "> $address/one - remotely downloaded"

it "without the registry the local copy serves, with a warning"
registry_stop
ok kurtosis run pull.star --enclave warned --image-download always
says "> $address/one - locally cached" "could not be pulled, the local copy is used"
registry_start

it "a wrong password is refused, and stands nowhere"
login wrong-password
fails kurtosis run pull.star '{"name": "two"}' --enclave wrong
says "Failed fetching the required image '$address/two'."
never_says wrong-password

it "ImageSpec carries a login of its own"
ok kurtosis run pull.star '{"name": "two", "mode": "spec"}' --enclave spec
says "> $address/two - remotely downloaded"
kurtosis enclave rm --force spec >/dev/null 2>&1
forget two

it "a credential helper is asked on the user's side"
cat >"$work/helpers/docker-credential-mine" <<SH
#!/bin/sh
case \$1 in
list) echo '{"$address": "me"}' ;;
get) echo '{"ServerURL": "$address", "Username": "me", "Secret": "$secret"}' ;;
esac
SH
chmod +x "$work/helpers/docker-credential-mine"
PATH=$work/helpers:$PATH
echo '{"credsStore": "mine"}' >"$HOME/.docker/config.json"
ok kurtosis run pull.star '{"name": "two"}' --enclave helped
says "> $address/two - remotely downloaded"

it "a helper that fails is a warning"
echo '{"credHelpers": {"far.example.com": "absent"}}' >"$HOME/.docker/config.json"
ok kurtosis run pull.star --enclave again
says "no login for registry 'far.example.com': cannot run 'docker-credential-absent'"

it "the login survives a restart of the driver, and stands in no log"
echo '{"credsStore": "mine"}' >"$HOME/.docker/config.json"
ok kurtosis run pull.star --enclave again
docker restart --time 10 "$(engine_container)" >/dev/null
rm "$HOME/.docker/config.json"
kurtosis enclave rm --force helped >/dev/null 2>&1
forget two
ok kurtosis run pull.star '{"name": "two"}' --enclave restarted
says "> $address/two - remotely downloaded"
docker logs "$(engine_container)" >"$work/engine.log" 2>&1
for enclave in again restarted; do docker logs "$(api_container $enclave)" >>"$work/engine.log" 2>&1; done
same "lines of logs with the password" 0 "$(grep -c "$secret" "$work/engine.log")"

it "clean removes images of other versions that no container uses"
docker tag "$image" kurtosistech/engine:0.1.2
docker tag "$image" kurtosistech/core:0.1.2
docker tag "$image" kurtosistech/notes:latest
docker tag "$image" other/engine:0.1.2
added_images="$added_images kurtosistech/notes:latest other/engine:0.1.2"
ok kurtosis clean --all
says "kurtosistech/engine:0.1.2" "kurtosistech/core:0.1.2" "Successfully cleaned unused images"
never_says "notes:latest" "other/engine"
fails docker image inspect kurtosistech/engine:0.1.2
ok docker image inspect kurtosistech/notes:latest kurtosistech/engine:1.20.0

registry_stop
forget one two
