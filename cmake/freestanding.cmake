# podium_freestanding(ROOM NAME SOURCES file... [LINK_OPTIONS option...]): a program without a C
# library, that podium carries inside itself; its sources are below src/ROOM. Its flags are its own
# in every preset: a sanitizer needs a C library, and what is tested must be what runs.
function(podium_freestanding room name)
  cmake_parse_arguments(PROGRAM "" "" "SOURCES;LINK_OPTIONS" ${ARGN})
  list(TRANSFORM PROGRAM_SOURCES PREPEND ${room}/)
  # Sources that the room has as well get no precompiled header: it is for another language, one
  # with exceptions.
  set_source_files_properties(${PROGRAM_SOURCES} PROPERTIES COMPILE_OPTIONS "")
  add_executable(${name} ${PROGRAM_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_BINARY_DIR}/rooms/${room})
  set_target_properties(${name} PROPERTIES
    POSITION_INDEPENDENT_CODE OFF
    INTERPROCEDURAL_OPTIMIZATION OFF
    COMPILE_DEFINITIONS ""
    COMPILE_OPTIONS "-O2;-g0;-ffreestanding;-fno-exceptions;-fno-rtti;-fno-stack-protector;\
-fno-asynchronous-unwind-tables;-fno-threadsafe-statics;-fno-pic;-fomit-frame-pointer;\
-ffunction-sections;-fdata-sections;-Wall;-Wextra;-Wpedantic;-Wshadow;-Wimplicit-fallthrough;\
-Wreserved-identifier$<$<BOOL:${PODIUM_WERROR}>:;-Werror>"
    LINK_OPTIONS "-fuse-ld=lld-19;-nostdlib;-static;-Wl,--gc-sections;-Wl,--build-id=none;-Wl,-s;\
-Wl,-z,noexecstack;-Wl,-z,max-page-size=4096;${PROGRAM_LINK_OPTIONS}")
endfunction()

# podium_embed(TARGET NAMESPACE NAME PROGRAM): a program's bytes in TARGET, as
# NAMESPACE::internal::NAMEBytes and NAMESize.
function(podium_embed target namespace name program)
  set(output ${CMAKE_BINARY_DIR}/generated/embedded/${program}.cpp)
  add_custom_command(
    OUTPUT ${output}
    COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/embed_program.py
            $<TARGET_FILE:${program}> ${namespace} ${name} ${output}
    DEPENDS ${program} ${CMAKE_SOURCE_DIR}/tools/embed_program.py
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
