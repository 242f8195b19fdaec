#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace serval::control {

/// What the answer of `serval reload` says is different since (master/control.cpp), for people: a line for each, none
/// if all is the same.
///
/// ```
/// app.library: build 3f2a91c0d1e2 instead of 9bd1a2f0aa01
/// configuration: /srv/releases/8/serval.toml instead of /srv/releases/7/serval.toml
/// workers.threads: 5 instead of 3
/// app.env.DATABASE_URL: changed           a secret: "how" stands in the answer instead of its values
/// ```
std::string format_changes(const boost::json::object& answer);

}  // namespace serval::control
