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
