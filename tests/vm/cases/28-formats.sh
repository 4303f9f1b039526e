# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# The program's table of formats beside the kernel's own numbers: every format in it, in sizes that are multiples of much
# and of nothing, with and without padded lines. tests/vm/format compares and prints; here are the devices.

# compare_formats WHAT DEV capture|output: at least $least formats. Leaves the answer in $out.
compare_formats() {
	local status=0
	out=$("$tree/build/tests/vm/format/v4l2dma_format_table" "$2" "$3") || status=$?
	printf '  %s\n' "$1"
	paste <(:) - <<<"$out" | cut -c 1-700
	((status == 0)) || fail "$1: the table is not what the kernel says"
	expect_at_least "formats of $1" "$least" "$(sed -n 's/^compared [0-9]* layouts of \([0-9]*\) .*/\1/p' <<<"$out")"
}

# What the list says of formats that are in it: 'longer', 'rounded'.
listed() { sed -n "s/^$1 \(.*\): .*/\1/p" <<<"$out" | paste -sd ' '; }

# The HDMI input scales to any size; a webcam has five.
test_vivid() {
	load_vivid node_types=0x101 vid_out_nr=1
	v4l2-ctl -d "$camera" --set-input 3
	least=60 compare_formats "vivid, capture" "$camera" capture
	expect_equal "formats whose buffers are longer than a frame" "" "$(listed longer)"
	least=60 compare_formats "vivid, output" /dev/video1 output
	expect_equal "formats whose buffers are longer than a frame" "" "$(listed longer)"
}

# These have a data_offset of 128 bytes there.
test_vivid_multiplanar() {
	load_vivid node_types=0x101 vid_out_nr=1 multiplanar=2
	v4l2-ctl -d "$camera" --set-input 3
	least=70 compare_formats "vivid, multi-planar capture" "$camera" capture
	expect_equal "formats whose buffers are longer than a frame" "NM16 NM61 YUYV" "$(listed longer)"
	least=70 compare_formats "vivid, multi-planar output" /dev/video1 output
}

# Its table and ours are the same, but for MPEG-2, which it does not have.
test_loop() {
	load_loop
	least=100 compare_formats "the loop" "$loop" output
	expect_equal "formats that the loop rounds otherwise" "" "$(listed rounded)"
	expect_equal "formats whose buffers are longer than a frame" "" "$(listed longer)"
}

test_loop_multiplanar() {
	load_loop multiplanar=1
	least=100 compare_formats "the loop, multi-planar" "$loop" output
	expect_equal "formats that the loop rounds otherwise" "" "$(listed rounded)"
	expect_equal "formats whose buffers are longer than a frame" "" "$(listed longer)"
	expect_equal "formats that the loop lacks" "MPG1 MPG2 MPG4" "$(sed -n 's/^missing [0-9]*: //p' <<<"$out")"
}
