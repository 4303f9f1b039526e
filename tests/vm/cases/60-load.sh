# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# load and --unload.

test_load_unload() {
	run 0 "$bin" load --devices 2 --video-nr 20,21 --card-label 'first one,second' --exclusive-caps 1,0
	expect_match "which devices came" '/dev/video20' "$out$err"
	expect_match "which devices came" '/dev/video21' "$out$err"
	expect_match "label" 'first one' "$(v4l2-ctl -d /dev/video20 --info)"
	expect_match "label" 'second' "$(v4l2-ctl -d /dev/video21 --info)"
	run 3 "$bin" load
	expect_match "loaded already" 'loaded' "$err"
	run 0 "$bin" load --reload --video-nr 30
	[[ -e /dev/video30 && ! -e /dev/video20 ]] || fail "--reload did not make other nodes"
	run 0 "$bin" load --unload
	[[ ! -e /dev/video30 && ! -d /sys/module/v4l2dma ]] || fail "--unload left something"
	run 3 "$bin" load --unload
	expect_match "not loaded" 'not loaded' "$err"
}

test_load_from_a_path() {
	run 0 "$bin" load --module "$(modinfo -n v4l2dma)" --devices 1
	[[ -d /sys/module/v4l2dma ]] || fail "not loaded"
}

test_load_refused() {
	run 3 "$bin" load --module /nowhere/v4l2dma.ko
	expect_match "missing file" '/nowhere/v4l2dma.ko' "$err"
	echo "no module" >"$work/broken.ko"
	run 3 "$bin" load --module "$work/broken.ko"
	expect_match "broken file" 'broken.ko' "$err"
	run 3 setpriv --reuid 65534 --regid 65534 --clear-groups "$bin" load
	expect_match "who may" 'root' "$err"
	run 2 "$bin" load --devices 33
	run 2 "$bin" load --min-buffers 9 --max-buffers 4
	[[ ! -d /sys/module/v4l2dma ]] || fail "it was loaded all the same"
}

# A module whose init fails is freed even while somebody has a node open: there must have been none.
test_bad_parameter_of_the_last_loop() {
	local labels
	modprobe -r vivid # its node is the one that is looked for
	labels=$(printf 'loop%d,' {1..31})
	while true; do
		if [[ -e /dev/video0 ]]; then echo seen >"$work/seen"; fi
	done &
	modprobe v4l2dma devices=32 card_label="$labels" 2>/dev/null && fail "an empty label was accepted"
	kill %%
	[[ ! -e $work/seen ]] || fail "a node was there for a moment"
	modprobe v4l2dma devices=32 "card_label=${labels}last"
	expect_equal "loops" 32 "$("$bin" inspect --json | jq '[.devices[] | select(.loop)] | length')"
}

test_module_refuses_bad_parameters() {
	local parameter
	for parameter in devices=33 min_buffers=1 max_buffers=33 max_readers=0 allowed_gid=-7 reclaim_ms=0 \
		card_label=0123456789012345678901234567890123456789 video_nr=-2; do
		dmesg -C
		modprobe v4l2dma "$parameter" 2>/dev/null && fail "$parameter was accepted"
		expect_equal "lines in the log about $parameter" 1 "$(dmesg | grep -c "v4l2dma:.*${parameter%%=*}")"
	done
}

test_loops_come_and_go() {
	run 0 "$bin" load --video-nr 20
	run 0 "$bin" load --add --video-nr 21 --card-label added --nodes split --capture-nr 22 --overrun lossless --max-width 640
	expect_match "which nodes came" '/dev/video21 -> /dev/video22 +added' "$out"
	expect_match "what readers see" 'added' "$(v4l2-ctl -d /dev/video22 --info)"
	run 0 "$bin" load --list
	expect_equal "lines of --list ($out)" 2 "$(wc -l <<<"$out")"
	expect_match "--list" '/dev/video20 +v4l2dma loop 0 +YUYV 640x480, 0 of 8 readers, writer none' "$out"
	run 0 "$bin" load --list --json
	expect_equal "settings" "split lossless 640 8192 22" \
		"$(jq -r '.devices[1] | "\(.nodes) \(.overrun) \(.max_width) \(.max_height) \(.capture_device[10:])"' <<<"$out")"

	run 0 "$bin" load --set added --max-readers 2 --allowed-gid 1234
	run 3 setpriv --reuid 65534 --regid 65534 --clear-groups "$bin" play -i /dev/video22
	expect_match "who may" 'Permission denied' "$err"
	run 0 "$bin" load --set 22 --allowed-gid none --json
	expect_equal "changed, by the readers' node" "null 2" "$(jq -r '"\(.allowed_gid) \(.max_readers)"' <<<"$out")"

	run 0 "$bin" inspect added
	expect_match "inspect" 'set to +split nodes /dev/video21 -> /dev/video22, lossless' "$out"

	start play "$bin" play -i /dev/video20 --json
	loop=/dev/video20 await_counter openers 0 -gt
	run 3 "$bin" load --remove /dev/video20
	expect_match "in use" "remove /dev/video20: somebody has it open.*fuser.*--force" "$err"
	run 0 "$bin" load --remove /dev/video20,added --force
	[[ ! -e /dev/video20 && ! -e /dev/video21 && ! -e /dev/video22 ]] || fail "nodes are left"
	finish play 3
	run 3 "$bin" load --remove /dev/video20
	expect_match "removed twice" "find the loop /dev/video20: .*'v4l2dma load --list'" "$err"
	run 0 "$bin" load --list
	expect_equal "--list of nothing" "" "$out"

	run 0 "$bin" load --add --video-nr 20 --multiplanar 1
	expect_match "capabilities" 'Video Capture Multiplanar' "$(v4l2-ctl -d /dev/video20 --info)"
	run 0 "$bin" inspect /dev/video20
	expect_match "inspect" 'set to +multi-planar' "$out"
	run 0 "$bin" load --list --json
	expect_equal "settings" true "$(jq -r '.devices[0].multiplanar' <<<"$out")"
	run 3 setpriv --reuid 65534 --regid 65534 --clear-groups "$bin" load --add
	expect_match "who may" 'as root' "$err"
}

test_numbers_that_are_taken() {
	run 0 "$bin" load --video-nr 20,21
	run 0 "$bin" load --add --video-nr 20
	expect_match "another number" 'warning: /dev/video20 is taken, the loop became /dev/video[0-9]+$' "$err"
	run 0 "$bin" load --add --nodes split --video-nr 30 --capture-nr 21
	expect_match "another number for readers" \
		"warning: /dev/video21 is taken, the readers' node of /dev/video30 became /dev/video[0-9]+\$" "$err"
	run 0 "$bin" load --reload --nodes split --video-nr 30,31 --capture-nr 40,41
	expect_equal "warnings about numbers that are free" "" "$err"
}

test_loops_that_are_none() {
	local command name
	load_camera
	load_loop
	for command in '--remove' '--debug 1 --set'; do
		for name in "$camera" 0 /dev/null /dev/video99 99 "$work" nobody; do
			# shellcheck disable=SC2086 # options and a value
			run 3 "$bin" load $command "$name"
			expect_match "$command $name" "find the loop .*'v4l2dma load --list' lists them" "$err"
		done
	done
	rm "$loop" # as where /dev is no devtmpfs
	run 0 "$bin" load --remove 10
}

# A node that is opened must not become the standard stream that is missing, and take text for pixels.
# shellcheck disable=SC2016 # for the inner shell
test_answers_that_cannot_be_written() {
	load_camera
	load_loop
	run 1 bash -c '"$0" load --add --video-nr 20 >/dev/full' "$bin"
	expect_match "loop without an answer" 'No space left.*/dev/video20 is made all the same' "$err"
	run 1 bash -c '"$0" load --remove 20 --json >/dev/full' "$bin"
	expect_match "no loop without an answer" 'removed all the same: /dev/video20' "$err"
	run 1 bash -c '"$0" load --set 10 --debug 1 >&-' "$bin"
	expect_match "closed stdout" 'Bad file descriptor.*is changed all the same' "$err"
	run 1 bash -c '"$0" clone -i "$1" -o "$2" --frames 1 --json <&- >&-' "$bin" "$camera" "$loop"
	expect_match "closed stdout of what moves frames" 'standard output: Bad file descriptor' "$err"
}
