# The words that scripts of chaos/ have beside those of e2e/lib.sh:
#
#   own_daemon DOING        the script ends here, as skipped, where there is no Docker daemon of its own to do this to
#   comes_back COMMAND...   a command succeeds within $patience seconds
#   truth ENCLAVE [WORD]    what is said of the enclave's services becomes what Docker has within $truth_patience seconds; WORD
#                           (ok) says how the command that is asked has to end

patience=30       # restarts back off
truth_patience=60 # what was half made is undone after a while

own_daemon() {
    [ "${KURTOSIS_SANDBOX:-}" != 1 ] || return 0
    echo "skipped: $1 needs a Docker daemon of our own (root)"
    trap - EXIT
    exit 77
}

comes_back() {
    local until=$((SECONDS + patience))
    while [ $SECONDS -lt $until ]; do
        run "$@"
        [ $code != 0 ] || return 0
        sleep 0.2
    done
    die "does not come back"
}

truth() {
    local said there until=$((SECONDS + truth_patience))
    while :; do
        "${2:-ok}" kurtosis enclave inspect "$1"
        said=$(plain | awk '/User Services/ { on = 1 } on && ($NF == "RUNNING" || $NF == "STOPPED") { print $2 }' | sort | xargs)
        there=$(docker ps -a --filter label=com.kurtosistech.enclave-name="$1" \
            --filter label=com.kurtosistech.container-type=user-service --format '{{.Label "com.kurtosistech.id"}}' | sort | xargs)
        [ "$said" != "$there" ] || return 0
        [ $SECONDS -lt $until ] || die "services of $1: Docker has '$there', Kurtosis says '$said'"
        sleep 0.2
    done
}
