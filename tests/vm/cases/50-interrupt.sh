# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# Ctrl-C, and the camera that goes away.

interrupt_both() {
	local signal=$1
	shift
	load_camera
	load_loop
	start clone "$bin" clone -i "$camera" -o "$loop" --fps 30 --json "$@"
	await clone start
	start play "$bin" play -i "$loop" --dmabuf --json
	await play stats
	kill "-$signal" "${pids[play]}"
	finish play
	kill "-$signal" "${pids[clone]}"
	finish clone
	expect_equal "interrupted" true "$(json clone end .interrupted)"
	expect_idle
	# At once usable again.
	run 0 "$bin" clone -i "$camera" -o "$loop" --dmabuf -n 3
}

test_interrupt_source_exports() { interrupt_both INT --output-memory dmabuf; }
test_interrupt_sink_exports() { interrupt_both INT --output-memory mmap --memory dmabuf; }
test_terminate_copy() { interrupt_both TERM --output-memory mmap --memory mmap; }

test_interrupt_while_waiting() {
	load_loop
	start play "$bin" play -i "$loop" --json
	await play stats
	stop play
	expect_idle
}

test_camera_is_unplugged() {
	load_camera
	load_loop
	start clone "$bin" clone -i "$camera" -o "$loop" --dmabuf --json
	await clone start
	start play "$bin" play -i "$loop" --dmabuf --json
	await play stats
	rm "$camera_options"
	echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
	finish clone 3
	expect_match "what clone says" "$camera.*(unplugged|removed)" "$(<"$work/clone.err")"
	stop play
	expect_idle
}
