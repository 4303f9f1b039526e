# shellcheck shell=bash disable=SC2154 # what common.sh and the command set
# SPDX-License-Identifier: MIT
#
# Building a module out of tree against the cached headers of a kernel.

# Copies the files that differ and removes those that are gone, so that make sees what changed. The module and the
# shared headers keep their places relative to each other: src/kmod beside src/include.
copy_sources() {
	local to=$1
	mirror_folder "$source_dir" "$to/kmod"
	[[ ! -d $tree/include/uapi ]] || mirror_folder "$tree/include/uapi" "$to/include/uapi"
}

# The list tells a source that is gone from what the build made.
mirror_folder() {
	local from=$1 to=$2 file list=$2.list
	mkdir -p "$to"
	(cd "$from" && find . -type f \( -name '*.[chS]' -o -name Kbuild -o -name 'Makefile*' -o -name 'Kconfig' \) | sort) >"$list.new"
	if [[ -e $list ]]; then
		comm -23 "$list" "$list.new" | while IFS= read -r file; do rm -f -- "$to/$file"; done
	fi
	while IFS= read -r file; do
		cmp -s -- "$from/$file" "$to/$file" && continue
		mkdir -p -- "$to/$(dirname -- "$file")"
		cp -- "$from/$file" "$to/$file"
	done <"$list.new"
	mv -f -- "$list.new" "$list"
}

# What the result depends on: the sources, the arguments, the kernel's headers.
fingerprint() {
	{
		(cd "$1" && find . -type f \( -name '*.[chS]' ! -name '*.mod.c' -o -name Kbuild -o -name 'Makefile*' \) -print0 |
			sort -z | xargs -0 sha256sum)
		printf '%s\n' "${@:2}" "$version"
		stat -c %Y "$kernel/usr/src/linux-headers-$version/.config"
	} | sha256sum
}

# run_make FOLDER [ARGUMENT]...: kbuild on the module in FOLDER. Without type information for BPF, which would need
# pahole and which nothing here reads.
run_make() {
	make -C "$kernel/usr/src/linux-headers-$version" --no-print-directory -j"$(nproc)" "M=$1" \
		CONFIG_DEBUG_INFO_BTF_MODULES= "${@:2}" modules
}

# Builds of the same kernel wait for each other; whoever comes second finds it done.
lock_folder() {
	mkdir -p "$1"
	exec {build_lock}>"$1/.lock"
	flock "$build_lock"
}

# build_module FOLDER [MAKE-ARGUMENT]...: prints the path of the module.
build_module() {
	local out=$1 src=$1/src built print
	shift
	# Another source gets a folder of its own, or the two would take turns in throwing out each other's objects.
	[[ $source_dir == "$tree/kmod" ]] || out=$out/$(basename -- "$source_dir")-$(printf %s "$source_dir" | sha256sum | head -c 8) src=$out/src
	lock_folder "$out"
	copy_sources "$src"
	print=$(fingerprint "$src" "$@")
	if [[ ! -s $out/module || ! -e $(<"$out/module") || $print != "$(cat "$out/fingerprint" 2>/dev/null)" ]]; then
		rm -f "$out/fingerprint" "$out"/*.ko
		run_make "$src/kmod" "$@" >"$out/make.log" 2>&1 || {
			cat "$out/make.log" >&2
			die "the module does not build for $version."
		}
		grep -E 'warning:|WARNING:' "$out/make.log" >&2 || true
		built=$(find "$src/kmod" -name '*.ko' | head -n 1)
		[[ -n $built ]] || die "kbuild made no .ko of $source_dir."
		cp -- "$built" "$out/"
		printf '%s\n' "$out/${built##*/}" >"$out/module"
		printf '%s\n' "$print" >"$out/fingerprint"
	fi
	cat "$out/module"
}
