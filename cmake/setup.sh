# setup: what quickstart and run-tests share. Sourced from the top of the tree.
#
#   setup_log FILE            where the output of steps goes
#   setup_step TEXT CMD...    runs a command quietly; says TEXT, how long it took, and on failure the last lines
#   setup_packages GROUP...   installs what is missing of cmake/packages.txt
#   setup_docker              starts a Docker daemon where none answers
#   setup_build PRESET [TARGET...]   configures and builds build/PRESET

setup_log() {
    log=$1
    mkdir -p "$(dirname "$log")"
    : >"$log"
}

setup_die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

setup_step() { # TEXT COMMAND...
    local text=$1 begin
    shift
    printf '%-60s' "$text"
    begin=$(date +%s)
    echo "### $text" >>"$log"
    if ! "$@" >>"$log" 2>&1; then
        echo " failed"
        tail -25 "$log" >&2
        setup_die "the step failed; all of its output is in $log"
    fi
    echo " $(($(date +%s) - begin)) s"
}

setup_packages() { # GROUP...
    local names missing
    command -v dpkg-query >/dev/null || setup_die "this is not a Debian system; install what cmake/packages.txt lists"
    names=$(awk -v groups=" $* " '!/^#/ && index(groups, " " $1 " ") { print $2 }' cmake/packages.txt)
    missing=
    for package in $names; do
        dpkg-query --show --showformat '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] || setup_die "packages are missing; as root: apt-get install --no-install-recommends$missing"
    echo "Debian packages to install:$missing"
    setup_step "Reading package lists" apt-get update
    # shellcheck disable=SC2086
    setup_step "Installing packages" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends $missing
}

setup_docker_answers() {
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

setup_docker_start() {
    if [ -d /run/systemd/system ]; then
        systemctl start docker
    else
        setsid nohup dockerd >/var/log/kurtosis-dockerd.log 2>&1 &
    fi
    local tries=0
    until setup_docker_answers; do
        tries=$((tries + 1))
        if [ $tries -gt 300 ]; then
            tail -20 /var/log/kurtosis-dockerd.log
            return 1
        fi
        sleep 0.1
    done
}

setup_docker() {
    setup_docker_answers && return 0
    [ "$(id -u)" = 0 ] ||
        setup_die "Docker does not answer; start it, or join its group: usermod --append --groups docker $(id -un)"
    setup_step "Starting the Docker daemon (none was running)" setup_docker_start
}

setup_build() { # PRESET [TARGET...]
    local preset=$1
    shift
    [ -e "build/$preset/build.ninja" ] || setup_step "Configuring build/$preset" cmake --preset "$preset"
    setup_step "Building in build/$preset" cmake --build --preset "$preset" ${*:+--target "$@"}
}
