# shellcheck shell=bash disable=SC2154 # what common.sh and the command set
# SPDX-License-Identifier: MIT
#
# The programs in the cache: a static busybox for the initramfs, QEMU where the machine's own is too old, and of a newer
# Debian v4l2-compliance and the sources of v4l2loopback.

busybox=$cache/busybox/bin/busybox

have_busybox() { [[ -x $busybox ]]; }

fetch_busybox() {
	local new
	apt_prepare
	new=$(mktemp -d "$cache/.new.XXXXXX")
	apt_unpack "$new" busybox-static
	[[ -d $new/bin ]] || ln -s usr/bin "$new/bin"
	rm -rf "$cache/busybox"
	mv -T "$new" "$cache/busybox"
}

# Version 7.2 of bookworm kills guests with two CPUs; 8.0 is the first that is not known to.
host_qemu_is_good() {
	local version
	version=$(qemu-system-x86_64 --version 2>/dev/null | sed -n '1s/.*version \([0-9]*\)\..*/\1/p')
	[[ -n $version ]] && ((version >= 8))
}

# Sets the array $qemu to the command that starts QEMU, with what an unpacked one needs to find its parts.
find_qemu() {
	local root=$cache/qemu
	if host_qemu_is_good; then
		qemu=(qemu-system-x86_64)
		return
	fi
	# shellcheck disable=SC2034 # for those who call this
	qemu=(env
		"LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
		"QEMU_MODULE_DIR=$root/usr/lib/x86_64-linux-gnu/qemu"
		"$root/usr/bin/qemu-system-x86_64"
		-L "$root/usr/share/qemu" -L "$root/usr/share/seabios" -L "$root/usr/lib/ipxe/qemu")
}

# A cached QEMU stops working when the machine loses a library that it had at the time: then it is fetched again.
have_qemu() {
	local qemu
	host_qemu_is_good && return
	[[ -x $cache/qemu/usr/bin/qemu-system-x86_64 ]] || return 1
	find_qemu
	"${qemu[@]}" --version >/dev/null 2>&1
}

# unpack_with_dependencies FOLDER WHAT-IF-NOT OPTION... PACKAGE: what apt would install here, unpacked instead.
unpack_with_dependencies() {
	local into=$1 complaint=$2 deb
	rm -f "$apt_dir"/cache/archives/*.deb
	quietly apt-get -c "$apt_dir/apt.conf" -qq --download-only install "${@:3}" || die "$complaint"
	for deb in "$apt_dir"/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$into"
	done
	rm -f "$apt_dir"/cache/archives/*.deb
}

# apt finds out which of QEMU's dependencies the machine lacks; they are unpacked beside it.
fetch_qemu() {
	local new
	apt_prepare
	note "fetching QEMU"
	new=$(mktemp -d "$cache/.new.XXXXXX")
	unpack_with_dependencies "$new" \
		"QEMU could not be fetched; install qemu-system-x86 8.0 or newer, or repair what apt complains about." \
		-t "$debian_suite-backports" qemu-system-x86
	rm -rf "$cache/qemu"
	mv -T "$new" "$cache/qemu"
	have_qemu || die "the QEMU in $cache/qemu does not start; remove that folder and install qemu-system-x86 8.0 or newer."
}

# What a guest calls as "$V4L2DMA_COMPLIANCE".
compliance=$cache/v4l-utils/v4l2-compliance

have_compliance() { [[ -x $compliance ]]; }

# In a subshell: the newer suite's view of the archive.
use_newer_suite() {
	debian_suite=trixie
	apt_dir=$cache/apt-$debian_suite
	mkdir -p "$apt_dir"
	# shellcheck disable=SC2034 # for apt_prepare
	apt_ready=
	apt_prepare
}

# The program comes with its own C library, and is started by that one's loader, so that it runs on Debian 12.
fetch_compliance() (
	use_newer_suite
	note "fetching v4l2-compliance of $debian_suite"
	new=$(mktemp -d "$cache/.new.XXXXXX")
	# As if nothing was installed: the libraries have to come along.
	unpack_with_dependencies "$new" \
		"v4l-utils of Debian $debian_suite could not be fetched; the mirror of this machine's apt sources has to carry it." \
		-o Dir::State::status=/dev/null v4l-utils
	cat >"$new/v4l2-compliance" <<-'EOS'
		#!/bin/sh
		root=$(dirname -- "$(readlink -f -- "$0")")
		exec "$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" \
			"$root/usr/bin/v4l2-compliance" "$@"
	EOS
	chmod +x "$new/v4l2-compliance"
	"$new/v4l2-compliance" --version >/dev/null || die "v4l2-compliance of Debian $debian_suite does not start here."
	rm -rf "$cache/v4l-utils"
	mv -T "$new" "$cache/v4l-utils"
)

# The other loop, to be measured beside ours (tests/bench/loop): the sources that Debian builds by dkms.
have_v4l2loopback() { [[ -e $cache/v4l2loopback/version ]]; }

fetch_v4l2loopback() (
	use_newer_suite
	note "fetching v4l2loopback of $debian_suite"
	new=$(mktemp -d "$cache/.new.XXXXXX")
	apt_unpack "$new" v4l2loopback-dkms
	apt_versions v4l2loopback-dkms | tail -n 1 >"$new/version"
	rm -rf "$cache/v4l2loopback"
	mv -T "$new" "$cache/v4l2loopback"
)

# Prints the folder with the sources; the Debian version is in $cache/v4l2loopback/version.
v4l2loopback_source() {
	local source
	for source in "$cache"/v4l2loopback/usr/src/v4l2loopback-*; do
		[[ ! -e $source/v4l2loopback.c ]] || { printf '%s\n' "$source"; return; }
	done
	die "there are no sources of v4l2loopback in $cache/v4l2loopback; remove that folder, it is fetched again."
}
