// SPDX-License-Identifier: MIT
#include "cli/command_line.h"

#include "base/suggest.h"
#include "cli/exit_code.h"
#include "cli/output.h"

#include <algorithm>
#include <vector>

namespace v4l2dma {

namespace {

/// Prints what the user asked for by --help or --version.
int answer(const std::string& text) {
    const Status written = write_stdout(text);
    return written ? to_int(ExitCode::done) : report(written.error());
}

std::vector<std::string> long_options(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames())
            names.push_back("--" + name);
    return names;
}

} // namespace

CommandLine::CommandLine(const std::string& command, const std::string& description)
    : command_("v4l2dma " + command), app_(description, command_) {
    app_.set_help_flag("-h,--help", "Print this help");
    app_.set_version_flag("--version", "v4l2dma " V4L2DMA_VERSION, "Print the version");
    color_option_ = app_.add_option("--color", color_, "Colours on stderr: auto, always or never")
                        ->check(CLI::IsMember({"auto", "always", "never"}))
                        ->option_text("WHEN");
    app_.add_flag("-v,--verbose", verbose_, "Also say what was tried and why it was not taken");
}

void CommandLine::add_json(const std::string& what) {
    app_.add_flag("--json", json_, what);
}

std::optional<int> CommandLine::parse(std::span<char*> arguments) {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend()); // as CLI11 wants them
    try {
        app_.parse(std::move(reversed));
    } catch (const CLI::CallForVersion& version) {
        return answer(std::string(version.what()) + "\n");
    } catch (const CLI::Success&) {
        return answer(app_.help());
    } catch (const CLI::ParseError& error) {
        init_log(color(), verbose_);
        return usage_error(explain(error));
    }
    init_log(color(), verbose_);
    return std::nullopt;
}

int CommandLine::usage_error(const std::string& sentence) const {
    spdlog::error("{}. See '{} --help'", printable(sentence), command_);
    return to_int(ExitCode::usage);
}

ColorMode CommandLine::color() const {
    // From the raw words: after a wrong command line CLI11 may not have come to assign color_.
    const std::vector<std::string> words = color_option_->results();
    const std::string word = words.empty() ? color_ : words.back();
    if (word == "always")
        return ColorMode::always;
    return word == "never" ? ColorMode::never : ColorMode::automatic;
}

std::string CommandLine::explain(const CLI::ParseError& error) const {
    const std::string text = error.what();
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && text.ends_with("missing"))
        return text.substr(0, text.find(':')) + " needs a value";
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && text.contains(": At Most 1 "))
        return text.substr(0, text.find(':')) + " is given more than once";
    constexpr std::string_view conversion = "Could not convert: "; // "--devices = many"
    if (const auto equals = text.find(" = "); text.starts_with(conversion) && equals != std::string::npos)
        return text.substr(conversion.size(), equals - conversion.size()) + " cannot be '" +
               text.substr(equals + 3) + "'";
    if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr)
        return text;
    const std::vector<std::string> words = app_.remaining();
    if (words.empty())
        return text;
    const std::string& word = words.front();
    if (!word.starts_with("-"))
        return "unexpected argument '" + word + "'";
    const std::string name = word.substr(0, word.find('='));
    const std::vector<std::string> options = long_options(app_);
    const std::vector<std::string_view> known(options.begin(), options.end());
    const std::string_view near = nearest(name, known);
    const std::string unknown = "unknown option '" + name + "'";
    return near.empty() ? unknown : unknown + " (did you mean '" + std::string(near) + "'?)";
}

} // namespace v4l2dma
