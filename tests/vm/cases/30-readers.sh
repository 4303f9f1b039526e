# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# Several readers at once; one hangs, one dies.

test_four_readers_one_stopped_one_killed() {
	local name
	load_camera
	load_loop reclaim_ms=300
	start clone "$bin" clone -i "$camera" -o "$loop" --width 320 --height 180 --fps 30 --dmabuf \
		--frame-log "$work/clone.log" --json
	await clone start
	for name in good better stopped killed; do
		start "$name" "$bin" play -i "$loop" --dmabuf --frame-log "$work/$name.log" --json -n 400
	done
	for name in good better stopped killed; do
		await "$name" stats
	done
	expect_equal readers 4 "$(counter readers)"
	kill -STOP "${pids[stopped]}"
	kill -KILL "${pids[killed]}"
	finish killed 137
	# The camera goes on, and so do the others.
	finish good
	finish better
	for name in good better; do
		expect_equal "frames that $name got" 400 "$(json "$name" end .frames)"
		expect_same_frames clone.log "$name.log" 400 any-memory
		expect_equal "faults that $name saw" 0 "$(json "$name" end '.faults | add')"
	done
	expect_equal readers 1 "$(counter readers)"
	# The hung one comes back as if nothing had been.
	kill -CONT "${pids[stopped]}"
	finish stopped
	expect_equal "frames that the stopped one got in the end" 400 "$(json stopped end .frames)"
	stop clone
	expect_equal "copies in the loop" 0 "$(counter copies)"
	expect_idle
}

test_writer_killed_and_replaced() {
	load_camera
	load_loop
	start play "$bin" play -i "$loop" --dmabuf --json -n 60
	await play stats
	start first "$bin" clone -i "$camera" -o "$loop" --fps 30 --dmabuf --json
	await first start
	await play stats
	kill -KILL "${pids[first]}"
	finish first 137
	start second "$bin" clone -i "$camera" -o "$loop" --fps 30 --dmabuf --json
	await second start
	finish play
	stop second
	expect_idle
}

test_reader_follows_a_new_format() {
	load_camera
	load_loop
	start play "$bin" play -i "$loop" --dmabuf --json -n 30
	await play stats
	run 0 "$bin" clone -i "$camera" -o "$loop" --dmabuf --width 320 --height 180 -n 10
	start clone "$bin" clone -i "$camera" -o "$loop" --dmabuf --width 640 --height 360 --fps 30 --json
	await clone start
	finish play
	stop clone
	expect_idle
}

test_reader_refuses_a_new_format() {
	load_camera
	load_loop
	run 0 "$bin" clone -i "$camera" -o "$loop" --width 320 --height 180 -n 3
	start play "$bin" play -i "$loop" --width 320 --json
	await play stats
	start clone "$bin" clone -i "$camera" -o "$loop" --width 640 --height 360 --fps 30 --json
	await clone start
	finish play 1
	expect_match "why play ended" "frames with width 320: $loop has .*640x360" "$(json play end .error)"
	stop clone
	expect_idle
}
