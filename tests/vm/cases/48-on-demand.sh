# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# A camera that runs only while somebody reads.

# camera_runs: vivid has a thread of its own for as long as it streams.
camera_runs() { grep -qs '^vivid-.*-vid-c' /proc/[0-9]*/comm; }
expect_asleep() { ! camera_runs || fail "the camera runs: $1"; }
expect_awake() { camera_runs || fail "the camera does not run: $1"; }

start_clone() { start clone "$bin" clone -i "$camera" --on-demand --json "$@"; }

# wakes_and_sleeps LOOP: a reader comes, gets frames, and goes.
wakes_and_sleeps() {
	start play "$bin" play -i "$1" --json --stats-interval 0.2 "${@:2}"
	await clone awake
	await play stats '.frames > 3'
	expect_awake "there is a reader of $1"
	stop play
	expect_equal "faults that play saw" 0 "$(json play end '.faults | add')"
	await clone asleep
	expect_asleep "the reader of $1 left"
	rm "$work"/play.*
}

on_demand_by_path() {
	load_camera
	load_loop
	start_clone -o "$loop" "$@"
	await clone start
	await clone asleep
	expect_asleep "nobody ever read"
	expect_at_least "the writer" 1 "$(counter writer)"
	wakes_and_sleeps "$loop"
	wakes_and_sleeps "$loop" --dmabuf
	stop clone
	expect_idle
}
test_on_demand_where_the_camera_fills_the_loop() { on_demand_by_path --strategy sink-exports; }
test_on_demand_where_the_loop_imports() { on_demand_by_path --strategy source-exports; }
test_on_demand_with_copies() { on_demand_by_path --strategy copy; }

# write() begins with the first frame, and the node is opened anew when it ends.
test_on_demand_with_write() { on_demand_by_path --strategy read-source; }

test_on_demand_with_several_outputs() {
	load_camera
	load_loop devices=2 video_nr=10,11
	start_clone -o "$loop" -o /dev/video11
	await clone asleep
	wakes_and_sleeps "$loop"
	wakes_and_sleeps /dev/video11
	stop clone
}

reader_is_there_already() {
	load_camera
	load_loop
	start play "$bin" play -i "$loop" --buffers "$1" --json --stats-interval 0.2
	await play stats
	start_clone -o "$loop"
	await clone start
	await play stats '.frames > 3'
	stop play
	await clone asleep
	expect_asleep "the reader left"
	expect_equal "how often the camera had to be woken" 0 "$(jq -s 'map(select(.event == "awake")) | length' "$work/clone.json")"
	stop clone
	expect_idle
}

test_on_demand_with_a_reader_that_is_there_already() { reader_is_there_already 6; }
# The reader settles how many slots there are: with few, clone never needs to wait for the loop, but has to hear of it.
test_on_demand_with_a_reader_of_few_buffers() { reader_is_there_already 4; }

test_on_demand_needs_a_loop() {
	load_camera
	run 4 "$bin" clone -i "$camera" -o null: --on-demand
	expect_match "what clone says" 'null:.*does not tell whether anybody reads' "$err"
}

# A signal that comes while the camera sleeps is followed when it wakes.
test_signal_changes_while_asleep() {
	load_vivid num_inputs=1 input_types=3
	load_loop
	start_clone -o "$loop"
	await clone asleep
	v4l2-ctl -d "$camera" --set-ctrl=dv_timings_signal_mode=1
	start play "$bin" play -i "$loop" --json --stats-interval 0.2
	await clone waiting
	v4l2-ctl -d "$camera" --set-ctrl=dv_timings_signal_mode=0
	await play stats '.frames > 3'
	stop play
	await clone asleep
	stop clone
	expect_idle
}

test_loop_into_itself() {
	local reader=/dev/video11
	load_loop nodes=split capture_nr=11
	run 2 "$bin" clone -i "$reader" -o "$loop"
	expect_match "what clone says" "$loop.*other end of the loop that $reader is" "$err"
}
