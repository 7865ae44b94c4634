# oneproxy_add_suites(TARGET LABEL): a ctest entry LABEL.SUITE for every suite of a GoogleTest program. Not one for every
# test: with CUDA each start of the program loads cuBLAS, 0.2 s for a test of a millisecond. ctest itself asks the
# program for its suites when it starts (list_suites.cmake), so that none is ever missed.
function(oneproxy_add_suites target label)
  set(list "${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake")
  file(GENERATE OUTPUT "${list}" CONTENT
    "set(program \"$<TARGET_FILE:${target}>\")\nset(label ${label})\ninclude(\"${CMAKE_CURRENT_FUNCTION_LIST_DIR}/list_suites.cmake\")\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${list}")
endfunction()
