// SPDX-License-Identifier: MIT
#pragma once

#include "base/log.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <span>
#include <string>

namespace v4l2dma {

/// The command line of one subcommand: CLI11 behind the rules that all commands share.
///
///     CommandLine line("load", "Load the kernel module");
///     line.app().add_option("--devices", devices, "Number of loops")->check(CLI::Range(1, 8));
///     if (const auto code = line.parse(arguments))
///         return *code;
///
/// Every command has --help, --version, --color and -v; --help and --version go to stdout. A wrong command
/// line is one sentence on stderr and exit code 2. After parse() the log is set up as the user wants it.
/// CLI11 reports by exceptions; none leaves this class.
class CommandLine {
public:
    CommandLine(const std::string& command, const std::string& description);
    // CLI11 keeps pointers to our members.
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;

    /// For the command's own options. They are written to when parse() succeeds.
    [[nodiscard]] CLI::App& app() noexcept { return app_; }

    /// Adds `--json`; json() tells whether it was given.
    void add_json(const std::string& what = "Print JSON instead of text");

    /// @p arguments: the words after the command's name, as Command::run gets them.
    /// Empty: go on. Otherwise: everything is said, end with this exit code.
    [[nodiscard]] std::optional<int> parse(std::span<char*> arguments);

    [[nodiscard]] bool json() const noexcept { return json_; }
    [[nodiscard]] bool verbose() const noexcept { return verbose_; }

    /// For what only the command can check: logs "SENTENCE. See 'v4l2dma load --help'." and answers with
    /// ExitCode::usage.
    [[nodiscard]] int usage_error(const std::string& sentence) const;

private:
    [[nodiscard]] ColorMode color() const;
    [[nodiscard]] std::string explain(const CLI::ParseError& error) const;

    std::string command_;
    CLI::App app_;
    CLI::Option* color_option_ = nullptr; ///< owned by app_
    std::string color_ = "auto";
    bool verbose_ = false;
    bool json_ = false;
};

} // namespace v4l2dma
