# The Docker daemon restarts, or crashes: engine and enclaves reconnect by themselves.
source "$root/tests/chaos/lib.sh"
own_daemon "restarting the Docker daemon"
image busybox
daemon=$KURTOSIS_SANDBOX_FOLDER
patience=45

ok kurtosis enclave add --name e
ok kurtosis service add e web "$image" --cmd "httpd -f -p 80 -h /etc" --ports http=http:80/tcp
uuid=$(uuid_of e)

for way in stop kill; do
    it "daemon: $way and start; engine and API container come back, the enclave is told as it is"
    "$root/tests/dockerd" $way "$daemon"
    fails kurtosis enclave ls
    says Docker
    "$root/tests/dockerd" start "$daemon"
    comes_back kurtosis enclave ls
    matches 'e +RUNNING'
    comes_back kurtosis enclave inspect e
    matches 'web .*(STOPPED|RUNNING)'

    it "daemon: after $way, services start again and new ones work"
    comes_back kurtosis service add e "late-$way" "$image" --cmd "sleep 1000"
    ok kurtosis service exec e "late-$way" "echo alive"
    says alive
done

it "everything can be removed"
ok kurtosis enclave rm --force e
same "containers, networks, volumes" "0 0 0" "$(holds "com.kurtosistech.enclave-id=$uuid")"
