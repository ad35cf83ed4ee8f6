# podium_precompile(NAME LIKE target [HEADER name] [OPTIONS option...] [ROOMS room...]):
# cmake/precompiled/NAME.h (or HEADER.h), parsed once for all sources that podium_use_precompiled
# names: two thirds of the time of compiling podium would be the parsing of the standard library's
# headers, again for each source. It is compiled with the options of the target LIKE and these, and
# sees the headers of ROOMS.
#
# A source includes what it uses all the same. The tsan preset compiles without precompiled headers
# and shows where it does not.
#
# CMake's own precompiled headers do not go with ccache: their bytes have the path of the build
# folder in them, so that nothing would be found again in another clone. Here ccache is told by
# NAME.pch.sum what is in it (tools/ccache). The precompiled header itself does not go through it. The
# headers include each other from beside themselves: to preprocess, as ccache does, Clang reads them
# again, with the flags of whatever includes them.
option(PODIUM_PRECOMPILE "parse common headers once" ON)

function(podium_precompile name)
  cmake_parse_arguments(ARG "" "LIKE;HEADER" "OPTIONS;ROOMS" ${ARGN})
  if(NOT PODIUM_PRECOMPILE)
    return()
  endif()
  if(NOT ARG_HEADER)
    set(ARG_HEADER ${name})
  endif()
  set(header ${CMAKE_SOURCE_DIR}/cmake/precompiled/${ARG_HEADER}.h)
  set(pch ${CMAKE_BINARY_DIR}/precompiled/${name}.pch)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
  set(definitions $<TARGET_PROPERTY:${ARG_LIKE},COMPILE_DEFINITIONS>)
  list(APPEND flags ${CMAKE_CXX23_STANDARD_COMPILE_OPTION} ${CMAKE_CXX_COMPILE_OPTIONS_PIC}
       $<TARGET_PROPERTY:${ARG_LIKE},COMPILE_OPTIONS> ${ARG_OPTIONS}
       $<$<BOOL:${definitions}>:-D$<JOIN:${definitions},$<SEMICOLON>-D>>)
  set(generated)
  foreach(room IN LISTS ARG_ROOMS)
    list(APPEND flags -I${CMAKE_BINARY_DIR}/rooms/${room} -I${CMAKE_BINARY_DIR}/generated/${room})
    get_property(files GLOBAL PROPERTY PODIUM_GENERATED_${room})
    list(APPEND generated ${files})
  endforeach()
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/precompiled)
  # -E and no line markers: what the sum is of has no paths in it.
  add_custom_command(
    OUTPUT ${pch} ${pch}.sum
    COMMAND ${CMAKE_CXX_COMPILER} ${flags} -x c++-header -Xclang -fno-pch-timestamp
            -fpch-instantiate-templates -MD -MT ${pch} -MF ${pch}.d -o ${pch} ${header}
    COMMAND ${CMAKE_CXX_COMPILER} ${flags} -x c++-header -E -P -dD -o ${pch}.i ${header}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${pch}.i -DOUTPUT=${pch}.sum
            -P ${CMAKE_SOURCE_DIR}/cmake/write_sum.cmake
    DEPENDS ${header} ${generated}
    DEPFILE ${pch}.d
    COMMENT "Precompiling ${name}.h"
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(podium_pch_${name} DEPENDS ${pch})
endfunction()

# podium_use_precompiled(NAME TARGET target [SOURCES file...]): all sources of the target, or these.
# Sources whose own options change the language, such as -fno-exceptions, cannot be among them.
function(podium_use_precompiled name)
  cmake_parse_arguments(ARG "" "TARGET" "SOURCES" ${ARGN})
  if(NOT PODIUM_PRECOMPILE)
    return()
  endif()
  set(options -include-pch ${CMAKE_BINARY_DIR}/precompiled/${name}.pch)
  if(ARG_SOURCES)
    set_property(SOURCE ${ARG_SOURCES} APPEND PROPERTY COMPILE_OPTIONS ${options})
  else()
    target_compile_options(${ARG_TARGET} PRIVATE ${options})
  endif()
  add_dependencies(${ARG_TARGET} podium_pch_${name})
endfunction()
