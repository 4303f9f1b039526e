# SPDX-License-Identifier: MIT
find_package(PkgConfig REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(libdrm REQUIRED IMPORTED_TARGET libdrm)
pkg_check_modules(libkmod REQUIRED IMPORTED_TARGET libkmod)
pkg_check_modules(ffmpeg REQUIRED IMPORTED_TARGET libavdevice libavfilter libavformat libavcodec libavutil libswscale)
