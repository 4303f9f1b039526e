// SPDX-License-Identifier: MIT
// What the module does when memory is short at any point, or the caller's memory cannot be read or written:
// each way to use it, with each fault that is possible in it. Run by cases/85-faults.sh, on the debug kernel.
#include "fault.h"
#include "fault_stage.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <iterator>
#include <poll.h>
#include <unistd.h>

namespace {

constexpr std::uint32_t number = 0x5eed;

template <typename Request> Request of_type(v4l2_buf_type type) {
    Request request{};
    request.type = type;
    return request;
}

v4l2_event_subscription subscription(std::uint32_t type, std::uint32_t flags = 0, std::uint32_t id = 0) {
    v4l2_event_subscription request{};
    request.type = type;
    request.flags = flags;
    request.id = id;
    return request;
}

/// An ioctl of the writer's handle of a fresh stage.
template <typename Request>
Operation ask_writer(const Workshop& shop, const std::string& name, unsigned long what,
                     const Request& request) {
    return {.name = name, .prepare = [=, &shop] {
                const auto stage = shop.open();
                return Call{.run = [stage, call = ask(stage->writer.client().fd(), what, request)] {
                    return call();
                }};
            }};
}

Operation open_node(const std::string& node) {
    return {.name = "open " + node, .prepare = [node] {
                const auto fd = std::make_shared<Fd>();
                return Call{.run = [node, fd] {
                    *fd = Fd(::open(node.c_str(), O_RDWR | O_CLOEXEC));
                    return fd->get() < 0 ? errno : 0;
                }};
            }};
}

/// What is said of formats and of the node.
std::vector<Operation> questions(const Workshop& shop) {
    const v4l2_buf_type in = shop.loop().in(), out = shop.loop().out();
    auto here = of_type<v4l2_format>(in);
    const Client client(shop.loop().node());
    REQUIRE(client.ioctl(VIDIOC_G_FMT, &here) == 0);
    v4l2_format other = here;
    if (shop.loop().planar())
        other.fmt.pix_mp.height = 32;
    else
        other.fmt.pix.height = 32;
    return {
        open_node(shop.loop().node()),
        ask_writer(shop, "QUERYCAP", VIDIOC_QUERYCAP, v4l2_capability{}),
        ask_writer(shop, "ENUM_FMT", VIDIOC_ENUM_FMT, of_type<v4l2_fmtdesc>(in)),
        ask_writer(shop, "G_FMT of the output side", VIDIOC_G_FMT, of_type<v4l2_format>(in)),
        ask_writer(shop, "TRY_FMT of the output side", VIDIOC_TRY_FMT, other),
        ask_writer(shop, "S_FMT of the output side", VIDIOC_S_FMT, other),
        ask_writer(shop, "G_PARM", VIDIOC_G_PARM, of_type<v4l2_streamparm>(in)),
        ask_writer(shop, "S_PARM", VIDIOC_S_PARM, of_type<v4l2_streamparm>(in)),
        {.name = "S_FMT of the capture side",
         .prepare =
             [&shop, there = of_type<v4l2_format>(out)] {
                 const auto stage = shop.open();
                 return Call{.run = [stage, call = ask(stage->reader.client().fd(), VIDIOC_S_FMT, there)] {
                     return call();
                 }};
             }},
    };
}

Operation set_control(const Workshop& shop, const std::string& name, std::uint32_t id) {
    return {.name = "S_EXT_CTRLS " + name, .prepare = [&shop, id] {
                const auto stage = shop.open();
                return Call{.run =
                                [stage, id] {
                                    v4l2_ext_control control{};
                                    control.id = id;
                                    control.value = 1;
                                    v4l2_ext_controls controls{};
                                    controls.count = 1;
                                    controls.controls = &control;
                                    return stage->writer.client().ioctl(VIDIOC_S_EXT_CTRLS, &controls);
                                },
                            .check =
                                [stage, id] {
                                    CHECK(stage->writer.client().control(id) == 1);
                                    CHECK(stage->writer.client().set_control(id, 0) == 0);
                                }};
            }};
}

Operation subscribe(const Workshop& shop, const std::string& name, const v4l2_event_subscription& what) {
    return {.name = "SUBSCRIBE_EVENT " + name, .prepare = [&shop, what] {
                const auto stage = shop.open();
                return Call{.run = [stage, call = ask(stage->reader.client().fd(), VIDIOC_SUBSCRIBE_EVENT,
                                                      what)] { return call(); }};
            }};
}

Operation dequeue_event(const Workshop& shop) {
    return {.name = "DQEVENT",
            .prepare =
                [&shop] {
                    const auto stage = shop.open();
                    REQUIRE(stage->writer.client().subscribe(V4L2DMA_EVENT_READERS,
                                                             V4L2_EVENT_SUB_FL_SEND_INITIAL) == 0);
                    return Call{.run = [stage] {
                        v4l2_event event{};
                        return stage->writer.client().ioctl(VIDIOC_DQEVENT, &event);
                    }};
                },
            .again = {{EFAULT, ENOENT}}};
}

std::vector<Operation> controls_and_events(const Workshop& shop) {
    return {
        set_control(shop, "keep format", V4L2DMA_CID_KEEP_FORMAT),
        set_control(shop, "fixed bindings", V4L2DMA_CID_FIXED_BINDINGS),
        set_control(shop, "sustain frame rate", V4L2DMA_CID_SUSTAIN_FRAMERATE),
        set_control(shop, "store placeholder", V4L2DMA_CID_STORE_PLACEHOLDER),
        subscribe(shop, "of a control", subscription(V4L2_EVENT_CTRL, 0, V4L2DMA_CID_KEEP_FORMAT)),
        subscribe(shop, "source change", subscription(V4L2_EVENT_SOURCE_CHANGE)),
        subscribe(shop, "end of stream", subscription(V4L2_EVENT_EOS)),
        subscribe(shop, "readers", subscription(V4L2DMA_EVENT_READERS, V4L2_EVENT_SUB_FL_SEND_INITIAL)),
        dequeue_event(shop),
    };
}

/// Which end of the loop an operation is tried on.
struct End {
    std::string name;
    Side Stage::*side;
};
const std::array<End, 2> ends = {End{"writer", &Stage::writer}, End{"reader", &Stage::reader}};

/// On one end that may have buffers already.
Operation on_end(const Workshop& shop, const End& end, const std::string& name, v4l2_memory has_buffers,
                 std::function<int(Side&)> run) {
    return {.name = end.name + ": " + name, .prepare = [&shop, end, has_buffers, run] {
                const auto stage = shop.open();
                Side& side = (*stage).*end.side;
                if (has_buffers != 0)
                    side.reqbufs(has_buffers);
                return Call{.run = [stage, &side, run] { return run(side); }};
            }};
}
constexpr v4l2_memory no_buffers{};

int reqbufs(const Side& side, v4l2_memory memory, unsigned count) {
    v4l2_requestbuffers request{};
    request.type = side.type();
    request.memory = memory;
    request.count = count;
    const int error = side.client().ioctl(VIDIOC_REQBUFS, &request);
    return error == 0 && request.count < count ? wrong : error;
}

int create_bufs(const Side& side, v4l2_memory memory) {
    v4l2_create_buffers request{};
    request.memory = memory;
    request.count = 1;
    request.format = side.format();
    const int error = side.client().ioctl(VIDIOC_CREATE_BUFS, &request);
    return error == 0 && request.count != 1 ? wrong : error;
}

std::vector<Operation> allocations(const Workshop& shop, const End& end) {
    std::vector<Operation> all;
    for (const v4l2_memory memory : memories) {
        const std::string name = name_of(memory);
        all.push_back(on_end(shop, end, "REQBUFS " + name, no_buffers,
                             [memory](Side& side) { return reqbufs(side, memory, few_buffers); }));
        all.push_back(on_end(shop, end, "REQBUFS " + name + " once more", memory,
                             [memory](Side& side) { return reqbufs(side, memory, few_buffers); }));
        all.push_back(on_end(shop, end, "REQBUFS " + name + " of none", memory,
                             [memory](Side& side) { return reqbufs(side, memory, 0); }));
        all.push_back(on_end(shop, end, "CREATE_BUFS " + name, no_buffers,
                             [memory](Side& side) { return create_bufs(side, memory); }));
        all.push_back(on_end(shop, end, "CREATE_BUFS " + name + ", more", memory,
                             [memory](Side& side) { return create_bufs(side, memory); }));
    }
    return all;
}

/// EXPBUF. The core copies the answer to a caller whose table has the descriptor already (seen in 6.12:
/// vb2_expbuf in videobuf2-core.c calls dma_buf_fd(), and video_usercopy in v4l2-ioctl.c cannot undo that),
/// so that it is left there when the copy fails. Nobody but a caller with bad memory is hurt. It is the next
/// free number.
int export_first(const Client& client) {
    const int next = ::dup(client.fd());
    ::close(next);
    const Fd fd(client.export_fd(0));
    if (fd.get() == -EFAULT)
        ::close(next);
    return fd.get() < 0 ? -fd.get() : 0;
}

std::vector<Operation> uses_of_buffers(const Workshop& shop, const End& end) {
    // Where the answer was lost, the buffer is prepared or queued already.
    const std::set<std::pair<int, int>> done = {{EFAULT, EINVAL}};
    std::vector<Operation> all;
    for (const v4l2_memory memory : memories) {
        const std::string name = name_of(memory);
        all.push_back(on_end(shop, end, "QUERYBUF " + name, memory,
                             [](Side& side) { return side.hand_over(VIDIOC_QUERYBUF); }));
        for (const auto& [call, what] :
             {std::pair{"PREPARE_BUF ", VIDIOC_PREPARE_BUF}, {"QBUF ", VIDIOC_QBUF}}) {
            all.push_back(on_end(shop, end, call + name, memory,
                                 [what = what](Side& side) { return side.hand_over(what); }));
            all.back().again = done;
        }
        all.push_back(on_end(shop, end, "STREAMON and STREAMOFF " + name, memory, [](Side& side) {
            const int error = side.client().stream_on();
            return error != 0 ? error : side.client().stream_off();
        }));
    }
    all.push_back(on_end(shop, end, "EXPBUF", V4L2_MEMORY_MMAP,
                         [](Side& side) { return export_first(side.client()); }));
    all.push_back(
        on_end(shop, end, "mmap", V4L2_MEMORY_MMAP, [](Side& side) { return side.map_and_unmap(); }));
    return all;
}

int dequeue(const Client& client, unsigned expected) {
    v4l2_buffer buffer{};
    const int error = client.dequeue(buffer);
    if (error != 0)
        return error;
    if ((buffer.flags & V4L2_BUF_FLAG_ERROR) != 0)
        return lost;
    return buffer.index == expected ? 0 : wrong;
}

/// For several planes the core allocates before it asks the module, who needs nothing: what it cannot show is
/// marked.
std::set<int> dequeue_errors(const Workshop& shop) {
    return shop.loop().planar() ? std::set{ENOMEM, EFAULT, lost} : std::set{EFAULT, lost};
}

/// By each kind of reader from each kind of writer. Mapped before or not: only where it is not can a frame
/// that was imported come out as it is.
Operation take_frame(const Workshop& shop, v4l2_memory writers, v4l2_memory readers, bool mapped) {
    return {.name = "DQBUF " + name_of(readers) + (mapped ? " of a mapped buffer" : "") + ", frame from " +
                    name_of(writers),
            .prepare =
                [&shop, writers, readers, mapped] {
                    const auto stage = shop.start(writers, readers);
                    if (mapped)
                        (void)stage->reader.pixels(0, 0);
                    stage->send(number);
                    return Call{.run = [stage] { return dequeue(stage->reader.client(), 0); },
                                .check = [stage] { CHECK(stage->reader.shows(0, number)); }};
                },
            .errors = dequeue_errors(shop),
            // The frame was the reader's, and only the answer was lost.
            .again = {{EFAULT, EAGAIN}}};
}

Operation give_back(const Workshop& shop, v4l2_memory writers) {
    return {.name = "DQBUF of the writer's " + name_of(writers),
            .prepare =
                [&shop, writers] {
                    const auto stage = shop.start(writers, V4L2_MEMORY_MMAP);
                    stage->send(number);
                    stage->take();
                    REQUIRE(stage->reader.client().queue(0) == 0);
                    return Call{.run = [stage] { return dequeue(stage->writer.client(), 0); }};
                },
            .errors = dequeue_errors(shop),
            .again = {{EFAULT, EAGAIN}}};
}

Operation queue_frame(const Workshop& shop, v4l2_memory writers) {
    return {.name = "QBUF of a frame that a reader waits for, " + name_of(writers),
            .prepare =
                [&shop, writers] {
                    const auto stage = shop.start(writers, V4L2_MEMORY_MMAP);
                    stage->writer.paint(0, number);
                    return Call{.run = [stage] { return stage->writer.client().queue(0); },
                                .check =
                                    [stage] {
                                        stage->take();
                                        CHECK(stage->reader.shows(0, number));
                                    }};
                },
            .again = {{EFAULT, EINVAL}}};
}

/// The reader holds a frame that was imported, and looks at it only then.
std::vector<Operation> late_looks(const Workshop& shop) {
    const auto take = [&shop](const std::string& name, bool fixed, std::function<int(Stage&)> run) {
        return Operation{.name = name, .prepare = [&shop, fixed, run] {
                             const auto stage = shop.open();
                             stage->reader.start(V4L2_MEMORY_MMAP);
                             stage->writer.reqbufs(V4L2_MEMORY_DMABUF);
                             if (fixed)
                                 REQUIRE(stage->writer.client().set_control(V4L2DMA_CID_FIXED_BINDINGS, 1) ==
                                         0);
                             REQUIRE(stage->writer.client().stream_on() == 0);
                             stage->send(number);
                             stage->take();
                             return Call{.run = [stage, run] { return run(*stage); },
                                         .check = [stage] { CHECK(stage->reader.shows(0, number)); }};
                         }};
    };
    const auto map = [](Stage& stage) { return stage.reader.map_and_unmap(); };
    const auto look = [](Stage& stage) { return export_first(stage.reader.client()); };
    return {take("mmap of a frame that is lent", false, map),
            take("EXPBUF of a frame that is lent", false, look),
            take("mmap of a frame whose memory is fixed", true, map),
            take("EXPBUF of a frame whose memory is fixed", true, look)};
}

/// With one frame in the reader's hands, and one that waits.
Operation end_stream(const Workshop& shop, v4l2_memory writers, const std::string& name,
                     std::function<int(Stage&)> run) {
    return {.name = name + ", frames from " + name_of(writers),
            .prepare =
                [&shop, writers, run] {
                    const auto stage = shop.start(writers, V4L2_MEMORY_MMAP);
                    stage->send(number);
                    stage->take();
                    REQUIRE(stage->writer.client().queue(1) == 0);
                    return Call{.run = [stage, run] { return run(*stage); }};
                },
            .has_faults = name.starts_with("STREAMOFF")};
}

std::vector<Operation> ends_of_streams(const Workshop& shop, v4l2_memory writers) {
    return {
        end_stream(shop, writers, "STREAMOFF of the writer",
                   [](Stage& stage) { return stage.writer.client().stream_off(); }),
        end_stream(shop, writers, "STREAMOFF of the reader",
                   [](Stage& stage) { return stage.reader.client().stream_off(); }),
        end_stream(shop, writers, "close of the writer",
                   [](Stage& stage) { return stage.writer.close(), 0; }),
        end_stream(shop, writers, "close of the reader",
                   [](Stage& stage) { return stage.reader.close(), 0; }),
    };
}

std::vector<Operation> frames(const Workshop& shop) {
    std::vector<Operation> all;
    for (const v4l2_memory writers : memories) {
        all.push_back(queue_frame(shop, writers));
        all.push_back(give_back(shop, writers));
        for (const v4l2_memory readers : memories)
            all.push_back(take_frame(shop, writers, readers, false));
        all.push_back(take_frame(shop, writers, V4L2_MEMORY_MMAP, true));
        std::ranges::move(ends_of_streams(shop, writers), std::back_inserter(all));
    }
    std::ranges::move(late_looks(shop), std::back_inserter(all));
    return all;
}

using Bytes = std::vector<std::uint32_t>;

/// read() into @p bytes from @p from on, of a frame that waits.
Operation read_frame(const Workshop& shop, const std::string& name, v4l2_memory writers, std::size_t first,
                     std::size_t then) {
    return {.name = name + ", frame from " + name_of(writers),
            .prepare =
                [&shop, writers, first, then] {
                    const auto stage = shop.open();
                    const auto bytes = std::make_shared<Bytes>(shop.frame_bytes() / sizeof(std::uint32_t));
                    const int fd = stage->reader.client().fd();
                    (void)!::read(fd, bytes->data(), 1);
                    stage->writer.start(writers);
                    stage->send(number);
                    if (first != 0)
                        REQUIRE(::read(fd, bytes->data(), first) == static_cast<ssize_t>(first));
                    return Call{
                        .run =
                            [stage, bytes, fd, first, then] {
                                auto* to = reinterpret_cast<char*>(bytes->data()) + first;
                                const ssize_t got = ::read(fd, to, then);
                                return got < 0 ? errno : got == static_cast<ssize_t>(then) ? 0 : wrong;
                            },
                        .check =
                            [stage, bytes, read = first + then] {
                                const auto plane =
                                    std::span(*bytes).first(stage->writer.client().length() / 4);
                                if (read == bytes->size() * sizeof(std::uint32_t))
                                    CHECK(painted(plane) == number);
                            }};
                },
            // Who cannot be given a frame loses it, as one who sleeps does.
            .again = {{EFAULT, EAGAIN}, {ENOMEM, EAGAIN}}};
}

Operation write_frame(const Workshop& shop, bool first) {
    return {.name = first ? "write() of the first frame" : "write() of the next frame",
            .prepare = [&shop, first] {
                const auto stage = shop.open();
                const auto bytes = std::make_shared<Bytes>(shop.frame_bytes() / sizeof(std::uint32_t));
                const int fd = stage->writer.client().fd();
                const auto run = [stage, bytes, fd] {
                    const ssize_t done = ::write(fd, bytes->data(), bytes->size() * sizeof(std::uint32_t));
                    return done < 0 ? errno : done == static_cast<ssize_t>(bytes->size() * 4) ? 0 : wrong;
                };
                if (!first)
                    REQUIRE(run() == 0);
                return Call{.run = run};
            }};
}

Operation poll_for(const Workshop& shop, const std::string& name, v4l2_memory readers, short events,
                   short expected) {
    return {.name = "poll of " + name, .prepare = [&shop, readers, events, expected] {
                const auto stage = shop.open();
                if (readers != no_buffers) {
                    stage->start(V4L2_MEMORY_MMAP, readers);
                    stage->send(number);
                }
                return Call{.run = [stage, events, expected] {
                    pollfd entry{stage->reader.client().fd(), events, 0};
                    return ::poll(&entry, 1, 0) < 0 ? errno : entry.revents == expected ? 0 : wrong;
                }};
            }};
}

std::vector<Operation> file_io(const Workshop& shop) {
    const std::size_t all = shop.frame_bytes(), part = 1024;
    std::vector<Operation> operations = {
        write_frame(shop, true),
        write_frame(shop, false),
        poll_for(shop, "a handle that is nothing yet", no_buffers, POLLIN, 0),
        poll_for(shop, "a reader", V4L2_MEMORY_MMAP, POLLIN | POLLPRI, POLLIN),
    };
    for (const v4l2_memory memory : memories) {
        operations.push_back(read_frame(shop, "read()", memory, 0, all));
        operations.push_back(read_frame(shop, "read() of a part", memory, 0, part));
        operations.push_back(read_frame(shop, "read() of the rest", memory, part, all - part));
    }
    return operations;
}

void try_ends(const Workshop& shop) {
    for (const End& end : ends) {
        step_through(shop.loop(), allocations(shop, end));
        step_through(shop.loop(), uses_of_buffers(shop, end));
    }
}

v4l2dma_loop_config with_flags(std::uint32_t flags) {
    v4l2dma_loop_config config = any_loop();
    config.flags = flags;
    return config;
}

} // namespace

TEST_SUITE("fault" * doctest::skip()) {
    TEST_CASE("faults: settings") {
        const TestedLoop loop;
        const Workshop shop(loop);
        step_through(loop, questions(shop));
        step_through(loop, controls_and_events(shop));
    }

    TEST_CASE("faults: buffers") {
        const TestedLoop loop;
        try_ends(Workshop(loop));
    }

    TEST_CASE("faults: frames") {
        const TestedLoop loop;
        const Workshop shop(loop);
        step_through(loop, frames(shop));
        step_through(loop, file_io(shop));
    }

    TEST_CASE("faults: buffers with several planes") {
        const TestedLoop loop(with_flags(V4L2DMA_LOOP_MULTIPLANAR));
        const Workshop shop(loop);
        step_through(loop, questions(shop));
        try_ends(shop);
    }

    TEST_CASE("faults: frames with several planes") {
        const TestedLoop loop(with_flags(V4L2DMA_LOOP_MULTIPLANAR));
        const Workshop shop(loop);
        step_through(loop, frames(shop));
        step_through(loop, file_io(shop));
    }

    TEST_CASE("faults: contiguous memory") {
        const TestedLoop loop(with_flags(V4L2DMA_LOOP_CONTIGUOUS));
        const Workshop shop(loop);
        for (const End& end : ends)
            step_through(loop, allocations(shop, end));
        step_through(loop, {write_frame(shop, true)});
    }

    TEST_CASE("faults: split nodes") {
        const TestedLoop loop(with_flags(V4L2DMA_LOOP_SPLIT_NODES));
        const Workshop shop(loop);
        step_through(loop, questions(shop));
        step_through(loop, {open_node(loop.capture_node())});
        step_through(loop, allocations(shop, ends[1]));
    }
}
