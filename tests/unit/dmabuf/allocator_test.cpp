// SPDX-License-Identifier: MIT
#include "dmabuf/allocator.h"

#include "support/fake_system.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <limits>

using namespace v4l2dma;
using testing::FakeAllocator;
using testing::FakeSystem;

namespace {

using Opened = Result<std::unique_ptr<DmabufAllocator>>;

constexpr const char* heap_node = "/dev/dma_heap/system";
constexpr const char* udmabuf_node = "/dev/udmabuf";
constexpr const char* card_node = "/dev/dri/card0";

/// A machine with one allocator.
struct One {
    explicit One(const char* node) : allocator(system.add_allocator(node)) {}
    FakeSystem system;
    FakeAllocator& allocator;
};

std::unique_ptr<DmabufAllocator> must_open(System& system, std::string_view wish = "") {
    Opened allocator = DmabufAllocator::open(wish, system);
    REQUIRE_MESSAGE(allocator, allocator.error().message());
    return std::move(*allocator);
}

std::string name_of(const Opened& allocator) {
    return allocator ? (*allocator)->name() : allocator.error().message();
}

} // namespace

TEST_CASE("each kind of allocator makes dma-bufs of whole pages") {
    for (const char* node : {heap_node, udmabuf_node, card_node}) {
        CAPTURE(node);
        One machine(node);
        {
            const auto allocator = must_open(machine.system);
            CHECK(allocator->path() == node);
            for (const std::size_t bytes : {1U, 4096U, 4097U, 614400U}) {
                Result<DmabufBuffer> buffer = allocator->allocate(bytes);
                REQUIRE(buffer);
                CHECK(buffer->size() >= bytes);
                CHECK(buffer->size() % 4096 == 0);
                CHECK(buffer->size() < bytes + 16384); // a DRM card's: whole rows
                CHECK(buffer->write());
            }
            const Result<DmabufBuffer> one = allocator->allocate(4096);
            const Result<DmabufBuffer> other = allocator->allocate(4096);
            CHECK(one->identity() != other->identity());
            CHECK(machine.allocator.handles() == 0);
        }
        CHECK(machine.system.leaks() == 0);
        CHECK(machine.system.violations().empty());
    }
}

TEST_CASE("buffers outlive their allocator") {
    for (const char* node : {heap_node, udmabuf_node, card_node}) {
        One machine(node);
        Result<DmabufBuffer> buffer = must_open(machine.system)->allocate(4096);
        REQUIRE(buffer);
        CHECK(buffer->write());
        CHECK(testing::open_fake_fds() == 1);
    }
}

TEST_CASE("the best allocator that works is taken") {
    FakeSystem system;
    system.add_allocator("/dev/dri/card0").has_dumb_buffers = false;
    system.add_allocator("/dev/dri/card1");
    CHECK(must_open(system)->path() == "/dev/dri/card1");
    system.add_allocator(udmabuf_node);
    CHECK(name_of(DmabufAllocator::open("", system)) == "udmabuf");
    system.add_allocator(heap_node);
    CHECK(name_of(DmabufAllocator::open("", system)) == "system");
    // One that opens and allocates nothing does not work.
    system.fail("DMA_HEAP_IOCTL_ALLOC", ENOMEM);
    CHECK(name_of(DmabufAllocator::open("", system)) == "udmabuf");
    system.fail("open", EACCES, 0, heap_node);
    CHECK(name_of(DmabufAllocator::open("", system)) == "udmabuf");
    CHECK(system.leaks() == 0);
}

TEST_CASE("an allocator is chosen by its name or its node") {
    FakeSystem system;
    for (const char* node : {heap_node, "/dev/dma_heap/linux,cma", udmabuf_node, card_node})
        system.add_allocator(node);
    CHECK(name_of(DmabufAllocator::open("udmabuf", system)) == "udmabuf");
    CHECK(name_of(DmabufAllocator::open("drm", system)) == "drm");
    CHECK(name_of(DmabufAllocator::open("linux,cma", system)) == "linux,cma");
    CHECK(must_open(system, "/dev/dri/card0")->path() == "/dev/dri/card0");
    CHECK(system.violations().empty());
}

TEST_CASE("a heap of special memory is never taken by itself") {
    One machine("/dev/dma_heap/linux,cma");
    CHECK_FALSE(DmabufAllocator::open("", machine.system));
    CHECK(DmabufAllocator::open("linux,cma", machine.system));
}

TEST_CASE("an unknown name is answered with those there are") {
    FakeSystem system;
    system.add_allocator("/dev/dma_heap/reserved");
    system.add_allocator("/dev/dri/card0");
    system.add_allocator("/dev/dri/card1");
    for (const std::string_view wish : {"sytem", "card0", "/dev/null"}) {
        const Opened allocator = DmabufAllocator::open(wish, system);
        REQUIRE_FALSE(allocator);
        CHECK(allocator.error().kind == ErrorKind::usage);
        CHECK(allocator.error().object == wish);
        CHECK(allocator.error().remedy == "There may be: system, udmabuf, drm, reserved");
    }
    CHECK(system.count("open") == 0);
}

TEST_CASE("without any allocator, each one's reason is told") {
    FakeSystem system;
    system.add_allocator(udmabuf_node);
    system.add_allocator(card_node).has_dumb_buffers = false;
    system.fail("open", EACCES, 0, udmabuf_node);
    const Opened allocator = DmabufAllocator::open("", system);
    REQUIRE_FALSE(allocator);
    CHECK(allocator.error().kind == ErrorKind::device);
    CHECK(allocator.error().message() == "allocator of dma-bufs: none works: "
                                         "open /dev/dma_heap/system: No such file or directory; "
                                         "open /dev/udmabuf: Permission denied; "
                                         "CREATE_DUMB /dev/dri/card0, 4096 bytes: Function not implemented. "
                                         "Run as a member of the group kvm or as root");
    CHECK(system.leaks() == 0);
}

TEST_CASE("the one that was asked for says what it needs") {
    struct Expected {
        const char* name;
        const char* node;
        const char* if_missing;
        const char* if_forbidden;
    };
    for (const Expected& expected : {Expected{"system", heap_node, "CONFIG_DMABUF_HEAPS_SYSTEM", "udev rule"},
                                     Expected{"udmabuf", udmabuf_node, "CONFIG_UDMABUF", "group kvm"},
                                     Expected{"drm", card_node, "modprobe vgem", "group video"}}) {
        FakeSystem system;
        const Opened missing = DmabufAllocator::open(expected.name, system);
        REQUIRE_FALSE(missing);
        CHECK(missing.error().kind == ErrorKind::device);
        CHECK(missing.error().operation == "open");
        CHECK(missing.error().object == expected.node);
        CHECK(missing.error().code == ENOENT);
        CHECK(missing.error().remedy.contains(expected.if_missing));

        system.add_allocator(expected.node);
        system.fail("open", EACCES, 0, expected.node);
        const Opened forbidden = DmabufAllocator::open(expected.name, system);
        REQUIRE_FALSE(forbidden);
        CHECK(forbidden.error().kind == ErrorKind::device);
        CHECK(forbidden.error().code == EACCES);
        CHECK(forbidden.error().remedy.contains(expected.if_forbidden));
    }
}

TEST_CASE("the list says which allocators work and why others do not") {
    FakeSystem system;
    for (const char* node :
         {"/dev/dri/card10", "/dev/dri/card2", "/dev/dri/renderD128", heap_node, "/dev/dma_heap/reserved"})
        system.add_allocator(node);
    system.fail("DMA_HEAP_IOCTL_ALLOC", EIO, 0, heap_node);
    const std::vector<AllocatorState> list = list_allocators(system);
    std::string text;
    for (const AllocatorState& state : list)
        text += state.name + " " + state.path + (state.usable ? "" : " " + state.usable.error().message()) +
                (state.only_by_name ? " by name" : "") + "\n";
    CHECK(text == "system /dev/dma_heap/system DMA_HEAP_IOCTL_ALLOC /dev/dma_heap/system, 4096 bytes: "
                  "Input/output error\n"
                  "udmabuf /dev/udmabuf open /dev/udmabuf: No such file or directory. It needs a kernel with "
                  "CONFIG_UDMABUF\n"
                  "drm /dev/dri/card2\n"
                  "drm /dev/dri/card10\n"
                  "reserved /dev/dma_heap/reserved by name\n");
    CHECK(system.leaks() == 0);
}

TEST_CASE("each call that fails is named, and nothing is left behind") {
    struct Expected {
        const char* node;
        const char* call;
    };
    for (const Expected& expected :
         {Expected{heap_node, "DMA_HEAP_IOCTL_ALLOC"}, Expected{heap_node, "fstat"},
          Expected{udmabuf_node, "memfd_create"}, Expected{udmabuf_node, "ftruncate"},
          Expected{udmabuf_node, "F_ADD_SEALS"}, Expected{udmabuf_node, "UDMABUF_CREATE"},
          Expected{card_node, "CREATE_DUMB"}, Expected{card_node, "PRIME_HANDLE_TO_FD"}})
        for (const int code : {EINTR, EAGAIN, ENOMEM, ENODEV, EBADF, EIO, EMFILE}) {
            CAPTURE(expected.call);
            CAPTURE(code);
            One machine(expected.node);
            {
                const auto allocator = must_open(machine.system);
                machine.system.fail(expected.call, code);
                const Result<DmabufBuffer> buffer = allocator->allocate(614400);
                REQUIRE_FALSE(buffer);
                CHECK(buffer.error().operation == expected.call);
                CHECK(buffer.error().code == code);
                if (buffer.error().operation != "fstat") {
                    CHECK(buffer.error().object.contains(expected.node));
                    CHECK(buffer.error().object.contains("614400 bytes"));
                }
                CHECK(testing::open_fake_fds() == 1); // the node
                CHECK(machine.allocator.handles() == 0);
                CHECK(allocator->allocate(614400)); // may be tried again
            }
            CHECK(machine.system.leaks() == 0);
            CHECK(machine.system.violations().empty());
        }
}

TEST_CASE("each call of opening may fail, and nothing is left behind") {
    for (const char* node : {heap_node, udmabuf_node, card_node})
        for (std::size_t position = 0;; ++position) {
            One machine(node);
            machine.system.fail_at(position, EIO);
            const Opened allocator = DmabufAllocator::open(node, machine.system);
            const FakeSystem::Call* failed = machine.system.failed_call();
            if (failed == nullptr)
                break;
            CAPTURE(failed->name);
            // Nobody has to be a card's master, and what is closed anyway cannot be destroyed better.
            const bool harmless = failed->name == "DROP_MASTER" || failed->name == "DESTROY_DUMB";
            CHECK(allocator.has_value() == harmless);
            if (!allocator) {
                CHECK(allocator.error().kind == ErrorKind::device);
                CHECK(allocator.error().code == EIO);
                CHECK(machine.system.leaks() == 0);
            }
        }
}

TEST_CASE("udmabuf's limit is explained") {
    One machine(udmabuf_node);
    const auto allocator = must_open(machine.system);
    CHECK(allocator->allocate(std::size_t{64} << 20U));
    const Result<DmabufBuffer> buffer = allocator->allocate((std::size_t{64} << 20U) + 1);
    REQUIRE_FALSE(buffer);
    CHECK(buffer.error().code == EINVAL);
    CHECK(buffer.error().detail.contains("size_limit_mb"));
    CHECK(buffer.error().remedy == "As root: `echo 65 >/sys/module/udmabuf/parameters/size_limit_mb`");
}

TEST_CASE("a kernel that does not know MFD_NOEXEC_SEAL has udmabuf, too") {
    One machine(udmabuf_node);
    machine.system.fail("memfd_create", EINVAL);
    CHECK(DmabufAllocator::open("", machine.system));
    CHECK(machine.system.count("memfd_create") == 2);
}

TEST_CASE("a card stays free for those who show something on it") {
    One machine(card_node);
    const auto allocator = must_open(machine.system);
    CHECK_FALSE(machine.allocator.is_master());
}

TEST_CASE("impossible sizes are refused") {
    for (const char* node : {heap_node, udmabuf_node, card_node}) {
        One machine(node);
        const auto allocator = must_open(machine.system);
        CHECK(allocator->allocate(0).error().code == EINVAL);
        CHECK(allocator->allocate(std::numeric_limits<std::size_t>::max()).error().code == ENOMEM);
    }
    One machine(card_node);
    const auto allocator = must_open(machine.system);
    const Result<DmabufBuffer> buffer = allocator->allocate(std::size_t{4} << 30U);
    REQUIRE_FALSE(buffer);
    CHECK(buffer.error().code == EINVAL);
    CHECK(buffer.error().detail.contains("4 GiB"));
    CHECK(machine.system.count("CREATE_DUMB") == 1); // the trial
}

TEST_CASE("more than there is, is refused before the kernel ends programs to get it") {
    One machine(heap_node);
    const auto allocator = must_open(machine.system);
    machine.system.available = 8192;
    CHECK(allocator->allocate(8192));
    const std::size_t asked = machine.system.count("DMA_HEAP_IOCTL_ALLOC");
    const Result<DmabufBuffer> buffer = allocator->allocate(8193);
    REQUIRE_FALSE(buffer);
    CHECK(buffer.error().message() ==
          "allocate /dev/dma_heap/system, 8193 bytes: Cannot allocate memory (8192 bytes are available)");
    CHECK(machine.system.count("DMA_HEAP_IOCTL_ALLOC") == asked);
}

TEST_CASE("a dma-buf that is shorter than it should be is not taken") {
    One machine(heap_node);
    const auto allocator = must_open(machine.system);
    machine.allocator.missing_bytes = 4096;
    const Result<DmabufBuffer> buffer = allocator->allocate(8192);
    REQUIRE_FALSE(buffer);
    CHECK(buffer.error().kind == ErrorKind::device);
    CHECK(buffer.error().detail == "it gave 4096 bytes");
    CHECK(testing::open_fake_fds() == 1);
}

TEST_CASE("a name is known or not without opening anything") {
    One machine("/dev/dma_heap/reserved");
    machine.system.fail("open", EACCES);
    for (const char* name : {"", "system", "udmabuf", "drm", "reserved", udmabuf_node})
        CHECK(check_allocator_name(name, machine.system));
    CHECK(machine.system.failed_call() == nullptr);
    const Status status = check_allocator_name("sytem", machine.system);
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::usage);
    CHECK(status.error().message().contains("There may be: system, udmabuf, drm, reserved"));
}
