# shellcheck shell=bash disable=SC2154 # bin, work, out, err are of tests/cli/run
# SPDX-License-Identifier: MIT
#
# inspect, without devices. What it says of real ones is in tests/vm.

test_inspect_wrong_devices() {
	wrong 3 '/dev/video250: No such file' inspect /dev/video250
	wrong 3 '/dev/video250: No such file' inspect 250
	wrong 3 'not a V4L2 device' inspect /dev/null
	wrong 3 '/nonexistent: No such file' inspect /nonexistent
}

test_inspect_answers_for_the_others() {
	run 3 "$bin" inspect --json /dev/null /dev/video250
	expect_equal "sentences" 2 "$(wc -l <<<"$err")"
	expect_equal "document" '{"devices":[]}' "$(tr -d ' \n' <<<"$out")"
}

test_inspect_no_devices() {
	compgen -G '/dev/video*' >/dev/null && skip "this machine has video devices"
	wrong 3 'there is no video device' inspect
	wrong 3 'there is no video device' inspect --json
}
