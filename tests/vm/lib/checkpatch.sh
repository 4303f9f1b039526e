# shellcheck shell=bash disable=SC2154 # what common.sh and the command set
# SPDX-License-Identifier: MIT
#
# The kernel's own tools over the module's sources.

# Debian's headers leave checkpatch out, so the three files it consists of are taken from the package of the kernel's
# sources, once: they change so little that one version serves all kernels.
checkpatch_source=linux-source-6.12

fetch_checkpatch() {
	local new lock
	[[ ! -x $cache/checkpatch/checkpatch.pl ]] || return 0
	exec {lock}>"$cache/checkpatch.lock"
	flock "$lock"
	[[ ! -x $cache/checkpatch/checkpatch.pl ]] || return 0
	# shellcheck source=/dev/null
	. "$vm_dir/lib/apt.sh"
	apt_prepare
	note "fetching checkpatch (the package of the kernel's sources is large; this is done once)"
	new=$(mktemp -d "$cache/.new.XXXXXX")
	apt_unpack "$new" "$checkpatch_source"
	tar -xf "$new/usr/src/$checkpatch_source.tar.xz" -C "$new" --strip-components=2 --wildcards --occurrence=1 \
		"*/scripts/checkpatch.pl" "*/scripts/spelling.txt" "*/scripts/const_structs.checkpatch"
	rm -rf "${new:?}/usr" "$cache/checkpatch"
	mv -T "$new" "$cache/checkpatch"
	flock -u "$lock"
}

# kbuild prints this for any module built outside the kernel's own tree; it says nothing about the module.
not_about_us='Skipping BTF generation|the compiler differs from the one used to build the kernel'

# check_sources FOLDER: W=1 and sparse, then checkpatch; fails after it has shown everything. What they were content
# with is not read again.
check_sources() {
	local out=$1 bad=0 sparse_args=() print
	lock_folder "$out"
	rm -rf "$out/src"
	copy_sources "$out/src"
	if command -v sparse >/dev/null; then
		sparse_args=(C=2 CHECK=sparse)
	else
		note "sparse is not installed, so its checks are left out; run scripts/deps."
	fi
	print=$(fingerprint "$out/src" "${sparse_args[@]}" "${make_args[@]}" "$(sha256sum "${BASH_SOURCE[0]}")")
	if [[ $print == "$(cat "$out/content" 2>/dev/null)" ]]; then
		note "W=1, sparse and checkpatch were content with $version, and nothing has changed"
		return
	fi
	rm -f "$out/content"
	run_make "$out/src/kmod" W=1 "${sparse_args[@]}" "${make_args[@]}" >"$out/make.log" 2>&1 || bad=1
	if ((bad)); then
		cat "$out/make.log" >&2
	elif grep -E '(warning|error|WARNING|ERROR):' "$out/make.log" | grep -Ev "$not_about_us" >&2; then
		bad=1
	fi
	run_checkpatch || bad=1
	((bad == 0)) || die "the module's sources are not clean for $version (the whole log is in $out/make.log)."
	printf '%s\n' "$print" >"$out/content"
	note "W=1, sparse and checkpatch are content with $version"
}

# compat.h is where the tests of the kernel's version are, and the only file that may have them; checkpatch dislikes
# both the tests and, taking the macro for a constant, the order of their operands.
run_checkpatch() {
	local file bad=0
	local -a ignore
	fetch_checkpatch
	cd "$tree" || return
	# Relative paths, because checkpatch knows headers shared with programs by the beginning of their path.
	while IFS= read -r -d '' file; do
		ignore=()
		[[ $file != */compat.h ]] || ignore=(--ignore "LINUX_VERSION_CODE,CONSTANT_COMPARISON")
		perl "$cache/checkpatch/checkpatch.pl" --no-tree --strict --terse --show-types --no-summary \
			"${ignore[@]}" --file "$file" >&2 || bad=1
	done < <(find "$(realpath --relative-to="$tree" "$source_dir")" include/uapi -name '*.[ch]' ! -name '*.mod.c' -print0 | sort -z) # not what kbuild leaves there
	return "$bad"
}
