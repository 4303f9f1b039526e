# shellcheck shell=bash disable=SC2154 # variables of the command that reads this
# SPDX-License-Identifier: MIT
#
# System calls of a process and its threads, counted by the kernel (histograms of events): nothing stops the program for it,
# and no call is left out.

tracing=/sys/kernel/tracing

# Every call, ioctls by request, and who started which thread.
declare -A triggers=(
	[raw_syscalls/sys_enter]='hist:keys=common_pid,id.syscall:size=4096'
	[syscalls/sys_enter_ioctl]='hist:keys=common_pid,cmd.hex:size=4096'
	[sched/sched_process_fork]='hist:keys=parent_pid,child_pid:size=4096'
)

start_counting() {
	local event
	for event in "${!triggers[@]}"; do
		echo "${triggers[$event]}" >"$tracing/events/$event/trigger"
	done
}

stop_counting() {
	local event
	for event in "${!triggers[@]}"; do
		cat "$tracing/events/$event/hist" >"$work/${event##*/}.hist"
		echo "!${triggers[$event]}" >"$tracing/events/$event/trigger"
	done
}

# calls_of PID: what was counted, as JSON: of the thread that moves the frames (pump), and of all that read and decode the
# film (film).
calls_of() {
	awk -v root="$1" '
		function is_ours(thread) {
			while (thread != root && thread in parent) thread = parent[thread]
			return thread == root
		}
		function name_of_ioctl(request) {
			if (request == "c0585611") return "DQBUF"
			if (request == "c058560f") return "QBUF"
			if (request == "40086200") return "DMA_BUF_SYNC"
			return "ioctl-" request
		}
		$1 != "{" { next }
		{ count = $NF }
		FILENAME ~ /fork/ { gsub(/,/, ""); parent[$5] = $3; next }
		!match($0, /common_pid: *[0-9]+/) { next }
		{ thread = substr($0, RSTART, RLENGTH); sub(/.*: */, "", thread) }
		!is_ours(thread) { next }
		FILENAME ~ /ioctl/ { match($0, /cmd: *[0-9a-f]+/); call = substr($0, RSTART, RLENGTH)
			sub(/.*: */, "", call); call = name_of_ioctl(call) }
		FILENAME ~ /enter.hist/ { match($0, /id: *sys_[a-z0-9_]+/); call = substr($0, RSTART, RLENGTH)
			sub(/.*sys_/, "", call) }
		call != "ioctl" { print (thread == root ? "pump" : "film"), call, count }
	' "$work"/{sched_process_fork,sys_enter,sys_enter_ioctl}.hist |
		jq -Rn 'reduce (inputs | split(" ")) as [$role, $call, $count] ({pump: {}, film: {}};
			.[$role][$call] += ($count | tonumber))'
}
