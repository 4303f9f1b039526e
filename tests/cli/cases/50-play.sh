# shellcheck shell=bash disable=SC2154 # bin, work, out, err are of tests/cli/run
# SPDX-License-Identifier: MIT
#
# play, without devices. What it does with real ones is in tests/vm.

test_play_help() {
	local option
	run 0 "$bin" play --help
	for option in --input --dmabuf --width --height --display --snapshot --snapshot-frame --frames --frame-log --verify --json; do
		expect_match "help" "$option" "$out"
	done
	expect_equal "stderr" "" "$err"
}

test_play_missing_devices() {
	wrong 3 '/dev/video250: No such file' play -i 250
	wrong 3 '/nonexistent/video: No such file' play -i /nonexistent/video
	wrong 3 'no-such-label: no video device has this card label' play -i no-such-label
	wrong 3 '\?\[31mlabel: no video device' play -i $'\e[31mlabel' # what others name stays off the terminal
}

test_play_of_what_is_no_device() {
	: >"$work/file"
	local path
	for path in /dev/null "$work/file"; do
		wrong 3 "open $path: it is not a V4L2 device" play -i "$path"
	done
	wrong 3 "open $work: Is a directory" play -i "$work"
}

test_play_without_a_loop() {
	compgen -G '/dev/video*' >/dev/null && skip "this machine has video devices"
	wrong 3 'there is no loop that can be read\. .v4l2dma load. creates one' play
	wrong 3 'there is no loop that can be read' play --json
}

test_play_options_that_are_missing() {
	local option
	for option in --input --width --height --display --snapshot --snapshot-frame --frames --buffers --frame-log; do
		wrong 2 "$option needs a value" play "$option"
	done
	wrong 2 '--snapshot-frame requires --snapshot' play -i 250 --snapshot-frame 3
	wrong 2 "unexpected argument 'word'" play word
	wrong 2 '--display: window not in' play -i 250 --display window
	wrong 2 "unknown option '--fps'" play -i 250 --fps 30 # the writer's choice
	wrong 2 "unknown option '--snapshoot' \(did you mean '--snapshot'\?\)" play --snapshoot x.png
}

test_play_numbers_out_of_range() {
	local option value
	for option in --width --height --buffers --frames; do
		for value in 0 -1 1.5 text nan; do
			wrong 2 "$option: Value $value not in range" play -i 250 "$option=$value"
		done
	done
	wrong 2 '--width: Value 100000000000 not in range 1 to 16777216' play -i 250 --width 100000000000
	wrong 2 '--buffers: Value 100000000000 not in range 2 to 32' play -i 250 --buffers 100000000000
	for value in -1 text 99999999999999999999; do
		wrong 2 "--snapshot-frame: Value $value not in range" play -i 250 --snapshot x.png "--snapshot-frame=$value"
	done
	for value in -1 nan text; do
		wrong 2 "--stats-interval: Value $value not in range" play -i 250 "--stats-interval=$value"
	done
}

test_play_files_that_cannot_be_written() {
	local option
	for option in --snapshot --frame-log; do
		wrong 1 'write /nonexistent/file: No such file' play -i 250 "$option" /nonexistent/file
		wrong 1 "write $work: Is a directory" play -i 250 "$option" "$work"
	done
	: >"$work/file"
	wrong 1 "write $work/file/shot.png: Not a directory" play -i 250 --snapshot "$work/file/shot.png"
	wrong 3 '/dev/video250' play -i 250 --snapshot "$work/shot.png" --frame-log "$work/log"
	[[ ! -e $work/shot.png && ! -e $work/log ]] || fail "files without a stream"
}

test_play_json_stays_clean() {
	wrong 3 '/dev/video250' play --json -i 250 # nothing on stdout
	wrong 3 'not a V4L2 device' play --json -i /dev/null
	wrong 2 '--frames' play --json --frames 0
}

# Whoever moves frames without looking into them needs none of FFmpeg's hundred libraries.
test_play_loads_ffmpeg_for_pictures_only() {
	local abi
	run 0 ldd "$bin"
	[[ $out != *libav* && $out != *libsw* ]] || fail "FFmpeg is linked: $out"
	for abi in {58..70}; do : >"$work/libavcodec.so.$abi"; done
	export LD_LIBRARY_PATH=$work
	wrong 3 '/dev/video250' play -i 250
	wrong 4 'load libavcodec\.so\.[0-9]+: .*Pictures need FFmpeg' play -i 250 --snapshot "$work/shot.png"
	[[ ! -e $work/shot.png ]] || fail "a file without a picture"
}
