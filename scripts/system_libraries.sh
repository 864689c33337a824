#!/bin/sh
# Installs the shared libraries that Blender's Python module (bpy) links to, where they are missing.
set -eu

[ "$(uname -s)" = Linux ] || exit 0  # the wheels for macOS and Windows bring all they need

# soname, Debian package
libraries="
libX11.so.6        libx11-6
libXext.so.6       libxext6
libXfixes.so.3     libxfixes3
libXi.so.6         libxi6
libXrender.so.1    libxrender1
libSM.so.6         libsm6
libICE.so.6        libice6
libxkbcommon.so.0  libxkbcommon0
libGL.so.1         libgl1
"
known=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p)
missing=""
packages=""
while read -r soname package; do
    [ -n "$soname" ] || continue
    case "$known" in
        *"$soname "*) ;;
        *) missing="$missing $soname"; packages="$packages $package" ;;
    esac
done <<END
$libraries
END
[ -n "$missing" ] || exit 0

give_up() {
    echo "Blender's module needs these system libraries, which are missing:$missing" >&2
    echo "$1" >&2
    exit 1
}

command -v apt-get >/dev/null || give_up "Install the packages of your system that hold them, then run this again."
if [ "$(id -u)" = 0 ]; then
    as_root="env"
elif command -v sudo >/dev/null; then
    as_root="sudo env"
else
    give_up "You are neither root nor have sudo. Ask somebody who is to run: apt-get install$packages"
fi
echo "Installing the system libraries that Blender's module needs:$packages"
# shellcheck disable=SC2086  # both are lists of words
{
    $as_root apt-get -qq update &&
        $as_root DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends $packages >/dev/null
} || give_up "apt-get could not install them. To see why, run as root: apt-get update && apt-get install$packages"
