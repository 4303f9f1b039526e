// SPDX-License-Identifier: MIT
#include "cli/exit_code.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

TEST_CASE("each kind of error has the exit code that the manual promises") {
    CHECK(to_int(exit_code_for(ErrorKind::system)) == 1);
    CHECK(to_int(exit_code_for(ErrorKind::usage)) == 2);
    CHECK(to_int(exit_code_for(ErrorKind::device)) == 3);
    CHECK(to_int(exit_code_for(ErrorKind::unsupported)) == 4);
    CHECK(to_int(exit_code_for(ErrorKind::peer)) == 5);
    CHECK(to_int(ExitCode::nothing_to_test) == 77);
}
