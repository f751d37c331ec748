# shellcheck shell=bash
# Installs what lacks of tests/packages; to be sourced by the scripts that need it.
#
#   lacking_packages GROUP…   the packages of these groups whose program lacks, one a line
#   install_packages GROUP…   installs them with apt-get, as root or with sudo; says what it did
#
# Services that a package brings are not started: the tests start their own, and nobody asked for an engine that stays.

packages_list=$(dirname "${BASH_SOURCE[0]}")/packages

lacking_packages() { # GROUP…
    local group program package
    while read -r group program package; do
        case " $* " in *" $group "*) ;; *) continue ;; esac
        command -v "$program" >/dev/null 2>&1 || echo "$package"
    done < <(grep -vE '^(#|$)' "$packages_list") | sort -u
}

# Run as root. Debian's way to say "start nothing" is a file; ours says so only while this very process lives, so that one
# that a kill -9 left there denies nothing.
# shellcheck disable=SC2016 # it is for the shell that runs it
packages_apt='
    export DEBIAN_FRONTEND=noninteractive
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap "rm -f $policy" EXIT
        trap "exit 130" INT TERM
        printf "#!/bin/sh\n[ -d /proc/%s ] || exit 0\nexit 101\n" $$ >$policy
        chmod 755 $policy
    fi
    apt-get update -q && apt-get install -q -y --no-install-recommends "$@"'

install_packages() { # GROUP…
    local packages sudo=()
    mapfile -t packages < <(lacking_packages "$@")
    if [ ${#packages[@]} -eq 0 ]; then
        echo "nothing lacks"
        return 0
    fi
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" sh -c "$packages_apt" sh "${packages[@]}" || return 1
    hash -r
    mapfile -t packages < <(lacking_packages "$@")
    [ ${#packages[@]} -eq 0 ] || { echo "installed, and still without their programs: ${packages[*]}"; return 1; }
}
