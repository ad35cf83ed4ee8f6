# podium_room(NAME SOURCES file... [MAY_INCLUDE room...] [LIBRARIES target...])
#
# One static library per room. A room's headers are reached as "NAME/header.h" through an include
# root that holds this room alone, so a room that is not listed under MAY_INCLUDE cannot be
# included: the compiler does not find it. The same table stands in docs/architecture.md, and
# tools/check_includes.py compares the two.
function(podium_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;MAY_INCLUDE;LIBRARIES" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${root}/${name} SYMBOLIC)

  list(TRANSFORM ROOM_SOURCES PREPEND ${name}/ REGEX "^[^/]")
  add_library(podium_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(podium_${name} PUBLIC ${root})
  foreach(other IN LISTS ROOM_MAY_INCLUDE)
    target_link_libraries(podium_${name} PUBLIC podium_${other})
  endforeach()
  target_link_libraries(podium_${name} PRIVATE ${ROOM_LIBRARIES})
endfunction()
