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

test_loop() {
	! is_debug_kernel || export V4L2DMA_ROUNDS=100
	loop_tests
}

# Not the torn frames, which are written for 7 s whatever the parameters are, nor the 500 loops, which have their own.
test_loop_with_few_slots() {
	local options=("--test-suite-exclude=torn,churn")
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

# A camera whose planes are dma-bufs of their own.
test_multiplanar_camera() {
	load_vivid multiplanar=2 # with which v4l2-ctl cannot set the frame rate
	load_loop
	V4L2DMA_LOOP=$loop V4L2DMA_EXPORTER=$camera run 0 "$loop_tests" --no-skip --test-case="a multi-planar camera*"
	expect_match "which test ran" 'test cases: *1 . *1 passed' "$out"
}
