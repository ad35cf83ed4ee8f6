# podium_room(NAME [OPTIMIZED] SOURCES file... [MAY_INCLUDE room...] [LIBRARIES target...])
#
# One static library per room, podium_NAME. A room's headers are reached as "NAME/header.h" through
# an include root that holds this room alone, so a room that is not listed under MAY_INCLUDE cannot
# be included: the compiler does not find it. Rooms are linked PRIVATE, so that a root reaches the
# rooms that list it and goes no further: cli may include client, and that lends it nothing of what
# client may include. The same table stands in docs/architecture.md, section 2;
# tools/check_includes.py compares the two and every #include line with both, and
# tests/tools/rooms_test.py tries the wrong includes.
#
# LIBRARIES are libraries from outside, for the room's .cpp files only. OPTIMIZED: compiled with -O1
# where the others are not optimized, in the presets for tests.
function(podium_room name)
  cmake_parse_arguments(ROOM "OPTIMIZED" "" "SOURCES;MAY_INCLUDE;LIBRARIES" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${root}/${name} SYMBOLIC)

  list(TRANSFORM ROOM_SOURCES PREPEND ${name}/ REGEX "^[^/]")
  add_library(podium_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(podium_${name} PUBLIC ${root})
  list(TRANSFORM ROOM_MAY_INCLUDE PREPEND podium_ OUTPUT_VARIABLE others)
  target_link_libraries(podium_${name} PRIVATE ${others} ${ROOM_LIBRARIES})
  set_target_properties(podium_${name} PROPERTIES PODIUM_MAY_INCLUDE "${others}")
  if(ROOM_OPTIMIZED)
    target_compile_options(podium_${name} PRIVATE $<$<CONFIG:Debug>:-O1>)
  endif()
  if(PODIUM_PRECOMPILE)
    podium_precompiled_for(podium_${name} precompiled)
    if(ROOM_OPTIMIZED)
      string(APPEND precompiled _optimized)
    endif()
    podium_use_precompiled(${precompiled} TARGET podium_${name} SOURCES ${ROOM_SOURCES})
  endif()
endfunction()

# podium_precompiled_for(ROOM_TARGET VARIABLE): which precompiled header a room's sources, and its
# tests, may see.
function(podium_precompiled_for target variable)
  get_target_property(others ${target} PODIUM_MAY_INCLUDE)
  if("podium_api" IN_LIST others OR target STREQUAL "podium_api")
    set(${variable} api PARENT_SCOPE)
  else()
    set(${variable} standard PARENT_SCOPE)
  endif()
endfunction()

# podium_use_rooms(TARGET library...): links TARGET, a test or a program, to rooms and to whatever
# these rooms may include. Libraries that are no rooms are linked as they are.
function(podium_use_rooms target)
  foreach(library IN LISTS ARGN)
    target_link_libraries(${target} PRIVATE ${library})
    if(TARGET ${library})
      get_target_property(others ${library} PODIUM_MAY_INCLUDE)
      if(others)
        target_link_libraries(${target} PRIVATE ${others})
      endif()
    endif()
  endforeach()
endfunction()
