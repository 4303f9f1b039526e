# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# A camera's controls, set by the command and read back by v4l2-ctl; and what the library finds at vivid's inputs.

probe=$tree/build/tests/vm/input/v4l2dma_input_probe

# set_controls EXIT-CODE NAME=VALUE...: by clone, which then takes one frame.
set_controls() {
	local code=$1 wish options=()
	shift
	for wish in "$@"; do
		options+=(--set "$wish")
	done
	run "$code" "$bin" clone -i "$camera" -o null: -n 1 "${options[@]}"
}

# expect_control NAME VALUE: as v4l2-ctl prints it.
expect_control() { expect_equal "$1" "$1: $2" "$(v4l2-ctl -d "$camera" -C "$1")"; }

# Whatever an earlier case left.
reset_controls() {
	v4l2-ctl -d "$camera" -i 0 >input.log
	v4l2-ctl -d "$camera" -c brightness=128,boolean=1,integer_32_bits=0,integer_64_bits=0,menu=3,integer_menu=4
	v4l2-ctl -d "$camera" -c bitmask=0,string=none,gain_automatic=1,dv_timings_signal_mode=0,standard_signal_mode=0
}

test_controls_of_each_type() {
	load_camera
	reset_controls
	set_controls 0 brightness=10 'Integer 32 Bits=-2147483648' integer_64_bits=-9223372036854775808 boolean=off \
		menu='menu item 4' integer_menu=42 bitmask=0x80402010 'string=a,b' 0x0098f900=1
	expect_control brightness 10
	expect_control integer_32_bits -2147483648
	expect_control integer_64_bits -9223372036854775808
	expect_control boolean 0
	expect_control menu '4 (Menu Item 4)'
	expect_control integer_menu '8 (42 0x2a)'
	expect_control bitmask -2143281136
	expect_control string "'a,b'"
	set_controls 0 brightness=0xff boolean=YES menu=1 integer_menu=3 bitmask=0x10 'string=ab' 'Button='
	expect_control brightness 255
	expect_control boolean 1
	expect_control menu '1 (Menu Item 1)'
	expect_control integer_menu '3 (3 0x3)'
	expect_control bitmask 16
	expect_control string "'ab'"
}

# The gain counts only without its automatic, in whatever order the two are said.
test_controls_that_depend_on_others() {
	load_camera
	reset_controls
	set_controls 2 gain=7
	expect_match "what clone says" 'gain=7: it has no effect .* another control rules it' "$err"
	set_controls 2 brightness=1 gain=7
	expect_control brightness 128 # it was set, and set back
	set_controls 0 gain=7 gain_automatic=off
	expect_control gain 7
	expect_control gain_automatic 0
	set_controls 0 gain=8 # it is active now
	expect_control gain 8
}

# refused SENTENCE WISH: in the middle of a line that is right otherwise; exit code 2, and nothing is set.
refused() {
	set_controls 2 brightness=1 "$2" menu=4 disconnect=1
	expect_match "what clone says of $2" "$1" "$err"
	expect_equal "lines on stderr" 1 "$(wc -l <<<"$err")"
	expect_control brightness 128
	expect_control menu '3 (Menu Item 3)'
}

test_controls_that_are_wrong() {
	load_camera
	reset_controls
	refused 'no such control. Did you mean brightness\?' brightnes=1
	refused 'no such control. Did you mean .*gain_automatic' automatic=1
	refused "\`v4l2dma inspect $camera\` lists all [0-9]+" xyzzy=1
	refused 'no such control' 0x12345678=1
	refused 'is not NAME=VALUE' contrast
	refused 'is not NAME=VALUE' =1
	refused 'contrast=256: it takes 0 to 255' contrast=256
	refused 'contrast=: it takes 0 to 255' contrast=
	refused 'contrast=1.5: it takes' contrast=1.5
	refused 'it takes -2147483648 to 2147483647' integer_32_bits=2147483648
	refused 'it takes -9223372036854775808 to' integer_64_bits=9223372036854775808
	refused 'it takes 0 or 1' boolean=2
	refused 'it takes 2 \(2\), 3 \(3\), 4 \(5\), 5 \(8\)' integer_menu=1
	refused 'it takes 0 \(All\), 1 \(Counters Only\), 2 \(None\)' osd_text_mode=some
	refused 'it takes bits of 0x80402010' bitmask=1
	refused 'it takes 2 to 4 bytes of text' string=a
	refused 'it takes 2 to 4 bytes of text' string=abcde
	refused 'a button: 1 presses it' button=0
	refused 'an array or a structure' u16_8x16_matrix=1
	! v4l2-ctl -d "$camera" -l | grep -q s64_5_element_array || # 6.1 has none of integers
		refused 'an array or a structure' s64_5_element_array=1
	refused 'an array or a structure' area=1
	refused 'it can only be read' read_only_integer_32_bits=1
	refused 'given more than once' 0x00980900=3
}

test_controls_stay_with_the_format() {
	load_camera
	reset_controls
	run 0 "$bin" clone -i "$camera" -o null: -n 1 --width 640 --height 360 --set brightness=77 --set string=wide
	expect_control brightness 77
	expect_match "format" 'Width/Height +: 640/360' "$(v4l2-ctl -d "$camera" -V)"
}

# The same as v4l2-ctl lists.
test_controls_that_inspect_lists() {
	load_camera
	reset_controls
	run 0 "$bin" inspect "$camera" --json
	v4l2-ctl -d "$camera" -l | sed -n 's/^ *\([a-z0-9_]*\) 0x\([0-9a-f]*\) (.*/\1/p' | sort >expected
	# v4l2-ctl 1.22 cannot read an array of integers, and leaves it out.
	jq -r '.devices[0].controls[].name | select(. != "s32_2_element_array")' <<<"$out" | sort >listed
	expect_equal "controls" "" "$(diff expected listed)"
	expect_equal "the menu" '[1,3,4]' \
		"$(jq -c '.devices[0].controls[] | select(.name == "menu") | [.items[].index]' <<<"$out")"
	expect_equal "the gain" '["inactive","volatile"]' \
		"$(jq -c '.devices[0].controls[] | select(.name == "gain") | .flags' <<<"$out")"
	run 0 "$bin" inspect "$camera"
	expect_match "brightness for people" 'brightness +128; integer, 0 to 255, default 128' "$out"
	run 0 "$bin" inspect --json
	expect_equal "controls of a device that was not named" null "$(jq -c '.devices[0].controls' <<<"$out")"
}

test_devices_by_bus_info() {
	local bus
	load_camera
	bus=$(v4l2-ctl -d "$camera" -D | sed -n '/Bus info/{s/^.*: //p;q}')
	run 0 "$bin" inspect "$bus" --json
	expect_equal "device" "$camera" "$(jq -r '.devices[0].device' <<<"$out")"
	run 0 "$bin" clone -i "$bus" -o null: -n 1
	run 3 "$bin" clone -i "${bus%0}" -o null: -n 1
	expect_match "what clone says" "no video device has this card label or bus info. Did you mean $bus\?" "$err"
}

# signal INPUT WISH...: what is there after the wishes, and the events that they made.
signal() {
	v4l2-ctl -d "$camera" -i "$1" >input.log
	run 0 "$probe" "$camera" "${@:2}"
}

test_signals_of_a_digital_input() {
	load_camera
	reset_controls
	signal 3 'dv_timings_signal_mode=No Signal'
	expect_match "input" 'input HDMI [-0-9]+ timings' "$out"
	expect_match "event" 'source change, input 3, resolution' "$out"
	expect_match "signal" 'signal there is no signal' "$out"
	signal 3 'dv_timings_signal_mode=No Lock'
	expect_match "signal" 'signal .* unstable' "$out"
	signal 3 'dv_timings_signal_mode=Out of Range'
	expect_match "signal" 'signal .* beyond' "$out"
	signal 3 dv_timings=1280x720p50 'dv_timings_signal_mode=Selected DV Timings'
	expect_match "signal" 'signal the signal is understood' "$out"
	expect_match "timings" 'timings 1280x720p50' "$out"
	expect_match "timings that v4l2-ctl sees" 'Active width: 1280.*Active height: 720' \
		"$(v4l2-ctl -d "$camera" --get-dv-timings | tr '\n' ' ')"
	reset_controls
}

test_signals_of_an_analogue_input() {
	load_camera
	reset_controls
	signal 1
	expect_match "input" 'input TV [-0-9]+ standards' "$out"
	expect_match "standard" 'standard (PAL|NTSC)' "$out"
	signal 1 'standard_signal_mode=No Signal'
	expect_match "signal" 'signal there is no signal' "$out"
	reset_controls
	run 0 "$probe" "$camera" # a camera has neither
	expect_match "input" 'input Webcam [-0-9]+$' "$out"
}
