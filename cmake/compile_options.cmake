# Compiler settings for all host code. Sanitizer and fuzzing builds each have a build directory of their own.
set(PENSTOCK_SANITIZE off CACHE STRING "off, address (with undefined), undefined or thread")
set_property(CACHE PENSTOCK_SANITIZE PROPERTY STRINGS off address undefined thread)
option(PENSTOCK_COVERAGE "count which lines run (needs clang 19)" OFF)
option(PENSTOCK_FUZZ "build the *_fuzz.cpp programs with libFuzzer (needs clang 19)" OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")  # without NDEBUG: assertions hold in releases too

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
include_directories(${CMAKE_SOURCE_DIR})

find_program(PENSTOCK_CCACHE ccache)
if(PENSTOCK_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PENSTOCK_CCACHE})
endif()

# A designated initialiser leaves the other fields at their defaults on purpose.
set(warnings -Wall -Wextra -Wconversion -Wshadow -Wno-missing-field-initializers)
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:${warnings}>")
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  add_compile_options(-Wno-sign-conversion)  # clang counts it to -Wconversion, g++ does not
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
  add_compile_options(-Wno-error=maybe-uninitialized)  # newer g++ takes the idle alternatives of a std::variant for it
endif()
if(PENSTOCK_SANITIZE STREQUAL off)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Werror>)  # g++ warns falsely in instrumented code
endif()

if(PENSTOCK_SANITIZE STREQUAL address)
  set(sanitizers address,undefined)
elseif(NOT PENSTOCK_SANITIZE STREQUAL off)
  set(sanitizers ${PENSTOCK_SANITIZE})
endif()
if(sanitizers)
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  if(PENSTOCK_SANITIZE STREQUAL address AND NOT PENSTOCK_FUZZ)
    add_compile_options(-O0)  # the tests take longer to optimise than to run
  endif()
  add_link_options(-fsanitize=${sanitizers})
endif()

if(PENSTOCK_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    message(FATAL_ERROR "PENSTOCK_FUZZ needs clang: configure with -DCMAKE_CXX_COMPILER=clang++-19 (./run fuzz does).")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(PENSTOCK_COVERAGE)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    message(FATAL_ERROR "PENSTOCK_COVERAGE needs clang: configure with -DCMAKE_CXX_COMPILER=clang++-19 (./run coverage does).")
  endif()
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping -O0)
  add_link_options(-fprofile-instr-generate)
endif()
