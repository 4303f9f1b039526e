# shellcheck shell=bash disable=SC2154 # variables of the command that reads this
# SPDX-License-Identifier: MIT
#
# From what was measured to what is printed, and what is judged.

# What a frame has to cost; times are not looked at. Bytes are exact. A call may be made a little more or less often: the
# first and the last frames of a run wait differently.
# shellcheck disable=SC2016 # jq's variables
checks='
	def within($a; $b): ($a - $b) | fabs <= 0.05;
	def calls($name): .calls.pump[$name] // 0;
	def check($what; $expected; $got; $good): {what: "\(.film), \(.method), reader \(.reader): \($what)", expected: $expected, got: $got, good: $good};
	def same($what; $expected; $got): check($what; $expected; $got; $expected == $got);
	def bytes($what; $expected; $got): check($what; $expected; $got; (($expected - $got) * .frames | round) == 0);
	def about($what; $expected; $got): check($what; $expected; $got; within($expected; $got));
	map(select(.kind == "counted") | . as $r |
		same("path"; {null: "read-write", write: "read-write", mmap: "fill-sink", userptr: "fill-memory", dmabuf: "fill-dmabuf"}[.method]; .path),
		bytes("bytes the program copies to fill a buffer"; 0; .copied.program),
		bytes("bytes the loop copies"; .frame_bytes * (
			if .method == "write" then 1
			elif .method == "userptr" or (.method == "dmabuf" and .reader == "mmap") then .delivered else 0 end); .copied.loop),
		check("frames that came to the reader"; (if .reader == "none" then "none" else "some" end); .delivered;
			(.delivered > 0) == (.reader != "none")),
		about("write() of each frame"; (if .method == "write" then 1 else 0 end); calls("write")),
		(["QBUF", "DQBUF"][] as $name | $r |
			about("\($name) of each frame"; (if .method == "null" or .method == "write" then 0 else 1 end); calls($name))))'

# Into $work/report.json. clone counts a copy that its sink makes (write(), a loop that is given addresses) like its own.
sum_up() {
	jq -n --arg kernel "$(uname -r)" --argjson cpus "$(nproc)" --arg machine "$(machine)" \
		--slurpfile results "$work/results" --slurpfile profile "$work/profile" '
		($results | map(.copied = {loop: .loop.copied_bytes,
			program: (.copied_bytes - (if .method == "write" or .method == "userptr" then .frame_bytes else 0 end))})) as $results |
		{machine: {kernel: $kernel, cpus: $cpus, processor: $machine},
		 results: $results, checks: ($results | '"$checks"'),
		 profile: $profile}' >"$work/report.json"
}

# Whether times mean anything.
machine() {
	if grep -q kvm-clock /sys/devices/system/clocksource/clocksource0/available_clocksource; then
		echo "KVM"
	elif grep -q -w hypervisor /proc/cpuinfo; then
		echo "emulated"
	else
		sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1
	fi
}

# table TITLE JQ-FILTER: rows of arrays, the first being the heads. 'runs' are all results of each way, in its place.
table() {
	printf '\n%s\n\n' "$1"
	jq -r "def runs: .results as \$all | \$all | map([.film, .method, .reader]) |
			reduce .[] as \$key ([]; if any(.[]; . == \$key) then . else . + [\$key] end) |
			map(. as \$key | \$all | map(select([.film, .method, .reader] == \$key)));
		$2 | map(if type == \"number\" then (. * 100 | round / 100) else . end) | @tsv" "$work/report.json" |
		column -t -s $'\t' | sed 's/^/  /'
}

print_report() {
	jq -r '"kernel \(.machine.kernel), \(.machine.cpus) CPUs, \(.machine.processor)"' "$work/report.json"
	table "Counts for each frame: how many the reader got, copies (in frames), calls of the thread that moves frames and of the others" '
		["film", "method", "reader", "got", "copied by clone", "by the loop", "write", "QBUF", "DQBUF", "all calls", "film\u0027s calls"],
		(.results[] | select(.kind == "counted") |
			def all($calls): $calls | del(.clock_gettime) | add // 0;
			[.film, .method, .reader, .delivered, .copied.program / .frame_bytes, .copied.loop / .frame_bytes,
			 .calls.pump.write // 0, .calls.pump.QBUF // 0, .calls.pump.DQBUF // 0, all(.calls.pump), all(.calls.film)])'
	table "Page faults and context switches for each frame: the median of all runs" '
		def median: sort | .[length / 2 | floor];
		["film", "method", "reader", "faults", "major faults", "sleeps", "preemptions", "faults of the reader"],
		(runs[] |
			[.[0].film, .[0].method, .[0].reader] + [map(.usage) |
				(map(.minor_faults), map(.major_faults), map(.sleeps), map(.preemptions)) | median] +
				[map(.reader_usage.minor_faults // 0) | median])'
	table "Every call for each frame, once in twenty frames at least (pump: the thread that moves frames)" '
		["film", "method", "reader", "thread", "calls"],
		(.results[] | select(.kind == "counted") | . as $r | ("pump", "film") as $thread |
			[.film, .method, .reader, $thread, ([$r.calls[$thread] | to_entries[] | select(.value >= 0.05) |
				"\(.key) \(.value * 100 | round / 100)"] | join(", "))])'
	if jq -e 'any(.results[]; .kind == "timed")' "$work/report.json" >/dev/null; then
		table "CPU for each frame, microseconds: between the cheapest of the long runs and the cheapest of the short ones" '
			def cpu: .user_us + .system_us;
			def least: (map(.many) | min_by(cpu)) as $many | (map(.few) | min_by(cpu)) as $few |
				{user: ($many.user_us - $few.user_us), system: ($many.system_us - $few.system_us)};
			def shown($frames): (.user, .system, .user + .system) / $frames | round;
			["film", "method", "reader", "user", "system", "sum", "reader user", "reader system", "reader sum"],
			(runs[] | map(select(.kind == "timed")) | select(length > 0) |
				[.[0].film, .[0].method, .[0].reader] + (.[0].frames as $frames | map(.total) | [least | shown($frames)]) +
				(map(.reader_total | select(.)) | if length == 0 then [] else (map(.frames) | add / length) as $frames | [least | shown($frames)] end))'
	fi
	if jq -e '.profile | length > 0' "$work/report.json" >/dev/null; then
		table "Where the time goes: percent of the samples of each process" '
			["film", "method", "reader", "process", "where"],
			(.profile[] | . as $p | ("clone", "play") as $side | select($p[$side] | length > 0) | ($p[$side] | add) as $all |
				[.film, .method, .reader, $side, ([$p[$side] | to_entries | sort_by(-.value)[] | select(.value / $all >= 0.01) |
					"\(.key) \(.value / $all * 100 | round)%"] | join(", "))])'
	fi
	jq -r '"\n\(.checks | map(select(.good)) | length) of \(.checks | length) counts are right",
		(.checks[] | select(.good | not) | "WRONG: \(.what): \(.got), not \(.expected)")' "$work/report.json"
}
