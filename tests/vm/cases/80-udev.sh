# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# What udev, and every program that asks it, believes a loop to be.

# Starts udev, which ends with the case.
start_udevd() {
	local udevd=/lib/systemd/systemd-udevd
	[[ -x $udevd ]] || skip "there is no systemd-udevd"
	"$udevd" --daemon
	trap 'udevadm control --exit' EXIT
}

# What udev's database says of the loop, after all events were seen to.
capabilities() {
	udevadm settle
	udevadm info --query=property --property=ID_V4L_CAPABILITIES --value --name="$loop"
}

test_udev_follows_exclusive_caps() {
	start_udevd
	load_camera
	load_loop exclusive_caps=1
	expect_equal "without a writer" ":video_output:" "$(capabilities)"
	start clone "$bin" clone -i "$camera" -o "$loop" --json
	await clone start
	await clone stats
	expect_equal "while a writer streams" ":capture:" "$(capabilities)"
	stop clone
	expect_equal "after it" ":video_output:" "$(capabilities)"
}

test_udev_and_split_nodes() {
	start_udevd
	load_loop nodes=split capture_nr=11
	expect_equal "the writer's node" ":video_output:" "$(capabilities)"
	loop=/dev/video11
	expect_equal "the readers' node" ":capture:" "$(capabilities)"
}
