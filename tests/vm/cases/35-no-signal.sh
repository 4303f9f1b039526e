# shellcheck shell=bash disable=SC2154 # variables of lib/case.sh
# SPDX-License-Identifier: MIT
#
# A player that is there before the camera, and stays when it has gone.

test_camera_comes_and_goes() {
	load_camera
	load_loop timeout=200
	start play "$bin" play -i "$loop" --json --stats-interval 0.2
	await play stats '.no_signal > 0'
	start clone "$bin" clone -i "$camera" -o "$loop" --json --stats-interval 0.2
	await clone stats '.frames > 20'
	stop clone
	local silent
	silent=$(json play stats .no_signal)
	await play stats ".no_signal > $silent + 5"
	stop play
	expect_at_least "frames of the camera" 20 "$(json play end '.frames - .no_signal')"
	expect_equal "what was wrong with frames" 0 "$(json play end '.faults | add')"
	expect_equal "copies, frames and pictures together" 0 "$(json play end .loop.copied_bytes)"
	run 0 "$bin" inspect "$loop"
	expect_match "the pictures" '[0-9]+ pictures without a signal, 0 frames repeated' "$out"
	expect_match "the setting" 'a picture after 200 ms' "$out"
	expect_idle
}

test_timeout_changes_while_loops_are_there() {
	load_loop
	run 0 "$bin" load --set "$loop" --timeout 100
	start play "$bin" play -i "$loop" --json --stats-interval 0.2 -n 20
	finish play
	expect_equal "pictures" 20 "$(json play end .no_signal)"
	run 0 "$bin" load --set "$loop" --timeout 0
	run 2 "$bin" load --set "$loop" --timeout 3600001
	expect_match "the sentence" '3600001 is not possible' "$err"
	expect_idle
}
