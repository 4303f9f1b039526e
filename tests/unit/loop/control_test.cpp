// SPDX-License-Identifier: MIT
#include "loop/control.h"

#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>

using namespace v4l2dma;

namespace {

/// A module with loops 1 and 5; loop 5 has two readers.
class FakeModule : public System {
public:
    int open(const char* path, int /*flags*/) override {
        CHECK(std::string(path) == "/dev/v4l2dma");
        return open_answer != 0 ? open_answer : ::memfd_create("control", MFD_CLOEXEC);
    }
    int ioctl(int /*fd*/, unsigned long request, void* argument) override {
        if (ioctl_answer != 0)
            return ioctl_answer;
        switch (request) {
        case V4L2DMA_IOC_QUERY:
            return query(*static_cast<v4l2dma_loop_query*>(argument));
        case V4L2DMA_IOC_STATS:
            static_cast<LoopStats*>(argument)->frames = 300;
            return 0;
        case V4L2DMA_IOC_READER_STATS: {
            auto* reader = static_cast<ReaderStats*>(argument);
            if (reader->loop_id != 5 || reader->index > 1)
                return -ENOENT;
            reader->pid = 100 + reader->index;
            std::memcpy(reader->comm, "play", 5);
            return 0;
        }
        default:
            return -ENOTTY;
        }
    }

    int open_answer = 0;
    int ioctl_answer = 0;

private:
    static int query(v4l2dma_loop_query& query) {
        const bool next = query.flags == V4L2DMA_QUERY_NEXT;
        if (query.id > 5 || (!next && query.id != 1 && query.id != 5))
            return -ENOENT;
        query.info.id = query.id <= 1 ? 1 : 5;
        query.info.video_nr = query.info.id + 10;
        std::memset(query.info.config.card_label, 'x',
                    sizeof(query.info.config.card_label)); // not terminated
        return 0;
    }
};

} // namespace

TEST_CASE("loops are listed through gaps in their ids") {
    FakeModule module;
    const auto control = ControlNode::open(module);
    REQUIRE(control);
    const auto loops = control->loops();
    REQUIRE(loops);
    REQUIRE(loops->size() == 2);
    CHECK(device_path(loops->at(0)) == "/dev/video11");
    CHECK(device_path(loops->at(1)) == "/dev/video15");
    CHECK(card_label(loops->at(0)) == std::string(V4L2DMA_LABEL_LEN, 'x'));
    CHECK_FALSE(control->find(0)->has_value()); // no device has this number
}

TEST_CASE("a loop is found by its id, and one that is gone is not") {
    FakeModule module;
    const auto control = ControlNode::open(module);
    REQUIRE(control);
    CHECK(control->loop(5)->video_nr == 15);
    const auto gone = control->loop(3);
    REQUIRE_FALSE(gone);
    CHECK(gone.error().code == ENOENT);
    CHECK(gone.error().kind == ErrorKind::device);
    CHECK(gone.error().message().contains("the loop is gone). 'v4l2dma load --list'"));
}

TEST_CASE("counters and readers of a loop") {
    FakeModule module;
    const auto control = ControlNode::open(module);
    REQUIRE(control);
    CHECK(control->stats(5)->frames == 300);
    CHECK(control->readers(1)->empty());
    const auto readers = control->readers(5);
    REQUIRE(readers);
    REQUIRE(readers->size() == 2);
    CHECK(readers->at(1).pid == 101);
    CHECK(command_name(readers->at(1)) == "play");
}

TEST_CASE("a module that is missing, closed or older is told apart") {
    FakeModule module;
    module.open_answer = -ENOENT;
    const auto missing = ControlNode::open(module);
    REQUIRE_FALSE(missing);
    CHECK(is_not_loaded(missing.error()));
    CHECK(missing.error().kind == ErrorKind::device);
    CHECK(missing.error().message().ends_with("Load it with 'v4l2dma load'"));

    module.open_answer = -EACCES;
    const auto closed = ControlNode::open(module);
    REQUIRE_FALSE(closed);
    CHECK(is_not_permitted(closed.error()));
    CHECK(closed.error().kind == ErrorKind::device);

    module.open_answer = 0;
    module.ioctl_answer = -ENOTTY;
    const auto control = ControlNode::open(module);
    REQUIRE(control);
    CHECK(control->loops().error().message().contains("older than this program"));
    CHECK_FALSE(control->stats(1));
    CHECK_FALSE(control->readers(1));
}
