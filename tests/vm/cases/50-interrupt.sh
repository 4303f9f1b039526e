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

test_interrupt_before_the_picture() {
	load_loop
	start play "$bin" play -i "$loop" --snapshot frame.png --json
	await play stats
	kill -INT "${pids[play]}"
	finish play 1
	expect_match "what play says" "frame" "$(json play end .error)"
	[[ ! -e frame.png ]] || fail "there is a picture of no frame"
}

# A pipe that nobody reads; fill_pipe has it take no more.
make_pipe() {
	local fd
	mkfifo pipe
	exec {fd}<>pipe
	fds[pipe]=$fd
}
fill_pipe() { ! dd if=/dev/zero of=pipe bs=64K oflag=nonblock 2>/dev/null || fail "the pipe is never full"; }

# terminate PID: and what it says and how it ends.
terminate() {
	local status=0
	kill -TERM "$1" || fail "it has ended: $(<err)"
	timeout "$patience" tail --pid="$1" -f /dev/null || fail "it does not end"
	wait "$1" || status=$?
	expect_equal "exit code ($(<err))" 1 "$status"
	expect_match "what it says" "Nobody reads" "$(<err)"
}

test_statistics_that_nobody_reads() {
	local pid line=''
	load_camera
	load_loop
	make_pipe
	"$bin" clone -i "$camera" -o "$loop" --fps 30 --json --stats-interval 0.1 >pipe 2>err &
	pid=$!
	until [[ $line == *'"start"'* ]]; do
		read -r -t "$patience" -u "${fds[pipe]}" line || fail "clone never starts"
	done
	fill_pipe
	await_counter frames $(($(counter frames) + 20)) -ge # nothing waits for the pipe
	terminate "$pid"
	expect_idle
}

test_start_that_nobody_reads() {
	local pid
	load_camera
	load_loop
	make_pipe
	fill_pipe
	"$bin" clone -i "$camera" -o "$loop" --fps 30 --json >pipe 2>err &
	pid=$!
	await_counter frames 1 -ge
	terminate "$pid"
	expect_idle
}

test_pipe_without_a_reader() {
	load_camera
	load_loop
	mkfifo pipe
	run 1 "$bin" clone -i "$camera" -o "$loop" -n 3 --frame-log pipe
	expect_match "what clone says" "pipe: .*Start what reads this pipe first" "$err"
	start clone "$bin" clone -i "$camera" -o "$loop" --fps 30 --json
	await clone start
	run 1 "$bin" play -i "$loop" -n 3 --snapshot pipe
	expect_match "what play says" "pipe: .*Start what reads this pipe first" "$err"
	stop clone
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
