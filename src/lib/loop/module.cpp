// SPDX-License-Identifier: MIT
#include "loop/module.h"

#include "base/log.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <libkmod.h>
#include <sstream>
#include <sys/utsname.h>
#include <unistd.h>

namespace v4l2dma {

namespace {

std::unexpected<ModuleError> failure(ModuleFailure reason, int code, std::string operation,
                                     std::string object, std::string detail, std::string remedy) {
    return std::unexpected(ModuleError{.reason = reason,
                                       .error = Error{.kind = ErrorKind::device,
                                                      .code = code,
                                                      .operation = std::move(operation),
                                                      .object = std::move(object),
                                                      .detail = std::move(detail),
                                                      .remedy = std::move(remedy)}});
}

std::string running_release() {
    utsname system{};
    return ::uname(&system) == 0 ? system.release : "";
}

/// "6.12.9-amd64 SMP preempt mod_unload modversions" -> "6.12.9-amd64"
std::string_view release_of(std::string_view vermagic) {
    return vermagic.substr(0, vermagic.find(' '));
}

bool is_of_release(std::string_view vermagic, std::string_view release) {
    return release_of(vermagic) == release;
}

/// The first line of a file of /proc or /sys, empty if it cannot be read.
std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

bool is_locked_down() {
    const std::string mode =
        first_line("/sys/kernel/security/lockdown"); // "none [integrity] confidentiality"
    return mode.contains("[integrity]") || mode.contains("[confidentiality]");
}

bool are_modules_disabled() {
    return first_line("/proc/sys/kernel/modules_disabled") == "1";
}

/// EPERM has three reasons.
ModuleFailure classify_not_permitted() {
    if (::geteuid() != 0)
        return ModuleFailure::no_permission;
    if (are_modules_disabled())
        return ModuleFailure::disabled;
    return is_locked_down() ? ModuleFailure::signature : ModuleFailure::no_permission;
}

/// Why nobody, or not this user, may load and unload modules.
void explain_refusal(Error& error, ModuleFailure reason) {
    if (error.code == ENOSYS) {
        error.detail = "this kernel was built without loadable modules";
    } else if (reason == ModuleFailure::disabled) {
        error.detail = "loading and unloading is switched off (kernel.modules_disabled)";
        error.remedy = "Only a reboot allows it again";
    } else if (::geteuid() == 0) {
        error.detail = "root may not do that here, as in a container";
        error.remedy = "Do it on the host";
    } else {
        error.remedy = "Run this as root";
    }
}

/// libkmod talks to stderr by itself unless it is given this: its remarks are for -v.
__attribute__((format(printf, 6, 0))) void forward_log(void* /*data*/, int /*priority*/, const char* /*file*/,
                                                       int /*line*/, const char* /*function*/,
                                                       const char* format, va_list arguments) {
    std::array<char, 512> text{};
    std::vsnprintf(text.data(), text.size(), format, arguments);
    std::string_view line = text.data();
    while (line.ends_with('\n'))
        line.remove_suffix(1);
    spdlog::debug("libkmod: {}", line);
}

std::string sysfs(std::string_view name, std::string_view file) {
    return "/sys/module/" + std::string(name) + "/" + std::string(file);
}

} // namespace

std::string format_parameters(std::span<const ModuleParameter> parameters) {
    std::string text;
    for (const auto& [name, value] : parameters) {
        const char* quote = value.empty() || value.find_first_of(" \t") != std::string::npos ? "\"" : "";
        text += (text.empty() ? "" : " ") + name + "=" + quote + value + quote;
    }
    return text;
}

bool is_refused_vermagic(std::string_view vermagic, std::string_view release) {
    const bool has_checksums = vermagic.contains(" modversions");
    return !vermagic.empty() && !has_checksums && !is_of_release(vermagic, release);
}

ModuleFailure classify_insertion(int code, std::string_view vermagic, std::string_view release) {
    const bool other_kernel = !vermagic.empty() && !is_of_release(vermagic, release);
    switch (code) {
    case ENOEXEC:
        return other_kernel ? ModuleFailure::wrong_kernel : ModuleFailure::not_a_module;
    case EINVAL: // also a symbol whose checksum differs
        return other_kernel ? ModuleFailure::wrong_kernel : ModuleFailure::bad_parameter;
    case ENOENT: // an unknown symbol
        return other_kernel ? ModuleFailure::wrong_kernel : ModuleFailure::missing_dependency;
    case EPERM:
        return classify_not_permitted();
    case EACCES:
        return ModuleFailure::no_permission;
    case EKEYREJECTED:
    case ENOKEY:
    case EBADMSG:
    case ENOPKG:
        return ModuleFailure::signature;
    case EEXIST:
        return ModuleFailure::already_loaded;
    case ENOSYS:
        return ModuleFailure::disabled;
    default:
        return ModuleFailure::other;
    }
}

bool is_module_loaded(std::string_view name) {
    std::error_code ignored;
    return std::filesystem::exists(sysfs(name, "initstate"), ignored);
}

std::optional<int> module_use_count(std::string_view name) {
    std::ifstream file(sysfs(name, "refcnt"));
    int count = 0;
    if (file >> count)
        return count;
    return std::nullopt;
}

void KernelModule::ContextDeleter::operator()(kmod_ctx* context) const noexcept {
    kmod_unref(context);
}

void KernelModule::ModuleDeleter::operator()(kmod_module* module) const noexcept {
    kmod_module_unref(module);
}

ModuleResult<KernelModule> KernelModule::find(const std::string& name,
                                              const std::optional<std::string>& path) {
    KernelModule found(name, path.has_value());
    found.context_.reset(kmod_new(nullptr, nullptr));
    if (!found.context_)
        return failure(ModuleFailure::other, ENOMEM, "start", "libkmod", "", "");
    kmod_set_log_fn(found.context_.get(), forward_log, nullptr);
    ModuleResult<void> opened = path ? found.open_file(*path) : found.open_installed();
    if (opened)
        opened = found.read_info();
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    return found;
}

ModuleResult<void> KernelModule::open_file(const std::string& path) {
    constexpr auto remedy = "Give --module the path of v4l2dma.ko, as 'make -C kmod' leaves it";
    std::error_code code;
    if (!std::filesystem::is_regular_file(path, code))
        return failure(ModuleFailure::missing_file, code.value(), "load", path,
                       code ? "" : "this is not a file", remedy);
    kmod_module* module = nullptr;
    const int answer = kmod_module_new_from_path(context_.get(), path.c_str(), &module);
    if (answer < 0)
        return failure(ModuleFailure::missing_file, -answer, "load", path, "", remedy);
    module_.reset(module);
    path_ = path;
    return {};
}

ModuleResult<void> KernelModule::open_installed() {
    kmod_module* module = nullptr;
    const int answer = kmod_module_new_from_name_lookup(context_.get(), name_.c_str(), &module);
    module_.reset(module);
    const char* path = module == nullptr ? nullptr : kmod_module_get_path(module);
    if (answer < 0 || path == nullptr)
        return failure(ModuleFailure::not_installed, 0, "load", "module " + name_,
                       "it is not installed under /lib/modules/" + running_release(),
                       "Install it for this kernel, or name its file with '--module PATH'");
    path_ = path;
    return {};
}

ModuleResult<void> KernelModule::read_info() {
    kmod_list* list = nullptr;
    const int answer = kmod_module_get_info(module_.get(), &list);
    if (answer < 0) {
        const bool unreadable = answer == -EACCES || answer == -EPERM;
        return failure(unreadable ? ModuleFailure::missing_file : ModuleFailure::not_a_module,
                       unreadable ? -answer : 0, "load", path_,
                       unreadable ? "" : "this file is not a kernel module", "");
    }
    kmod_list* entry = nullptr;
    kmod_list_foreach(entry, list) {
        const char* value = kmod_module_info_get_value(entry);
        info_.emplace_back(kmod_module_info_get_key(entry), value == nullptr ? "" : value);
    }
    kmod_module_info_free_list(list);
    // Another module's parameters and control node would make every later answer nonsense.
    if (info("name") != name_)
        return failure(ModuleFailure::not_a_module, 0, "load", path_,
                       "this is the kernel module '" + info("name") + "', not " + name_, "");
    return {};
}

std::string KernelModule::info(std::string_view key) const {
    const auto found = std::ranges::find(info_, key, &std::pair<std::string, std::string>::first);
    return found == info_.end() ? "" : found->second;
}

bool KernelModule::has_parameter(std::string_view name) const {
    // "parm=devices:Number of loops", "parmtype=devices:uint"
    return std::ranges::any_of(info_, [name](const auto& field) {
        const bool declares = field.first == "parm" || field.first == "parmtype";
        return declares && std::string_view(field.second).substr(0, field.second.find(':')) == name;
    });
}

ModuleResult<void> KernelModule::check(std::span<const ModuleParameter> parameters) const {
    for (const ModuleParameter& parameter : parameters)
        if (!has_parameter(parameter.name))
            return failure(ModuleFailure::unknown_parameter, 0, "load", path_,
                           "this module has no parameter '" + parameter.name + "'",
                           "It belongs to another version of v4l2dma (this is " V4L2DMA_VERSION ")");
    if (is_refused_vermagic(info("vermagic"), running_release()))
        return std::unexpected(insertion_error(ENOEXEC));
    return {};
}

ModuleResult<void> KernelModule::check_replacement(std::span<const ModuleParameter> parameters) const {
    ModuleResult<void> checked = check(parameters);
    if (checked && !is_of_release(info("vermagic"), running_release()))
        return std::unexpected(insertion_error(ENOEXEC));
    return checked;
}

ModuleResult<void> KernelModule::load(std::span<const ModuleParameter> parameters) const {
    const std::string options = format_parameters(parameters);
    spdlog::debug("loading {} {}", path_, options);
    int answer = 0;
    if (from_file_) {
        if (ModuleResult<void> loaded = load_dependencies(); !loaded)
            return loaded;
        answer = kmod_module_insert_module(module_.get(), 0, options.c_str());
    } else {
        answer = kmod_module_probe_insert_module(module_.get(), KMOD_PROBE_FAIL_ON_LOADED, options.c_str(),
                                                 nullptr, nullptr, nullptr);
    }
    if (answer < 0)
        return std::unexpected(insertion_error(-answer));
    return {};
}

ModuleResult<void> KernelModule::load_dependencies() const {
    std::istringstream names(info("depends"));
    for (std::string name; std::getline(names, name, ',');)
        if (ModuleResult<void> loaded = load_dependency(name); !loaded)
            return loaded;
    return {};
}

ModuleResult<void> KernelModule::load_dependency(const std::string& name) const {
    kmod_module* found = nullptr;
    const int answer = kmod_module_new_from_name_lookup(context_.get(), name.c_str(), &found);
    const Module dependency(found);
    if (answer < 0 || !dependency) {
        // Debian's "cloud" kernels leave the media modules out.
        return failure(ModuleFailure::missing_dependency, 0, "load", path_,
                       "it needs the module '" + name + "', which is not under /lib/modules/" +
                           running_release(),
                       "Install the modules of this kernel; a kernel image for cloud machines has no video "
                       "modules, use the ordinary one (on Debian: linux-image-amd64)");
    }
    spdlog::debug("loading {} for it", name);
    const int inserted =
        kmod_module_probe_insert_module(dependency.get(), 0, nullptr, nullptr, nullptr, nullptr);
    if (inserted >= 0)
        return {};
    ModuleError error = insertion_error(-inserted);
    error.error.object = name + " (needed by " + path_ + ")";
    return std::unexpected(std::move(error));
}

ModuleError KernelModule::insertion_error(int code) const {
    const std::string vermagic = info("vermagic");
    const std::string release = running_release();
    ModuleError result{.reason = classify_insertion(code, vermagic, release),
                       .error = Error{.kind = ErrorKind::device,
                                      .code = code,
                                      .operation = "load",
                                      .object = path_,
                                      .detail = {},
                                      .remedy = {}}};
    Error& error = result.error;
    switch (result.reason) {
    case ModuleFailure::wrong_kernel:
        error.detail =
            "it was built for kernel " + std::string(release_of(vermagic)) + ", this one is " + release;
        error.remedy = "Build it for this kernel: make -C kmod KDIR=/lib/modules/" + release + "/build";
        break;
    case ModuleFailure::not_a_module:
        error.detail = "the kernel does not accept the file as a module";
        error.remedy = "It is damaged, or its kernel was built otherwise: build it again; dmesg says more";
        break;
    case ModuleFailure::missing_dependency:
        error.detail = "it needs symbols that this kernel does not have";
        error.remedy = "dmesg names them";
        break;
    case ModuleFailure::signature:
        error.detail = "the kernel takes only modules with a signature it trusts: Secure Boot or lockdown";
        error.remedy =
            "Sign the module with a key that is enrolled (mokutil --import), or turn Secure Boot off";
        break;
    case ModuleFailure::no_permission:
    case ModuleFailure::disabled:
        explain_refusal(error, result.reason);
        break;
    case ModuleFailure::bad_parameter:
        error.detail = "the module refused its parameters";
        error.remedy = "dmesg names the one";
        break;
    case ModuleFailure::already_loaded:
    case ModuleFailure::missing_file:
    case ModuleFailure::not_installed:
    case ModuleFailure::unknown_parameter:
    case ModuleFailure::not_loaded:
    case ModuleFailure::in_use:
    case ModuleFailure::other:
        error.remedy = "dmesg may say more";
        break;
    }
    return result;
}

ModuleResult<void> unload_module(const std::string& name) {
    const std::string object = "module " + name;
    if (!is_module_loaded(name))
        return failure(ModuleFailure::not_loaded, 0, "unload", object, "it is not loaded", "");
    const std::unique_ptr<kmod_ctx, decltype([](kmod_ctx* context) { kmod_unref(context); })> context(
        kmod_new(nullptr, nullptr));
    if (!context)
        return failure(ModuleFailure::other, ENOMEM, "start", "libkmod", "", "");
    kmod_set_log_fn(context.get(), forward_log, nullptr);
    kmod_module* raw = nullptr;
    const int found = kmod_module_new_from_name(context.get(), name.c_str(), &raw);
    const std::unique_ptr<kmod_module, decltype([](kmod_module* module) { kmod_module_unref(module); })>
        module(raw);
    const int answer = found < 0 ? found : kmod_module_remove_module(raw, KMOD_REMOVE_NOLOG);
    switch (-answer) {
    case 0:
        return {};
    case EAGAIN:
    case EBUSY:
        return failure(ModuleFailure::in_use, -answer, "unload", object, "it is in use", "");
    case EPERM:
    case EACCES: {
        auto refused = failure(classify_not_permitted(), -answer, "unload", object, "", "");
        explain_refusal(refused.error().error, refused.error().reason);
        return refused;
    }
    default:
        return failure(ModuleFailure::other, -answer, "unload", object, "", "dmesg may say more");
    }
}

} // namespace v4l2dma
