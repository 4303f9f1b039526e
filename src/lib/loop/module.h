// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct kmod_ctx;
struct kmod_module;

namespace v4l2dma {

/// Why a kernel module cannot be loaded or unloaded. Each has its own sentence in ModuleError::error.
enum class ModuleFailure {
    missing_file,       ///< the given path is no readable file
    not_a_module,       ///< the file is no kernel module, damaged, or of another name
    not_installed,      ///< no module of that name under /lib/modules of the running kernel
    missing_dependency, ///< a module that it needs, or a symbol, is not in this kernel
    wrong_kernel,       ///< built for another kernel
    no_permission,      ///< not root
    signature,          ///< signature missing or rejected: Secure Boot, lockdown
    disabled,           ///< the kernel takes no modules (any more)
    unknown_parameter,  ///< the module has no such parameter (the kernel would only warn)
    bad_parameter,      ///< the module refused a parameter's value
    already_loaded,
    not_loaded,
    in_use,
    other, ///< Error::code tells
};

/// A failure with its reason, and the sentence for the user (always ErrorKind::device).
struct ModuleError {
    ModuleFailure reason = ModuleFailure::other;
    Error error;
};
template <typename T> using ModuleResult = std::expected<T, ModuleError>;

struct ModuleParameter {
    std::string name;
    std::string value;
};

/// The command line that the kernel's parameter parser reads back as @p parameters: values with spaces are
/// quoted as a whole. Values must hold no quote, that parser has no escape for it.
[[nodiscard]] std::string format_parameters(std::span<const ModuleParameter> parameters);

/// Whether a module with this vermagic is certain to be refused by a kernel of this release. False if it may
/// work: with modversions the kernel compares symbol checksums instead of its release.
[[nodiscard]] bool is_refused_vermagic(std::string_view vermagic, std::string_view release);

/// What an insertion that failed with errno @p code means, on a kernel of @p release.
[[nodiscard]] ModuleFailure classify_insertion(int code, std::string_view vermagic, std::string_view release);

/// Whether the module is loaded now (a built-in one is not "loaded": it cannot be unloaded).
[[nodiscard]] bool is_module_loaded(std::string_view name);
/// The kernel's reference count of a loaded module; empty if it is not known.
[[nodiscard]] std::optional<int> module_use_count(std::string_view name);

/// A kernel module that can be loaded: its file, found and read. Not thread-safe.
class KernelModule {
public:
    /// Finds @p name under /lib/modules of the running kernel; with @p path takes that file instead (it may
    /// be compressed), which must be a module called @p name. Errors: missing_file, not_a_module,
    /// not_installed.
    [[nodiscard]] static ModuleResult<KernelModule> find(const std::string& name,
                                                         const std::optional<std::string>& path);

    /// Whatever can be known without the kernel's help.
    /// Errors: unknown_parameter, wrong_kernel (only if the kernel is certain to refuse it).
    [[nodiscard]] ModuleResult<void> check(std::span<const ModuleParameter> parameters) const;

    /// As check(), before a loaded module is given up for this one: any other kernel's is refused.
    [[nodiscard]] ModuleResult<void> check_replacement(std::span<const ModuleParameter> parameters) const;

    /// Loads what it depends on, then it. Blocks until the module is initialised. Needs root.
    [[nodiscard]] ModuleResult<void> load(std::span<const ModuleParameter> parameters) const;

    /// The file that load() takes.
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// A field of modinfo: "vermagic", "version", "depends"; empty if it has none.
    [[nodiscard]] std::string info(std::string_view key) const;

private:
    struct ContextDeleter {
        void operator()(kmod_ctx* context) const noexcept;
    };
    struct ModuleDeleter {
        void operator()(kmod_module* module) const noexcept;
    };
    using Context = std::unique_ptr<kmod_ctx, ContextDeleter>;
    using Module = std::unique_ptr<kmod_module, ModuleDeleter>;

    KernelModule(std::string name, bool from_file) : name_(std::move(name)), from_file_(from_file) {}
    [[nodiscard]] ModuleResult<void> open_file(const std::string& path);
    [[nodiscard]] ModuleResult<void> open_installed();
    [[nodiscard]] ModuleResult<void> read_info();
    [[nodiscard]] ModuleResult<void> load_dependencies() const;
    [[nodiscard]] ModuleResult<void> load_dependency(const std::string& name) const;
    [[nodiscard]] ModuleError insertion_error(int code) const;
    [[nodiscard]] bool has_parameter(std::string_view name) const;

    std::string name_;
    bool from_file_;
    std::string path_;
    Context context_;
    Module module_; // goes before context_
    std::vector<std::pair<std::string, std::string>> info_;
};

/// Unloads @p name without waiting for its users. Errors: not_loaded, in_use, no_permission, other.
[[nodiscard]] ModuleResult<void> unload_module(const std::string& name);

} // namespace v4l2dma
