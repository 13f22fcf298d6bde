#!/bin/sh
# image.sh ARCHIVE NAME[,NAME...] [PROGRAM...]: a docker-archive of a small image made of a static busybox. Its command
# sleeps and ends at once on SIGTERM; each PROGRAM is a path of a script in it that says so and does the same.
set -eu
archive=$1 name=$2
shift 2
busybox=$(command -v busybox)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

mkdir -p "$work/root/bin" "$work/root/etc" "$work/root/tmp" "$work/image"
cp "$busybox" "$work/root/bin/busybox"
for applet in $("$busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$work/root/bin/$applet"
done
echo 'root:x:0:0:root:/:/bin/sh' >"$work/root/etc/passwd"
sleeps="trap 'exit 0' TERM; sleep 1000000 & wait"
for program in "$@"; do
    mkdir -p "$work/root$(dirname "$program")"
    printf '#!/bin/sh\necho "$0 runs"\n%s\n' "$sleeps" >"$work/root$program"
    chmod 755 "$work/root$program"
done

tar -C "$work/root" --owner=0 --group=0 --numeric-owner --sort=name --mtime=@0 -cf "$work/image/layer.tar" .
layer=$(sha256sum "$work/image/layer.tar" | cut -d' ' -f1)
machine=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
cat >"$work/image/config.json" <<END
{"architecture":"$machine","os":"linux","config":{"Env":["PATH=/bin:/usr/bin","FROM_IMAGE=a=b"],
"Entrypoint":["/bin/sh","-c"],"Cmd":["$sleeps"]},"history":[{"created_by":"kurtosis contract"}],"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
END
names=$(echo "$name" | sed 's/,/","/g')
echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"$names\"],\"Layers\":[\"layer.tar\"]}]" >"$work/image/manifest.json"
tar -C "$work/image" -cf "$archive" config.json layer.tar manifest.json
