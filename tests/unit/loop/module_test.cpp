// SPDX-License-Identifier: MIT
#include "loop/module.h"

#include "support/temporary_folder.h"

#include <array>
#include <cerrno>
#include <doctest/doctest.h>

using namespace v4l2dma;

TEST_CASE("parameters are written as the kernel's parser reads them") {
    const std::array<ModuleParameter, 3> parameters{
        {{"devices", "2"}, {"card_label", "Front door,Yard"}, {"video_nr", "4,5"}}};
    CHECK(format_parameters(parameters) == "devices=2 card_label=\"Front door,Yard\" video_nr=4,5");
    CHECK(format_parameters({}).empty());
}

TEST_CASE("a module of another kernel is refused beforehand only if that is certain") {
    CHECK(is_refused_vermagic("6.1.0 SMP mod_unload ", "6.12.9"));
    CHECK_FALSE(is_refused_vermagic("6.12.9 SMP mod_unload ", "6.12.9"));
    CHECK_FALSE(is_refused_vermagic("6.1.0 SMP mod_unload modversions ", "6.12.9"));
    CHECK_FALSE(is_refused_vermagic("", "6.12.9"));
}

TEST_CASE("what the kernel's refusal means") {
    CHECK(classify_insertion(ENOEXEC, "6.1.0 SMP", "6.12.9") == ModuleFailure::wrong_kernel);
    CHECK(classify_insertion(EINVAL, "6.1.0 SMP", "6.12.9") == ModuleFailure::wrong_kernel);
    CHECK(classify_insertion(ENOENT, "6.1.0 SMP", "6.12.9") == ModuleFailure::wrong_kernel);
    CHECK(classify_insertion(ENOEXEC, "6.12.9 SMP", "6.12.9") == ModuleFailure::not_a_module);
    CHECK(classify_insertion(EINVAL, "6.12.9 SMP", "6.12.9") == ModuleFailure::bad_parameter);
    CHECK(classify_insertion(ENOENT, "6.12.9 SMP", "6.12.9") == ModuleFailure::missing_dependency);
    for (const int code : {EKEYREJECTED, ENOKEY, EBADMSG})
        CHECK(classify_insertion(code, "6.1.0 SMP", "6.12.9") == ModuleFailure::signature);
    CHECK(classify_insertion(EEXIST, "", "") == ModuleFailure::already_loaded);
    CHECK(classify_insertion(ENOSYS, "", "") == ModuleFailure::disabled);
    CHECK(classify_insertion(EACCES, "", "") == ModuleFailure::no_permission);
    CHECK(classify_insertion(ENOMEM, "", "") == ModuleFailure::other);
}

TEST_CASE("a missing file, a folder and a text file are told apart") {
    const auto missing = KernelModule::find("v4l2dma", "/nonexistent/v4l2dma.ko");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().reason == ModuleFailure::missing_file);
    CHECK(missing.error().error.kind == ErrorKind::device);
    CHECK(missing.error().error.message().starts_with("load /nonexistent/v4l2dma.ko: No such file"));

    const auto folder = KernelModule::find("v4l2dma", "/");
    REQUIRE_FALSE(folder);
    CHECK(folder.error().reason == ModuleFailure::missing_file);

    const testing::TemporaryFolder temporary;
    const std::string file = temporary.file("v4l2dma.ko");
    std::ofstream(file) << "no module";
    const auto text = KernelModule::find("v4l2dma", file);
    REQUIRE_FALSE(text);
    CHECK(text.error().reason == ModuleFailure::not_a_module);
}

TEST_CASE("a module that is not installed is said to be so") {
    const auto module = KernelModule::find("v4l2dma_that_nobody_has", std::nullopt);
    REQUIRE_FALSE(module);
    CHECK(module.error().reason == ModuleFailure::not_installed);
}

TEST_CASE("the file is read before the kernel sees it") {
    const auto module = KernelModule::find("v4l2dma", V4L2DMA_FAKE_MODULE);
    REQUIRE(module);
    CHECK(module->info("depends") == "videodev,videobuf2-common");
    CHECK(module->info("nothing").empty());

    const std::array<ModuleParameter, 1> unknown{{{"no_such_thing", "1"}}};
    const auto checked = module->check(unknown);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().reason == ModuleFailure::unknown_parameter);

    const std::array<ModuleParameter, 2> known{{{"devices", "1"}, {"debug", "0"}}};
    const auto other_kernel = module->check(known);
    REQUIRE_FALSE(other_kernel);
    CHECK(other_kernel.error().reason == ModuleFailure::wrong_kernel);
    CHECK(other_kernel.error().error.message().contains("built for kernel 1.2.3-fake"));

    CHECK(module->check_replacement(known).error().reason == ModuleFailure::wrong_kernel);
    CHECK(module->check_replacement(unknown).error().reason == ModuleFailure::unknown_parameter);

    const auto other_name = KernelModule::find("vivid", V4L2DMA_FAKE_MODULE);
    REQUIRE_FALSE(other_name);
    CHECK(other_name.error().reason == ModuleFailure::not_a_module);
}

TEST_CASE("a module that is not loaded cannot be unloaded") {
    CHECK_FALSE(is_module_loaded("v4l2dma_that_nobody_has"));
    CHECK_FALSE(module_use_count("v4l2dma_that_nobody_has"));
    const auto unloaded = unload_module("v4l2dma_that_nobody_has");
    REQUIRE_FALSE(unloaded);
    CHECK(unloaded.error().reason == ModuleFailure::not_loaded);
}
