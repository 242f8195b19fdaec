# Without a build type CMake compiles with no optimisation and no debug information: production code that is slow, and stacks without file:line.
# Where nothing is said (by -D, preset, project or environment) it is RelWithDebInfo. Generators with several configurations choose at build time.
function(serval_default_build_type)
  get_property(chosen_at_build_time GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(NOT chosen_at_build_time AND NOT CMAKE_BUILD_TYPE)
    message(STATUS "serval: no build type is given, building RelWithDebInfo (CMAKE_BUILD_TYPE says otherwise)")
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type: Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
  endif()
endfunction()

# serval_add_app(NAME sources...): builds libNAME.so, an app for `serval run`. Link more libraries with target_link_libraries(NAME PRIVATE ...).
function(serval_add_app name)
  serval_default_build_type()
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE serval::sdk)
  # Only serval_app_main is exported, so that an app's symbols meet nobody else's.
  set_target_properties(${name} PROPERTIES PREFIX lib SUFFIX .so
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  # A symbol that no library defines fails the build instead of the start. Sanitizers leave theirs to the program that loads the library.
  get_directory_property(options LINK_OPTIONS)
  if(NOT "${options} ${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS} ${CMAKE_MODULE_LINKER_FLAGS}" MATCHES "-fsanitize")
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
endfunction()
