// SPDX-License-Identifier: MIT
#include "flow/writer_thread.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace v4l2dma;
using namespace std::chrono_literals;

namespace {

/// Fails where it is told to, by throwing, as a library does that finds no memory.
class ThrowingWriter final : public FrameWriter {
public:
    enum class Where { begin, write, finish };
    ThrowingWriter(Where where, bool memory) : where_(where), memory_(memory) {}

    Status begin(const Beginning&) override {
        fail_in(Where::begin);
        return {};
    }
    Result<FrameWritten> write(const FrameToWrite&) override {
        fail_in(Where::write);
        return FrameWritten{};
    }
    Status finish(bool) override {
        fail_in(Where::finish);
        return {};
    }
    ExportSummary summary() const override { return {}; }

private:
    void fail_in(Where where) const {
        if (where == where_ && memory_)
            throw std::bad_alloc();
        if (where == where_)
            throw std::runtime_error("broken");
    }

    Where where_;
    bool memory_;
};

} // namespace

TEST_CASE("what a writer throws is an error of the run, wherever") {
    using Where = ThrowingWriter::Where;
    for (const Where where : {Where::begin, Where::write, Where::finish})
        for (const bool memory : {true, false}) {
            WriterThread thread(std::make_unique<ThrowingWriter>(where, memory), {.rate = 25, .wake = {}});
            thread.saw(0ms);
            thread.push({.time = 0ms, .owner = nullptr});
            thread.finish();
            REQUIRE(thread.wait(20s));
            REQUIRE(thread.error());
            CHECK(thread.error()->code == (memory ? ENOMEM : EIO));
        }
}

TEST_CASE("frames that were written and those that could not be read are counted apart") {
    class EverySecond final : public FrameWriter {
        Status begin(const Beginning&) override { return {}; }
        Result<FrameWritten> write(const FrameToWrite&) override {
            bad_ = !bad_;
            return FrameWritten{.bad = bad_};
        }
        Status finish(bool) override { return {}; }
        ExportSummary summary() const override { return {}; }
        bool bad_ = false;
    };
    WriterThread thread(std::make_unique<EverySecond>(), {.rate = 25, .wake = {}});
    for (int i = 0; i < 5; ++i)
        thread.push({.time = i * 40ms, .owner = nullptr});
    thread.finish();
    REQUIRE(thread.wait(20s));
    CHECK(thread.bad() == 3);
    CHECK(thread.written() == 2);
}
