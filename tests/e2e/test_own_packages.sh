# The packages of tests/packages that are marked `execute`, on a real Docker daemon. They check themselves with `verify`; what is
# published there comes from a mirror: a plain web server over bare repositories.
image busybox
packages=$root/tests/packages
address=$(docker network inspect bridge --format '{{(index .IPAM.Config 0).Gateway}}')
[ -n "$address" ] || address=172.17.0.1
"$packages/publish" "$packages/published" "$work/mirror" >/dev/null
busybox httpd -f -p "$address:8099" -h "$work/mirror" &
httpd=$!
trap 'kill $httpd 2>/dev/null; fixture_rescue' EXIT
export KURTOSIS_GIT_MIRROR="https://github.com/=http://$address:8099/"

# Where a package runs: one that has services in an enclave of its own, the others share one.
enclave_of() { # NAME
    if grep -qs 'services*(\|services:' -r "$packages/$1"; then tr _ - <<<"$1"; else echo shared; fi
}

# Runs a line of the list.
run_listed() { # NAME [PARAMETERS]
    local name=$1 word what=$packages/$1 parameters=${2:-} options=()
    for word in $(awk -v name="$name" '$1 == name { $1 = ""; print }' "$packages/list"); do
        case $word in
        id=*) what=${word#id=} ;;
        main=*) options+=(--main-file "${word#main=}") ;;
        function=*) options+=(--main-function-name "${word#function=}") ;;
        parallel) options+=(--parallel) ;;
        privileged) options+=(--privileged) ;;
        esac
    done
    [ -n "$parameters" ] || parameters=$(cat "$packages/args/$name.json" 2>/dev/null || echo '{}')
    ok kurtosis run "$what" "$parameters" --enclave "$(enclave_of "$name")" "${options[@]}"
    says "Starlark code successfully run"
}

for name in $(awk '!/^#/ && / execute/ { print $1 }' "$packages/list"); do
    it "$name runs"
    run_listed "$name"
    case $name in
    hello) says hello ;;
    chain) says '["one", "two", "three", "four", "five"]' ;;
    outputs)
        says '"said": "a \"quoted\"\ttext\nof two lines\n"' '"nothing": null' '"nested": {'
        matches '"number": 1180591620717411303424'
        ;;
    web | files | tasks | lifecycle | graph)
        it "$name runs again in the same enclave"
        run_listed "$name"
        ;;
    kept)
        says "rounds: 1"
        it "what is kept is there when the service is updated"
        run_listed kept '{"round": 2}'
        matches '^2$'
        ;;
    templates)
        it "the long template is rendered to its end"
        ok kurtosis files inspect templates long long.txt
        says '"a \"text\""' 'line 12345678901234567890 of 5'
        same "lines" 1 "$([ "$(plain | wc -l)" -gt 400 ] && echo 1)"
        ;;
    esac
    [ "$(enclave_of "$name")" = shared ] || ok kurtosis enclave rm --force "$(enclave_of "$name")"
done

it "without the mirror what was fetched before is used, with a warning"
kill $httpd
wait $httpd || true
ok kurtosis run "$packages/chain" --enclave offline
says "'https://github.com/chain/one.git' cannot be reached: commit" '["one", "two", "three", "four", "five"]'

it "without the mirror what was never fetched is an error that says what can be done"
printf 'import_module("github.com/chain/unseen/main.star")\ndef run(plan):\n    pass\n' >"$work/unseen.star"
fails kurtosis run "$work/unseen.star" --enclave offline
says "github.com/chain/unseen" "KURTOSIS_GIT_MIRROR"
