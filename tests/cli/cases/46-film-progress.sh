# shellcheck shell=bash disable=SC2154 # bin, work, out, err are of tests/cli/run
# SPDX-License-Identifier: MIT
#
# How far a film is: of one that ends, for people and for machines.

# 20 pictures of 16x16, 25 a second.
write_film() {
	local i
	printf 'YUV4MPEG2 W16 H16 F25:1 Ip A1:1 C420jpeg\n'
	for ((i = 0; i < 20; ++i)); do
		printf 'FRAME\n'
		head -c 384 /dev/zero
	done
}

test_progress() {
	write_film >film.y4m
	run 0 "$bin" clone -i film.y4m -o null: --stats-interval 0.1 --json
	expect_equal "statistics that go on from 0 to 1" true \
		"$(jq -s 'map(select(.event == "stats").progress) | length > 3 and . == sort and first < 0.5 and last > 0.5 and last <= 1' <<<"$out")"
	run 0 "$bin" clone -i film.y4m -o null: --stats-interval 0.1
	expect_match "plain lines" $'\n'[1-9][0-9]?'%  '[0-9.]+' fps' "$err"
	expect_equal "bars in plain lines" 0 "$(grep -c '\[#' <<<"$err" || true)"
	run 0 script -qec "$bin clone -i film.y4m -o null: --stats-interval 0.1" /dev/null
	expect_match "the bar" '\[####*-*\] [1-9][0-9]?%  0:0[01] left  [0-9.]+ fps' "$out"
}

test_no_progress() {
	write_film >film.y4m
	run 0 "$bin" clone -i film.y4m -o null: --loop -n 30 --stats-interval 0.1 --json
	expect_equal "progress of what has no end" '[null]' "$(jq -sc 'map(select(.event == "stats").progress) | unique' <<<"$out")"
	run 0 "$bin" clone -i test:bars,64x48,YUYV,30 -o null: -n 10 --stats-interval 0.1 --json
	expect_equal "progress of what has no end" '[null]' "$(jq -sc 'map(select(.event == "stats").progress) | unique' <<<"$out")"
}
