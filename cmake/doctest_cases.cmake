find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(CAUCUS_LIST_CASES ${CMAKE_CURRENT_LIST_DIR}/list_cases.py)

# Each case of a doctest program is a test of its own for ctest, named `prefix: case`. A case that
# can't run here prints `SKIPPED: reason` and returns.
function(caucus_discover_cases target prefix)
  cmake_parse_arguments(arg "" "" "LABELS" ${ARGN})
  set(list ${CMAKE_CURRENT_BINARY_DIR}/${target}_cases.cmake)
  add_custom_command(
    TARGET ${target} POST_BUILD BYPRODUCTS ${list}
    COMMAND ${Python3_EXECUTABLE} ${CAUCUS_LIST_CASES} $<TARGET_FILE:${target}> ${prefix} ${list} ${arg_LABELS}
    VERBATIM)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${CAUCUS_LIST_CASES})
  set(include ${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake)
  # A program that isn't built is a failed test, not a missing one.
  file(
    WRITE ${include}
    "if(EXISTS \"${list}\")\n  include(\"${list}\")\nelse()\n"
    "  add_test(\"${prefix}: ${target} is not built\" ${target}_is_not_built)\n"
    "  set_tests_properties(\"${prefix}: ${target} is not built\" PROPERTIES LABELS \"${arg_LABELS}\")\n"
    "endif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include})
endfunction()
