// SPDX-License-Identifier: MIT
#include "loop/parameters.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

namespace {

std::string text(const LoopParameters& wanted) {
    const auto parameters = module_parameters(wanted);
    REQUIRE(parameters);
    return format_parameters(*parameters);
}

void check_refused(const LoopParameters& wanted, std::string_view words) {
    const auto parameters = module_parameters(wanted);
    REQUIRE_FALSE(parameters);
    CHECK(parameters.error().kind == ErrorKind::usage);
    INFO(parameters.error().message());
    CHECK(parameters.error().message().contains(words));
}

} // namespace

TEST_CASE("lists are split at commas") {
    CHECK(split_list("a") == std::vector<std::string>{"a"});
    CHECK(split_list("a,b c") == std::vector<std::string>{"a", "b c"});
    CHECK(split_list("a,") == std::vector<std::string>{"a", ""});
    CHECK(split_list("") == std::vector<std::string>{""});
}

TEST_CASE("what is not wished for is left to the module") {
    CHECK(text({}).empty());
}

TEST_CASE("the longest list decides on the number of loops") {
    LoopParameters wanted;
    wanted.video_nr = {"4", "-1", "7"};
    wanted.card_label = {"Front door", "Yard"};
    wanted.exclusive_caps = {"1"};
    CHECK(text(wanted) == "devices=3 video_nr=4,-1,7 card_label=\"Front door,Yard\" exclusive_caps=1");
}

TEST_CASE("everything that can be set") {
    LoopParameters wanted;
    wanted.devices = 2;
    wanted.exclusive_caps = {"0", "1"};
    wanted.min_buffers = 4;
    wanted.max_buffers = 8;
    wanted.support_dmabuf = 0;
    wanted.max_readers = 1;
    wanted.debug = 2;
    wanted.allowed_gid = "root";
    CHECK(text(wanted) == "devices=2 exclusive_caps=0,1 support_dmabuf=0 min_buffers=4 max_buffers=8 "
                          "max_readers=1 debug=2 allowed_gid=0");
    wanted.allowed_gid = "44";
    CHECK(text(wanted).ends_with("allowed_gid=44"));
}

TEST_CASE("numbers out of range are refused") {
    check_refused({.devices = 0}, "--devices: 0");
    check_refused({.devices = 33}, "--devices: 33");
    check_refused({.min_buffers = 1}, "--min-buffers");
    check_refused({.max_buffers = 33}, "--max-buffers");
    check_refused({.min_buffers = 8, .max_buffers = 4}, "--max-buffers");
    check_refused({.max_buffers = 3}, "--min-buffers, too");
    check_refused({.support_dmabuf = 2}, "--support-dmabuf");
    check_refused({.max_readers = 0}, "--max-readers");
    check_refused({.debug = -1}, "--debug");
}

TEST_CASE("lists that make no sense are refused") {
    check_refused({.video_nr = {"x"}}, "'x' is no device number");
    check_refused({.video_nr = {"4x"}}, "'4x' is no device number");
    check_refused({.video_nr = {"256"}}, "'256'");
    check_refused({.video_nr = {"4", "4"}}, "4 is given twice");
    check_refused({.devices = 1, .video_nr = {"4", "5"}}, "2 numbers for 1 loop");
    check_refused({.devices = 1, .card_label = {"a", "b"}}, "2 labels for 1 loop");
    check_refused({.devices = 3, .exclusive_caps = {"0", "1"}}, "2 values for 3 loops");
    check_refused({.exclusive_caps = {"yes"}}, "neither 0 nor 1");
    check_refused({.video_nr = std::vector<std::string>(33, "-1")}, "33 loops");
}

TEST_CASE("labels that the kernel's parser would mangle are refused") {
    check_refused({.card_label = {"a", ""}}, "a label is empty");
    check_refused({.card_label = {"say \"cheese\""}}, "quote");
    check_refused({.card_label = {"a\nb"}}, "control character");
    check_refused({.card_label = {std::string(32, 'x')}}, "more than 31 bytes");
    CHECK(text({.card_label = {std::string(31, 'x')}}).ends_with("x"));
}

TEST_CASE("a group must exist") {
    check_refused({.allowed_gid = "no_such_group_here"}, "no group 'no_such_group_here'");
    check_refused({.allowed_gid = "-1"}, "no group number");
    check_refused({.allowed_gid = "4294967296"}, "no group number");
}

TEST_CASE("words and nodes") {
    check_refused({.nodes = "both"}, "neither single nor split");
    check_refused({.overrun = "lossles"}, "neither leaky nor lossless");
    check_refused({.capture_nr = {"3"}}, "only with --nodes split");
    check_refused({.exclusive_caps = {"1"}, .nodes = "split"}, "--exclusive-caps");
    check_refused({.video_nr = {"4"}, .capture_nr = {"4"}, .nodes = "split"}, "4 is given twice");
    CHECK(text({.video_nr = {"4"}, .capture_nr = {"5"}, .nodes = "split", .overrun = "lossless"}) ==
          "video_nr=4 capture_nr=5 nodes=split overrun=lossless");
}

TEST_CASE("every number has a bound at both ends, and a way to the module") {
    for (const LoopNumber& number : loop_numbers()) {
        CAPTURE(number.option);
        LoopParameters wanted;
        wanted.*number.value = number.min - 1;
        check_refused(wanted, number.option);
        wanted.*number.value = number.max + 1;
        check_refused(wanted, number.option);
        wanted.*number.value = number.max;
        CHECK(text(wanted) == std::string(number.parameter) + "=" + std::to_string(number.max));
        const LoopConfig config = loop_config(wanted).value_or(LoopConfig{});
        CHECK(config.*number.config == static_cast<std::uint32_t>(number.max));
        CHECK(loop_change(wanted).has_value() == (number.set != 0));
    }
}

TEST_CASE("one loop for the control node") {
    const Result<LoopConfig> plain = loop_config({});
    REQUIRE(plain);
    CHECK(plain->flags == 0);
    CHECK(plain->video_nr == -1);
    CHECK(plain->capture_nr == -1);
    CHECK(plain->card_label[0] == 0);
    const Result<LoopConfig> config = loop_config({.video_nr = {"4"},
                                                   .card_label = {"Yard"},
                                                   .exclusive_caps = {"1"},
                                                   .overrun = "lossless",
                                                   .support_dmabuf = 0,
                                                   .contiguous = 1,
                                                   .multiplanar = 1,
                                                   .allowed_gid = "44"});
    REQUIRE(config);
    CHECK(config->flags ==
          (V4L2DMA_LOOP_EXCLUSIVE_CAPS | V4L2DMA_LOOP_LOSSLESS | V4L2DMA_LOOP_NO_DMABUF |
           V4L2DMA_LOOP_CONTIGUOUS | V4L2DMA_LOOP_MULTIPLANAR | V4L2DMA_LOOP_ALLOWED_GID_SET));
    CHECK(config->video_nr == 4);
    CHECK(config->allowed_gid == 44);
    CHECK(std::string(reinterpret_cast<const char*>(config->card_label)) == "Yard");
    CHECK_FALSE(loop_config({.devices = 2}));
    CHECK(loop_config({.devices = 1}));
    CHECK_FALSE(loop_config({.card_label = {"a", "b"}}));
}

TEST_CASE("what changes of a loop that is there") {
    const Result<LoopChange> change = loop_change({.max_readers = 3, .allowed_gid = "44"});
    REQUIRE(change);
    CHECK(change->which == (V4L2DMA_SET_MAX_READERS | V4L2DMA_SET_ALLOWED_GID));
    CHECK(change->config.max_readers == 3);
    CHECK(change->config.flags == V4L2DMA_LOOP_ALLOWED_GID_SET);
    const Result<LoopChange> open = loop_change({.allowed_gid = "none"});
    REQUIRE(open);
    CHECK(open->which == V4L2DMA_SET_ALLOWED_GID);
    CHECK(open->config.flags == 0);
    CHECK(loop_change({}).error().message().contains("nothing to change"));
    CHECK(loop_change({.contiguous = 1}).error().message().contains("fixed"));
    CHECK(loop_change({.multiplanar = 1}).error().message().contains("fixed"));
    CHECK(loop_change({.nodes = "split"}).error().message().contains("fixed"));
    CHECK(loop_change({.min_buffers = 4}).error().message().contains("fixed"));
}
