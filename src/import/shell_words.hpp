#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace serval::import {

/// Words as a shell parts them, with quotes and backslashes, and nothing else that a shell does.
std::vector<std::string> shell_words(std::string_view line);

/// A command that runs a shell's line as /bin/sh has it. The shell steps aside for a line that is one command, so that
/// signals reach that; of others it stays in front.
struct ShellCommand {
  std::vector<std::string> command;
  bool shell_stays = false;
};
ShellCommand shell_command(std::string_view line);

}  // namespace serval::import
