#include "master/worker_profiles.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/exit_code.hpp"
#include "base/units.hpp"
#include "control/protocol.hpp"
#include "os/memory_file.hpp"
#include "profile/samples.hpp"

namespace serval::master {
namespace {

namespace json = boost::json;

}  // namespace

std::vector<WorkerProfiles::Worker> WorkerProfiles::workers_of(const Settings& settings) const {
  std::vector<Worker> workers;
  for (const auto& [seat, worker] : children_.workers()) {
    if (worker->pid == 0 || (settings.slot && *settings.slot != worker->known_as)) continue;
    struct stat folder = {};
    if (::stat(("/proc/" + std::to_string(worker->pid)).c_str(), &folder) != 0) continue;
    workers.push_back({.seat = seat,
                       .known_as = worker->known_as,
                       .generation = worker->generation,
                       .pid = worker->pid,
                       .uid = folder.st_uid,
                       .gid = folder.st_gid});
  }
  return workers;
}

bool WorkerProfiles::is_profiled(pid_t pid) const {
  return std::any_of(profiles_.begin(), profiles_.end(), [pid](const auto& profile) {
    const auto& workers = profile.second->workers;
    return std::any_of(workers.begin(), workers.end(),
                       [pid](const Worker& worker) { return worker.pid == pid && worker.waited_for; });
  });
}

/// Empty: nothing is in the way.
std::string WorkerProfiles::why_not(const Settings& settings, const std::vector<Worker>& workers) const {
  if (workers.empty())
    return settings.slot ? "no worker in slot " + std::to_string(*settings.slot) : "there is no worker";
  for (const Worker& worker : workers) {
    if (is_profiled(worker.pid))
      return "worker " + std::to_string(worker.known_as) + " is being profiled already; wait for the end of that one";
  }
  if (profile::region_size(workers.size()) < profile::kMinRegion)
    return std::to_string(workers.size()) + " workers are too many for one profile; name a slot";
  return {};
}

void WorkerProfiles::begin(const Settings& settings, const control::Responder& responder) {
  auto profile = std::make_unique<Profile>(io_, settings, responder);
  profile->workers = workers_of(settings);
  if (const std::string why = why_not(settings, profile->workers); !why.empty())
    return responder.refuse(why, exit_code::app_failed);
  const std::size_t region = profile::region_size(profile->workers.size());
  auto samples = os::make_blank_memory_file("serval-profile", "the samples", region * profile->workers.size());
  if (!samples) return responder.refuse(samples.error(), exit_code::app_failed);
  profile->samples = std::move(*samples);
  const std::uint32_t number = ++last_number_;
  const auto count = profile->workers.size();
  responder.progress("sampling " + std::to_string(count) + (count == 1 ? " worker for " : " workers for ") +
                     format_duration(settings.length));
  Profile& begun = *(profiles_[number] = std::move(profile));
  begun.timer.expires_after(settings.length + kGrace);
  begun.timer.async_wait([this, number](const auto& error) {
    if (!error && profiles_.contains(number)) settle(number);
  });
  order(number, begun, region);
}

void WorkerProfiles::order(std::uint32_t number, Profile& profile, std::size_t region) {
  std::vector<std::pair<int, pid_t>> deaf;
  for (std::size_t i = 0; i < profile.workers.size(); ++i) {
    const Worker& worker = profile.workers[i];
    const ipc::TakeProfile take{.number = number,
                                .order = {.offset = i * region,
                                          .size = region,
                                          .length_ms = profile.settings.length.count(),
                                          .hz = profile.settings.hz,
                                          .cpu = profile.settings.cpu ? 1 : 0}};
    if (!children_.find_worker(worker.seat)->line->send(ipc::encode<ipc::ToWorker>(take), {profile.samples.get()}))
      deaf.emplace_back(worker.seat, worker.pid);
  }
  for (const auto& [seat, pid] : deaf) over(number, seat, pid, "it takes no message");
}

void WorkerProfiles::look_at_clients() {
  std::vector<std::uint32_t> gone;
  for (const auto& [number, profile] : profiles_) {
    if (profile->responder.descriptor() < 0) gone.push_back(number);
  }
  for (const std::uint32_t number : gone) {
    for (const Worker& worker : profiles_.at(number)->workers) {
      WorkerProcess* there = worker.waited_for ? children_.find_worker(worker.seat) : nullptr;
      if (there != nullptr && there->pid == worker.pid)
        there->line->send(ipc::encode<ipc::ToWorker>(ipc::EndProfile{number}));
    }
    profiles_.erase(number);
  }
}

void WorkerProfiles::on_ended(int seat, pid_t pid, const ipc::ProfileEnded& message) {
  over(message.number, seat, pid, message.why);
}

void WorkerProfiles::on_exit(int seat, pid_t pid) {
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, profile] : profiles_) numbers.push_back(number);
  for (const std::uint32_t number : numbers) over(number, seat, pid, "");
}

void WorkerProfiles::over(std::uint32_t number, int seat, pid_t pid, const std::string& why) {
  const auto found = profiles_.find(number);
  if (found == profiles_.end()) return;
  auto& workers = found->second->workers;
  for (Worker& worker : workers) {
    if (worker.seat != seat || worker.pid != pid || !worker.waited_for) continue;
    worker.waited_for = false;
    worker.why = why;
  }
  if (std::none_of(workers.begin(), workers.end(), [](const Worker& worker) { return worker.waited_for; }))
    settle(number);
}

/// Workers that have not spoken are left to themselves: they end by their own clock.
void WorkerProfiles::settle(std::uint32_t number) {
  const auto profile = std::move(profiles_.extract(number).mapped());
  profile->timer.cancel();
  json::array workers;
  for (const Worker& worker : profile->workers) {
    workers.push_back(json::object{{"slot", worker.known_as},
                                   {"pid", worker.pid},
                                   {"generation", worker.generation},
                                   {"uid", worker.uid},
                                   {"gid", worker.gid},
                                   {"why", worker.why.empty() ? json::value(nullptr) : control::utf8(worker.why)}});
  }
  const std::size_t region = profile::region_size(profile->workers.size());
  profile->responder.finish({{"cpu", profile->settings.cpu},
                             {"hz", profile->settings.hz},
                             {"region", region},
                             {"workers", std::move(workers)}},
                            std::move(profile->samples));
}

}  // namespace serval::master
