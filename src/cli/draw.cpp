#include "cli/draw.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <map>
#include <new>
#include <span>
#include <utility>

#include "base/errno_text.hpp"
#include "base/exit_code.hpp"
#include "os/memory_file.hpp"
#include "profile/samples.hpp"
#include "stack/names.hpp"

namespace serval::cli {
namespace {

namespace json = boost::json;

/// Debug information may be endless, too.
constexpr unsigned kMaxSeconds = 120;

int fail(const std::string& why, int code = exit_code::internal) {
  std::cerr << "serval profile: " << why << '\n';
  return code;
}

Result<Drawing> read_drawing(int fd) {
  const auto text = os::read_memory_file(fd, "what to draw");
  if (!text) return Error{text.error()};
  try {
    const json::value value = json::parse(*text);
    const auto number = [&value](const char* key) { return json::value_to<std::int64_t>(value.at(key)); };
    return Drawing{.samples_fd = static_cast<int>(number("samples_fd")),
                   .region = static_cast<std::size_t>(number("region")),
                   .workers = static_cast<std::size_t>(number("workers")),
                   .cpu = value.at("cpu").as_bool(),
                   .hz = static_cast<int>(number("hz")),
                   .all = value.at("all").as_bool(),
                   .format = static_cast<profile::Format>(number("format")),
                   .title = json::value_to<std::string>(value.at("title")),
                   .uid = static_cast<uid_t>(number("uid")),
                   .gid = static_cast<gid_t>(number("gid"))};
  } catch (const std::exception&) {
    return Error{"what to draw is not what this serval writes"};
  }
}

/// A copy: a worker may still write there.
Result<profile::Samples> samples_in(const Drawing& drawing, std::size_t worker) {
  std::vector<std::byte> bytes(drawing.region);
  const auto offset = static_cast<off_t>(worker * drawing.region);
  const ssize_t size = ::pread(drawing.samples_fd, bytes.data(), bytes.size(), offset);
  if (size != static_cast<ssize_t>(bytes.size())) return Error{"cannot read the samples: " + errno_text()};
  return profile::read_samples(bytes);
}

/// Of a stack's addresses all but the first are those after a call, which may be another function's already.
std::uint64_t inside(const std::vector<std::uint64_t>& stack, std::size_t i) {
  return i == 0 || stack[i] == 0 ? stack[i] : stack[i] - 1;
}

/// Workers of a generation have the same mappings, most often: their files are read once.
using ByMaps = std::map<std::string, std::vector<profile::RawStack>>;

void add_named(profile::ProfileMaker& maker, const std::string& maps, const std::vector<profile::RawStack>& stacks) {
  std::vector<std::uint64_t> addresses;
  for (const auto& stack : stacks) {
    for (std::size_t i = 0; i < stack.addresses.size(); ++i) addresses.push_back(inside(stack.addresses, i));
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  const auto places = stack::places_of(maps, addresses);
  for (const auto& stack : stacks) {
    std::vector<profile::Frame> frames;
    for (std::size_t i = 0; i < stack.addresses.size(); ++i) {
      const auto found = std::lower_bound(addresses.begin(), addresses.end(), inside(stack.addresses, i));
      for (const auto& place : places[static_cast<std::size_t>(found - addresses.begin())])
        frames.push_back({.function = place.function, .file = place.file, .line = place.line});
    }
    maker.add(std::move(frames), stack.addresses.size() == profile::kMaxDepth, stack.weight);
  }
}

std::string written_as(profile::Format format, const profile::Profile& profile, const std::string& title) {
  switch (format) {
    case profile::Format::folded: return profile::folded(profile);
    case profile::Format::pprof: return profile::pprof(profile);
    case profile::Format::pprof_gzip: return profile::gzip(profile::pprof(profile));
    case profile::Format::svg: return profile::flame_graph_svg(profile, title);
    case profile::Format::html: return profile::flame_graph_html(profile, title);
    case profile::Format::table: return profile::table(profile);
  }
  return {};
}

int draw(const Drawing& drawing) {
  ByMaps by_maps;
  profile::ProfileMaker maker(drawing.cpu, drawing.hz, drawing.all);
  std::string all_maps;
  for (std::size_t i = 0; i < drawing.workers; ++i) {
    auto samples = samples_in(drawing, i);
    if (!samples) return fail("the samples of a worker: " + samples.error());
    maker.add(samples->tally);
    auto& stacks = by_maps[samples->maps];
    if (stacks.empty()) all_maps += samples->maps;
    std::move(samples->stacks.begin(), samples->stacks.end(), std::back_inserter(stacks));
  }
  stack::bound_memory_for({.maps = all_maps});
  for (const auto& [maps, stacks] : by_maps) add_named(maker, maps, stacks);
  const profile::Profile profile = maker.finish(static_cast<int>(drawing.workers));
  if (profile.stacks.empty()) {
    return fail(drawing.cpu ? "no samples: no thread of the app's used enough CPU time meanwhile"
                            : "no samples: no request was in progress meanwhile",
                exit_code::app_failed);
  }
  std::cout << written_as(drawing.format, profile, drawing.title) << std::flush;
  if (!std::cout) return fail("cannot write the profile: " + errno_text());
  std::cerr << profile::summary(profile) << '\n';
  return exit_code::ok;
}

}  // namespace

Result<UniqueFd> write_drawing(const Drawing& drawing) {
  const json::value value{{"samples_fd", drawing.samples_fd},
                          {"region", drawing.region},
                          {"workers", drawing.workers},
                          {"cpu", drawing.cpu},
                          {"hz", drawing.hz},
                          {"all", drawing.all},
                          {"format", static_cast<int>(drawing.format)},
                          {"title", drawing.title},
                          {"uid", drawing.uid},
                          {"gid", drawing.gid}};
  return os::make_memory_file("serval-drawing", "what to draw", json::serialize(value));
}

int draw_profile(int drawing_fd) try {
  ::unsetenv("DEBUGINFOD_URLS");  // names are wanted in seconds: no downloads
  ::alarm(kMaxSeconds);
  const auto drawing = read_drawing(drawing_fd);
  if (!drawing) return fail(drawing.error());
  if (const auto dropped = stack::take_rights_of({.maps = {}, .stacks = {}, .uid = drawing->uid, .gid = drawing->gid});
      !dropped) {
    return fail(dropped.error());
  }
  return draw(*drawing);
} catch (const std::bad_alloc&) {
  return fail("the debug information takes more memory than is allowed");
}

}  // namespace serval::cli
