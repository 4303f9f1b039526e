# shellcheck shell=bash disable=SC2154 # bin, work, out, err are of tests/cli/run
# SPDX-License-Identifier: MIT
#
# clone, without devices. What it does with real ones is in tests/vm.

test_clone_help() {
	local option
	run 0 "$bin" clone --help
	for option in --input --output --dmabuf --memory --output-memory --frames --buffers --fps --set --output-format --output-width \
		--reconnect --timeout --frame-log --verify --json; do
		expect_match "help" "$option" "$out"
	done
	expect_equal "stderr" "" "$err"
}

test_clone_options_that_are_missing() {
	wrong 2 '--input is required' clone
	wrong 2 '--input is required' clone -o null:
	wrong 2 '--output is required' clone -i /dev/null
	wrong 2 '--output is required' clone -i 1 --json
	local option
	for option in --input --output --memory --output-memory --frames --buffers --fps --width --height --format --output-format --output-width --output-height --set \
		--stats-interval --frame-log; do
		wrong 2 "$option needs a value" clone "$option"
	done
	wrong 2 "unexpected argument 'word'" clone -i 1 -o 2 word
	wrong 2 '--input is given more than once' clone -i 1 -i 2 -o 3
}

test_clone_missing_devices() {
	wrong 3 '/dev/video250: No such file' clone -i 250 -o null:
	wrong 3 '/dev/video250: No such file' clone -i /dev/null -o 250
	wrong 3 '/nonexistent/video: No such file' clone -i /nonexistent/video -o null:
	wrong 3 'no-such-label: no video device has this card label' clone -i no-such-label -o null:
	wrong 3 '/dev/video99999999999999999999: No such file' clone -i 99999999999999999999 -o null:
	wrong 2 'its name is empty' clone -i '' -o null:
	wrong 2 'its name is empty' clone -i /dev/null -o ''
}

test_clone_of_what_is_no_device() {
	: >"$work/file"
	mkfifo "$work/pipe"
	local path
	for path in /dev/null /dev/zero "$work/file" "$work/pipe"; do
		wrong 3 "open $path: it is not a V4L2 device" clone -i 250 -o "$path"
		wrong 3 "open $path: it is not a V4L2 device" clone -i "$path" -o "$path"
	done
	wrong 3 "open /dev/null: it is not a V4L2 device" clone -i /dev/null -o null:
	wrong 3 "open $work/file: .*it is no film|empty" clone -i "$work/file" -o null:
	wrong 3 'null:' clone -i null: -o null: # is no source
	expect_equal "size of the file" 0 "$(wc -c <"$work/file")"
}

test_clone_numbers_out_of_range() {
	local option value
	for option in --width --height --buffers --fps; do
		for value in 0 -1 100000000000 text nan; do
			wrong 2 "$option: Value $value not in range" clone -i 250 -o null: "$option=$value"
		done
	done
	for value in 0 -1 1.5 text nan 99999999999999999999; do
		wrong 2 "--frames: Value $value not in range" clone -i 250 -o null: "--frames=$value"
	done
	for value in -1 100000000000 text nan inf 1e999; do
		wrong 2 "--stats-interval: Value $value not in range" clone -i 250 -o null: "--stats-interval=$value"
	done
	wrong 2 '--buffers: Value 1 not in range 2 to 32' clone -i 250 -o null: --buffers 1
	wrong 2 '--buffers: Value 33 not in range 2 to 32' clone -i 250 -o null: --buffers 33
	wrong 3 '/dev/video250' clone -i 250 -o null: --frames 100000000000 # many, but a number
	wrong 3 '/dev/video250' clone -i 250 -o null: --fps 29.97 --stats-interval 0
}

test_clone_conversion() {
	local option
	for option in --output-width --output-height; do
		wrong 2 "$option: Value 100000 not in range 1 to 16384" clone -i 250 -o 251 "$option=100000"
		wrong 2 "$option: Value 0 not in range" clone -i 250 -o 251 "$option=0"
	done
	wrong 3 '/dev/video251' clone -i 250 -o 251 --output-format NV12 --output-width 640 --output-height 360
	for option in --output-format=NV12 --output-width=64 --output-height=64; do
		wrong 2 'open null:.*as they are.*Leave --output-format' clone -i test:bars -o null: "$option"
	done
	# The start event has both formats, also where nothing is converted.
	run 0 "$bin" clone -i test:bars,64x32,NV12 -o null: -n 1 --json
	expect_equal "formats" "NV12 NV12 64x32" \
		"$(jq -rs 'first | "\(.format) \(.output_format) \(.output_width)x\(.output_height)"' <<<"$out")"
}

test_clone_controls() {
	local text
	for text in word =1 =; do
		wrong 2 "--set: '$text' is not NAME=VALUE" clone -i 250 -o null: "--set=$text"
	done
	wrong 2 "unexpected argument 'gain=2'" clone -i 250 -o null: --set gain=1 gain=2
	wrong 3 '/dev/video250' clone -i 250 -o null: --set gain=1 --set 'White Balance, Automatic=no' --set button=
}

test_clone_memory() {
	local value
	for value in usrptr DMABUF 0; do
		wrong 2 '--memory: .*not in \{auto,mmap,dmabuf,userptr,rw,read\}' clone -i 250 -o null: "--memory=$value"
		wrong 2 '--output-memory: .*not in .*write' clone -i 250 -o null: "--output-memory=$value"
	done
	wrong 3 '/dev/video251' clone -i 250 -o 251 --memory dmabuf --output-memory dmabuf
	wrong 2 'contradicts mmap' clone -i 250 -o 251 --dmabuf --memory mmap --output-memory mmap
	wrong 3 '/dev/video251' clone -i 250 -o 251 --memory mmap --output-memory dmabuf
	wrong 3 '/dev/video251' clone -i 250 -o 251 --memory read --output-memory write
	wrong 2 '--strategy: .*not in .*sink-exports' clone -i 250 -o 251 --strategy best
	wrong 3 '/dev/video251' clone -i 250 -o 251 --strategy copy
}

test_clone_generated_pictures() {
	run 0 "$bin" clone -i test:bars,320x180,NV12,100 -o null: -n 5 --json
	expect_equal "format" "NV12 320x180" "$(jq -rs 'first | "\(.format) \(.width)x\(.height)"' <<<"$out")"
	expect_equal "frames, copied bytes" "5 0" "$(jq -rs 'last | "\(.frames) \(.copied_bytes)"' <<<"$out")"
	wrong 2 'test pattern bar: unknown. .*bars' clone -i test:bar -o null:
	wrong 2 'not a size' clone -i test:bars,100000x1 -o null:
	wrong 2 '--set gain=1: test:bars is a generated picture.*no controls' clone -i test:bars -o null: --set gain=1
	wrong 2 'open null:x: null: has no parameters' clone -i test:bars -o null:x
	wrong 2 'nobody: there is none of this name. There may be: system, udmabuf' clone -i test:bars -o null: --dmabuf --heap nobody
}

test_clone_memory_is_short() {
	needs_limits
	run 1 bash -c 'ulimit -v 100000 && exec "$@"' - "$bin" clone -i test:bars,8192x8192 -o null: -n 1
	expect_match "what is short" 'memory is short|Cannot allocate memory' "$err"
}

test_clone_several_outputs() {
	local many=()
	run 0 "$bin" clone -i test:bars,320x180,NV12,100 -o null: -o null: -n 5 --json
	expect_equal "what each does" "null: touches 0, null: touches 0" \
		"$(jq -rs 'first | [.sinks[] | "\(.name) \(.role) \(.copied_bytes_per_frame)"] | join(", ")' <<<"$out")"
	expect_equal "what each got" "5 0 0 null, 5 0 0 null" \
		"$(jq -rs 'last | [.sinks[] | "\(.frames) \(.dropped) \(.copied_bytes) \(.error)"] | join(", ")' <<<"$out")"
	run 0 "$bin" clone -i test:bars,320x180,NV12,100 -o null: -o null: -n 5
	expect_equal "lines for each output ($err)" "2 2" \
		"$(grep -c 'clone: null: touches, 0 bytes' <<<"$err") $(grep -c 'clone: null:: 5 frames, 0 dropped' <<<"$err")"
	run 0 "$bin" clone -i test:bars,320x180,NV12,100 -o null: -n 5 --json
	expect_equal "events of one output with sinks" 0 "$(jq -s 'map(select(has("sinks"))) | length' <<<"$out")"

	wrong 2 "unexpected argument 'null:'" clone -i 250 -o null: null:
	wrong 2 'its name is empty' clone -i 250 -o null: -o ''
	wrong 3 '/dev/video251' clone -i 250 -o null: -o 251
	wrong 2 '--output needs a value' clone -i 250 -o null: --output
	wrong 4 'null:: excluded by the memory type' clone -i test:bars -o null: -o null: --output-memory mmap
	for _ in {1..16}; do many+=(-o null:); done
	run 0 "$bin" clone -i test:bars,320x180,NV12,100 "${many[@]}" -n 2 --json
	expect_equal "outputs" 16 "$(jq -s 'last | .sinks | length' <<<"$out")"
	wrong 2 '--output: at most 16' clone -i test:bars "${many[@]}" -o null:
}

test_clone_frame_log_that_cannot_be_written() {
	wrong 1 'write /nonexistent/log: No such file' clone -i 250 -o null: --frame-log /nonexistent/log
	wrong 1 "write $work: Is a directory" clone -i 250 -o null: --frame-log "$work"
	wrong 1 "write $work/: Is a directory" clone -i 250 -o null: --frame-log "$work/"
	# A log of an earlier run is not lost over a device that is missing.
	echo earlier >"$work/log"
	wrong 3 '/dev/video250' clone -i 250 -o null: --frame-log "$work/log"
	expect_equal "the earlier log" earlier "$(<"$work/log")"
}

test_clone_json_stays_clean() {
	wrong 3 '/dev/video250' clone --json -i 250 -o null: # nothing on stdout
	wrong 2 '--frames' clone --json -i 250 -o null: --frames 0
	run 3 "$bin" clone --json -v --color always -i 250 -o null:
	expect_equal "stdout" "" "$out"
}
