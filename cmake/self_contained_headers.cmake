# Each header is compiled alone, so that it includes what it uses: as the first include of its own source or test, or by the target
# headers_self_contained, part of all. Headers that only the BPF compiler can read are checked with it.
function(penstock_check_headers)
  list(TRANSFORM ARGN APPEND /*.hpp OUTPUT_VARIABLE patterns)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${patterns})
  if(NOT TARGET penstock_lab_nfs)
    list(FILTER headers EXCLUDE REGEX "^lab/nfs/")
  endif()
  foreach(header ${headers})
    penstock_comes_first(${header} comes_first)
    if(comes_first)
      continue()
    endif()
    if(header MATCHES "^datapath/bpf/|\\.bpf\\.hpp$")
      penstock_check_bpf_header(${header})
      list(APPEND checked ${CMAKE_BINARY_DIR}/headers/${header}.ok)
    else()
      configure_file(${CMAKE_SOURCE_DIR}/cmake/self_contained_header.cpp.in ${CMAKE_BINARY_DIR}/headers/${header}.cpp @ONLY)
      list(APPEND sources ${CMAKE_BINARY_DIR}/headers/${header}.cpp)
    endif()
  endforeach()
  add_library(host_headers_self_contained OBJECT ${sources})
  target_compile_options(host_headers_self_contained PRIVATE -O0 -g0)
  target_compile_definitions(host_headers_self_contained PRIVATE  # as tests have them (room.cmake)
    PENSTOCK_SOURCE_DIR="${CMAKE_SOURCE_DIR}" PENSTOCK_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
  # For the include paths only; the headers' own libraries need not be built first.
  target_include_directories(host_headers_self_contained PRIVATE ${PENSTOCK_GENERATED})
  target_link_libraries(host_headers_self_contained PRIVATE PkgConfig::libbpf PkgConfig::libmnl PkgConfig::popt
    tl::expected fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json GTest::gmock benchmark::benchmark)
  add_custom_target(headers_self_contained ALL DEPENDS ${checked})
  add_dependencies(headers_self_contained host_headers_self_contained)
endfunction()

# X.hpp: whether X.cpp or X_test.cpp includes it before anything else.
function(penstock_comes_first header variable)
  set(${variable} FALSE PARENT_SCOPE)
  string(REGEX REPLACE "\\.hpp$" "" stem ${header})
  foreach(source ${stem}.cpp ${stem}_test.cpp)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${source})
      file(STRINGS ${CMAKE_SOURCE_DIR}/${source} first LIMIT_COUNT 1 REGEX "^#include")
      if(first STREQUAL "#include \"${header}\"")
        set(${variable} TRUE PARENT_SCOPE)
      endif()
    endif()
  endforeach()
endfunction()

function(penstock_check_bpf_header header)
  set(done ${CMAKE_BINARY_DIR}/headers/${header}.ok)
  get_filename_component(folder ${done} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(
    OUTPUT ${done}
    COMMAND ${PENSTOCK_BPF_COMPILE} -Wno-pragma-once-outside-header -fsyntax-only -MD -MF ${done}.d -MT ${done} ${CMAKE_SOURCE_DIR}/${header}
    COMMAND ${CMAKE_COMMAND} -E touch ${done}
    DEPENDS ${CMAKE_SOURCE_DIR}/${header}
    DEPFILE ${done}.d
    COMMENT "Checking BPF header ${header}"
    VERBATIM)
endfunction()
