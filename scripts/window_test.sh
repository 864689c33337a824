#!/usr/bin/env bash
# The window test (tests/window) in a real Blender: `scripts/window_test.sh`, or `make test-window`.
#
# With LIKENESS_BLENDER set it runs that. Else Debian unstable's Blender is installed into a folder of its own (the first
# time: some minutes, 2 GB; LIKENESS_CHROOT names another than /var/cache/likeness-blender) and started in there by
# chroot, with a screen of its own. Where that cannot be done the test is skipped, and a line says why.
#
#     scripts/window_test.sh blender ARGUMENT...   Blender in there, without a window: give -b or --command
#     scripts/window_test.sh window ARGUMENT...    with one
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd -P)
root=${LIKENESS_CHROOT:-/var/cache/likeness-blender}
release=sid
screen=1400x1100x24
packages=(
    blender python3-numpy python3-requests python3-cattr python3-zstandard # the package forgets some that Blender needs
    xvfb xauth imagemagick
    libgl1 libgl1-mesa-dri libegl1 libegl-mesa0
)

skip() {
    echo "The window test is skipped: $*" >&2
    exit 0
}

# Mounts end with the namespace, however the command ends.
inside() {
    # shellcheck disable=SC2016  # the inner shell's variables
    unshare --mount --pid --fork --kill-child --propagation private bash -euc '
        root=$1 here=$2; shift 2
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mkdir -p "$root$here"
        mount --bind "$here" "$root$here"
        cp -L /etc/resolv.conf "$root/etc/" 2>/dev/null || true
        unset DISPLAY WAYLAND_DISPLAY XAUTHORITY PYTHONPATH PYTHONHOME VIRTUAL_ENV LD_LIBRARY_PATH TMPDIR ${!XDG_@}
        export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
        chroot "$root" env -C "$here" "$@"
    ' bash "$root" "$here" "$@"
}

mirror() { # the one that this system's own packages come from
    [ -z "${LIKENESS_MIRROR:-}" ] || { echo "$LIKENESS_MIRROR"; return; }
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -n 1 || true
}

install() {
    [ ! -e "$root" ] || [ -z "$(ls -A "$root")" ] || skip "$root holds something else; name another with LIKENESS_CHROOT"
    [ -n "$(mirror)" ] || skip "this system's packages are not Debian's; name a mirror of Debian with LIKENESS_MIRROR"
    mkdir -p "$root" && mkdir "$root.lock" 2>/dev/null || skip "$root is being made by somebody else ($root.lock is there)"
    trap 'rmdir "$root.lock"' EXIT
    local log="$root.log"
    echo "Installing Debian $release's Blender into $root" >&2
    ( # chained, because `set -e` has no effect in here
        timeout 900 debootstrap --variant=minbase --include=ca-certificates "$release" "$root" "$(mirror)" &&
            printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && # packages start no services
            chmod +x "$root/usr/sbin/policy-rc.d" &&
            { apt-config dump | grep -E '^Acquire::(Check-Valid-Until|Check-Date|Retries) ' || true; } \
                >"$root/etc/apt/apt.conf.d/99likeness" &&
            inside env DEBIAN_FRONTEND=noninteractive timeout 1500 sh -c \
                'apt-get -q update && apt-get -qy -o Dpkg::Options::=--force-unsafe-io --no-install-recommends install "$@"' sh "${packages[@]}" &&
            inside blender -b --factory-startup --python-exit-code 9 --python-expr 'import numpy, requests'
    ) >"$log" 2>&1 </dev/null || {
        tail -n 5 "$log" >&2
        rm -rf --one-file-system "$root"
        skip "Blender could not be installed; $log says more"
    }
    touch "$root/.likeness"
}

case ${1:-} in
    blender) shift; inside blender "$@" ;;
    window) shift; inside xvfb-run -a -s "-screen 0 $screen -nolisten tcp" blender -p 0 0 "${screen%%x*}" 1100 "$@" ;;
    "")
        cd "$here"
        if [ -z "${LIKENESS_BLENDER:-}" ]; then
            [ "$(uname -s)" = Linux ] || skip "chroots need Linux; name a Blender with LIKENESS_BLENDER"
            [ "$(id -u)" = 0 ] || skip "only root can enter a chroot; name a Blender with LIKENESS_BLENDER"
            for tool in debootstrap unshare chroot timeout; do
                command -v "$tool" >/dev/null || skip "there is no $tool (apt-get install debootstrap util-linux coreutils)"
            done
            unshare --mount --pid --fork true 2>/dev/null || skip "this system lets nobody make mount namespaces"
            [ -e "$root/.likeness" ] || install
            export LIKENESS_BLENDER="$here/scripts/window_test.sh blender"
            export LIKENESS_BLENDER_WINDOW="$here/scripts/window_test.sh window"
        fi
        "${PYTHON:-python3}" -m pytest -m window tests/window
        ;;
    *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
