# How all of serval's own code is compiled: one interface target, linked by every library, program and test in the tree.
add_library(serval_settings INTERFACE)
target_include_directories(serval_settings INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_options(serval_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch -Wnon-virtual-dtor
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>  # false alarms on std::variant at -O2 (GCC 12 to 14), as is the next
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>:-Wno-free-nonheap-object>
  $<$<BOOL:${SERVAL_WERROR}>:-Werror>)
# Debian 12's toml++, Boost and spdlog are system headers: their warnings are not ours.

if(SERVAL_SANITIZE)
  add_compile_options(-fsanitize=${SERVAL_SANITIZE} -fno-omit-frame-pointer -g)
  if(SERVAL_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize-recover=undefined)  # a finding, not a message that nobody reads
  endif()
  add_link_options(-fsanitize=${SERVAL_SANITIZE})
  if(SERVAL_SANITIZE STREQUAL "thread")
    # ThreadSanitizer knows no fences (GCC: -Wtsan); Asio's scheduler is ordered by its mutex without them.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

# serval_library(NAME folders...) declares src/NAME as a static library that may use only the named folders (src/README.md has the table).
function(serval_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_library(serval_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(serval_${name} PUBLIC serval_settings)
  foreach(use IN LISTS ARG_USES)
    target_link_libraries(serval_${name} PUBLIC serval_${use})
  endforeach()
endfunction()

add_library(serval_boost_headers INTERFACE)
target_link_libraries(serval_boost_headers INTERFACE Boost::headers Threads::Threads)
