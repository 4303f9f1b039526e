# shellcheck shell=bash disable=SC2154 # bin, work, out, err are of tests/cli/run
# SPDX-License-Identifier: MIT
#
# The first word: commands, help, version; and what holds for every command.

all_commands=(load clone play inspect)

test_help() {
	local command
	run 0 "$bin" --help
	for command in "${all_commands[@]}"; do
		expect_match "help" "^  $command +[A-Z]" "$(grep "^  $command" <<<"$out")"
	done
	expect_match "help" 'Exit codes' "$out"
	expect_equal "stderr" "" "$err"
	local help=$out
	run 0 "$bin" -h
	expect_equal "-h" "$help" "$out"
	run 0 "$bin" help
	expect_equal "help" "$help" "$out"
}

test_help_of_every_command() {
	local command
	for command in "${all_commands[@]}"; do
		run 0 "$bin" "$command" --help
		expect_match "usage" "Usage: v4l2dma $command" "$out"
		expect_equal "stderr" "" "$err"
	done
}

test_version() {
	local command
	run 0 "$bin" --version
	expect_match "version" '^v4l2dma [0-9]+\.[0-9]+\.[0-9]+$' "$out"
	local version=$out
	for command in "${all_commands[@]}"; do
		run 0 "$bin" "$command" --version
		expect_equal "version of $command" "$version" "$out"
	done
}

test_no_command() {
	wrong 2 'no command given'
}

test_unknown_command() {
	wrong 2 "unknown command 'lod' \(did you mean 'load'\?\)" lod
	wrong 2 "unknown command 'inspcet' \(did you mean 'inspect'\?\)" inspcet
	wrong 2 "unknown command 'banana'\. See" banana
	wrong 2 "unknown option '--nothing'" --nothing
	wrong 2 "unknown command ''" ''
	wrong 2 "unknown command '\?\[31m" $'\e[31m'
}

test_wrong_option_of_every_command() {
	local command
	for command in "${all_commands[@]}"; do
		wrong 2 "See 'v4l2dma $command --help'" "$command" --no-such-option
		wrong 2 'auto,always,never' "$command" --color blue
	done
	wrong 2 "unknown option '--jsn' \(did you mean '--json'\?\)" inspect --jsn
}

test_link_named_after_a_command() {
	ln -s "$bin" "$work/v4l2dma-inspect"
	run 0 "$work/v4l2dma-inspect" --help
	expect_match "usage" 'Usage: v4l2dma inspect' "$out"
	ln -s "$bin" "$work/load"
	run 0 "$work/load" --help
	expect_match "usage" 'Usage: v4l2dma load' "$out"
}

test_output_that_is_lost() {
	local status=0
	"$bin" --help 2>"$work/err" >/dev/full || status=$?
	expect_equal "exit code with a full disk" 1 "$status"
	expect_match "full disk" 'standard output: No space left' "$(<"$work/err")"
	status=0
	"$bin" load --help 2>"$work/err" >/dev/full || status=$?
	expect_equal "exit code with a full disk" 1 "$status"
	local pipe
	exec {pipe}> >(exec true)
	wait "$!" || true # the reader is gone before the first byte
	status=0
	"$bin" --help 2>"$work/err" 1>&"$pipe" || status=$?
	expect_equal "exit code without a reader" 1 "$status"
	expect_match "no reader" 'Broken pipe' "$(<"$work/err")"
}

test_color() {
	run 2 "$bin" load --color always --nothing
	expect_match "asked for" $'\e\\[' "$err"
	run 2 "$bin" load --color never --nothing
	expect_equal "escape sequences" "" "$(tr -cd '\033' <<<"$err")"
	run 2 "$bin" load --nothing # not a terminal
	expect_equal "escape sequences" "" "$(tr -cd '\033' <<<"$err")"
}

# Where the limit lets the program start at all, it ends with a sentence.
test_memory_is_short() {
	local kilobytes status
	needs_limits
	for ((kilobytes = 12000; kilobytes < 16000; kilobytes += 40)); do
		status=0
		{
			(ulimit -v "$kilobytes" && exec "$bin" clone -i test:bars,64x64 -o null: -n 1 2>"$work/err") || status=$?
		} >"$work/out" 2>/dev/null # the shell tells of signals
		grep -q 'loading shared libraries\|cannot allocate TLS\|without an active exception' "$work/err" || # not ours to tell
			((status < 126)) || fail "exit code $status with $kilobytes kB: $(<"$work/err")"
	done
}
