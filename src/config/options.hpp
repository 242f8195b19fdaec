#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"

/// The one table of options. Parser, flags, environment names, --help, the sample file, the manual, validation and the
/// diff of a reload are all made from it; a default stands in config.hpp and nowhere else.
namespace serval::config {

/// Gives the place of one value inside a Config. The type of T is the type of the option.
template <class T>
using Access = T& (*)(Config&);

using Texts = std::vector<std::string>;
using Pairs = std::map<std::string, std::string>;
using Codes = std::vector<int>;

/// `unsigned` is a file mode, `std::size_t` a number of bytes, an empty `std::optional<int>` is "auto",
/// `double` a ratio, Codes are exit codes.
using Field =
    std::variant<Access<bool>, Access<int>, Access<std::optional<int>>, Access<unsigned>, Access<std::size_t>,
                 Access<double>, Access<Portion>, Access<Duration>, Access<std::string>, Access<Texts>, Access<Pairs>,
                 Access<Codes>, Access<LogLevel>, Access<LogFormat>, Access<LogKeys>, Access<MemoryMeasure>,
                 Access<ProgramRestart>, Access<ProgramReplace>, Access<ProgramOverlap>, Access<ProgramMissed>>;

template <auto Table, auto Member>
constexpr auto field() {
  return +[](Config & config) -> auto& { return (config.*Table).*Member; };
}

template <class T>
const T& read(Access<T> access, const Config& config) {
  // The accessor only adds an offset, so one for both kinds of Config is enough.
  return access(const_cast<Config&>(config));
}

/// What a reload has to do for a changed value to take effect, from weakest to strongest.
enum class Apply {
  live,     ///< told to the running processes
  rolling,  ///< a new generation of workers
  restart,  ///< only a new master can do it
};

/// Bounds of a number, of milliseconds or of bytes, both included.
struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
  bool or_none = false;  ///< 0 is allowed besides and switches the limit off
};

struct Option {
  std::string_view path;  ///< "workers.threads"; the part before the dot is the TOML table
  Field field;
  std::string_view placeholder;  ///< stands for the value in help texts
  Range range{};                 ///< numbers, durations and sizes
  /// Texts and each element of a list; the error is a reason without the value.
  Result<void> (*check)(std::string_view) = nullptr;
  /// Its values may hold passwords: no message, log line or answer shows them, `serval config` only with
  /// --show-secrets. Names in a table are shown.
  bool secret = false;
  /// Relative to the folder of the file that says it; from flags and environment to the working directory.
  bool is_path = false;
  char short_flag = 0;
  std::string_view fallback{};        ///< environment variable of other tools, weaker than the file
  std::string_view fallback_value{};  ///< what it stands for whatever it holds; empty: it holds the value
  Apply apply = Apply::rolling;
  std::string_view summary;  ///< one line, starts lower case, no full stop
  std::string_view more{};   ///< further sentences for the manual
  std::string_view example;  ///< a TOML value
};

/// All options, table by table in the order of the manual.
std::span<const Option> options();
const Option* find_option(std::string_view path);
/// Those of a [programs.NAME] table, whose path is "programs.NAME.KEY" with NAME as it stands here. They have neither
/// flags nor variables, and their places are in Config::program.
std::span<const Option> program_options();
const Option* find_program_option(std::string_view key);
/// Its values are lists of texts.
bool takes_list(const Option& option);

/// A TOML table and what it is about.
struct Section {
  std::string_view name;
  std::string_view summary;
};
std::span<const Section> sections();

/// Keys and tables of later versions. Their names are taken, their use is an error that says so.
std::span<const std::string_view> reserved_names();
bool is_reserved(std::string_view path);

/// "workers.queue_timeout" → "SERVAL_WORKERS_QUEUE_TIMEOUT".
std::string environment_name(std::string_view path);

/// "workers.threads" → "workers"; "threads".
std::string_view section_of(std::string_view path);
std::string_view key_of(std::string_view path);

std::span<const std::string_view> choices(LogLevel);
std::span<const std::string_view> choices(LogFormat);
std::span<const std::string_view> choices(LogKeys);
std::span<const std::string_view> choices(MemoryMeasure);
std::span<const std::string_view> choices(ProgramRestart);
std::span<const std::string_view> choices(ProgramReplace);
std::span<const std::string_view> choices(ProgramOverlap);
std::span<const std::string_view> choices(ProgramMissed);

/// A type whose values are words, in the order of choices().
template <class T>
concept Choice = requires {
  choices(T{});
};

template <Choice T>
std::string_view name_of(T value) {
  return choices(T{})[static_cast<std::size_t>(value)];
}

}  // namespace serval::config
