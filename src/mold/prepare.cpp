#include "mold/prepare.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "base/errno_text.hpp"
#include "os/oom.hpp"
#include "os/privileges.hpp"
#include "os/threads.hpp"

namespace serval::mold {
namespace {

/// Under that of the workers, above that of the master: a mold that is killed can be had again.
constexpr int kOomScore = 100;

}  // namespace

Result<void> only_one_thread() {
  const std::vector<std::string> threads = os::other_threads();
  if (threads.empty()) return {};
  std::string names;
  for (const std::string& name : threads) names += (names.empty() ? "" : ", ") + name;
  return Error{"the app has started threads before the fork, where they would be lost: " + names +
               "; start them in worker_start"};
}

Result<std::unique_ptr<app::App>> prepare(const ipc::Heritage& heritage) {
  const config::Config& config = heritage.config;
  ::umask(static_cast<mode_t>(config.server.umask));
  os::raise_oom_score(kOomScore);
  if (const auto done = os::become_account(config.server.user, config.server.group); !done) return Error{done.error()};
  auto app = app::App::load(config.app.library);
  if (!app) return app;
  if (const auto done = (*app)->preload(config.app.args, heritage.generation, config.server.name); !done)
    return Error{done.error()};
  if (const auto done = only_one_thread(); !done) return Error{done.error()};
  return app;
}

}  // namespace serval::mold
