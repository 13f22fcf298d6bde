# rootfs: makes container images out of programs, without Docker. Sourced by sh scripts; needs tar, sha256sum, ldd.
#
#   rootfs_new ROOT                      an empty tree with the folders, users and names every program expects
#   rootfs_put ROOT FILE [PATH [FROM]]   copies FILE to PATH (default: where it was) and the libraries it needs;
#                                        FROM is the root of the tree that FILE comes from (default: this machine)
#   rootfs_pack ROOT OUT CONFIG TAG...   writes OUT, a docker-archive that `docker load` reads; CONFIG is the inside of
#                                        the "config" object of the image; prints the image's id
#
# Files that are equal give the same id: names are sorted, times are zero, everything belongs to root.

rootfs_new() {
    rm -rf "$1"
    mkdir -p "$1/usr/bin" "$1/usr/sbin" "$1/usr/lib" "$1/usr/lib64" "$1/etc" "$1/root" "$1/run" "$1/tmp" \
        "$1/var/log" "$1/var/lib" "$1/proc" "$1/sys" "$1/dev"
    ln -s usr/bin "$1/bin"
    ln -s usr/sbin "$1/sbin"
    ln -s usr/lib "$1/lib"
    ln -s usr/lib64 "$1/lib64"
    ln -s ../run "$1/var/run"
    chmod 1777 "$1/tmp"
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n' >"$1/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$1/etc/group"
    printf 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\n' >"$1/etc/nsswitch.conf"
}

# Where FILE's libraries are, one absolute path a line; nothing for a static program.
rootfs_needs() { # FILE FROM
    if [ -z "$2" ]; then
        ldd "$1" 2>/dev/null
    else
        loader=$(echo "$2"/lib*/ld-linux*.so.*)
        for dir in "$2"/lib/*-linux-gnu; do path="$dir:$2/usr/lib/${dir##*/}"; done
        "$loader" --library-path "$path" --list "$1" 2>/dev/null
    fi | awk '/=> not found/ { print "missing:" $1 } $2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' |
        sort -u
}

rootfs_put() {
    put_root=$1 put_file=$2 put_path=${3:-$2} put_from=${4:-}
    mkdir -p "$put_root/$(dirname "$put_path")"
    cp -L "$put_file" "$put_root/$put_path"
    rootfs_needs "$put_file" "$put_from" | while read -r library; do
        case $library in
        missing:*)
            echo "rootfs: '$put_file' needs library '${library#missing:}', which is not there" >&2
            return 1
            ;;
        esac
        inside=${library#"$put_from"}
        [ -e "$put_root/$inside" ] && continue
        mkdir -p "$put_root/$(dirname "$inside")"
        cp -L "$library" "$put_root/$inside"
    done
}

rootfs_pack() {
    pack_root=$1 pack_out=$2 pack_config=$3
    shift 3
    pack_dir=$(mktemp -d "$pack_out.XXXXXX")
    tar --create --file "$pack_dir/layer.tar" --directory "$pack_root" --sort=name --mtime=@0 --owner=0 --group=0 \
        --numeric-owner --format=gnu .
    layer=$(sha256sum <"$pack_dir/layer.tar" | cut -d' ' -f1)
    case $(uname -m) in
    x86_64) arch=amd64 ;;
    aarch64) arch=arm64 ;;
    *) arch=$(uname -m) ;;
    esac
    printf '{"architecture":"%s","os":"linux","created":"1970-01-01T00:00:00Z","config":{%s},' \
        "$arch" "$pack_config" >"$pack_dir/config"
    printf '"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"1970-01-01T00:00:00Z"}]}' \
        "$layer" >>"$pack_dir/config"
    id=$(sha256sum <"$pack_dir/config" | cut -d' ' -f1)
    mv "$pack_dir/config" "$pack_dir/$id.json"
    tags=
    for tag in "$@"; do tags="$tags${tags:+,}\"$tag\""; done
    printf '[{"Config":"%s.json","RepoTags":[%s],"Layers":["layer.tar"]}]\n' "$id" "$tags" >"$pack_dir/manifest.json"
    # The manifest comes first: who only wants the id need not read the rest.
    tar --create --file "$pack_dir/image" --directory "$pack_dir" --mtime=@0 --owner=0 --group=0 --numeric-owner \
        --mode=0644 --format=gnu manifest.json "$id.json" layer.tar
    mv "$pack_dir/image" "$pack_out"
    rm -rf "$pack_dir"
    echo "sha256:$id"
}
