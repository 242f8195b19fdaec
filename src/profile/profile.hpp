#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "profile/samples.hpp"

/// A profile whose frames have names.
namespace serval::profile {

struct Frame {
  std::string function;  ///< demangled; or "[libfoo.so]"
  std::string file{};    ///< empty: not known
  std::int64_t line = 0;

  friend auto operator<=>(const Frame&, const Frame&) = default;
};

struct Stack {
  std::vector<std::size_t> frames;  ///< outermost first; places in Profile::frames
  std::uint64_t weight = 0;
};

struct Profile {
  bool cpu = false;  ///< samples of CPU time; else of wall time
  int hz = 100;
  Tally tally{};  ///< of all workers; lasted_ns is the longest
  int workers = 1;
  std::vector<Frame> frames{};
  std::vector<Stack> stacks{};  ///< in the order of their frames, each once
};

/// Collects named stacks into a profile, equal ones together.
class ProfileMaker {
 public:
  /// `whole`: with serval's own frames, which enclose the app's or stand alone.
  ProfileMaker(bool cpu, int hz, bool whole) : whole_(whole) { profile_.cpu = cpu, profile_.hz = hz; }

  /// Innermost first. `cut`: there were more frames outside.
  void add(std::vector<Frame> frames, bool cut, std::uint64_t weight);
  void add(const Tally& tally);
  Profile finish(int workers);

 private:
  std::size_t number_of(Frame frame);

  bool whole_;
  Profile profile_;
  std::map<Frame, std::size_t> numbers_;
  std::map<std::vector<std::size_t>, std::uint64_t> stacks_;
};

/// Where serval called the app: from there on outwards it is always the same. In its place stands nothing; a stack
/// without it is serval's own, one frame of this name.
inline constexpr std::string_view kOwn = "[serval]";
/// Stands outside of a stack that was too deep.
inline constexpr std::string_view kCut = "[deeper]";
std::vector<Frame> apps_part(std::vector<Frame> innermost_first, bool cut);

/// How profiles are written, by the end of the file's name.
enum class Format { folded, pprof, pprof_gzip, svg, html, table };
/// False: the name ends in none of .folded .txt .pb .pprof .pb.gz .svg .html.
bool format_of(std::string_view name, Format& format);

/// "main;handle;burn 17" a line; what separates (';', space at the end, line ends) is replaced in names.
std::string folded(const Profile& profile);
/// profile.proto, as `go tool pprof` and others read it; not compressed.
std::string pprof(const Profile& profile);
/// RFC 1952, stored without compression (RFC 1951, 3.2.4): readers that insist on the format get it.
std::string gzip(std::string_view bytes);
/// One file without anything from elsewhere: rectangles as wide as their counts, the name and count as a tooltip; a
/// click zooms, a search marks.
std::string flame_graph_svg(const Profile& profile, std::string_view title);
std::string flame_graph_html(const Profile& profile, std::string_view title);
/// The functions that were seen most often, for a terminal.
std::string table(const Profile& profile);
/// "1000 samples in 10s at 100 Hz; 3 lost ..." and what it has cost: one line without its end.
std::string summary(const Profile& profile);

}  // namespace serval::profile
