# SPDX-License-Identifier: MIT
set(V4L2DMA_SANITIZE "" CACHE STRING "Sanitizers to build with: 'address,undefined' or 'thread'")
if(V4L2DMA_SANITIZE)
    add_compile_options(-fsanitize=${V4L2DMA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${V4L2DMA_SANITIZE})
endif()
