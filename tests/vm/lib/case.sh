# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the cases in tests/vm/cases are written with. Runs in a guest, as root.
#
# A case is a function test_* and runs in a shell of its own with a fresh folder $work; a failing command ends it.
# tests/vm/guest-tests unloads the modules after each, which fails while anything is still held.
# shellcheck disable=SC2034,SC2154 # shared with the cases and with guest-tests

bin=${V4L2DMA_BIN:-$tree/build/v4l2dma}
camera=/dev/video0
loop=/dev/video10
camera_options=/run/v4l2dma-camera # what the camera that is there was loaded with
# A guest under emulation is slow, and a hang must end: no answer is awaited longer than this. Less than half of a case's
# time, so that what hangs is named before the case is ended.
patience=$((limit * 2 / 5))

declare -A pids=() fds=()

fail() {
	printf '    %s\n' "$*" >&2
	exit 1
}

# skip REASON: for what this kernel or machine cannot do; the run lists it.
skip() {
	printf '    skipped: %s\n' "$*" >&2
	exit 77
}

expect_equal() { [[ $2 == "$3" ]] || fail "$1: expected '$2', got '$3'"; }
expect_match() { [[ $3 =~ $2 ]] || fail "$1: '$3' does not match '$2'"; }
expect_at_least() { (($3 >= $2)) || fail "$1: expected at least $2, got $3"; }

# The camera of the case before serves if it is the same.
load_vivid() {
	if [[ ! -d /sys/module/vivid || "options: $*" != "$(cat "$camera_options" 2>/dev/null)" ]]; then
		modprobe -r vivid
		modprobe vivid n_devs=1 node_types=0x1 vid_cap_nr=0 "$@"
		printf 'options: %s\n' "$*" >"$camera_options"
	fi
}
# Small pictures: an emulated processor draws each of them.
load_camera() {
	load_vivid "$@"
	v4l2-ctl -d "$camera" --set-fmt-video=width=320,height=180,pixelformat=YUYV --set-parm=30 >camera.log
}
# vivid waits for a frame's time from before it drew the last one: what takes it half a frame to draw makes it say a number
# twice. So where a test looks at the camera's own numbers; a loop gives its readers others.
slow_camera() { v4l2-ctl -d "$camera" --set-parm=10 >camera.log; }
load_loop() { modprobe v4l2dma video_nr=10 "$@"; }

# start NAME COMMAND...: in the background; its stdout is read by 'await' and 'finish', as lines of JSON.
start() {
	local name=$1 fd
	shift
	mkfifo "$work/$name.fifo"
	"$@" >"$work/$name.fifo" 2>"$work/$name.err" &
	pids[$name]=$!
	exec {fd}<"$work/$name.fifo"
	fds[$name]=$fd
}

# await NAME EVENT [FILTER]: until the command says so, and the filter (of jq) is content.
await() {
	local line filter=${3:-true} deadline=$((SECONDS + patience))
	while ((SECONDS < deadline)) && read -r -t "$patience" -u "${fds[$1]}" line; do
		printf '%s\n' "$line" >>"$work/$1.json"
		[[ $line != *"\"event\":\"$2\""* ]] || ! jq -e "$filter" >/dev/null <<<"$line" || return 0
	done
	fail "$1 never came to '$2': $(tail -n 3 "$work/$1.err")"
}

# begun NAME: 0 once it says "start", 1 if it says "end" instead.
begun() {
	local line
	while read -r -t "$patience" -u "${fds[$1]}" line; do
		printf '%s\n' "$line" >>"$work/$1.json"
		[[ $line != *'"event":"start"'* ]] || return 0
		[[ $line != *'"event":"end"'* ]] || return 1
	done
	return 1
}

# finish NAME [EXIT-CODE]: reads it to its end and checks how it ended.
finish() {
	local status=0
	timeout "$patience" cat <&"${fds[$1]}" >>"$work/$1.json" || fail "$1 does not end"
	wait "${pids[$1]}" || status=$?
	unset "pids[$1]"
	expect_equal "exit code of $1 ($(tail -n 2 "$work/$1.err"))" "${2:-0}" "$status"
}

# stop NAME: as with Ctrl-C.
stop() {
	kill -INT "${pids[$1]}"
	finish "$1"
}

# json NAME EVENT FILTER: of the last such line that the command printed.
json() { jq -rs --arg event "$2" "map(select(.event == \$event)) | last | $3" "$work/$1.json"; }

# counter NAME...: of the loop, for example copied_bytes; see tests/vm/loop/counters.cpp
counter() { "$tree/build/tests/vm/loop/v4l2dma_loop_counters" "$loop" "$@"; }

# await_counter NAME VALUE [-ge]: until it is that, or at least that. A program takes seconds to start here.
await_counter() {
	local deadline=$((SECONDS + patience))
	until test "$(counter "$1")" "${3:--eq}" "$2"; do
		((SECONDS < deadline)) || fail "the loop's $1 never were ${3:-} $2: $(counter "$1")"
		read -r -t 0.05 <> <(:) || true
	done
}

# leave_out WHAT REASON: a part of a case that this kernel cannot do; the run lists it.
leave_out() { printf '  -     %s (%s)\n' "$1" "$2"; }

# run EXIT-CODE COMMAND...: leaves stdout and stderr in $out and $err.
run() {
	local expected=$1 status=0
	shift
	timeout "$patience" "$@" >"$work/out" 2>"$work/err" || status=$?
	out=$(<"$work/out") err=$(<"$work/err")
	expect_equal "exit code of '${*##*/}' ($err)" "$expected" "$status"
}

# Nobody has the loop open or holds anything of it.
expect_idle() {
	expect_equal "slots, readers and writers of the idle loop" "0 0 0" "$(counter slots readers writer)"
}

# Neither the loop nor the commands 'clone' and 'play' at its ends copied anything, and nothing is left behind.
expect_no_copy() {
	expect_equal "copies and copied bytes in the loop" "0 0" "$(counter copies copied_bytes)"
	expect_equal "bytes copied by clone" 0 "$(json clone end .copied_bytes)"
	expect_equal "bytes copied by play" 0 "$(json play end .copied_bytes)"
	expect_idle
}

# pass_frames FRAMES READER-OPTIONS CLONE-OPTION...: camera -> clone -> loop -> play, which both log the frames. The reader is
# there first. How many frames it misses depends on the machine; that it shows none which the camera did not send, and
# none that is another one by now, does not.
pass_frames() {
	local frames=$1 reader_options=$2
	shift 2
	# shellcheck disable=SC2086 # several words
	start play "$bin" play -i "$loop" $reader_options -n "$frames" --frame-log "$work/play.log" --json
	await play stats
	start clone "$bin" clone -i "$camera" -o "$loop" --width 320 --height 180 --fps 30 \
		--frame-log "$work/clone.log" --json "$@"
	await clone start
	finish play
	stop clone
	expect_equal "frames that play got" "$frames" "$(json play end .frames)"
	expect_equal "faults that play saw" 0 "$(json play end '.faults | add')"
}

# expect_same_frames WRITER-LOG READER-LOG COUNT same-memory|any-memory: each frame that the reader logged is the one
# that the writer logged with the same timestamp: the same pixels and, with same-memory, the same dma-buf.
expect_same_frames() {
	local report
	report=$(awk -v memory="$4" '
		/^#/ { next }
		NR == FNR { inode[$2] = $4; hash[$2] = $5; next }
		{
			frames++
			if (!($2 in hash)) unknown++
			else if (hash[$2] != $5) different++
			else if (memory == "same-memory" && inode[$2] != $4) elsewhere++
		}
		END { printf "%d frames, %d unknown, %d different, %d elsewhere", frames, unknown, different, elsewhere }
	' "$1" "$2")
	expect_equal "frames of ${2##*/} in ${1##*/}" "$3 frames, 0 unknown, 0 different, 0 elsewhere" "$report"
}

# The names of the paths of the memory, from the program: one that is added is tested.
every_path() {
	run 2 "$bin" clone -i 0 -o 1 --strategy none
	grep -oE '\{[^}]*\}' <<<"$err" | tr -d '{}' | tr ',' '\n'
}
