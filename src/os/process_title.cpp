#include "os/process_title.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "os/threads.hpp"

namespace serval::os {
namespace {

/// The bytes from argv[0] to the end of environ's last string, as execve laid them out; none before init_title.
char* g_area = nullptr;
std::size_t g_room = 0;

/// Where the strings of a NULL-ended array go on from `end` without a gap, the new end.
char* end_of_adjacent(char* const* strings, char* end) {
  for (; *strings != nullptr; ++strings) {
    if (*strings == end) end += std::strlen(end) + 1;
  }
  return end;
}

/// Heap copies, kept for the life of the process: argv and environ may be borrowed anywhere.
void copy_strings(char** strings) {
  for (; *strings != nullptr; ++strings) *strings = ::strdup(*strings);
}

}  // namespace

void init_title(int argc, char** argv) {
  if (g_area != nullptr || argc < 1) return;
  char* end = end_of_adjacent(environ, end_of_adjacent(argv, argv[0]));
  g_area = argv[0];
  g_room = static_cast<std::size_t>(end - g_area);

  std::size_t count = 0;
  while (environ[count] != nullptr) ++count;
  auto** moved = new char*[count + 1];  // environ's own array is the stack's, and setenv replaces it by its own anyway
  std::copy(environ, environ + count + 1, moved);
  copy_strings(moved);
  environ = moved;
  copy_strings(argv);
}

void set_title(const std::string& title) {
  if (g_area == nullptr) return;
  // One byte stays NUL: a title longer than the arguments were is shown up to the first NUL in what was the
  // environment.
  const std::size_t length = std::min(title.size(), g_room - 1);
  std::memcpy(g_area, title.data(), length);
  std::memset(g_area + length, 0, g_room - length);

  constexpr std::string_view kFamily = "serval: ";
  name_thread(title.starts_with(kFamily) ? title.substr(kFamily.size()) : title);
}

}  // namespace serval::os
