# shellcheck shell=bash disable=SC2154 # what common.sh and the command set
# SPDX-License-Identifier: MIT
#
# The initramfs: busybox, guest-init, and the few modules that reach the host's files. Made anew for each run (a
# tenth of a second), so that it is never stale.

initramfs_modules=(virtio_pci virtio_rng 9pnet_virtio 9p overlay)

# Prints the files of the modules in the order in which they can be loaded.
initramfs_module_files() {
	local module
	for module in "${initramfs_modules[@]}"; do
		modprobe -d "$kernel" -S "$version" --show-depends "$module" ||
			die "the kernel $version has no module $module; remove $kernel and run tests/vm/fetch."
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# make_initramfs FILE: for the kernel in $kernel. A kernel that has all of it built in needs no modules.
make_initramfs() {
	local file=$1 root=$1.d module files
	files=$(initramfs_module_files) || exit
	mkdir -p "$root/bin" "$root/modules"
	install -m 755 "$busybox" "$root/bin/busybox"
	install -m 755 "$vm_dir/guest-init" "$root/init"
	while IFS= read -r module; do
		[[ -n $module ]] || continue
		cp -- "$module" "$root/modules/"
		echo "${module##*/}"
	done <<<"$files" >"$root/modules/order"
	(cd "$root" && find . -print0 | cpio --quiet --null --create --format=newc --owner=0:0) >"$file"
	rm -rf "$root"
}
