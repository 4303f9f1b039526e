# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# What happens to a source while it streams, and does not end the command: a signal that is lost or becomes another
# one, a device that is unplugged and comes back; and what does: a stall, with --timeout.

set_control() { v4l2-ctl -d "$camera" --set-ctrl="$1=$2"; }

# timings_number NAME: of vivid's menu of timings.
timings_number() {
	v4l2-ctl -d "$camera" --list-ctrls-menus |
		awk -v name="$1" '/^ *dv_timings / { inside = 1; next } /\(.*\) *:/ { inside = 0 }
			inside && $2 == name { sub(":", "", $1); print $1; exit }'
}

# select_timings NAME: what the cable carries. A small picture: an emulated processor draws it.
select_timings() {
	set_control dv_timings "$(timings_number "$1")"
	set_control dv_timings_signal_mode 4
}
no_signal=1 no_lock=2

# A camera with one HDMI input.
load_receiver() {
	load_vivid num_inputs=1 input_types=3
	select_timings 640x480p59
}

# start_both [CLONE-OPTION...]: receiver, clone, loop, play; and frames come out.
start_both() {
	start clone "$bin" clone -i "$camera" -o "$loop" --json --stats-interval 0.2 "$@"
	await clone start
	start play "$bin" play -i "$loop" --json --stats-interval 0.2
	await play stats '.frames > 3'
}

test_signal_is_lost_and_comes_back() {
	load_receiver
	load_loop
	local mode
	start_both --dmabuf
	expect_equal "size of the signal" 640x480 "$(json clone start '"\(.width)x\(.height)"')"
	for mode in "$no_signal" "$no_lock"; do
		set_control dv_timings_signal_mode "$mode"
		await clone interrupted
		expect_match "the reason" "$camera has another signal" "$(json clone interrupted .reason)"
		await clone waiting
		expect_match "what is waited for" "a signal at HDMI.* of $camera: there is " "$(json clone waiting .for)"
		expect_equal "writers meanwhile" 0 "$(counter writer)"
		set_control dv_timings_signal_mode 4
		await clone start
		await play stats ".frames > $(json play stats .frames) + 3"
	done
	stop play
	stop clone
	expect_equal "faults that play saw" 0 "$(json play end '.faults | add')"
	expect_no_copy
}

test_signal_of_another_size() {
	load_receiver
	load_loop
	start_both --dmabuf
	select_timings 720x480p59
	await clone start
	expect_equal "size of the other signal" 720x480 "$(json clone start '"\(.width)x\(.height)"')"
	await play start
	expect_equal "size that play sees" 720x480 "$(json play start '"\(.width)x\(.height)"')"
	await play stats '.frames > 3'
	stop play
	stop clone
	expect_equal "faults that play saw" 0 "$(json play end '.faults | add')"
	expect_no_copy
}

# One of the outputs goes while there is no signal.
test_signal_of_another_size_for_several_outputs() {
	load_receiver
	load_loop devices=3 video_nr=10,11,12
	start_both --dmabuf -o 11 -o 12
	expect_equal "roles" "exports imports imports" "$(json clone start '[.sinks[].role] | join(" ")')"
	set_control dv_timings_signal_mode "$no_signal"
	await clone waiting
	run 0 "$bin" load --remove /dev/video10 --force
	finish play 3
	select_timings 720x480p59
	await clone start
	expect_equal "roles of those that are left" "null exports imports" "$(json clone start '[.sinks[].role | tostring] | join(" ")')"
	expect_equal "size that they get" "720x480 720x480" \
		"$(json clone start '[.sinks[1:][] | "\(.output_width)x\(.output_height)"] | join(" ")')"
	run 0 "$bin" play -i 12 --dmabuf -n 10 --json
	expect_equal "size that a reader sees" 720x480 "$(jq -rs 'first | "\(.width)x\(.height)"' <<<"$out")"
	kill -INT "${pids[clone]}"
	finish clone 3
	expect_match "what clone says" "/dev/video10 gets no frames any more, the others do: .*No such device" "$(<clone.err)"
	expect_equal "outputs that failed" /dev/video10 "$(json clone end '[.sinks[] | select(.error) | .name] | join(" ")')"
	expect_equal "bytes copied" 0 "$(json clone end .copied_bytes)"
	loop=/dev/video12
	expect_idle
}

# A film is finished with the first stream; the loop goes on, and so may a film whose name has a number.
test_signal_of_another_size_beside_films() {
	load_receiver
	load_loop
	start_both -o film.y4m -o film-%d.y4m
	select_timings 720x480p59
	await clone start
	await play start
	await play stats '.frames > 3'
	stop play
	kill -INT "${pids[clone]}"
	finish clone 1
	expect_match "what clone says" 'film.y4m gets no frames any more, the others do: .*it is finished, and holds one stream' "$(<clone.err)"
	expect_equal "outputs that failed" film.y4m "$(json clone end '[.sinks[] | select(.error) | .name] | join(" ")')"
	expect_equal "files" "film-0.y4m film-1.y4m film.y4m" "$(echo *.y4m)"
	expect_equal "their sizes" "W640 H480 W720 H480 W640 H480" \
		"$(for file in *.y4m; do head -n 1 "$file" | cut -d ' ' -f 2,3; done | xargs)"
	expect_idle
}

test_input_is_set_to_what_its_cable_carries() {
	load_receiver
	load_loop
	v4l2-ctl -d "$camera" --set-dv-bt-timings index=3 >timings.log
	run 0 "$bin" clone -i "$camera" -o "$loop" -n 3 --json
	expect_equal "size" 640x480 "$(jq -rs 'first | "\(.width)x\(.height)"' <<<"$out")"
	expect_match "what clone says" 'HDMI.* carries 640x480p59.94' "$err"
}

# An analogue input: its standard says how many lines there are. 0 is NTSC-M, 4 PAL-BGH.
test_standard_changes() {
	load_vivid num_inputs=1 input_types=2
	load_loop
	set_control standard 0
	set_control standard_signal_mode 4
	start_both --dmabuf
	expect_equal "lines of NTSC" 480 "$(json clone start .height)"
	set_control standard 4
	await clone start
	expect_equal "lines of PAL" 576 "$(json clone start .height)"
	await play start
	await play stats '.frames > 3'
	stop play
	stop clone
	expect_equal "faults that play saw" 0 "$(json play end '.faults | add')"
	expect_no_copy
}

test_no_signal_at_the_beginning() {
	load_receiver
	load_loop
	set_control dv_timings_signal_mode "$no_signal"
	start clone "$bin" clone -i "$camera" -o "$loop" --json
	await clone waiting
	stop clone
	expect_equal "frames" 0 "$(json clone end .frames)"
	rm "$work"/clone.*
	start clone "$bin" clone -i "$camera" -o "$loop" --json -n 5
	await clone waiting
	set_control dv_timings_signal_mode 4
	finish clone
	expect_equal "frames" 5 "$(json clone end .frames)"
	expect_idle
}

unplug() { echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind; }
plug_in() { echo vivid.0 >/sys/bus/platform/drivers/vivid/bind; }

# Nobody else is to meet a camera that was taken apart.
forget_camera() {
	modprobe -r vivid
	rm -f "$camera_options"
}

test_camera_is_unplugged_and_comes_back() {
	load_camera
	load_loop
	start_both --dmabuf --reconnect --width 320 --height 180
	exec 9<>"$camera" # keeps the number taken
	unplug
	await clone waiting
	expect_match "the reason" "$camera.*unplugged" "$(json clone interrupted .reason)"
	expect_equal "what is waited for" "$camera to be plugged in again" "$(json clone waiting .for)"
	expect_equal "open files of video nodes but the loop's" 0 \
		"$(find "/proc/${pids[clone]}/fd" -lname "$camera*" | wc -l)"
	plug_in
	await clone start
	exec 9>&-
	expect_equal "where it is now" /dev/video1 "$(json clone start .source)"
	expect_equal "size as it was wished" 320x180 "$(json clone start '"\(.width)x\(.height)"')"
	await play stats ".frames > $(json play stats .frames) + 3"
	stop play
	stop clone
	expect_no_copy
	forget_camera
}

# size_of NAME: 'resident kB, open files' of the running command.
size_of() {
	local pid=${pids[$1]}
	awk '/^VmRSS:/ { printf "%d ", $2 }' "/proc/$pid/status"
	find "/proc/$pid/fd" -mindepth 1 | wc -l
}

# Nothing is left behind by what ended: the third stream has what the last one has.
test_camera_comes_back_again_and_again() {
	load_camera
	modprobe v4l2dma devices=2 video_nr=10,11
	local round early late slack=128 # kB: what the kernel rounds, and counts late
	# Slowly: see slow_camera.
	start clone "$bin" clone -i "$camera" -o 10 -o 11 -o null: --width 320 --height 180 --fps 10 --reconnect \
		--json --stats-interval 0.2
	await clone start
	for round in {1..8}; do
		await clone stats '.frames > 2'
		[[ $round != 3 ]] || early=$(size_of clone)
		late=$(size_of clone)
		unplug
		await clone waiting
		plug_in
		await clone start
	done
	stop clone
	expect_equal "open files" "${early#* }" "${late#* }"
	((${late% *} <= ${early% *} + slack)) || fail "clone grew from ${early% *} to ${late% *} kB"
	forget_camera
}

# The outputs that are left go on when the camera is back.
test_output_is_removed_while_a_camera_is_waited_for() {
	load_camera
	modprobe v4l2dma devices=2 video_nr=10,11
	start clone "$bin" clone -i "$camera" -o 10 -o 11 --width 320 --height 180 --reconnect --json --stats-interval 0.2
	await clone start
	unplug
	await clone waiting
	run 0 "$bin" load --remove 10 --force
	plug_in
	await clone start
	expect_equal roles "null exports" "$(json clone start '[.sinks[].role | tostring] | join(" ")')"
	await clone stats '.frames > 3'
	kill -INT "${pids[clone]}"
	finish clone 3
	expect_match "what became of the outputs" '/dev/video10.*No such device.* null$' \
		"$(json clone end '[.sinks[].error | tostring] | join(" ")')"
	loop=/dev/video11 expect_idle
	forget_camera
}

# vivid takes its "disconnect" back when nobody has it open any more.
test_camera_that_fails_for_a_moment() {
	load_camera
	load_loop
	start_both --dmabuf --reconnect
	set_control disconnect 1
	await clone interrupted
	await clone start
	await play stats ".frames > $(json play stats .frames) + 3"
	stop play
	stop clone
	expect_no_copy
	forget_camera
}

test_wait_for_a_camera_is_interrupted() {
	load_camera
	load_loop
	start_both --reconnect
	unplug
	await clone waiting
	stop clone
	stop play
	expect_idle
	plug_in
	forget_camera
}

test_wait_for_a_signal_is_over_in_time() {
	load_receiver
	load_loop
	set_control dv_timings_signal_mode "$no_signal"
	run 1 "$bin" clone -i "$camera" -o "$loop" --timeout 2.5
	expect_match "what clone says" "no frame came for 2.5 seconds; it waited for a signal at HDMI" "$err"
	expect_idle
}

test_stalled_camera() {
	load_camera
	load_loop
	set_control percentage_of_dropped_buffers 100
	run 1 "$bin" clone -i "$camera" -o "$loop" --timeout 1.5
	expect_match "what clone says" "$camera.*no frame came for 1.5 seconds" "$err"
	set_control percentage_of_dropped_buffers 0
	run 0 "$bin" clone -i "$camera" -o "$loop" --timeout 10 -n 5
	expect_idle
}
