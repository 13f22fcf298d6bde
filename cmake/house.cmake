# The rules of the house, once: warnings, sanitizers, and one line per library, program and test.
#
#   house_library(bus broker.c peer.c LINK base PkgConfig::zmq)   library `bus`, sources of this folder
#   house_program(kurtosis-engine main.c LINK engine)             program in build/bin
#   house_helper(http http.c LINK PkgConfig::curl)                kurtosis/http, a program that another one runs for a
#                                                                 piece of work that is heavy or dangerous: it finds it
#                                                                 at <folder of the program>/../lib/kurtosis
#   house_tests(bus LINK bus)                                     every tests/unit/bus/test_*.c, as bus.<name>
#   house_fuzz(codec LINK bus)                                    tests/fuzz/fuzz_codec.c over its corpus

include(CheckCCompilerFlag)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(KURTOSIS_HELPER_DIRECTORY ${CMAKE_BINARY_DIR}/lib/kurtosis)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(KURTOSIS_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")
option(KURTOSIS_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
option(KURTOSIS_WERROR "Warnings are errors" ON)

add_compile_definitions(_GNU_SOURCE KURTOSIS_VERSION="${PROJECT_VERSION}")
add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2
                    -Wvla -Wundef -fno-common)
if(KURTOSIS_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-fstack-protector-strong)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now -Wl,--as-needed)
else()
  add_link_options(-Wl,--as-needed)
endif()
if(KURTOSIS_SANITIZE)
  add_compile_options(-fsanitize=${KURTOSIS_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${KURTOSIS_SANITIZE})
  if(KURTOSIS_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
if(KURTOSIS_FUZZ)
  add_compile_options(-O1 -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})

# Libraries of Debian by pkg-config name, as PkgConfig::<word>.
macro(house_need word module)
  if(NOT TARGET PkgConfig::${word})
    pkg_check_modules(${word} REQUIRED IMPORTED_TARGET GLOBAL ${module})
  endif()
endmacro()

function(house_split out_sources out_link)
  set(target sources)
  set(sources "")
  set(link "")
  foreach(item ${ARGN})
    if(item STREQUAL "LINK")
      set(target link)
    else()
      list(APPEND ${target} ${item})
    endif()
  endforeach()
  set(${out_sources} ${sources} PARENT_SCOPE)
  set(${out_link} ${link} PARENT_SCOPE)
endfunction()

function(house_library name)
  house_split(sources link ${ARGN})
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC ${link} Threads::Threads)
endfunction()

function(house_program name)
  house_split(sources link ${ARGN})
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${link})
endfunction()

function(house_helper name)
  house_split(sources link ${ARGN})
  add_executable(helper_${name} ${sources})
  set_target_properties(helper_${name} PROPERTIES OUTPUT_NAME ${name}
                        RUNTIME_OUTPUT_DIRECTORY ${KURTOSIS_HELPER_DIRECTORY})
  target_link_libraries(helper_${name} PRIVATE ${link})
  set_property(GLOBAL APPEND PROPERTY KURTOSIS_HELPERS helper_${name})
  install(TARGETS helper_${name} RUNTIME DESTINATION lib/kurtosis)
endfunction()

# One cmocka program per tests/unit/<folder>/test_<what>.c, run by ctest as <folder>.<what>, 180 s at most: a busy
# machine may be ten times slower than a quiet one (300 s with sanitizers, which make a program several times slower).
function(house_tests folder)
  house_need(cmocka cmocka)
  house_split(extra link ${ARGN})
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${folder}/test_*.c)
  foreach(test ${tests})
    get_filename_component(what ${test} NAME_WE)
    string(REGEX REPLACE "^test_" "" what ${what})
    set(target test_${folder}_${what})
    add_executable(${target} ${test} ${extra})
    target_link_libraries(${target} PRIVATE ${link} PkgConfig::cmocka)
    # A failed assertion does not return, which the compiler cannot know; assert() works in every build.
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -UNDEBUG)
    add_test(NAME ${folder}.${what} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set(seconds 180)
    if(KURTOSIS_SANITIZE)
      set(seconds 300)
    endif()
    set_tests_properties(${folder}.${what} PROPERTIES TIMEOUT ${seconds} LABELS unit)
    if(KURTOSIS_SANITIZE MATCHES thread)
      set_property(TEST ${folder}.${what} PROPERTY ENVIRONMENT
        "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp ignore_noninstrumented_modules=1")
    endif()
  endforeach()
endfunction()

# tests/fuzz/fuzz_<what>.c has LLVMFuzzerTestOneInput. With KURTOSIS_FUZZ it is a libFuzzer program; else a plain
# one that ctest runs over tests/fuzz/corpus/<what>.
function(house_fuzz what)
  house_split(extra link ${ARGN})
  add_executable(fuzz_${what} ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${what}.c ${extra})
  target_link_libraries(fuzz_${what} PRIVATE ${link})
  target_compile_options(fuzz_${what} PRIVATE -UNDEBUG)
  if(KURTOSIS_FUZZ)
    target_link_options(fuzz_${what} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(fuzz_${what} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
    add_test(NAME fuzz.${what} COMMAND fuzz_${what} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${what})
    set_tests_properties(fuzz.${what} PROPERTIES TIMEOUT 120 LABELS fuzz)
  endif()
endfunction()
