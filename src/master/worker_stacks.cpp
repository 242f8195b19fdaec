#include "master/worker_stacks.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <utility>

#include "control/protocol.hpp"
#include "os/thread_stat.hpp"

namespace serval::master {
namespace {

namespace json = boost::json;

/// A worker that hangs must not have its channel filled with questions.
constexpr int kMaxUnanswered = 4;
constexpr std::size_t kMaxThreads = 1100;
/// Well below StackNames::kMaxWaiting: crashes and timeouts are to be named meanwhile.
constexpr int kNamingBatch = 32;

json::value to_json(const std::optional<scoreboard::RequestInProgress>& request, TimePoint asked) {
  if (!request) return nullptr;
  const auto age = std::max(in_milliseconds(asked - request->started), Duration::zero());
  return {{"method", control::utf8(request->method)},
          {"target", control::utf8(request->target)},
          {"request_id", control::utf8(request->request_id)},
          {"age_ms", age.count()}};
}

std::string_view in_words(char state) {
  switch (state) {
    case 'R': return "runs";
    case 'S': return "sleeps";
    case 'D': return "waits for a device";
    case 'T': return "is stopped by a signal";
    case 't': return "is held by a debugger";
    default: return "is gone";
  }
}

}  // namespace

WorkerStacks::WorkerStacks(boost::asio::io_context& io, StackNames& names, const scoreboard::Memory& scoreboard,
                           Hooks hooks)
    : io_(io), names_(names), scoreboard_(scoreboard), hooks_(std::move(hooks)) {}

void WorkerStacks::ask(const std::vector<Worker>& workers, Done done) {
  const std::uint32_t number = ++last_number_;
  const auto question = questions_[number] = std::make_shared<Question>(io_, std::move(done));
  for (const Worker& worker : workers) {
    question->workers.push_back({.worker = worker, .silent = {}, .requests = {}, .threads = {}});
    int& unanswered = unanswered_[worker.pid];
    if (unanswered < kMaxUnanswered && hooks_.send(worker, ipc::AskStacks{number})) ++unanswered;
  }
  question->timer.expires_after(kAnswerTimeout);
  question->timer.async_wait([this, number, weak = std::weak_ptr(question)](const auto& error) {
    if (!error && weak.lock()) settle(number);
  });
}

WorkerStacks::Asked* WorkerStacks::find(int slot, pid_t pid, std::uint32_t number) {
  const auto question = questions_.find(number);
  if (question == questions_.end()) return nullptr;
  auto& workers = question->second->workers;
  const auto found = std::find_if(workers.begin(), workers.end(), [&](const Asked& asked) {
    return asked.waited_for && asked.worker.slot == slot && asked.worker.pid == pid;
  });
  return found == workers.end() ? nullptr : &*found;
}

void WorkerStacks::on_report(int slot, pid_t pid, const ipc::Stack& message) {
  const ipc::StackReport& report = message.report;
  Asked* asked = find(slot, pid, message.question);
  if (asked == nullptr || asked->threads.size() >= kMaxThreads) return;
  if (asked->threads.empty()) asked->requests = scoreboard::read_requests(scoreboard_, slot);
  Thread thread = thread_of(*asked, report.frames.thread);
  thread.frames = report.frames;
  thread.loop = report.has_loop != 0;
  asked->threads.push_back(std::move(thread));
}

void WorkerStacks::on_end(int slot, pid_t pid, const ipc::StacksEnd& message) {
  if (const auto counted = unanswered_.find(pid); counted != unanswered_.end() && counted->second > 0)
    --counted->second;
  Asked* asked = find(slot, pid, message.question);
  if (asked == nullptr) return;
  asked->waited_for = false;
  settle_if_all_have_spoken(message.question);
}

void WorkerStacks::on_exit(int slot, pid_t pid) {
  unanswered_.erase(pid);
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, question] : questions_) numbers.push_back(number);
  for (const std::uint32_t number : numbers) {
    Asked* asked = find(slot, pid, number);
    if (asked == nullptr) continue;
    asked->waited_for = false;
    asked->silent = "it has just ended";
    settle_if_all_have_spoken(number);
  }
}

void WorkerStacks::settle_if_all_have_spoken(std::uint32_t number) {
  const auto& workers = questions_.at(number)->workers;
  if (std::none_of(workers.begin(), workers.end(), [](const Asked& asked) { return asked.waited_for; })) settle(number);
}

/// What comes later is dropped.
void WorkerStacks::settle(std::uint32_t number) {
  const Shared question = questions_.extract(number).mapped();
  question->timer.cancel();
  for (std::size_t w = 0; w < question->workers.size(); ++w) {
    Asked& asked = question->workers[w];
    if (asked.waited_for) look_from_outside(asked);
    std::map<std::vector<std::uint64_t>, std::vector<std::size_t>> places;
    for (std::size_t t = 0; t < asked.threads.size(); ++t) {
      const stack::Frames& frames = asked.threads[t].frames;
      if (frames.count > 0) places[{frames.address.begin(), frames.address.begin() + frames.count}].push_back(t);
    }
    for (auto& [addresses, threads] : places) question->to_name.push_back({w, std::move(threads)});
  }
  name_some(question);
}

/// Its process has not been reaped, or we had been told: the pid is still its own.
void WorkerStacks::look_from_outside(Asked& asked) const {
  const scoreboard::SlotReading reading = scoreboard::read_slot(scoreboard_, asked.worker.slot);
  // One that boots has one thread.
  const pid_t loop = reading.loop_thread != 0 ? reading.loop_thread : asked.worker.pid;
  const auto stat = os::thread_stat(asked.worker.pid, loop);
  asked.silent =
      "it does not answer; the thread that has its I/O loop " + std::string(in_words(stat ? stat->state : 0));
  if (!asked.threads.empty()) return;  // it has fallen silent in the middle
  asked.requests = scoreboard::read_requests(scoreboard_, asked.worker.slot);
  asked.threads.push_back(thread_of(asked, loop));
  asked.threads.back().loop = true;
  for (const auto& request : asked.requests) {
    if (request.thread != loop) asked.threads.push_back(thread_of(asked, request.thread));
  }
}

WorkerStacks::Thread WorkerStacks::thread_of(const Asked& asked, pid_t thread) const {
  Thread result;
  result.frames.thread = thread;
  if (const auto stat = os::thread_stat(asked.worker.pid, thread)) result.state = stat->state;
  const auto request =
      std::find_if(asked.requests.begin(), asked.requests.end(), [&](const auto& one) { return one.thread == thread; });
  if (request != asked.requests.end()) result.request = *request;
  return result;
}

void WorkerStacks::name_some(const Shared& question) {
  while (question->being_named < kNamingBatch && !question->to_name.empty()) {
    Place place = std::move(question->to_name.back());
    question->to_name.pop_back();
    ++question->being_named;
    const Asked& asked = question->workers[place.worker];
    const stack::Frames& frames = asked.threads[place.threads.front()].frames;
    names_.name(hooks_.layout(asked.worker), frames,
                [this, question, place = std::move(place)](const std::vector<std::string>& names) {
                  for (const std::size_t thread : place.threads)
                    question->workers[place.worker].threads[thread].names = names;
                  --question->being_named;
                  name_some(question);
                });
  }
  if (question->being_named > 0) return;
  json::array workers;
  for (const Asked& asked : question->workers) {
    json::array threads;
    for (const Thread& thread : asked.threads) {
      json::array frames;
      for (const std::string& name : thread.names) frames.push_back(json::value(control::utf8(name)));
      threads.push_back(
          json::object{{"thread", thread.frames.thread},
                       {"loop", thread.loop},
                       {"state", thread.state == 0 ? json::value(nullptr) : json::value(json::string(1, thread.state))},
                       {"request", to_json(thread.request, question->asked)},
                       {"frames", std::move(frames)}});
    }
    workers.push_back(
        json::object{{"slot", asked.worker.known_as},
                     {"pid", asked.worker.pid},
                     {"generation", asked.worker.generation},
                     {"silent", asked.silent.empty() ? json::value(nullptr) : json::value(control::utf8(asked.silent))},
                     {"threads", std::move(threads)}});
  }
  if (const Done done = std::exchange(question->done, nullptr)) done({{"workers", std::move(workers)}});
}

}  // namespace serval::master
