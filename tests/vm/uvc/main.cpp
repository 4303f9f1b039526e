// SPDX-License-Identifier: MIT
// A USB camera for the guest's uvcvideo: the device is this program, the cable the kernel's USB/IP host
// controller (vhci_hcd), whose isochronous transfers carry the pictures as those of a real camera do.
//
// Usage: v4l2dma_uvc_camera [--log FILE] [--damage cut|flagged|lost N]
//
//   --log FILE      a line for each picture that was sent: number, bytes, hash, "ok" or how it was damaged
//   --damage KIND N damage each N-th picture
//
// Needs vhci_hcd and uvcvideo loaded. Prints a line of JSON for each video node that comes or goes and for
// each start of the stream. SIGTERM pulls the cable out; the program ends when the kernel has removed the
// nodes.
#include "camera.h"
#include "stream.h"
#include "usbip.h"
#include "video_nodes.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <string_view>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

namespace {

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "v4l2dma_uvc_camera: %s: %s\n", what, std::strerror(errno));
    std::exit(1);
}

[[noreturn]] void usage() {
    std::fputs("Usage: v4l2dma_uvc_camera [--log FILE] [--damage cut|flagged|lost N]\n", stderr);
    std::exit(2);
}

Damage damage_of(std::string_view word) {
    if (word == "cut")
        return Damage::cut;
    if (word == "flagged")
        return Damage::flagged;
    if (word != "lost")
        usage();
    return Damage::lost;
}

Stream::Options parse(std::span<char*> arguments) {
    Stream::Options options;
    while (!arguments.empty()) {
        const std::string_view option = arguments.front();
        if (option == "--log" && arguments.size() > 1) {
            options.log = std::fopen(arguments[1], "we");
            if (options.log == nullptr)
                fail(arguments[1]);
            arguments = arguments.subspan(2);
        } else if (option == "--damage" && arguments.size() > 2) {
            options.damage = damage_of(arguments[1]);
            options.damage_every = static_cast<unsigned>(std::strtoul(arguments[2], nullptr, 10));
            arguments = arguments.subspan(3);
        } else {
            usage();
        }
    }
    return options;
}

v4l2dma::UniqueFd catch_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT})
        sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return v4l2dma::UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC));
}

/// The camera on its cable.
class Device {
public:
    Device(Cable cable, const Stream::Options& options)
        : cable_(std::move(cable)), stream_(cable_, options),
          timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)), signals_(catch_signals()) {}

    void run(const VideoNodes& nodes) {
        while (plugged_ || nodes_ > 0) {
            std::array<pollfd, 4> waiting{{{plugged_ ? cable_.fd() : -1, POLLIN, 0},
                                           {timer_.get(), POLLIN, 0},
                                           {plugged_ ? signals_.get() : -1, POLLIN, 0},
                                           {nodes.fd(), POLLIN, 0}}};
            if (::poll(waiting.data(), waiting.size(), -1) < 0)
                fail("poll");
            if (waiting[2].revents != 0)
                pull_out();
            if (waiting[0].revents != 0 && plugged_)
                serve();
            if (waiting[1].revents != 0)
                on_time();
            if (waiting[3].revents != 0)
                on_nodes(nodes.receive());
        }
    }

private:
    void serve();
    void serve_control(const Command& command);
    void set_streaming();
    void on_time();
    void on_nodes(const std::optional<NodeEvent>& event);
    void pull_out() {
        plugged_ = false;
        stream_.stop();
        cable_.pull_out();
    }

    Cable cable_;
    Camera camera_;
    Stream stream_;
    v4l2dma::UniqueFd timer_;
    v4l2dma::UniqueFd signals_;
    bool plugged_ = true;
    int nodes_ = 0;
};

void Device::serve() {
    std::optional<Command> command = cable_.receive();
    if (!command)
        pull_out();
    else if (command->unlink)
        cable_.unlinked(*command, stream_.forget(command->unlinked));
    else if (command->endpoint == 0)
        serve_control(*command);
    else
        stream_.queue(std::move(*command));
}

void Device::serve_control(const Command& command) {
    if ((command.setup.bRequestType & USB_DIR_IN) != 0) {
        const std::optional<Bytes> data = camera_.answer(command.setup);
        cable_.complete(command, data ? 0 : -EPIPE, data.value_or(Bytes{}));
        return;
    }
    cable_.complete(command, camera_.accept(command.setup, command.data) ? 0 : -EPIPE, {});
    if (camera_.streaming() != stream_.running())
        set_streaming();
}

void Device::set_streaming() {
    constexpr std::uint32_t nanoseconds_per_unit = 100;
    constexpr long nanoseconds_per_second = 1'000'000'000;
    itimerspec time{};
    if (camera_.streaming()) {
        const Agreement& agreement = camera_.committed();
        stream_.start(agreement);
        const long interval = static_cast<long>(agreement.interval) * nanoseconds_per_unit;
        time.it_interval = {.tv_sec = interval / nanoseconds_per_second,
                            .tv_nsec = interval % nanoseconds_per_second};
        time.it_value = time.it_interval;
        std::printf("{\"event\":\"streaming\",\"width\":%u,\"height\":%u}\n", agreement.size().width,
                    agreement.size().height);
        std::fflush(stdout);
    } else {
        stream_.stop();
    }
    ::timerfd_settime(timer_.get(), 0, &time, nullptr);
}

// It may have been stopped since poll() said that it is time.
void Device::on_time() {
    std::uint64_t missed = 0;
    if (::read(timer_.get(), &missed, sizeof missed) == sizeof missed)
        stream_.tick();
}

void Device::on_nodes(const std::optional<NodeEvent>& event) {
    if (!event)
        return;
    nodes_ += event->added ? 1 : -1;
    std::printf("{\"event\":\"%s\",\"device\":\"%s\"}\n",
                !event->added     ? "removed"
                : event->metadata ? "metadata"
                                  : "camera",
                event->device.c_str());
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
    const Stream::Options options = parse(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    const VideoNodes nodes(Cable::controller()); // before there are any
    std::optional<Cable> cable = Cable::plug_in();
    if (!cable)
        fail("no free port of vhci_hcd");
    Device(std::move(*cable), options).run(nodes);
    return 0;
}
