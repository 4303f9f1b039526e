// SPDX-License-Identifier: MIT
//
// What becomes of a V4l2Source when its input changes, its signal is lost, or its device is unplugged.
#include "flow/v4l2_source.h"

#include "base/log.h"
#include "v4l2/event.h"

#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

// Where device nodes come and go.
constexpr const char* node_folder = "/dev";

bool is_gone(const Error& error) {
    return error.code == ENODEV || error.code == ENXIO || error.code == ENOENT;
}

} // namespace

// Most cameras have no such events; then their frames alone tell.
Status V4l2Source::listen() {
    const Result<std::optional<VideoInput>> input = current_input(device_);
    if (!input)
        return std::unexpected(input.error());
    const Result<bool> subscribed =
        subscribe(device_, {.kind = EventKind::source_change, .id = *input ? (*input)->index : 0});
    return subscribed ? Status{} : std::unexpected(subscribed.error());
}

// While it is there: afterwards nobody can tell which it was.
Status V4l2Source::remember_device() {
    if (!wishes_.reconnect)
        return {};
    identity_ = identify(device_);
    if (!identity_)
        return make_error(ErrorKind::device, "open", device_.path(), "it went away");
    Result<FolderWatch> watch = FolderWatch::create(node_folder);
    if (!watch)
        return std::unexpected(std::move(watch.error()));
    watch_.emplace(std::move(*watch));
    return {};
}

bool V4l2Source::format_changed() const {
    const Result<FrameFormat> current = get_format(device_, BufferType::capture);
    return current && !(*current == format_);
}

Result<bool> V4l2Source::announced() {
    bool resolution = false;
    while (true) {
        const Result<std::optional<Event>> event = dequeue_event(device_);
        if (!event)
            return explain(event.error());
        if (!*event)
            return resolution;
        if (const auto* change = std::get_if<SourceChange>(&(*event)->what))
            resolution = resolution || change->resolution;
    }
}

// Drivers also announce what we set ourselves, and what was over before we looked.
Result<bool> V4l2Source::changed() {
    const Result<bool> told = announced();
    if (!told || !*told)
        return told;
    const Result<InputSignal> signal = look_at_signal(device_);
    if (!signal && signal.error().code == EBUSY) // adv7180 looks only while it does not stream
        return true;
    if (!signal)
        return std::unexpected(signal.error());
    return !signal->usable() || !signal->other.empty() || format_changed();
}

bool V4l2Source::may_come_back(const Error& error) const {
    if (error.object != device_.path() && !error.object.starts_with(device_.path() + " "))
        return false; // the other end's
    if (is_gone(error))
        return identity_.has_value();
    return is_taken(error) || format_changed();
}

// Some desktops look at each camera that is plugged in, and may be quicker than we are. A device that is busy
// at the start is another matter: nobody says that it will ever be free.
bool V4l2Source::is_taken(const Error& error) const noexcept {
    return plugged_again_ && error.code == EBUSY;
}

// A device that goes again while it is looked at is waited for again.
Result<bool> V4l2Source::come_back() {
    if (ready_) {
        ready_ = false; // the next time it will have streamed
        return true;
    }
    Result<bool> ready = get_ready();
    taken_ = !ready && is_taken(ready.error());
    if (taken_)
        return false;
    if (!ready && is_gone(ready.error()) && identity_) {
        device_.close(); // its driver may wait for that
        return false;
    }
    return ready;
}

Result<bool> V4l2Source::get_ready() {
    Result<bool> there = find_again();
    if (!there || !*there)
        return there;
    Result<bool> signal = follow_input();
    if (!signal || !*signal)
        return signal;
    if (Status status = set_up(); !status) {
        // What was asked for was right when the device was opened.
        if (status.error().kind == ErrorKind::usage)
            status.error().kind = ErrorKind::system;
        return std::unexpected(std::move(status.error()));
    }
    return true;
}

// The device under its old or another number, if it had gone.
Result<bool> V4l2Source::find_again() {
    v4l2_capability capability{};
    if (!identity_ || (device_.fd() >= 0 && device_.try_ioctl(VIDIOC_QUERYCAP, &capability) >= 0))
        return true;
    device_.close(); // its driver may wait for that
    watch_->drain(); // before looking: what comes while we look is seen the next time
    Result<Device> found = find_device(*identity_, device_.system());
    if (!found || !found->require(BufferType::capture))
        return false;
    device_ = std::move(*found);
    plugged_again_ = true;
    if (Status status = listen(); !status)
        return std::unexpected(std::move(status.error()));
    spdlog::info("{} is there again", device_.path());
    return true;
}

Result<bool> V4l2Source::follow_input() {
    if (Result<bool> seen = announced(); !seen) // before looking: what comes after that is another change
        return seen;
    Result<InputSignal> signal = look_at_signal(device_);
    if (!signal)
        return std::unexpected(std::move(signal.error()));
    signal_ = std::move(*signal);
    if (Status status = follow_signal(device_, signal_); !status)
        return std::unexpected(std::move(status.error()));
    if (!signal_.other.empty())
        spdlog::info("{}: {} carries {}", device_.path(), signal_.input, signal_.other);
    return signal_.usable();
}

// Not EPOLLIN of a device: to ask for it begins a stream for read(), which keeps the buffers.
FdEvent V4l2Source::comeback_event() const noexcept {
    if (device_.fd() < 0 && watch_)
        return {.fd = watch_->fd(), .events = EPOLLIN};
    return {.fd = device_.fd(), .events = EPOLLPRI};
}

std::string V4l2Source::awaited() const {
    if (device_.fd() < 0)
        return fmt::format("{} to be plugged in again", device_.path());
    if (taken_)
        return fmt::format("another program to let go of {}", device_.path());
    return fmt::format("a signal at {} of {}: {}", signal_.input, device_.path(),
                       to_sentence(signal_.signal));
}

} // namespace v4l2dma
