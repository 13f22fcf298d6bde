# Target `image`, part of every build: <build>/kurtosis-image.tar, the image of engine and API containers, and
# kurtosis-image.tar.id, its id. `kurtosis engine start` loads it through the Docker API. Needs no Docker.

set(image_programs kurtosis-engine kurtosis-docker-driver kurtosis-apic kurtosis-log-sink)
set(KURTOSIS_IMAGE ${CMAKE_BINARY_DIR}/kurtosis-image.tar)
get_property(image_helpers GLOBAL PROPERTY KURTOSIS_HELPERS)
set(image_targets "")
foreach(program ${image_programs})
  if(TARGET ${program})
    list(APPEND image_targets ${program})
  endif()
endforeach()

if(image_targets)
  add_custom_command(
    OUTPUT ${KURTOSIS_IMAGE} ${KURTOSIS_IMAGE}.id
    COMMAND ${CMAKE_SOURCE_DIR}/cmake/image/build ${KURTOSIS_IMAGE} ${PROJECT_VERSION}
            ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${KURTOSIS_HELPER_DIRECTORY} ${image_targets}
    DEPENDS ${image_targets} ${image_helpers} ${CMAKE_SOURCE_DIR}/cmake/image/build
            ${CMAKE_SOURCE_DIR}/cmake/image/rootfs.sh
    COMMENT "Building the image of engine and API containers"
    VERBATIM)
  add_custom_target(image ALL DEPENDS ${KURTOSIS_IMAGE})
  install(FILES ${KURTOSIS_IMAGE} ${KURTOSIS_IMAGE}.id DESTINATION share/kurtosis)
endif()
