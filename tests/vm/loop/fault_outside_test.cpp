// SPDX-License-Identifier: MIT
// Faults, as in fault_test.cpp, where others than the loop's two ends meet the module: programs and devices
// that use its dma-bufs, and administrators. And the picture that readers see without a signal.
#include "exporters.h"
#include "fault.h"
#include "fault_stage.h"

#include <doctest/doctest.h>
#include <drm.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

/// The writer's slot 0, exported.
struct Slot {
    std::shared_ptr<Stage> stage;
    Fd fd;
    Fd other; ///< a device, or a sync file
    std::size_t bytes = 0;
};

Operation on_slot(
    const Workshop& shop, const std::string& name, std::function<int(Slot&)> run,
    std::function<void(Slot&)> before = [](Slot&) {}) {
    return {.name = "a slot's dma-buf: " + name, .prepare = [&shop, run, before] {
                const auto slot = std::make_shared<Slot>();
                slot->stage = shop.open();
                slot->stage->writer.reqbufs(V4L2_MEMORY_MMAP);
                slot->fd = Fd(slot->stage->writer.client().export_fd(0));
                slot->bytes = slot->stage->writer.client().length();
                REQUIRE(slot->fd.get() >= 0);
                before(*slot);
                return Call{.run = [slot, run] { return run(*slot); }};
            }};
}

int map(Slot& slot) {
    void* start = ::mmap(nullptr, slot.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, slot.fd.get(), 0);
    if (start == MAP_FAILED)
        return errno;
    const bool blank = *static_cast<std::uint32_t*>(start) == 0;
    return ::munmap(start, slot.bytes) != 0 ? errno : blank ? 0 : wrong;
}

int sync(Slot& slot) {
    for (const std::uint64_t end : {std::uint64_t{DMA_BUF_SYNC_START}, std::uint64_t{DMA_BUF_SYNC_END}})
        if (const int error = ask(slot.fd.get(), DMA_BUF_IOCTL_SYNC, dma_buf_sync{end | DMA_BUF_SYNC_RW})();
            error != 0)
            return error;
    return 0;
}

// Of linux/dma-buf.h, which is older where this is built.
struct SyncFile {
    std::uint32_t flags;
    std::int32_t fd;
};
constexpr unsigned long export_sync_file = _IOWR(DMA_BUF_BASE, 2, SyncFile);
constexpr unsigned long import_sync_file = _IOW(DMA_BUF_BASE, 3, SyncFile);

int take_sync_file(Slot& slot) {
    SyncFile request{DMA_BUF_SYNC_RW, -1};
    if (::ioctl(slot.fd.get(), export_sync_file, &request) < 0)
        return errno;
    slot.other = Fd(request.fd);
    return 0;
}

int give_sync_file(Slot& slot) {
    return ask(slot.fd.get(), import_sync_file, SyncFile{DMA_BUF_SYNC_WRITE, slot.other.get()})();
}

int import_to_gpu(Slot& slot) {
    drm_prime_handle prime{};
    prime.fd = slot.fd.get();
    return ask(slot.other.get(), DRM_IOCTL_PRIME_FD_TO_HANDLE, prime)();
}

/// No vb2 driver is among those who import: __prepare_dmabuf (videobuf2-core.c, seen in 6.12) loses its
/// reference to a dma-buf that the driver cannot attach, which keeps our module from being unloaded.
std::vector<Operation> dma_buf_uses(const Workshop& shop) {
    return {
        on_slot(shop, "mmap", map),
        on_slot(shop, "SYNC", sync),
        on_slot(shop, "EXPORT_SYNC_FILE", take_sync_file),
        on_slot(shop, "IMPORT_SYNC_FILE", give_sync_file,
                [](Slot& slot) { REQUIRE(take_sync_file(slot) == 0); }),
        on_slot(shop, "import by vgem", import_to_gpu,
                [](Slot& slot) {
                    slot.other = Fd(open_vgem()); // maps for its device what it imports
                    REQUIRE_MESSAGE(slot.other.get() >= 0, "there is no vgem; load it first");
                }),
    };
}

/// EINVAL: __video_register_device (v4l2-dev.c, seen in 6.12) does not look at what dev_set_name() says, and
/// device_add() refuses the device that has no name for want of memory.
Operation add_loop(const std::string& name, std::uint32_t flags) {
    return {.name = "ADD, " + name,
            .prepare =
                [flags] {
                    const auto control = std::make_shared<ControlNode>();
                    const auto request = std::make_shared<v4l2dma_loop_add>();
                    return Call{.run =
                                    [control, request, flags] {
                                        *request = {};
                                        request->config = any_loop();
                                        request->config.flags = flags;
                                        return control->ioctl(V4L2DMA_IOC_ADD, request.get());
                                    },
                                .check =
                                    [control, request] {
                                        v4l2dma_loop_remove undo{.id = request->id, .flags = 0};
                                        CHECK(control->ioctl(V4L2DMA_IOC_REMOVE, &undo) == 0);
                                    }};
                },
            .errors = {ENOMEM, EFAULT, EINVAL}};
}

Operation remove_loop(const std::string& name, std::uint32_t flags) {
    return {.name = "REMOVE, " + name,
            .prepare =
                [flags] {
                    const auto loop = std::make_shared<AddedLoop>();
                    std::shared_ptr<Client> user;
                    if (flags != 0) {
                        user = std::make_shared<Client>(loop->node(), O_NONBLOCK);
                        start_reading(*user);
                    }
                    const auto control = std::make_shared<ControlNode>();
                    const auto call = ask(control->fd(), V4L2DMA_IOC_REMOVE,
                                          v4l2dma_loop_remove{.id = loop->info().id, .flags = flags});
                    return Call{.run = [control, loop, user, call] { return call(); }};
                },
            .errors = {EFAULT},
            .again = {{EFAULT, ENOENT}}}; // it is gone, and only the answer was lost
}

template <typename Request>
Operation ask_control(const std::string& name, unsigned long what, const Request& request,
                      const Workshop& shop) {
    return {.name = name,
            .prepare =
                [&shop, what, request] {
                    const auto stage = shop.start(V4L2_MEMORY_MMAP, V4L2_MEMORY_MMAP);
                    const auto control = std::make_shared<ControlNode>();
                    return Call{
                        .run = [stage, control, call = ask(control->fd(), what, request)] { return call(); }};
                },
            .errors = {EFAULT}};
}

std::vector<Operation> administration(const Workshop& shop) {
    const std::uint32_t id = shop.loop().info().id;
    v4l2dma_loop_config config = any_loop();
    config.max_pending = 2;
    v4l2dma_loop_query query{};
    query.id = id;
    v4l2dma_loop_stats stats{};
    stats.id = id;
    v4l2dma_reader_stats reader{};
    reader.loop_id = id;
    return {
        add_loop("one node", 0),
        add_loop("split nodes, several planes", V4L2DMA_LOOP_SPLIT_NODES | V4L2DMA_LOOP_MULTIPLANAR),
        remove_loop("unused", 0),
        remove_loop("by force", V4L2DMA_REMOVE_FORCE),
        ask_control("SET", V4L2DMA_IOC_SET,
                    v4l2dma_loop_set{.id = id, .which = V4L2DMA_SET_MAX_PENDING, .config = config}, shop),
        ask_control("QUERY", V4L2DMA_IOC_QUERY, query, shop),
        ask_control("STATS", V4L2DMA_IOC_STATS, stats, shop),
        ask_control("READER_STATS", V4L2DMA_IOC_READER_STATS, reader, shop),
    };
}

/// A reader begins, and may see the picture soon. The memory for it comes first, then dozens of allocations
/// in the test pattern generator, for each of which vmalloc() prints the state of all memory.
Operation begin_to_read(const Workshop& shop, const std::string& name, std::function<int(Side&)> run) {
    return {.name = name,
            .prepare =
                [&shop, run] {
                    const auto stage = shop.open();
                    return Call{.run = [stage, run] { return run(stage->reader); }};
                },
            .dense = 40};
}

int reqbufs(Side& side) {
    v4l2_requestbuffers request{};
    request.type = side.type();
    request.memory = V4L2_MEMORY_MMAP;
    request.count = few_buffers;
    return side.client().ioctl(VIDIOC_REQBUFS, &request);
}

int wait_in_vain(Side& side) {
    std::uint32_t pixel = 0;
    const auto got = ::read(side.client().fd(), &pixel, sizeof pixel);
    return got >= 0 ? wrong : errno == EAGAIN ? 0 : errno;
}

int take_any(const Client& client) {
    v4l2_buffer buffer{};
    const int error = client.dequeue(buffer);
    return error != 0 ? error : (buffer.flags & V4L2_BUF_FLAG_ERROR) != 0 ? lost : 0;
}

Operation take_picture(const Workshop& shop, v4l2_memory readers) {
    return {.name = "DQBUF of the picture, " + name_of(readers),
            .prepare =
                [&shop, readers] {
                    const auto stage = shop.open();
                    shop.loop().set_timeout(1);
                    stage->reader.start(readers);
                    REQUIRE(stage->reader.client().poll(POLLIN, -1) == POLLIN);
                    return Call{.run = [stage] { return take_any(stage->reader.client()); }};
                },
            .errors = {EFAULT, lost},
            .again = {{EFAULT, EAGAIN}}};
}

Operation read_picture(const Workshop& shop) {
    return {.name = "read() of the picture",
            .prepare =
                [&shop] {
                    const auto stage = shop.open();
                    shop.loop().set_timeout(1);
                    REQUIRE(stage->reader.client().poll(POLLIN, -1) == POLLIN);
                    return Call{.run = [stage] {
                        std::uint32_t pixel = 0;
                        const auto got = ::read(stage->reader.client().fd(), &pixel, sizeof pixel);
                        return got < 0 ? errno : got == sizeof pixel && pixel != 0 ? 0 : wrong;
                    }};
                },
            .again = {{EFAULT, EAGAIN}, {ENOMEM, EAGAIN}}};
}

Operation set_timeout(const Workshop& shop) {
    v4l2dma_loop_config config = any_loop();
    config.timeout_ms = 3600000;
    return ask_control(
        "SET of the timeout", V4L2DMA_IOC_SET,
        v4l2dma_loop_set{.id = shop.loop().info().id, .which = V4L2DMA_SET_TIMEOUT, .config = config}, shop);
}

std::vector<Operation> without_signal(const Workshop& shop) {
    return {
        begin_to_read(shop, "REQBUFS where the picture is made", reqbufs),
        begin_to_read(shop, "read() where the picture is made", wait_in_vain),
        take_picture(shop, V4L2_MEMORY_MMAP),
        take_picture(shop, V4L2_MEMORY_USERPTR),
        take_picture(shop, V4L2_MEMORY_DMABUF),
        read_picture(shop),
        set_timeout(shop),
    };
}

} // namespace

TEST_SUITE("fault" * doctest::skip()) {
    TEST_CASE("faults: dma-bufs") {
        const TestedLoop loop;
        const Workshop shop(loop);
        step_through(loop, dma_buf_uses(shop));
    }

    TEST_CASE("faults: administration") {
        const TestedLoop loop;
        const Workshop shop(loop);
        step_through(loop, administration(shop));
    }

    TEST_CASE("faults: no signal") {
        v4l2dma_loop_config config = any_loop();
        config.timeout_ms = 3600000;
        const TestedLoop loop(config);
        const Workshop shop(loop);
        step_through(loop, without_signal(shop));
    }
}
