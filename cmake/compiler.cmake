# Compiler settings that hold for every target.
#
# Clang only: GCC 12, Debian 12's other compiler, destroys temporaries of awaited calls twice.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "podium needs Clang 19 or newer; use a preset (cmake --preset release)")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
# Line tables are enough for sanitizer reports, and full debug information doubles the link time.
# -O0: with sanitizers, -O1 compiles for twice as long. Rooms whose code runs most in tests ask for more
# (podium_room's OPTIMIZED), and what is fuzzed for hours is optimized as a whole.
set(CMAKE_CXX_FLAGS_DEBUG "-gline-tables-only -fno-omit-frame-pointer")
if(PODIUM_FUZZ)
  string(APPEND CMAKE_CXX_FLAGS_DEBUG " -O1")
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_SOURCE_DIR}/tools/ccache)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_SOURCE_DIR}/tools/ccache)
endif()

# libstdc++ 12 offers std::expected only where the compiler announces C++23's concepts.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wthread-safety -Wimplicit-fallthrough
                    -Wreserved-identifier)
if(PODIUM_WERROR)
  add_compile_options(-Werror)
endif()
add_compile_options(-fstack-protector-strong)
add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
# The descriptors are tables of addresses: as packed relocations (glibc 2.36) they take a hundredth
# of the space and of the time at start. Many of their functions are the same but for the type.
add_link_options(-fuse-ld=lld-19 -Wl,-z,relro,-z,now -Wl,--gc-sections
                 -Wl,-z,pack-relative-relocs $<$<CONFIG:Release>:-Wl,--icf=safe>)
add_compile_options(-ffunction-sections -fdata-sections)

if(PODIUM_LTO)
  add_compile_options(-flto=thin)
  add_link_options(-flto=thin -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/thinlto-cache)
endif()
if(PODIUM_SANITIZE)
  add_compile_options(-fsanitize=${PODIUM_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PODIUM_SANITIZE})
  # Tests start podium thousands of times. Its tables of addresses, with what the sanitizer puts around
  # them, are 21 MB of data: to fit them to where the program is loaded takes half of the page faults
  # and a quarter of the processor's time of `podium --version`.
  if(PODIUM_SANITIZE MATCHES address)
    add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-no-pie>)
  endif()
endif()
if(PODIUM_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
