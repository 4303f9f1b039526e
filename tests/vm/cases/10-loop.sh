# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# The module by itself, call by call: tests/vm/loop.

options=()
loop_tests=${V4L2DMA_LOOP_TESTS:-$tree/build/tests/vm/loop/v4l2dma_loop_tests}

loop_tests() {
	load_camera
	load_loop "$@"
	modprobe vgem
	V4L2DMA_LOOP=$loop V4L2DMA_EXPORTER=$camera "$loop_tests" "${options[@]}"
}

test_loop() { loop_tests; }

# Not the torn frames: that one writes for 7 s whatever the parameters are.
test_loop_with_few_slots() {
	local options=(--test-suite-exclude=torn)
	loop_tests min_buffers=4 max_buffers=8 reclaim_ms=50 max_readers=5
}

test_memory_limit() {
	local group=/sys/fs/cgroup/limited
	load_loop
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir "$group"
	echo 100M >"$group/memory.max"
	V4L2DMA_LOOP=$loop run 0 bash -c "echo \$\$ >$group/cgroup.procs &&
		exec $loop_tests --no-skip --test-case='more memory than there is*'"
	expect_match "which test ran" 'test cases: *1 . *1 passed' "$out"
	expect_match "processes that the kernel ended" 'oom_kill 0' "$(<"$group/memory.events")"
	rmdir "$group"
}

test_compliance() {
	load_loop exclusive_caps=1 max_readers=1
	# 1.22 of Debian 12 does not know today's names of formats, nor that CREATE_BUFS answers with max_num_buffers
	# since 6.8; everything else must pass.
	v4l2-compliance -d "$loop" -s >compliance || true
	expect_equal "failures of v4l2-compliance" "" \
		"$(grep -E '^\s*(fail|warn):' compliance | grep -Ev 'fmtdesc.description mismatch|check_0\(crbufs.reserved' || true)"
	expect_match "v4l2-compliance" 'Warnings: 0' "$(tail -n 1 compliance)"
}
