# The words of end-to-end scripts.
#
#   it "sentence"           what comes next shows this
#   ok COMMAND...           runs it; it must exit 0
#   fails COMMAND...        runs it; it must exit 1
#   says TEXT...            each text is in what the last command wrote (out and err)
#   never_says TEXT...      none of them is
#   answers TEXT            standard output of the last command is exactly this, but for the last newline
#   matches REGEX           a line of what it wrote matches
#   same WHAT A B           two values are equal
#   becomes WHAT A CMD...   a command's output becomes this, within half a minute
#   comes TEXT FILE         the text appears in a file that another command is writing, within a minute
#   image NAME              reference of a stand-in (tests/images/images), which Docker has from now on
#   script NAME <<'STAR'    writes a Starlark script to the script's folder
#
# $out, $err and $code are of the last command. A word that is not satisfied says what it saw and ends the script.

fixture_begin() {
    root=$(realpath "$here/../..")
    work=$(mktemp -d "${TMPDIR:-/tmp}/kurtosis-e2e.XXXXXX")
    mkdir -p "$work"/{home,config,data,cache,state,runtime}
    export HOME=$work/home XDG_CONFIG_HOME=$work/config XDG_DATA_HOME=$work/data XDG_CACHE_HOME=$work/cache
    export XDG_STATE_HOME=$work/state XDG_RUNTIME_DIR=$work/runtime
    export PATH=$build/bin:$PATH CI=true NO_PROXY='*' no_proxy='*'
    # A container's leak check at exit would fail on what libraries keep; unit tests look for leaks.
    export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=0:detect_leaks=0}
    cd "$work"
    before=$(docker_holds)
    added_images=
    trap 'fixture_rescue' EXIT
}

fixture_end() {
    it "nothing is left in Docker at the end"
    ok kurtosis clean --all
    ok kurtosis engine stop
    same "what Docker holds" "$before" "$(docker_holds)"
    trap - EXIT
    cd /
    rm -rf "$work"
    remove_images
    echo "passed: $(basename "$script")"
}

# After a failed word: the next script must find a clean daemon.
fixture_rescue() {
    status=$?
    unset DOCKER_HOST # of the command that failed
    kurtosis engine stop >/dev/null 2>&1
    ours="--filter label=com.kurtosistech.app-id=kurtosis"
    docker ps --all --quiet $ours | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
    docker network ls --quiet $ours | xargs --no-run-if-empty docker network rm >/dev/null
    docker volume ls --quiet $ours | xargs --no-run-if-empty docker volume rm --force >/dev/null
    remove_images
    cd /
    rm -rf "$work"
    exit "$status"
}

remove_images() {
    # shellcheck disable=SC2086
    [ -z "$added_images" ] || docker rmi $added_images >/dev/null 2>&1 || true
}

docker_holds() {
    docker ps --all --format 'container {{.Names}}' | sort
    docker network ls --format 'network {{.Name}}' | sort
    docker volume ls --format 'volume {{.Name}}' | sort
}

it() {
    sentence=$*
    echo "- $sentence"
}

die() { # MESSAGE...: where the script is, what it saw
    local frame=0
    while [ "${BASH_SOURCE[$frame]}" = "${BASH_SOURCE[0]}" ]; do frame=$((frame + 1)); done
    {
        echo "FAILED: ${sentence:-}"
        echo "  $(basename "${BASH_SOURCE[$frame]}"):${BASH_LINENO[$((frame - 1))]}: $*"
        echo "  command: ${command[*]:-} (exit ${code:-})"
        echo "  standard output:"
        sed 's/^/    /' <<<"${out:-}"
        echo "  standard error:"
        sed 's/^/    /' <<<"${err:-}"
        circumstances
    } >&2
    exit 1
}

# What a failure may have come from: the containers, and what engine and API containers said last.
circumstances() {
    local container
    unset DOCKER_HOST # of the command that failed
    echo "  containers:"
    docker ps --all --format '    {{.Names}}: {{.Status}}, {{.Image}}'
    for container in $(docker ps --all --quiet --filter label=com.kurtosistech.app-id=kurtosis \
        --filter label=com.kurtosistech.container-type); do
        docker inspect "$container" --format '  {{.Name}} said last:'
        docker logs --tail 20 "$container" 2>&1 | cut -c 1-400 | sed 's/^/    /'
    done
}

run() {
    command=("$@")
    code=0
    timeout "${LIMIT:-120}" "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
    out=$(tr -d '\0' <"$work/out")
    err=$(tr -d '\0' <"$work/err")
    [ $code != 124 ] || die "does not end within ${LIMIT:-120} s"
}

ok() {
    run "$@"
    [ $code = 0 ] || die "exits $code, not 0"
}

fails() {
    run "$@"
    [ $code = 1 ] || die "exits $code, not 1"
    ! grep -qE 'Sanitizer|runtime error:' <<<"$err" || die "a sanitizer complains"
}

plain() { # without colours
    sed 's/\x1b\[[0-9;]*m//g' <<<"$out"$'\n'"$err"
}

says() {
    local text
    for text in "$@"; do
        grep -qF -- "$text" <<<"$(plain)" || die "does not say '$text'"
    done
}

never_says() {
    local text
    for text in "$@"; do
        ! grep -qF -- "$text" <<<"$(plain)" || die "says '$text'"
    done
}

matches() {
    grep -qE -- "$1" <<<"$(plain)" || die "no line matches '$1'"
}

answers() {
    [ "$out" = "$1" ] || die "answers '$out', not '$1'"
}

same() {
    [ "$2" = "$3" ] || die "$1: '$2' is not '$3'"
}

becomes() {
    local what=$1 expected=$2 seen until=$((SECONDS + 30))
    shift 2
    until seen=$("$@") && [ "$seen" = "$expected" ]; do
        [ $SECONDS -lt $until ] || die "$what: '$seen' does not become '$expected'"
        sleep 0.1
    done
}

comes() {
    local until=$((SECONDS + 60))
    until grep -qF -- "$1" "$2" 2>/dev/null; do
        [ $SECONDS -lt $until ] || die "'$1' does not come; there is: $(cat "$2")"
        sleep 0.02
    done
}

image() {
    local reference added
    reference=$(awk -v name="$1" '$1 == name { print $2 }' "$root/tests/images/images")
    added=$("$root/tests/images/load" "$1") || die "there is no stand-in '$1'"
    added_images="$added_images $added"
    image=$reference
}

script() {
    mkdir -p "$(dirname "$work/$1")"
    cat >"$work/$1"
}

# Numbers of containers, networks and volumes with a label, as "containers networks volumes".
holds() { # LABEL=VALUE
    echo "$(docker ps -aq --filter "label=$1" | wc -l) $(docker network ls -q --filter "label=$1" | wc -l)" \
        "$(docker volume ls -q --filter "label=$1" | wc -l)"
}

uuid_of() { # ENCLAVE
    kurtosis enclave inspect "$1" --full-uuids | awk '$1 == "UUID:" { print $2; exit }' | sed 's/\x1b\[[0-9;]*m//g'
}

service_container() { # ENCLAVE SERVICE: the container's id
    docker ps -aq --no-trunc --filter "label=com.kurtosistech.enclave-name=$1" --filter "label=com.kurtosistech.id=$2"
}

api_container() { # ENCLAVE
    docker ps -aq --no-trunc --filter "name=kurtosis-api--$(uuid_of "$1")"
}

engine_container() {
    docker ps -aq --no-trunc --filter "label=com.kurtosistech.container-type=kurtosis-engine"
}
