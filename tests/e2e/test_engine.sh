# The engine: start, status, restart, stop; and what needs no engine.

it "version says the version and needs no engine"
ok kurtosis version
says "CLI Version: 1.20.0"

it "help is there for the program and for each command"
ok kurtosis --help
says enclave engine service files run clean port version
ok kurtosis help run
says --dry-run --args-file --enclave
for command_path in "enclave add" "enclave ls" "enclave inspect" "enclave stop" "enclave rm" "service add" \
    "service inspect" "service logs" "service exec" "service shell" "service stop" "service start" "service rm" \
    "files upload" "files download" "files inspect" "port print" "engine start" "engine status" "clean"; do
    # shellcheck disable=SC2086
    ok kurtosis $command_path --help
    says "kurtosis $command_path"
done

it "a group without a command prints its help"
ok kurtosis enclave
says add inspect ls rm stop

it "an unknown command, flag or number of arguments is refused with a hint"
fails kurtosis frobnicate
says "frobnicate" "Run 'kurtosis --help' for usage."
fails kurtosis engine start --no-such-flag
says "no-such-flag"
fails kurtosis enclave inspect
says "this command accepts" "Run 'kurtosis enclave inspect --help'"
fails kurtosis version --cli-log-level loud
says "loud"

it "none of that started an engine"
same "engine containers" "" "$(engine_container)"

it "status says when there is no engine"
ok kurtosis engine status
answers "No Kurtosis engine is running"

it "start makes one engine container, named and labelled as Kurtosis names and labels it"
ok kurtosis engine start
says "Starting Kurtosis engine from image 'kurtosistech/engine:1.20.0'" "Kurtosis engine started"
ok docker ps --filter label=com.kurtosistech.container-type=kurtosis-engine --format '{{.Names}} {{.Image}}'
matches '^kurtosis-engine--[0-9a-f]{32} kurtosistech/engine:1.20.0$'
first=$(engine_container)

it "status says its version"
ok kurtosis engine status
says "A Kurtosis engine is running with the following info:" "1.20.0"

it "start is content with an engine that runs"
ok kurtosis engine start
same "engine container" "$first" "$(engine_container)"

it "bus ls shows who is on the bus, bus tap who asks whom for what"
ok kurtosis bus ls
matches '^engine +kurtosis-engine'
matches '^driver/docker +kurtosis-docker-driver'
kurtosis bus tap engine >"$work/tap" 2>&1 &
tap=$!
tap_shows() { # asks until the tap, which says nothing when it is there, has seen it
    kurtosis enclave ls >/dev/null 2>&1
    grep -qE 'ASK +client/[^ ]+ -> engine +GetEnclaves #[0-9]+' "$work/tap" &&
        grep -qE 'REPLY +engine -> client/[^ ]+ +GetEnclaves #[0-9]+' "$work/tap" && echo both
}
becomes "what the tap shows" both tap_shows
kill -INT $tap
wait $tap || die "the tap ends with $?: $(cat "$work/tap")"

it "restart makes a new engine container and keeps the enclaves"
ok kurtosis enclave add --name kept
ok kurtosis engine restart
says "Restarting Kurtosis engine" "Engine restarted successfully"
[ "$first" != "$(engine_container)" ] || die "the engine container is the same"
ok kurtosis enclave ls
matches 'kept +RUNNING'
ok kurtosis enclave inspect kept
says "RUNNING"

it "restart with --restart-api-containers makes the API containers anew, too; their enclaves and services go on"
image busybox
ok kurtosis service add kept talker "$image" --cmd "sleep 1000"
talker=$(service_container kept talker)
old=$(api_container kept)
ok kurtosis engine restart --restart-api-containers
says "Restarted the API container of enclave 'kept'"
[ "$old" != "$(api_container kept)" ] || die "the API container is the same"
same "the service's container" "$talker" "$(service_container kept talker)"
ok kurtosis enclave inspect kept
matches 'talker .*RUNNING'
ok kurtosis service exec kept talker "echo alive"
says alive
same "containers, networks, volumes" "2 1 1" "$(holds "com.kurtosistech.enclave-id=$(uuid_of kept)")"

it "when the new one cannot be started, the old one goes on"
old=$(api_container kept)
ok docker tag "$image" kurtosistech/engine:0.1.2
ok docker tag "$image" kurtosistech/core:0.1.2
fails kurtosis engine restart --version 0.1.2 --restart-api-containers
says "cannot restart the API container of enclave 'kept'" "kurtosis-apic"
ok docker rmi kurtosistech/engine:0.1.2 kurtosistech/core:0.1.2
ok kurtosis service exec kept talker "echo alive"
says alive
same "API container" "$old" "$(api_container kept)"

it "wrong flags stop nothing; those without meaning here say so"
engine=$(engine_container)
fails kurtosis engine restart --enclave-pool-size 3
says "must be 0"
fails kurtosis engine restart --log-quota nonsense
same "engine" "$engine" "$(engine_container)"
ok kurtosis engine start --enclave-pool-size 0 --domain example.com
says "'--domain' has no effect"

it "stop removes the engine container; the enclave stays, and is there after the next start"
kurtosis service logs kept talker --follow >/dev/null 2>&1 & # what never ends by itself is not waited for
LIMIT=4 ok kurtosis engine stop
says "Kurtosis engine successfully stopped"
same "engine containers" "" "$(engine_container)"
ok kurtosis enclave ls
matches 'kept +RUNNING'

it "stop is content when there is none"
ok kurtosis engine stop
ok kurtosis engine stop

it "another user of this Docker daemon can use the engine, with keys of its own"
ok kurtosis enclave ls
mkdir -p "$work/other"
ok env HOME="$work/other" XDG_DATA_HOME="$work/other/data" XDG_CONFIG_HOME="$work/other/config" kurtosis enclave ls
matches 'kept +RUNNING'

it "without keys nobody joins the bus: the port answers no stranger"
ok docker port "$(engine_container)"
says "127.0.0.1:9720"

it "what another Kurtosis left running is told apart; its engine is replaced, its enclaves are listed and removed"
ok kurtosis engine stop
other="--label com.kurtosistech.app-id=kurtosis"
of_enclave="$other --label com.kurtosistech.enclave-id=$(printf '%032d' 7)"
# shellcheck disable=SC2086
{
    ok docker run --detach --name kurtosis-engine--other $other --label com.kurtosistech.container-type=kurtosis-engine \
        --label com.kurtosistech.id="$(printf '%032d' 6)" "$image" sh -c 'trap "exit 0" TERM; sleep 1000 & wait'
    ok docker network create $of_enclave --label com.kurtosistech.enclave-name=theirs kt-theirs
    ok docker volume create $of_enclave theirs
    ok docker run --detach --network kt-theirs $of_enclave --label com.kurtosistech.container-type=api-container "$image" sleep 1000
}
fails kurtosis enclave ls
says "is none of this Kurtosis" "kurtosis engine restart"
ok kurtosis engine restart
same "their engine" "" "$(docker ps --all --quiet --filter name=kurtosis-engine--other)"
ok kurtosis enclave ls
matches ' theirs +RUNNING'
ok kurtosis enclave rm --force theirs
same "containers, networks, volumes" "0 0 0" "$(holds "com.kurtosistech.enclave-id=$(printf '%032d' 7)")"

it "an image of an older build is replaced when the engine starts"
ok kurtosis engine stop
ok docker tag "$image" kurtosistech/engine:1.20.0
ok kurtosis engine start
ok kurtosis engine status
says "1.20.0"
