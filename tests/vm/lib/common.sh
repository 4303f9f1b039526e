# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What every command of tests/vm shares: where things are, how to complain, which kernels the cache holds.

program=${program:-${0##*/}}
vm_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck disable=SC2034 # for the commands
tree=$(cd -- "$vm_dir/../.." && pwd -P)
cache=$(realpath -m -- "${V4L2DMA_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/v4l2dma/vm}")
export V4L2DMA_VM_CACHE=$cache

note() { printf '%s: %s\n' "$program" "$*" >&2; }

# die SENTENCE [EXIT-CODE]
die() {
	note "$1"
	exit "${2:-1}"
}

usage_error() { die "$1 Try '$program --help'." 2; }

# Options that take a value: complain about a missing one before 'shift 2' does so silently.
need_value() { (($1 >= 2)) || usage_error "$2 needs a value."; }

# Prints the comment block at the head of a command, which is its manual.
show_help() { sed -n '/^# SPDX/,/^[^#]/{/^# SPDX/d;/^[^#]/d;s/^# \{0,1\}//;p;}' "$0" | sed 1d; }

check_kernel_name() {
	[[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9.+~-]*$ ]] || usage_error "'$1' is not the name of a kernel."
}

# The exact version that a kernel name stands for in the cache; fails when the cache has none.
# 'kernels/6.12' is a link to 'kernels/6.12.N+deb12-amd64'.
kernel_version() {
	local dir
	dir=$(readlink -e -- "$cache/kernels/$1") || return 1
	printf '%s\n' "${dir##*/}"
}

# Fetches the kernel when it is missing, and leaves its version and folder in $version and $kernel.
use_kernel() {
	check_kernel_name "$1"
	"$vm_dir/fetch" --kernel "$1"
	version=$(kernel_version "$1") || die "the kernel $1 is not in $cache/kernels; run tests/vm/fetch --kernel $1."
	kernel=$cache/kernels/$version
	export version kernel
}
