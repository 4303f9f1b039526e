# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
# Needs: fault-injection
#
# The module when memory is short at any point, and when the caller's memory cannot be read or written: each fault that
# is possible in each call comes true once, in tests/vm/loop/fault_test.cpp and fault_outside_test.cpp.

# A fault prints nothing, and may be in an allocation that could wait for memory.
allow_faults() {
	local folder=/sys/kernel/debug
	for name in failslab fail_page_alloc fail_usercopy; do
		echo 0 >"$folder/$name/probability" # only those of fail-nth
		echo 0 >"$folder/$name/verbose"
	done
	echo N >"$folder/failslab/ignore-gfp-wait"
	echo N >"$folder/fail_page_alloc/ignore-gfp-wait"
	echo N >"$folder/fail_page_alloc/ignore-gfp-highmem"
	echo 0 >"$folder/fail_page_alloc/min-order"
}

# What the kernel itself says of a fault: dma_buf_vmap() warns, once, when an exporter has no memory (WARN_ON_ONCE in
# dma-buf.c), and vmalloc() says so for the test pattern generator, which does not ask it to be silent.
allowed='WARNING: .* dma_buf_vmap|vmalloc error: .* failed'

# faults TEST: the names of what was tried, with the number of faults, are worth reading.
faults() {
	load_loop
	allow_faults
	echo "v4l2dma-vm: allow begin $allowed" >/dev/kmsg
	trap 'echo "v4l2dma-vm: expect end" >/dev/kmsg' EXIT
	timeout $((limit - 30)) "$tree/build/tests/vm/loop/v4l2dma_loop_tests" --no-skip --test-case="faults: $1" 2>&1 |
		tee "$work/out"
	expect_match "which test ran" 'test cases: *1 . *1 passed' "$(<"$work/out")"
}

test_faults_in_settings() { faults settings; }
test_faults_in_buffers() { faults buffers; }
test_faults_in_frames() { faults frames; }
test_faults_in_buffers_of_planes() { faults "buffers with several planes"; }
test_faults_in_frames_of_planes() { faults "frames with several planes"; }
test_faults_in_contiguous_memory() { faults "contiguous memory"; }
test_faults_in_split_nodes() { faults "split nodes"; }
test_faults_in_administration() { faults administration; }
test_faults_without_signal() { faults "no signal"; }

test_faults_in_dma_bufs() {
	modprobe vgem
	faults dma-bufs
}
