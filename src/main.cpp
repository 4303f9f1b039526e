// SPDX-License-Identifier: MIT
#include "base/log.h"
#include "base/suggest.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/table.h"
#include "commands/commands.h"

#include <algorithm>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

using namespace v4l2dma;

namespace {

const Command* find_command(std::string_view name) {
    const auto all = commands();
    const auto found = std::ranges::find(all, name, &Command::name);
    return found == all.end() ? nullptr : &*found;
}

std::string help() {
    Table table;
    for (const Command& command : commands())
        table.add({std::string(command.name), std::string(command.summary)});
    return "Move video frames between V4L2 devices without copying them.\n\n"
           "Usage: v4l2dma COMMAND [OPTION..]\n"
           "       v4l2dma COMMAND --help\n"
           "       v4l2dma --help | --version\n\n"
           "Commands:\n" +
           table.text(2) +
           "\nExit codes:\n"
           "  0 done, 1 failed while running, 2 usage, 3 device or module missing or unusable,\n"
           "  4 demanded zero-copy or feature not available, 5 peer or protocol error\n";
}

/// What was asked for goes to stdout.
int answer(const std::string& text) {
    const Status written = write_stdout(text);
    return written ? to_int(ExitCode::done) : report(written.error());
}

int unknown_word(std::string_view word) {
    std::vector<std::string_view> names;
    for (const Command& command : commands())
        names.push_back(command.name);
    const std::string_view near = nearest(word, names);
    const std::string hint = near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near);
    const std::string_view kind = word.starts_with("-") ? "option" : "command";
    spdlog::error("unknown {} '{}'{}. See 'v4l2dma --help'", kind, printable(word), hint);
    return to_int(ExitCode::usage);
}

/// "clone" for a program that is called clone or v4l2dma-clone, through a link.
const Command* command_of_program(std::string_view path) {
    std::string_view name = path.substr(path.find_last_of('/') + 1);
    constexpr std::string_view prefix = "v4l2dma-";
    if (name.starts_with(prefix))
        name.remove_prefix(prefix.size());
    return find_command(name);
}

int dispatch(std::span<char*> words) {
    if (!words.empty()) {
        if (const Command* command = command_of_program(words.front()))
            return command->run(words.subspan(1));
        words = words.subspan(1);
    }
    if (words.empty()) {
        spdlog::error("no command given. See 'v4l2dma --help'");
        return to_int(ExitCode::usage);
    }
    const std::string_view word = words.front();
    if (word == "--help" || word == "-h" || word == "help")
        return answer(help());
    if (word == "--version")
        return answer("v4l2dma " V4L2DMA_VERSION "\n");
    const Command* command = find_command(word);
    return command != nullptr ? command->run(words.subspan(1)) : unknown_word(word);
}

/// Whoever starts us with a standard stream closed would have the next file that is opened there: a video
/// node that takes our text for pixels. Reading from stdin and writing to the others still fails, as if
/// closed.
void occupy_standard_streams() {
    // open() takes the lowest number that is free, which is the one; if it fails, nothing helps.
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(stream, F_GETFD) < 0)
            (void)::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/// What no Status reports: memory that is short, mostly.
int run(std::span<char*> words) {
    try {
        init_log(ColorMode::automatic, false); // until the command has read --color and -v
        return dispatch(words);
    } catch (const std::bad_alloc&) {
        spdlog::error("memory is short: an allocation failed (is there a limit, as of `ulimit -v`?)");
    } catch (const std::exception& error) {
        spdlog::error("unexpected: {}", error.what());
    }
    return to_int(ExitCode::failed);
}

} // namespace

int main(int argc, char* argv[]) {
    occupy_standard_streams();
    // A closed pipe, or a file at its limit (ulimit -f), is an error that a command reports, not a signal
    // that kills it with buffers queued.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    return run(std::span(argv, static_cast<std::size_t>(argc)));
}
