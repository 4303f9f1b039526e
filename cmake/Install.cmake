# SPDX-License-Identifier: MIT
include(GNUInstallDirs)
install(TARGETS v4l2dma RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
file(GLOB v4l2dma_manuals CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/man/*.1)
install(FILES ${v4l2dma_manuals} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
