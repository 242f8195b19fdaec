#include "profile/profile.hpp"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "base/app_call.hpp"

namespace serval::profile {
namespace {

constexpr std::size_t kRowsOfTable = 30;
constexpr std::uint64_t kEnough = 100;  ///< samples, for shares that mean something

std::string percent(std::uint64_t part, std::uint64_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%5.1f %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string milliseconds(std::uint64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(ns) / 1e6);
  return text;
}

}  // namespace

std::vector<Frame> apps_part(std::vector<Frame> frames, bool cut) {
  const auto call =
      std::find_if(frames.begin(), frames.end(), [](const Frame& frame) { return calls_the_app(frame.function); });
  if (call == frames.end()) {
    if (!cut) return {{.function = std::string(kOwn)}};
    frames.push_back({.function = std::string(kCut)});
    return frames;
  }
  frames.erase(call, frames.end());
  if (frames.empty()) return {{.function = std::string(kOwn)}};
  return frames;
}

void ProfileMaker::add(std::vector<Frame> frames, bool cut, std::uint64_t weight) {
  if (!whole_) {
    frames = apps_part(std::move(frames), cut);
  } else if (cut) {
    frames.push_back({.function = std::string(kCut)});
  }
  std::vector<std::size_t> numbers;
  for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) numbers.push_back(number_of(std::move(*frame)));
  stacks_[std::move(numbers)] += weight;
}

std::size_t ProfileMaker::number_of(Frame frame) {
  const auto [place, is_new] = numbers_.try_emplace(frame, profile_.frames.size());
  if (is_new) profile_.frames.push_back(std::move(frame));
  return place->second;
}

void ProfileMaker::add(const Tally& tally) {
  profile_.tally.taken += tally.taken;
  profile_.tally.lost += tally.lost;
  profile_.tally.silent += tally.silent;
  profile_.tally.cost_ns += tally.cost_ns;
  profile_.tally.lasted_ns = std::max(profile_.tally.lasted_ns, tally.lasted_ns);
}

Profile ProfileMaker::finish(int workers) {
  profile_.workers = workers;
  for (auto& [frames, weight] : stacks_) profile_.stacks.push_back({frames, weight});
  return std::move(profile_);
}

bool format_of(std::string_view name, Format& format) {
  constexpr std::pair<std::string_view, Format> kEndings[] = {
      {".folded", Format::folded},    {".txt", Format::folded}, {".pb", Format::pprof}, {".pprof", Format::pprof},
      {".pb.gz", Format::pprof_gzip}, {".svg", Format::svg},    {".html", Format::html}};
  for (const auto& [ending, meant] : kEndings) {
    if (!name.ends_with(ending)) continue;
    format = meant;
    return true;
  }
  return false;
}

std::string folded(const Profile& profile) {
  std::map<std::string, std::uint64_t> lines;  // stacks that differ in source lines only are one here
  for (const Stack& stack : profile.stacks) {
    std::string line;
    for (const std::size_t number : stack.frames) {
      std::string name = profile.frames[number].function;
      std::replace_if(
          name.begin(), name.end(), [](char byte) { return byte == ';' || byte == '\n' || byte == '\r'; }, ':');
      line += (line.empty() ? "" : ";") + name;
    }
    lines[line] += stack.weight;
  }
  std::string text;
  for (const auto& [line, weight] : lines) text += line + ' ' + std::to_string(weight) + '\n';
  return text;
}

std::string table(const Profile& profile) {
  struct Seen {
    std::uint64_t self = 0, all = 0;
  };
  std::map<std::string, Seen> functions;
  std::uint64_t total = 0;
  for (const Stack& stack : profile.stacks) {
    total += stack.weight;
    std::set<std::string> on_it;  // a function that calls itself counts once
    for (const std::size_t number : stack.frames) on_it.insert(profile.frames[number].function);
    for (const std::string& function : on_it) functions[function].all += stack.weight;
    if (!stack.frames.empty()) functions[profile.frames[stack.frames.back()].function].self += stack.weight;
  }
  std::vector<std::pair<std::string, Seen>> order(functions.begin(), functions.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.self, a.second.all) > std::pair(b.second.self, b.second.all);
  });
  std::string text = "   self     with callees  function\n";
  for (std::size_t i = 0; i < std::min(order.size(), kRowsOfTable); ++i) {
    const auto& [function, seen] = order[i];
    text += percent(seen.self, total) + "       " + percent(seen.all, total) + "  " + function + '\n';
  }
  return text;
}

std::string summary(const Profile& profile) {
  const Tally& tally = profile.tally;
  std::string text = std::to_string(tally.taken) + (profile.cpu ? " samples of CPU time" : " samples of wall time") +
                     " of " + std::to_string(profile.workers) + (profile.workers == 1 ? " worker" : " workers") +
                     " at " + std::to_string(profile.hz) + " Hz";
  if (tally.lost > 0) text += ", " + std::to_string(tally.lost) + " lost";
  if (tally.silent > 0) text += ", " + std::to_string(tally.silent) + " not answered in time";
  text += "; it cost the workers " + milliseconds(tally.cost_ns) + " of CPU time";
  if (tally.lasted_ns > 0) {
    text +=
        " in " + milliseconds(tally.lasted_ns) + ", that is" + percent(tally.cost_ns, tally.lasted_ns) + " of a CPU";
  }
  // A share of 10 % of 100 samples is off by a third of itself as a rule (binomial deviation).
  if (tally.taken > 0 && tally.taken < kEnough) text += "; so few that shares are rough: --seconds takes more";
  const bool has_own = std::any_of(profile.frames.begin(), profile.frames.end(),
                                   [](const Frame& frame) { return frame.function == kOwn; });
  if (has_own) text += "; " + std::string(kOwn) + " is serval's own work on the app's threads";
  return text;
}

}  // namespace serval::profile
