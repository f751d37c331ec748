# shellcheck shell=bash
# Root file systems of the packages that this machine's own sources of Debian or Ubuntu have; to be sourced.
#
#   debian_sources             the sources in use, one a line: ADDRESS SUITE COMPONENT ORIGIN (debian or ubuntu), each once
#   debian_root TAR FOLDER ORIGIN SUITE SOURCES OPTION…
#                              becomes the process that makes one: FOLDER is for its own files, SOURCES a sources.list, the
#                              options are mmdebstrap's; all that it starts and mounts ends with it
#
# It needs root, and apt-get update run before. Proxies that apt is configured with are used, and not written into the root.

# shellcheck disable=SC2016 # apt fills these in itself
readonly debian_source_format='$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)'

debian_sources() {
    local address suite component from
    apt-get indextargets --format "$debian_source_format" 'Created-By: Packages' | grep -E ' (Debian|Ubuntu)$' | sort -u |
        while read -r address suite component from; do
            case $suite in *-backports* | *-proposed*) continue ;; esac
            echo "${address%/} $suite $component ${from,,}"
        done
}

# What apt was told of proxies, and what it was told not to check: as on this machine.
debian_apt_configuration() {
    apt-config dump --no-empty --format '%f "%v";%n' Acquire | grep -E 'Proxy|::Check-' || true
}

debian_root() {
    local tar=$1 folder=$2 origin=$3 suite=$4 sources=$5
    shift 5
    local keyring=/usr/share/keyrings/$origin-archive-keyring.gpg options=()
    [ ! -f "$keyring" ] || options+=("--keyring=$keyring")
    debian_apt_configuration >"$folder/apt.conf"
    export TMPDIR=$folder
    # shellcheck disable=SC2016
    exec unshare --mount --pid --fork --kill-child --mount-proc mmdebstrap "${options[@]}" \
        --aptopt="$folder/apt.conf" --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"' \
        "$@" "$suite" "$tar" "$sources" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- # dash, in it, knows numbers of one digit
}
