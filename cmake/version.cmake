# What /version says of the build: commit, state of the tree, time of the commit (not of the build,
# which would differ with each).

# Sets `out` to what git prints, "" where there is no git or no repository.
function(podium_git out)
  set(text "")
  set(status 1)
  find_program(PODIUM_GIT git)
  if(PODIUM_GIT)
    execute_process(
      COMMAND ${CMAKE_COMMAND} -E env TZ=UTC ${PODIUM_GIT} ${ARGN}
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
      OUTPUT_VARIABLE text OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  endif()
  if(NOT status EQUAL 0)
    set(text "")
  endif()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# Compiles it into this source file, and again after a commit.
function(podium_tell_version source)
  podium_git(commit rev-parse HEAD)
  if(NOT commit)
    return()
  endif()
  podium_git(changes status --porcelain --untracked-files=no)
  podium_git(date show -s --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ HEAD)
  podium_git(log rev-parse --git-path logs/HEAD)
  get_filename_component(log "${log}" ABSOLUTE BASE_DIR ${CMAKE_SOURCE_DIR})
  if(EXISTS "${log}")
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${log}")
  endif()
  set(state clean)
  if(changes)
    set(state dirty)
  endif()
  set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS
    PODIUM_GIT_COMMIT="${commit}" PODIUM_GIT_TREE_STATE="${state}" PODIUM_BUILD_DATE="${date}")
endfunction()
