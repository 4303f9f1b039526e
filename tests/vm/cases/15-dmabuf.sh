# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# Memory that belongs to neither camera nor output: tests/vm/dmabuf with each allocator of dma-bufs.

dmabuf_tests=$tree/build/tests/vm/dmabuf/v4l2dma_dmabuf_tests
output=/dev/video1

# expect_released: nothing holds a dma-buf any more. The kernel frees them after the last close().
expect_released() {
	local deadline=$((SECONDS + patience)) last
	until last=$(tail -n 1 /sys/kernel/debug/dma_buf/bufinfo) && [[ $last == "Total 0 objects"* ]]; do
		((SECONDS < deadline)) || fail "dma-bufs are left: $last"
		read -r -t 0.05 <> <(:) || true
	done
}

# allocator_tests NAME NODE
allocator_tests() {
	[[ -e $2 ]] || {
		leave_out "memory of '$1'" "this kernel has no $2"
		return
	}
	load_camera node_types=0x101 vid_out_nr=1
	V4L2DMA_ALLOCATOR=$1 V4L2DMA_CAMERA=$camera V4L2DMA_OUTPUT=$output "$dmabuf_tests"
	expect_released
}

test_system_heap() { allocator_tests system /dev/dma_heap/system; }

test_udmabuf() { allocator_tests udmabuf /dev/udmabuf; }

test_drm() {
	modprobe vgem
	allocator_tests drm /dev/dri/card0
}

test_no_permission() {
	modprobe vgem
	run 0 setpriv --reuid=65534 --regid=65534 --clear-groups "$dmabuf_tests" --no-skip --test-case="nobody may allocate"
	expect_match "which test ran" 'test cases: *1 . *1 passed' "$out"
}
