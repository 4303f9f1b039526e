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

# A camera whose planes are dma-bufs of their own.
test_multiplanar_camera() {
	load_vivid multiplanar=2 # with which v4l2-ctl cannot set the frame rate
	load_loop
	V4L2DMA_LOOP=$loop V4L2DMA_EXPORTER=$camera run 0 "$loop_tests" --no-skip --test-case="a multi-planar camera*"
	expect_match "which test ran" 'test cases: *1 . *1 passed' "$out"
}

# check_compliance DEVICE [ACCEPTED-FAILURE]
check_compliance() {
	# 1.22 of Debian 12 does not know today's names of formats, nor that CREATE_BUFS answers with max_num_buffers
	# since 6.8; everything else must pass.
	v4l2-compliance -d "$1" -s >compliance || true
	expect_equal "failures of v4l2-compliance" "" \
		"$(grep -E '^\s*(fail|warn):' compliance |
			grep -Ev "fmtdesc.description mismatch|check_0\(crbufs.reserved${2:+|$2}" || true)"
	expect_match "v4l2-compliance" 'Warnings: 0' "$(tail -n 1 compliance)"
}

test_compliance() {
	load_loop exclusive_caps=1 max_readers=1
	check_compliance "$loop"
}

test_compliance_multiplanar() {
	local capture=/dev/video11 writer
	load_loop exclusive_caps=1 max_readers=1 multiplanar=1
	check_compliance "$loop"
	modprobe -r v4l2dma
	# Lossless, because a frame that is dropped before the first is a warning.
	load_loop nodes=split capture_nr=11 max_readers=1 multiplanar=1 overrun=lossless
	check_compliance "$loop"
	v4l2-ctl -d "$loop" --set-fmt-video-out=width=320,height=240,pixelformat=YM12
	v4l2-ctl -d "$loop" --stream-out-mmap >/dev/null 2>&1 &
	writer=$!
	v4l2-ctl -d "$capture" --stream-mmap --stream-count=1 >/dev/null 2>&1
	# It read()s twice without blocking; whether a frame is there already is chance.
	check_compliance "$capture" 'ret2 != ret'
	kill "$writer"
	wait "$writer" || true
}
