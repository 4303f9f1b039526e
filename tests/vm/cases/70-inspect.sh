# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# inspect: what devices take, tried on real ones, and what a loop counted.

# side DEVICE SIDE FILTER: of the document in $out.
side() { jq -c --arg device "$1" --arg side "$2" ".devices[] | select(.device == \$device) | .sides[] | select(.side == \$side) | $3" <<<"$out"; }

test_inspect_idle_devices() {
	load_camera
	load_loop
	run 0 "$bin" inspect --json
	expect_equal "memory that the camera takes" '{"mmap":"yes","userptr":"yes","dmabuf":"yes","export":"yes"}' \
		"$(side "$camera" capture .memory)"
	expect_equal "memory that the loop takes" '{"mmap":"yes","userptr":"yes","dmabuf":"yes","export":"yes"}' \
		"$(side "$loop" output .memory)"
	expect_idle
}

test_inspect_without_dmabuf() {
	load_loop support_dmabuf=0
	run 0 "$bin" inspect "$loop" --json
	expect_equal "memory that the loop takes" '{"mmap":"yes","userptr":"yes","dmabuf":"no","export":"no"}' \
		"$(side "$loop" output .memory)"
}

# Whether the loop exports is not known to who has no descriptor left for what it would export.
test_inspect_without_descriptors() {
	load_loop
	run 0 bash -c 'exec 3<&-; ulimit -n 4; exec "$@"' - "$bin" inspect "$loop"
	expect_match "memory that the loop takes" "mmap yes, .*, export unknown" "$out"
}

test_inspect_a_loop_at_work() {
	load_camera
	load_loop
	start clone "$bin" clone -i "$camera" -o "$loop" --fps 30 --dmabuf --json
	await clone start
	start play "$bin" play -i "$loop" --dmabuf --json
	await play stats
	run 0 "$bin" inspect "$loop"
	expect_match "the side in use" 'not tried: another program' "$out"
	expect_match "the reader" "pid ${pids[play]} v4l2dma" "$out"
	expect_match "the copies" 'copies +0 frames, 0 bytes' "$out"
	stop play
	stop clone
	expect_idle
}
