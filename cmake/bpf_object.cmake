# BPF objects: <folder>/<name>.bpf.cpp is compiled by clang for the BPF machine and its bytes are embedded in the static library
# penstock_<name>_object, declared by the generated header "<folder>/<name>_object.hpp". penstock_bpf_objects links them all.
# The host's compiler plays no part: whatever builds the daemon, clang >= 19 builds the data plane.
find_program(PENSTOCK_BPF_CLANG NAMES clang-19 clang-20 clang-21 clang)
if(PENSTOCK_BPF_CLANG)
  execute_process(COMMAND ${PENSTOCK_BPF_CLANG} -dumpversion OUTPUT_VARIABLE bpf_clang_version OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(NOT PENSTOCK_BPF_CLANG OR bpf_clang_version VERSION_LESS 19)
  message(FATAL_ERROR "Penstock's data plane needs clang 19 or newer (found: ${PENSTOCK_BPF_CLANG} ${bpf_clang_version}); "
    "`./run setup` installs Debian's clang-19.")
endif()

set(PENSTOCK_GENERATED ${CMAKE_BINARY_DIR}/generated)
set(PENSTOCK_BPF_COMPILE ${CMAKE_CXX_COMPILER_LAUNCHER} ${PENSTOCK_BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -std=c++20
  -fno-exceptions -fno-rtti -fno-threadsafe-statics -nostdinc++ -Wall -Wextra -Werror
  -I${CMAKE_SOURCE_DIR} -isystem /usr/include/${CMAKE_CXX_LIBRARY_ARCHITECTURE})  # the latter for asm/types.h

add_library(penstock_bpf_objects INTERFACE)

function(add_bpf_object name source)
  get_filename_component(folder ${source} DIRECTORY)
  set(object ${CMAKE_BINARY_DIR}/bpf/${name}.bpf.o)
  set(symbol penstock_${name}_bpf)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${PENSTOCK_BPF_COMPILE} -MD -MF ${object}.d -MT ${object} -c ${CMAKE_SOURCE_DIR}/${source} -o ${object}
    MAIN_DEPENDENCY ${CMAKE_SOURCE_DIR}/${source}
    DEPFILE ${object}.d
    COMMENT "Building BPF object ${source}"
    VERBATIM)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/bpf_object.S.in ${PENSTOCK_GENERATED}/${folder}/${name}_object.S @ONLY)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/bpf_object.hpp.in ${PENSTOCK_GENERATED}/${folder}/${name}_object.hpp @ONLY)
  set_source_files_properties(${PENSTOCK_GENERATED}/${folder}/${name}_object.S PROPERTIES OBJECT_DEPENDS ${object})
  add_library(penstock_${name}_object STATIC ${PENSTOCK_GENERATED}/${folder}/${name}_object.S)
  target_include_directories(penstock_${name}_object INTERFACE ${PENSTOCK_GENERATED})
  target_link_libraries(penstock_bpf_objects INTERFACE penstock_${name}_object)
endfunction()

function(penstock_bpf_objects)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/bpf)
  foreach(folder ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/${folder}/*.bpf.cpp)
    foreach(source ${sources})
      get_filename_component(name ${source} NAME)
      string(REPLACE .bpf.cpp "" name ${name})
      add_bpf_object(${name} ${source})
    endforeach()
  endforeach()
endfunction()
