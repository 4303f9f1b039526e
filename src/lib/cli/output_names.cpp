// SPDX-License-Identifier: MIT
#include "cli/output_names.h"

#include "base/numbered_name.h"
#include "media/network.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <sys/stat.h>

namespace v4l2dma {

namespace {

/// Where a name leads to that may also be a URL of a file, or "-".
std::string path_of(const std::string& name, const char* standard) {
    return name == "-" ? standard : without_file_scheme(name);
}

std::optional<struct stat> look_at(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? std::optional(status) : std::nullopt;
}

bool is_same(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

struct Place {
    std::string folder;
    std::string_view file;
};

Place place_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos
               ? Place{".", path}
               : Place{std::string(path.substr(0, slash + 1)), path.substr(slash + 1)};
}

bool is_same_folder(const Place& a, const Place& b) {
    const std::optional<struct stat> one = look_at(a.folder);
    const std::optional<struct stat> other = look_at(b.folder);
    return one && other ? is_same(*one, *other) : a.folder == b.folder;
}

bool is_same_place(std::string_view a, std::string_view b) {
    const Place one = place_of(a);
    const Place other = place_of(b);
    return one.file == other.file && is_same_folder(one, other);
}

/// Whether @p path is where one of the files will be that are called @p numbered, or itself the name of many
/// of which one could be.
bool could_be_numbered(std::string_view path, std::string_view numbered) {
    const Place one = place_of(path);
    const Place other = place_of(numbered);
    const std::optional<NumberedName> many = NumberedName::parse(one.file);
    const std::optional<NumberedName> name = NumberedName::parse(other.file);
    if (!name || !is_same_folder(one, other))
        return false;
    return many ? name->overlaps(*many) : name->number_of(one.file).has_value();
}

/// Whether two outputs would write over each other, or into each other. A terminal takes all that comes, but
/// for standard output said twice.
bool is_same_output(const std::string& a, const std::string& b) {
    if (a == "-" && b == "-")
        return true;
    const std::string path = path_of(a, "/dev/stdout");
    const std::string other_path = path_of(b, "/dev/stdout");
    const std::optional<struct stat> one = look_at(path);
    const std::optional<struct stat> other = look_at(other_path);
    if (!one || !other) // one will be there once it is written
        return is_same_place(path, other_path) || could_be_numbered(path, other_path) ||
               could_be_numbered(other_path, path);
    return !S_ISCHR(one->st_mode) && is_same(*one, *other);
}

/// Whether a film would be written over while it is read. One of many files may be it by its number, and
/// nobody knows how many there will be.
bool is_written_over(const std::string& input, const std::string& output, bool force) {
    const std::string path = path_of(input, "/dev/stdin");
    const std::optional<struct stat> read = look_at(path);
    const std::string written = path_of(output, "/dev/stdout");
    if (!read && force && could_be_numbered(path, written)) // a sequence of pictures
        return true;
    if (!read || !S_ISREG(read->st_mode))
        return false;
    const std::optional<struct stat> there = look_at(written);
    return (there && is_same(*read, *there)) || (force && could_be_numbered(path, written));
}

std::unexpected<Error> twice(const std::string& name, bool json) {
    if (name != "-")
        return make_error(ErrorKind::usage, "write", name, "it is an output twice");
    return make_error(ErrorKind::usage, "write", name,
                      json ? "--json and this both write to standard output"
                           : "two outputs both write to standard output");
}

} // namespace

Status check_output_names(std::span<const std::string> outputs, const OutputUse& use) {
    for (auto name = outputs.begin(); name != outputs.end(); ++name) {
        const auto is_same = [&](const std::string& other) { return is_same_output(*name, other); };
        if (std::any_of(outputs.begin(), name, is_same))
            return twice(*name, use.json);
        if (use.json && is_same("-"))
            return twice("-", use.json);
        if (is_written_over(use.input, *name, use.force))
            return make_error(ErrorKind::usage, "write", *name, "it is both the input and the output");
    }
    return {};
}

} // namespace v4l2dma
