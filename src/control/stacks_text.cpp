#include "control/stacks_text.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/app_call.hpp"
#include "base/text.hpp"
#include "control/shown.hpp"

namespace serval::control {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTarget = 100;

/// Threads that are shown together: what they do, where they are.
struct Group {
  std::vector<std::string> threads;
  std::string what;
  std::vector<std::string> frames;
};

std::string state_of(const json::object& thread) {
  const std::string state = text_at(thread, "state");
  if (state == "R") return "runs";
  if (state == "S") return "sleeps";
  if (state == "D") return "waits for a device";
  if (state == "T") return "stopped";
  if (state == "t") return "held by a debugger";
  return "gone";
}

std::string what_it_does(const json::object& thread) {
  const json::value* loop = thread.if_contains("loop");
  const std::string has_loop = loop != nullptr && loop->is_bool() && loop->get_bool() ? "has the I/O loop" : "";
  const json::object* request = object_in(thread, "request");
  if (request == nullptr) return state_of(thread) + ": " + (has_loop.empty() ? "no request" : has_loop);
  return state_of(thread) + ": " + text_at(*request, "method") + " " +
         shortened(text_at(*request, "target"), kMaxTarget) + "  for " + time_in(*request, "age_ms", 1) + ", id " +
         text_at(*request, "request_id") + (has_loop.empty() ? "" : ", " + has_loop);
}

/// Of a request as far as they lie in the app.
std::vector<std::string> frames_of(const json::object& thread) {
  std::vector<std::string> frames = texts_in(thread, "frames");
  if (object_in(thread, "request") == nullptr) return frames;
  const auto ours = std::find_if(frames.begin(), frames.end(), calls_the_app);
  if (ours != frames.begin()) frames.erase(ours, frames.end());
  return frames;
}

std::vector<Group> groups_of(const json::object& worker) {
  std::vector<Group> groups;
  for (const json::object* thread : objects_in(worker, "threads")) {
    Group group{{number(*thread, "thread")}, what_it_does(*thread), frames_of(*thread)};
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& other) {
      return other.what == group.what && other.frames == group.frames;
    });
    same == groups.end() ? groups.push_back(std::move(group))
                         : same->threads.push_back(std::move(group.threads.front()));
  }
  return groups;
}

}  // namespace

std::string format_stacks(const json::object& stacks) {
  std::string text;
  for (const json::object* worker : objects_in(stacks, "workers")) {
    const std::string silent = text_at(*worker, "silent");
    text += "worker " + number(*worker, "slot") + ", pid " + number(*worker, "pid") + ", generation " +
            number(*worker, "generation") + (silent == kUnknown ? "" : ": " + silent) + '\n';
    for (const Group& group : groups_of(*worker)) {
      text += (group.threads.size() == 1 ? "  thread " : "  threads ") + join(group.threads, " ") + ", " + group.what +
              '\n';
      for (const std::string& frame : group.frames) text += "    " + frame + '\n';
    }
  }
  return text;
}

}  // namespace serval::control
