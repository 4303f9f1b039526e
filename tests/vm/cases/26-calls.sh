# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# What a frame costs in system calls and wake-ups, counted by the kernel: the difference between a run of many frames and
# one of few, so that start and end cancel out. At most one wait, and one DQBUF and one QBUF on each side, and nothing else.

tracing=/sys/kernel/tracing
few=40 frames=200 # the second run has both

# Every call, the ioctls by fd, and every time that a process goes to sleep until something happens (state S; D is a lock).
declare -A triggers=(
	[raw_syscalls/sys_enter]='hist:keys=common_pid,id.syscall:size=4096'
	[syscalls/sys_enter_ioctl]='hist:keys=common_pid,fd,cmd.hex:size=4096'
	[sched/sched_switch]='hist:keys=prev_pid:size=4096 if prev_state == 1'
)

start_counting() {
	local event
	[[ -e $tracing/events/raw_syscalls/sys_enter/hist ]] || skip "this kernel has no histograms of events"
	for event in "${!triggers[@]}"; do
		echo "${triggers[$event]}" >"$tracing/events/$event/trigger"
	done
}

# stop_counting PID: a line 'count name' for each call, and 'sleep'.
stop_counting() {
	local event
	awk -v pid="$1" '
		$1 != "{" || $0 !~ "pid: *" pid "[ ,]" { next }
		{ count = $NF; sub(/.*pid: *[0-9]+/, ""); sub(/ *}.*/, "") }
		/cmd:/ { call = "?"
			if (/c0585611/) call = "DQBUF"; else if (/c058560f/) call = "QBUF"; else if (/c0405610/) call = "EXPBUF"
			else { match($0, /cmd: *[0-9a-f]+/); call = substr($0, RSTART, RLENGTH); gsub(/cmd: */, "ioctl-", call) }
			match($0, /fd: *[0-9]+/); fd = substr($0, RSTART, RLENGTH); gsub(/fd: */, "", fd)
			print count, call ":" fd; next }
		/id:/ { sub(/.*id: *sys_/, ""); sub(/ .*/, ""); if ($0 != "ioctl") print count, $0; next }
		{ print count, "sleep" }
	' "$tracing"/events/{raw_syscalls/sys_enter,syscalls/sys_enter_ioctl,sched/sched_switch}/hist
	for event in "${!triggers[@]}"; do
		echo "!${triggers[$event]}" >"$tracing/events/$event/trigger"
	done
}

# count_calls NAME COMMAND...: what this many frames more cost, in $work/NAME.calls: 'calls-per-frame name'.
count_calls() {
	local name=$1 count
	shift
	for count in "$few" $((few + frames)); do
		start_counting
		rm -f "$work/$name.fifo"
		start "$name" "$@" -n "$count" --stats-interval 0 --json
		local pid=${pids[$name]}
		finish "$name"
		stop_counting "$pid" >"$work/$name.$count"
	done
	awk -v frames="$frames" '
		NR == FNR { few[$2] = $1; next }
		$1 != few[$2] { printf "%.3f %s\n", ($1 - few[$2]) / frames, $2 }
	' "$work/$name.$few" "$work/$name.$((few + frames))" | sort -k 2 >"$work/$name.calls"
}

# expect_cheap NAME WHAT ALLOWED...: prints the line of the table. Each call once a frame at most, on each fd; what is not
# in ALLOWED hardly ever. clock_gettime is a call only where the clock cannot be read without (emulated).
expect_cheap() {
	local name=$1 what=$2 report
	shift 2
	printf '  %-28s %s\n' "$what" "$(awk '{ printf "%s %s  ", $2, $1 }' "$work/$name.calls")"
	report=$(awk -v allowed=" $* " '
		$2 == "clock_gettime" { next }
		{ call = $2; sub(/:.*/, "", call); limit = index(allowed, " " call " ") ? 1.05 : 0.05 }
		$1 > limit
	' "$work/$name.calls")
	[[ -z $report ]] || fail "$what: more calls for a frame than it needs: $report"
}

# A reader is there all the time, so that the loop holds frames as it does in real use.
test_writer() {
	local path seen=0
	load_camera
	load_loop
	start play "$bin" play -i "$loop" --stats-interval 1 --json
	await play stats
	for path in $(every_path); do
		rm -f "$work"/clone.{fifo,json,err}
		start clone "$bin" clone -i "$camera" -o "$loop" --strategy "$path" --json -n 1
		if ! begun clone; then
			finish clone 4
			continue
		fi
		finish clone
		[[ $path == copy || $(json clone start .zero_copy) == true ]] || continue
		count_calls clone "$bin" clone -i "$camera" -o "$loop" --strategy "$path"
		expect_cheap clone "$path" epoll_wait DQBUF QBUF sleep
		seen=$((seen + 1))
	done
	stop play
	expect_at_least "paths that were counted" 4 "$seen"
}

test_reader() {
	load_camera
	load_loop
	start clone "$bin" clone -i "$camera" -o "$loop" --json
	await clone start
	count_calls play "$bin" play -i "$loop"
	expect_cheap play "play, mapped" epoll_wait DQBUF QBUF sleep
	# Which dma-buf a loop's frame came in is asked with each: its writer decides.
	count_calls play "$bin" play -i "$loop" --dmabuf
	expect_cheap play "play --dmabuf" epoll_wait DQBUF QBUF sleep EXPBUF newfstatat close
	stop clone
	slow_camera
	count_calls play "$bin" play -i "$camera"
	expect_cheap play "play, a camera" epoll_wait DQBUF QBUF sleep
}
