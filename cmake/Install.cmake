# SPDX-License-Identifier: MIT
include(GNUInstallDirs)
install(TARGETS v4l2dma RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
