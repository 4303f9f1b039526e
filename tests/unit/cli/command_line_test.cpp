// SPDX-License-Identifier: MIT
#include "cli/command_line.h"

#include "cli/exit_code.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace v4l2dma;

namespace {

std::optional<int> parse(CommandLine& line, std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    return line.parse(arguments);
}

} // namespace

TEST_CASE("a good command line goes on, with its options set") {
    CommandLine line("test", "For this test");
    line.add_json();
    int number = 0;
    std::vector<std::string> rest;
    line.app().add_option("-n,--number", number)->check(CLI::Range(1, 9));
    line.app().add_option("words", rest);
    CHECK_FALSE(parse(line, {"--json", "-n", "3", "--color", "never", "a", "b"}));
    CHECK(line.json());
    CHECK_FALSE(line.verbose());
    CHECK(number == 3);
    CHECK(rest == std::vector<std::string>{"a", "b"});
}

TEST_CASE("whatever CLI11 objects to is a usage error, never an exception") {
    const std::vector<std::vector<std::string>> wrong = {
        {"-n", "0"}, {"-n", "x"}, {"-n"}, {"--nmber", "3"}, {"word"}, {"--color", "blue"}, {"-n=3", "-z"}};
    for (const auto& words : wrong) {
        CommandLine line("test", "For this test");
        line.add_json();
        int number = 0;
        line.app().add_option("-n,--number", number)->check(CLI::Range(1, 9));
        CHECK(parse(line, words) == to_int(ExitCode::usage));
    }
}
