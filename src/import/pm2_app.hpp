#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/result.hpp"
#include "import/pm2_setting.hpp"
#include "import/program_text.hpp"

namespace serval::import {

/// The table of one app.
Result<std::string> pm2_app_to_toml(const boost::json::object& app, const Pm2Setting& setting, ProgramNames& names);

}  // namespace serval::import
