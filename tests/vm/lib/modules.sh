# shellcheck shell=bash disable=SC2154 # what common.sh and the command set
# SPDX-License-Identifier: MIT
#
# Modules given with --module: a folder with them and with depmod's indices over them and the kernel's own, to be
# laid over the kernel's folder in the guest. Cached by content, because depmod takes a second.

keep_module_sets=16

# module_set FILE.ko...: prints the folder.
module_set() {
	local name set new home=$kernel/lib/modules/$version old
	name=$(cat -- "$@" | sha256sum)
	set=$cache/modules/$version-${name%% *}
	if [[ ! -d $set ]]; then
		mkdir -p "$cache/modules"
		new=$(mktemp -d "$cache/modules/.new.XXXXXX")
		mkdir -p "$new/lib/modules/$version/updates"
		cp -- "$@" "$new/lib/modules/$version/updates/"
		ln -s "$home/kernel" "$home"/modules.{order,builtin,builtin.modinfo} "$new/lib/modules/$version/"
		depmod -b "$new" "$version" >&2 || die "depmod refuses the modules $*."
		find "$new/lib/modules/$version" -maxdepth 1 -type l -delete
		chmod 755 "$new/lib/modules/$version"
		# Whoever comes first wins; the other one's set is the same.
		mv -T "$new/lib/modules/$version" "$set" 2>/dev/null || [[ -d $set ]] || die "cannot write to $cache/modules."
		rm -rf "$new"
	fi
	touch "$set"
	find "$cache/modules" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn | tail -n "+$((keep_module_sets + 1))" |
		while read -r _ old; do rm -rf "$old"; done
	printf '%s\n' "$set"
}
