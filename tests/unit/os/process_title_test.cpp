#include "os/process_title.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "in_child.hpp"

namespace serval::os {
namespace {

int g_argc = 0;
char** g_argv = nullptr;

/// The real argument strings, before GoogleTest takes its flags out of the array (glibc hands main's arguments to
/// constructors too).
__attribute__((constructor)) void remember_arguments(int argc, char** argv) {
  g_argc = argc;
  g_argv = static_cast<char**>(::calloc(static_cast<std::size_t>(argc) + 1, sizeof(char*)));
  std::copy(argv, argv + argc, g_argv);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// As ps shows it: up to the padding.
std::string command_line(pid_t pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/cmdline");
  return text.substr(0, text.find('\0'));
}

TEST(ProcessTitle, is_what_the_kernel_shows_in_this_process_and_its_forks) {
  EXPECT_EQ(in_child([]() -> std::string {
              init_title(g_argc, g_argv);
              set_title("serval: m");
              if (command_line(::getpid()) != "serval: m") return "shown: " + command_line(::getpid());
              if (read_file("/proc/self/comm") != "m\n") return "comm: " + read_file("/proc/self/comm");
              return in_child([]() -> std::string {
                set_title("serval: w");
                const bool right = command_line(::getpid()) == "serval: w" && command_line(::getppid()) == "serval: m";
                return right ? "" : "in the fork: " + command_line(::getpid());
              });
            }),
            "");
}

TEST(ProcessTitle, arguments_and_environment_go_on_working) {
  EXPECT_EQ(in_child([]() -> std::string {
              const std::string first = g_argv[0];
              const std::string path = ::getenv("PATH") == nullptr ? "" : ::getenv("PATH");
              init_title(g_argc, g_argv);
              set_title(std::string(100000, 'x'));
              if (g_argv[0] != first) return "argv changed";
              if (::getenv("PATH") != nullptr && path != ::getenv("PATH")) return "PATH changed";
              ::setenv("PROCESS_TITLE_TEST", "1", 1);
              return std::string(::getenv("PROCESS_TITLE_TEST")) == "1" ? "" : "setenv failed";
            }),
            "");
}

/// Strings as execve lays them out, one after the other.
struct Layout {
  explicit Layout(const std::vector<std::string>& strings) {
    for (const std::string& each : strings) memory.insert(memory.end(), each.c_str(), each.c_str() + each.size() + 1);
    room = memory.size();
    memory.insert(memory.end(), 64, '#');  // somebody else's
    char* at = memory.data();
    for (const std::string& each : strings) {
      pointers.push_back(at);
      at += each.size() + 1;
    }
  }
  std::vector<char> memory;
  std::size_t room = 0;
  std::vector<char*> pointers;
};

TEST(ProcessTitle, is_cut_to_the_room_of_arguments_and_environment) {
  EXPECT_EQ(in_child([]() -> std::string {
              Layout layout({"prog", "arg", "A=1", "B=2"});
              std::vector<char*> argv = {layout.pointers[0], layout.pointers[1], nullptr};
              std::vector<char*> env = {layout.pointers[2], layout.pointers[3], nullptr};
              environ = env.data();
              init_title(2, argv.data());
              set_title(std::string(1000, 't'));
              const std::string shown(layout.memory.data());
              if (shown != std::string(layout.room - 1, 't')) return "shown: " + shown;
              if (std::count(layout.memory.begin(), layout.memory.end(), '#') != 64) return "wrote beyond";
              set_title("short");
              if (std::count(layout.memory.begin(), layout.memory.end(), 't') != 1) {
                return "the old title shines through";
              }
              return std::string(argv[1]) == "arg" && std::string(::getenv("B")) == "2" ? "" : "strings are gone";
            }),
            "");
}

TEST(ProcessTitle, before_init_nothing_happens) {
  const std::string before = command_line(::getpid());
  set_title("serval: too early");
  EXPECT_EQ(command_line(::getpid()), before);
}

}  // namespace
}  // namespace serval::os
