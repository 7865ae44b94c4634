# The settings of the project, and `oneproxy_options`: the compiler settings of its own sources. They are linked
# privately, so that nothing of them reaches a project that embeds this one.
include_guard(GLOBAL)
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()
set(ONEPROXY_CUDA AUTO CACHE STRING "CUDA twins of the kernels: ON, OFF, or AUTO (ON where nvcc is found)")
set(ONEPROXY_SANITIZE "" CACHE STRING "Sanitizers of the whole build, for example address,undefined")
option(ONEPROXY_FUZZ "Build the fuzz targets of tests/fuzz, with clang and its sanitizers" OFF)
option(ONEPROXY_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(ONEPROXY_BENCH "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(ONEPROXY_PCH "Precompile the standard headers: for a build from nothing, without ccache" OFF)
option(ONEPROXY_WERROR "Warnings are errors" ${PROJECT_IS_TOP_LEVEL})
option(ONEPROXY_INSTALL "Rules to install the libraries" ${PROJECT_IS_TOP_LEVEL})

# Headers are included as oneproxy/kernels/... and oneproxy/engine/...: in the build folder by links, one for each.
set(ONEPROXY_INCLUDE_DIR "${PROJECT_BINARY_DIR}/include")
function(oneproxy_include_as name)
  file(MAKE_DIRECTORY "${ONEPROXY_INCLUDE_DIR}/oneproxy")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${ONEPROXY_INCLUDE_DIR}/oneproxy/${name}" SYMBOLIC)
endfunction()

# No contraction to fused multiply-add: the same sums on every machine. No semantic interposition: functions of a file
# are inlined in position-independent code too. -Wno-...: false alarms of g++ 12 on std::string and std::vector (its
# bugs 105651, 105329). -std: CMake 3.25 does not know nvcc's flag for C++20.
add_library(oneproxy_options INTERFACE)
target_compile_options(oneproxy_options INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wno-restrict;-Wno-stringop-overread>"
  "$<$<CXX_COMPILER_ID:Clang>:-Wno-unknown-warning-option>"
  "$<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off;-fno-semantic-interposition>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;-Xcompiler=-Wall,-Wextra,-fno-semantic-interposition;--fmad=false>")
if(ONEPROXY_WERROR)
  target_compile_options(oneproxy_options INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:-Werror>" "$<$<COMPILE_LANGUAGE:CUDA>:--Werror=all-warnings>")
endif()
if(ONEPROXY_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "ONEPROXY_FUZZ needs clang, whose libFuzzer makes the inputs: tools/fuzz builds with it")
  endif()
  set(ONEPROXY_SANITIZE fuzzer-no-link,address,undefined)
  target_compile_options(oneproxy_options INTERFACE -D_GLIBCXX_ASSERTIONS)
endif()
if(ONEPROXY_SANITIZE)
  target_compile_options(oneproxy_options INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${ONEPROXY_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>")
  target_link_options(oneproxy_options INTERFACE "-fsanitize=${ONEPROXY_SANITIZE}")
endif()

# Most of the time of a small source goes into the same headers of the standard library.
function(oneproxy_precompile target)
  if(ONEPROXY_PCH)
    target_precompile_headers(${target} PRIVATE <algorithm> <cmath> <cstdint> <filesystem> <functional> <limits> <map>
      <memory> <numeric> <optional> <set> <span> <string> <vector> ${ARGN})
  endif()
endfunction()

# A library that others link: oneproxy::NAME in the build and where it is installed. Static, or shared with
# BUILD_SHARED_LIBS.
function(oneproxy_library target name)
  add_library(oneproxy::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON
    DEFINE_SYMBOL "" INSTALL_RPATH "$ORIGIN")
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC "$<BUILD_INTERFACE:${ONEPROXY_INCLUDE_DIR}>")
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:oneproxy_options>)
  if(ONEPROXY_INSTALL)
    install(TARGETS ${target} EXPORT oneproxyTargets LIBRARY DESTINATION lib ARCHIVE DESTINATION lib
      INCLUDES DESTINATION include)
  endif()
endfunction()

# A benchmark of tests/bench, in the folder where tools/bench looks for it.
function(oneproxy_bench target)
  add_executable(${target} "${CMAKE_CURRENT_SOURCE_DIR}/../tests/bench/${target}.cpp")
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/..")
  target_link_libraries(${target} PRIVATE oneproxy_options ${ARGN})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")
endfunction()
