#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "import/pm2_setting.hpp"

namespace serval::import {

/// JSON as PM2 takes it: comments and commas at ends are allowed. The error says where it is none.
Result<boost::json::value> parse_pm2_json(std::string_view text);

/// The serval.toml that does what PM2 does with this file, as `module.exports` or JSON has it: `{apps: [...]}`, a list
/// of apps, one app, or a package.json with "pm2". Every key that does not become one of serval's is named in a
/// comment, with what is nearest. The error is a sentence. Pure but for is_file.
Result<std::string> pm2_to_toml(const boost::json::value& ecosystem, const Pm2Setting& setting);

}  // namespace serval::import
