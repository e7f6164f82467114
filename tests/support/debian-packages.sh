#!/bin/sh
# The programs the tests drive for real, and those named as arguments. As root on Debian they are installed; elsewhere
# what is missing is named.
set -eu
missing=
need() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || missing="$missing $2"; }
need firefox-esr firefox-esr
need age age
need minisign minisign
need strace strace
need tor tor
need mkfs.ext4 e2fsprogs
need nft nftables
need ssh openssh-client
need mat2 mat2
need bwrap bubblewrap
need sfdisk fdisk
need mkfs.vfat dosfstools
need mcopy mtools
for program; do need "$program" "$program"; done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing:$missing"
    # Debian starts the services it installs. The tests start a tor of their own; a system's would go to the network.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    apt-get update -qq
    # shellcheck disable=SC2086  # one word a package
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing fonts-dejavu-core >/dev/null
else
    echo "make: error: the tests need these Debian packages:$missing" >&2
    echo "make: hint: run 'sudo apt-get install$missing', then this again" >&2
    exit 1
fi
