# shellcheck shell=bash disable=SC2154 # what common.sh sets
# SPDX-License-Identifier: MIT
#
# Debian kernels in the cache: image, modules and headers of one version unpacked into one folder,
# kernels/VERSION/{boot,lib/modules,usr/src,usr/lib}, with a link kernels/6.12 to the newest of its line.

# The number goes up when unpacking does something new, so that older caches are renewed.
have_kernel() { [[ -e $cache/kernels/$1/complete.2 ]]; }

# Prints "VERSION DEB-VERSION" of the newest kernel of a line, or of the exact version.
find_kernel() {
	local deb_version depends
	{
		if [[ $1 == *-amd64 ]]; then
			for deb_version in $(apt_versions "linux-image-$1"); do echo "$1 $deb_version"; done
		fi
		for deb_version in $(apt_versions linux-image-amd64); do
			depends=$(apt_field linux-image-amd64 Depends "$deb_version")
			depends=${depends#linux-image-}
			depends=${depends%% *}
			[[ $depends == "$1".* || $depends == "$1" ]] && echo "$depends $deb_version"
		done
	} | sort -V | tail -n 1
}

# Prints the packages that make up a kernel with its headers: PACKAGE=DEB-VERSION, one a line.
kernel_packages() {
	local version=$1 deb_version=$2 package
	printf '%s=%s\n' "linux-image-$version" "$deb_version" "linux-headers-$version" "$deb_version"
	for package in $(apt_field "linux-headers-$version" Depends "$deb_version" | sed 's/[,|]/\n/g' | sed 's/(.*//'); do
		case $package in
		linux-headers-*-common | linux-kbuild-*) printf '%s=%s\n' "$package" "$deb_version" ;;
		esac
	done
}

# busybox and a hasty depmod want plain files: depmod takes 7 s over .xz and 1 s without, at each new test module.
unpack_modules() {
	find "$1" -name '*.ko.xz' -print0 | xargs -0 -r -P "$(nproc)" -n 64 xz -d --
	find "$1" -name '*.ko.zst' -print0 | xargs -0 -r -P "$(nproc)" -n 64 zstd -q -d --rm --
}

# unpack_image VMLINUZ: writes the kernel itself as vmlinux beside it. QEMU starts that directly (PVH); a TCG guest would
# need 2 s to decompress. Offset and length of the payload are in the boot protocol's header.
unpack_image() {
	local image=$1 vmlinux=${1/vmlinuz/vmlinux} sectors offset length
	sectors=$(od -A n -t u1 -j $((0x1f1)) -N 1 -- "$image")
	offset=$(od -A n -t u4 -j $((0x248)) -N 4 -- "$image")
	length=$(od -A n -t u4 -j $((0x24c)) -N 4 -- "$image")
	# The payload's last four bytes are its uncompressed size, which the decompressors take for rubbish.
	offset=$(((sectors + 1) * 512 + offset))
	head -c "$((offset + length - 4))" -- "$image" | tail -c "+$((offset + 1))" >"$vmlinux.payload"
	if ! zstd -qdcf -- "$vmlinux.payload" >"$vmlinux" 2>/dev/null && ! xz -dc <"$vmlinux.payload" >"$vmlinux" 2>/dev/null; then
		rm -f "$vmlinux"
	fi
	rm -f "$vmlinux.payload"
}

# The headers name each other by absolute paths under /usr; FOLDER is where they lie now, HOME where they will stay.
relocate_headers() {
	local folder=$1 home=$2 version=$3 link
	sed -i "s|^include /usr/src/|include $home/usr/src/|" "$folder/usr/src/linux-headers-$version/Makefile"
	for link in build source; do
		link=$folder/lib/modules/$version/$link
		[[ -L $link ]] && ln -sfn "../../..$(readlink "$link")" "$link"
	done
	return 0
}

# fetch_kernel NAME: the whole of it, put in place by one rename.
fetch_kernel() {
	local name=$1 version deb_version new packages home
	if [[ $name == debug ]]; then
		have_kernel debug && return
		die "the debug kernel is not built; build it with tests/vm/debug-kernel, which takes about 10 minutes on two idle cores." 2
	fi
	apt_prepare
	read -r version deb_version <<<"$(find_kernel "$name")"
	[[ -n $version ]] || die "the Debian mirror has no kernel $name; 6.12 and 6.1 are what these tests expect."
	home=$cache/kernels/$version
	if ! have_kernel "$version"; then
		note "fetching the kernel $version"
		mapfile -t packages < <(kernel_packages "$version" "$deb_version")
		new=$(mktemp -d "$cache/kernels/.new.XXXXXX")
		chmod 755 "$new"
		apt_unpack "$new" "${packages[@]}"
		[[ -d $new/lib ]] || ln -s usr/lib "$new/lib"
		unpack_image "$new/boot/vmlinuz-$version"
		unpack_modules "$new/lib/modules"
		relocate_headers "$new" "$home" "$version"
		depmod -b "$new" "$version"
		touch "$new/complete.2"
		rm -rf "$home"
		mv -T "$new" "$home"
	fi
	[[ $name == "$version" ]] || ln -sfn "$version" "$cache/kernels/$name"
}
