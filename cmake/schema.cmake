# podium_schema(ROOM TABLES table... [HOT table...] [KINDS]): adds to a room the types of
# schema/TABLE.table. HOT: those that are decoded and copied all day, which may be a little larger.
# KINDS: they are documents of an API, which come with descriptions to show to people.
#
# tools/generate.py writes build/PRESET/generated/ROOM/ROOM/types/NAME.{h,cpp} when a table or the
# tool has changed, and leaves files alone whose content stays the same. The sources are compiled six
# at a time: the standard headers that each includes take longer than most of them.
set(PODIUM_GENERATOR
    ${CMAKE_SOURCE_DIR}/tools/generate.py
    ${CMAKE_SOURCE_DIR}/tools/schema_cpp.py
    ${CMAKE_SOURCE_DIR}/tools/schema_descriptions.py
    ${CMAKE_SOURCE_DIR}/tools/schema_index.py
    ${CMAKE_SOURCE_DIR}/tools/schema_model.py
    ${CMAKE_SOURCE_DIR}/tools/schema_registry.py
    ${CMAKE_SOURCE_DIR}/tools/schema_resources.py
    ${CMAKE_SOURCE_DIR}/tools/schema_table.py)

function(podium_schema room)
  cmake_parse_arguments(ARG "KINDS" "" "TABLES;HOT" ${ARGN})
  set(out ${CMAKE_BINARY_DIR}/generated)
  set(stems ${ARG_TABLES} registry)
  if(ARG_KINDS)
    list(APPEND stems descriptions)
  endif()
  list(TRANSFORM stems REPLACE "\\." "_")
  list(TRANSFORM stems PREPEND ${out}/${room}/${room}/types/)
  list(TRANSFORM stems APPEND .h OUTPUT_VARIABLE headers)
  list(TRANSFORM stems APPEND .cpp OUTPUT_VARIABLE sources)
  list(TRANSFORM ARG_TABLES PREPEND schema/)
  list(TRANSFORM ARG_TABLES APPEND .table OUTPUT_VARIABLE tables)
  list(TRANSFORM tables PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE table_files)
  add_custom_command(
    OUTPUT ${headers} ${sources}
    COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 $<TARGET_FILE:Python3::Interpreter>
            ${CMAKE_SOURCE_DIR}/tools/generate.py --out ${out} ${tables}
    DEPENDS ${table_files} ${PODIUM_GENERATOR}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    COMMENT "Generating the types of ${room}"
    VERBATIM)
  # Thousands of small functions and large tables, compiled for size: nothing in them loops for long
  # or throws, so neither inlining, unwinding nor undefined-behaviour checks have anything to do.
  set(options -fno-sanitize=undefined)
  if(PODIUM_FUZZ)
    list(APPEND options -fno-sanitize=fuzzer-no-link)
  endif()
  list(APPEND options $<$<CONFIG:Release>:-fno-exceptions>
       $<$<CONFIG:Release>:-fno-asynchronous-unwind-tables>)
  list(TRANSFORM ARG_HOT REPLACE "\\." "_" OUTPUT_VARIABLE hot)
  list(TRANSFORM hot PREPEND ${out}/${room}/${room}/types/)
  list(TRANSFORM hot APPEND .cpp)
  set(number 0)
  while(sources)
    if(hot)
      set(part ${hot})
      set(size -Os)
      set(hot)
    else()
      list(SUBLIST sources 0 6 part)
      set(size -Oz)
    endif()
    list(REMOVE_ITEM sources ${part})
    list(TRANSFORM part PREPEND "#include \"" OUTPUT_VARIABLE lines)
    list(TRANSFORM lines APPEND "\"")
    list(JOIN lines "\n" text)
    set(file ${out}/${room}_types_${number}.cpp)
    file(CONFIGURE OUTPUT ${file} CONTENT "${text}\n")
    set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "${size};${options}"
                                                   OBJECT_DEPENDS "${part}")
    target_sources(podium_${room} PRIVATE ${file})
    math(EXPR number "${number} + 1")
  endwhile()
  target_include_directories(podium_${room} PUBLIC ${out}/${room})
  set_property(GLOBAL PROPERTY PODIUM_GENERATED_${room} ${headers})
endfunction()
