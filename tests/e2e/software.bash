# shellcheck shell=bash
# Images with real software, made of the packages of this machine's own Debian or Ubuntu; to be sourced (helpers.bash first).
#
#   software_image NAME REPOSITORY:TAG [PATH=TEXT | PATH@FILE]…   redis, nginx, postgresql or python; prints the digest
#
# The root of each is made once and kept in build/software, for all parts of a run and the next ones; a change of the recipe below
# makes it anew. Packages are unpacked and not installed (no maintainer scripts), which takes seconds; busybox gives the shell.
#
#   redis       redis-server, on port 6379 of all addresses, and redis-cli
#   nginx       on port 80, pages in /www; curl is python's or busybox' wget
#   postgresql  user postgres, data in /data, on port 5432 without a password; psql and pg_isready are in the PATH
#   python      python3
# IMAGE_CONFIG (JSON) is merged over the image's Config.

# shellcheck source=tests/debian.sh
. "$tests/debian.sh"
software_cache=$(cd "$tests/.." && pwd)/build/software

software_packages() { # NAME
    case $1 in
    redis) echo redis-server,redis-tools ;;
    nginx) echo nginx-light ;;
    postgresql) echo postgresql,postgresql-client ;;
    python) echo python3-minimal,libpython3-stdlib,python3 ;;
    *) images_fail "software_image: $1 is not known" ;;
    esac
}

software_config() { # NAME
    case $1 in
    redis) echo '{"Cmd":["redis-server","--bind","0.0.0.0","--protected-mode","no","--save",""],"ExposedPorts":{"6379/tcp":{}}}' ;;
    nginx) echo '{"Cmd":["nginx","-c","/etc/nginx.conf","-g","daemon off;"],"ExposedPorts":{"80/tcp":{}}}' ;;
    postgresql) echo '{"Cmd":["/start"],"User":"postgres","ExposedPorts":{"5432/tcp":{}}}' ;;
    python) echo '{"Cmd":["python3"]}' ;;
    esac
}

# What the maintainer scripts would have made, in the root that is its argument.
software_finish() { # NAME ROOT
    local name=$1 root=$2 applet program
    # What only other programs of the same packages use: two thirds of it all.
    rm -rf "$root"/usr/share/{doc,man,locale,info,i18n,perl} "$root"/usr/lib/*/perl "$root"/usr/lib/*/lib{perl,LLVM,z3}* \
        "$root"/usr/bin/perl* "$root"/usr/lib/postgresql/*/lib/{bitcode,llvmjit*} "$root"/var/{cache,lib/apt}
    program=$(command -v busybox)
    mkdir -p "$root"/{etc,tmp,run,data,www,usr/bin,var/log/nginx,var/lib/nginx,var/run}
    chmod 1777 "$root/tmp" "$root/run"
    chown 70:70 "$root/data"
    cp "$program" "$root/usr/bin/busybox"
    for applet in $("$program" --list); do
        [ -e "$root/usr/bin/$applet" ] || [ -e "$root/usr/sbin/$applet" ] || ln -sf busybox "$root/usr/bin/$applet"
    done
    [ -e "$root/bin" ] || ln -s usr/bin "$root/bin"
    [ -e "$root/bin/sh" ] || ln -s ../usr/bin/busybox "$root/bin/sh"
    printf 'root:x:0:0:root:/:/bin/sh\npostgres:x:70:70::/data:/bin/sh\nwww-data:x:33:33::/www:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\npostgres:x:70:\nwww-data:x:33:\nnogroup:x:65534:\n' >"$root/etc/group"
    case $name in
    nginx)
        echo "it works" >"$root/www/index.html"
        printf '%s\n' 'error_log /dev/stderr;' 'pid /run/nginx.pid;' 'events {}' 'http {' '    access_log /dev/stdout;' \
            '    server { listen 80; root /www; location /health { return 204; } }' '}' >"$root/etc/nginx.conf"
        ;;
    postgresql)
        for program in "$root"/usr/lib/postgresql/*/bin/*; do
            ln -sf "${program#"$root"}" "$root/usr/bin/"
        done
        cat >"$root/start" <<'END'
#!/bin/sh
set -e
export LC_ALL=C
[ -s /data/PG_VERSION ] || initdb --pgdata=/data --auth=trust --no-sync --locale=C --encoding=UTF8 >/tmp/initdb.log
echo "host all all all trust" >>/data/pg_hba.conf
exec postgres -D /data -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off
END
        chmod 755 "$root/start"
        ;;
    esac
}

software_root() { # NAME TAR
    local name=$1 tar=$2 folder suite origin status=0
    folder=$(mktemp -d)
    apt-get update -q >/dev/null 2>&1 || true
    debian_sources >"$folder/list"
    awk '{print "deb", $1, $2, $3}' "$folder/list" >"$folder/sources"
    read -r suite origin < <(awk '$2 !~ /[-\/]/ {print $2, $4}' "$folder/list")
    # in a shell of its own, since it becomes another program
    (debian_root "$folder/root.tar" "$folder" "$origin" "$suite" "$folder/sources" --variant=extract \
        --include="$(software_packages "$name")" --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*') >"$folder/log" 2>&1 || status=1
    if [ "$status" -eq 0 ]; then
        mkdir "$folder/root"
        tar -C "$folder/root" --exclude='./dev/*' -xf "$folder/root.tar"
        software_finish "$name" "$folder/root"
        tar --create --file "$tar" --directory "$folder/root" --sort=name --numeric-owner --mtime=@0 --format=gnu . || status=1
    else
        tail -n 25 "$folder/log" >&2
    fi
    rm -rf "$folder"
    return "$status"
}

# The tar of a root, whoever makes it first.
software_tar() { # NAME
    local name=$1 recipe tar
    recipe=$(declare -f software_packages software_finish software_root | sha256sum | cut -c 1-12)
    tar=$software_cache/$name-$recipe.tar
    mkdir -p "$software_cache"
    (
        flock 8
        if [ ! -s "$tar" ]; then
            rm -f "$software_cache/$name"-*.tar
            software_root "$name" "$tar.new" && mv "$tar.new" "$tar"
        fi
    ) 8>"$software_cache/$name.lock" || return 1
    echo "$tar"
}

software_image() { # NAME REPOSITORY:TAG [PATH=TEXT | PATH@FILE]…
    local name=$1 reference=$2 tar own config status=0
    shift 2
    tar=$(software_tar "$name") || return 1
    config=$(jq -cn --argjson base "$(software_config "$name")" --argjson more "${IMAGE_CONFIG:-{\}}" '$base + $more')
    own=$(mktemp)
    pack_files "$own" "$@" && push_layers "$reference" "$config" "$tar" "$own" || status=1
    rm -f "$own"
    return "$status"
}
