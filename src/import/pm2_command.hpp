#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "import/pm2_setting.hpp"

namespace serval::import {

/// The command that does what PM2 does for an app.
struct Pm2Command {
  std::vector<std::string> words;
  std::vector<std::string> notes;  ///< what is different
  bool is_of_node = false;
};
Pm2Command pm2_command(const boost::json::object& app, const std::string& script, const Pm2Setting& setting);

/// Where it works; empty: beside the ecosystem's file.
std::string pm2_folder(const boost::json::object& app);

}  // namespace serval::import
