# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
# Takes: 3
#
# tests/bench/io-methods, the short way: what a film's frame costs by write(), MMAP, USERPTR and DMABUF. The counts; times are
# not looked at.

test_counts() {
	[[ -e /sys/kernel/tracing/events/raw_syscalls/sys_enter/hist ]] || skip 'this kernel has no histograms of events'
	[[ -e /dev/udmabuf ]] || modprobe vgem
	# A decoder keeps pictures, and the reader comes first.
	load_loop min_buffers=16 reclaim_ms=60000
	timeout $((limit - 10)) "$tree/tests/bench/io-methods/guest" "$loop" --quick --json >bench.json 2>bench.err ||
		fail "$(tail -n 3 bench.err)
$(jq -r '.checks[] | select(.good | not) | "\(.what): \(.got), not \(.expected)"' bench.json)"
	expect_equal "checks" 91 "$(jq '.checks | length' bench.json)"
	expect_equal "failed checks" 0 "$(jq '[.checks[] | select(.good | not)] | length' bench.json)"
	# What the checks conclude from must be there.
	expect_equal "ways that have figures" 13 "$(jq '[.results[] | select(.calls.pump | length > 0)] | length' bench.json)"
	expect_equal "ways on which something was copied" 5 \
		"$(jq '[.results[] | select(.copied.loop + .copied.program > 0)] | length' bench.json)"
	expect_idle
}
