# shellcheck shell=bash disable=SC2034,SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# A hundred thousand frames: after the last the program has the memory and the open files that it had after the first
# thousand. Small pictures, as fast as they come: what a frame leaves behind does not depend on its size.

frames=100000
pictures=test:black,16x16,GREY,10000
patience=$((limit - 60))
slack=128 # kB of resident memory: what the kernel rounds, and counts late

# size_of NAME: 'resident kB, open files' of the running command.
size_of() {
	local pid=${pids[$1]}
	awk '/^VmRSS:/ { printf "%d ", $2 }' "/proc/$pid/status"
	find "/proc/$pid/fd" -mindepth 1 | wc -l
}

# expect_steady NAME COMMAND...: with --json, and without end
expect_steady() {
	local name=$1 early late
	shift
	start "$name" "$@" --stats-interval 1 --json
	await "$name" stats '.frames >= 1000'
	early=$(size_of "$name")
	await "$name" stats ".frames >= $frames"
	late=$(size_of "$name")
	stop "$name"
	printf '  %s: %s frames, %s fps, resident kB and files %s, at the end %s\n' "$name" "$(json "$name" end .frames)" \
		"$(json "$name" end '.fps | floor')" "$early" "$late"
	expect_equal "open files of $name" "${early#* }" "${late#* }"
	((${late% *} <= ${early% *} + slack)) || fail "$name grew from ${early% *} to ${late% *} kB"
}

test_consumer() {
	expect_steady null "$bin" clone -i "$pictures" -o null:
}

test_loop() {
	load_loop
	expect_steady clone "$bin" clone -i "$pictures" -o "$loop"
	expect_idle
}

test_loop_with_a_copy() {
	load_loop
	expect_steady copy "$bin" clone -i "$pictures" -o "$loop" --strategy read-copy
	expect_idle
}

# A reader, mapped and with dma-bufs that are asked for with each frame. Fewer frames: what they pass through is emulated
# three times.
read_steadily() {
	load_loop overrun=lossless
	start writer "$bin" clone -i "$pictures" -o "$loop" --json --stats-interval 0
	await writer start
	frames=10000 expect_steady play "$bin" play -i "$loop" "$@"
	stop writer
	expect_idle
}

test_reader() { read_steadily; }

test_reader_of_dmabufs() { read_steadily --dmabuf; }
