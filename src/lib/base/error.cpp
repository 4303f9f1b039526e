// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <system_error>

namespace v4l2dma {

std::string Error::message() const {
    std::string text = operation;
    if (!object.empty())
        text += (text.empty() ? "" : " ") + object;
    if (code != 0)
        text += ": " + std::generic_category().message(code);
    if (!detail.empty())
        text += code != 0 ? " (" + detail + ")" : ": " + detail;
    if (!remedy.empty())
        text += ". " + remedy;
    return text;
}

std::unexpected<Error> system_error(std::string_view operation, std::string_view object, int code) {
    const bool missing = code == ENODEV || code == ENXIO || code == ENOENT;
    return std::unexpected(Error{.kind = missing ? ErrorKind::device : ErrorKind::system,
                                 .code = code,
                                 .operation = std::string(operation),
                                 .object = std::string(object),
                                 .detail = {},
                                 .remedy = {}});
}

std::unexpected<Error> file_error(std::string_view operation, std::string_view path, int code) {
    Error error = system_error(operation, path, code).error();
    error.kind = ErrorKind::system;
    return std::unexpected(std::move(error));
}

std::unexpected<Error> make_error(ErrorKind kind, std::string_view operation, std::string_view object,
                                  std::string_view detail, std::string_view remedy) {
    return std::unexpected(Error{.kind = kind,
                                 .code = 0,
                                 .operation = std::string(operation),
                                 .object = std::string(object),
                                 .detail = std::string(detail),
                                 .remedy = std::string(remedy)});
}

} // namespace v4l2dma
