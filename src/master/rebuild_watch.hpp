#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/watched_files.hpp"
#include "master/rebuilds.hpp"
#include "master/watch.hpp"
#include "os/file_watch.hpp"

namespace serval::master {

/// `serval run --watch`: says so when what the server runs has been rebuilt. For development, where one server looks at
/// a handful of files. One thread, that of the io_context.
class RebuildWatch {
 public:
  using Files = std::vector<config::WatchedFile>;
  /// `files`: those that matter now, asked while it is on; `built`: some of them have been.
  RebuildWatch(boost::asio::io_context& io, std::function<Files()> files, std::function<void(const Files& files)> built)
      : io_(io), timer_(io), wanted_(std::move(files)), built_(std::move(built)) {}
  RebuildWatch(const RebuildWatch&) = delete;
  RebuildWatch& operator=(const RebuildWatch&) = delete;

  /// From here on; it stays off until it is called.
  void begin();
  /// After a reload, whichever way it ended: others may matter.
  void look_anew();
  void end();

 private:
  void follow();
  void look();
  void arm();

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  const std::function<Files()> wanted_;
  const std::function<void(const Files& files)> built_;
  std::optional<os::FileWatch> files_;  ///< none: off, and not even a descriptor is taken
  std::optional<Watch> events_;         ///< none: off, or the kernel has none for us
  Rebuilds rebuilds_;
  Files watched_;
  bool hears_all_ = false;  ///< else it looks once a second
};

}  // namespace serval::master
