#include "config/options.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <set>
#include <type_traits>
#include <utility>

#include "config/decode.hpp"
#include "config/encode.hpp"
#include "config/load.hpp"

namespace serval::config {
namespace {

using testing::HasSubstr;

// Converts to whatever a member wants: an aggregate can be initialised with as many of these as it has members.
struct Anything {
  template <class T>
    requires(!std::is_same_v<T, std::in_place_t>)
  operator T() const {
    std::abort();  // only named in unevaluated places, never called
  }
};

template <class Aggregate, class... Members>
constexpr std::size_t count_members() {
  if constexpr (requires { Aggregate{Members{}..., Anything{}}; }) {
    return count_members<Aggregate, Members..., Anything>();
  } else {
    return sizeof...(Members);
  }
}

template <class Aggregate>
std::size_t rows_missing(std::string_view section, const Aggregate&) {
  std::size_t rows = 0;
  for (const auto& option : options()) rows += section_of(option.path) == section ? 1u : 0u;
  return count_members<Aggregate>() - rows;
}

TEST(Options, EveryMemberOfConfigHasOneRow) {
  const Config config;
  // Besides: from_variables, programs, and the place of one program's options.
  EXPECT_EQ(count_members<Config>(), sections().size() + 3);
  EXPECT_EQ(count_members<Program>(), program_options().size() + 1);  // file_env
  EXPECT_EQ(rows_missing("app", config.app), 1u);  // file_env
  EXPECT_EQ(rows_missing("server", config.server), 0u);
  EXPECT_EQ(rows_missing("workers", config.workers), 0u);
  EXPECT_EQ(rows_missing("request", config.request), 0u);
  EXPECT_EQ(rows_missing("restart", config.restart), 0u);
  EXPECT_EQ(rows_missing("shutdown", config.shutdown), 0u);
  EXPECT_EQ(rows_missing("log", config.log), 0u);
  EXPECT_EQ(rows_missing("control", config.control), 0u);
}

TEST(Options, NoTwoRowsShareAPlaceAPathOrALetter) {
  Config config;
  std::set<const void*> places;
  std::set<std::string_view> paths;
  std::set<char> letters;
  for (const auto& option : options()) {
    EXPECT_TRUE(
        places.insert(std::visit([&](auto access) -> const void* { return &access(config); }, option.field)).second)
        << option.path;
    EXPECT_TRUE(paths.insert(option.path).second) << option.path;
    EXPECT_TRUE(option.short_flag == 0 || letters.insert(option.short_flag).second) << option.path;
    EXPECT_EQ(find_option(option.path), &option);
    EXPECT_FALSE(is_reserved(option.path)) << option.path;
  }
}

TEST(Options, EveryRowIsDocumented) {
  for (const auto& option : options()) {
    EXPECT_FALSE(option.summary.empty()) << option.path;
    EXPECT_FALSE(option.summary.ends_with('.')) << option.path;
    EXPECT_FALSE(option.placeholder.empty()) << option.path;
    EXPECT_TRUE(option.more.empty() || option.more.ends_with('.')) << option.path;
    EXPECT_FALSE(option.example.empty()) << option.path;
  }
}

TEST(Options, EveryDefaultPassesItsOwnCheckAndRoundTrips) {
  const Config defaults;
  for (const auto& option : options()) {
    Config config;
    std::vector<Problem> problems;
    EXPECT_TRUE(decode(option, raw_from_encoded(option, encode(option, defaults), {}), config, problems))
        << option.path;
    EXPECT_EQ(format_problems(problems, "error"), "");
    EXPECT_EQ(encode(option, config), encode(option, defaults));
  }
}

TEST(Options, AnyTextRoundTrips) {
  const std::string nasty = "a,b\n\r\t\"\\ ${X} $${ = [] {} \x01\x7f\xff ü";
  Config config;
  config.app = {nasty, {nasty, "", "plain"}, {{"NAME", nasty}, {"OTHER", ""}}, {nasty}, {{"FILE", nasty}}};
  config.workers.count = 7;
  config.server.umask = 0077;
  config.request.keep_alive = 1500ms;
  config.request.max_body = 12345;
  config.log = {.level = LogLevel::error, .format = LogFormat::json, .keys = LogKeys::gcp, .file = nasty, .access = "off", .access_format = "json", .slow = 5s,
                .redact = {"token"}, .capture = false};
  config.request.proxy_protocol = true;
  const auto back = from_text(to_text(config));
  ASSERT_TRUE(back.has_value()) << back.error();
  EXPECT_EQ(to_text(*back), to_text(config));
  EXPECT_EQ(back->app.args, config.app.args);
  EXPECT_EQ(back->app.env, config.app.env);
  EXPECT_EQ(back->log.file, nasty);
  EXPECT_EQ(back->workers.count, 7);
  EXPECT_EQ(back->request.keep_alive, 1500ms);
}

TEST(Options, FromTextRefusesWhatToTextNeverWrites) {
  EXPECT_THAT(from_text({{"workers.threds", "5"}}).error(), HasSubstr("workers.threds"));
  EXPECT_THAT(from_text({{"workers.threads", "five"}}).error(), HasSubstr("expected a whole number"));
  EXPECT_THAT(from_text({{"app.args", "[1]"}}).error(), HasSubstr("expected a list"));
}

TEST(Options, ReservedNamesCoverTheirTables) {
  for (const auto* name :
       {"static", "static.root", "tls.key"}) {
    EXPECT_TRUE(is_reserved(name)) << name;
  }
  for (const auto* name : {"workers.max", "admin.bind", "program", "server.bind"}) {
    EXPECT_FALSE(is_reserved(name)) << name;
  }
}

TEST(Options, NamesFollowFromPaths) {
  EXPECT_EQ(environment_name("workers.queue_timeout"), "SERVAL_WORKERS_QUEUE_TIMEOUT");
  EXPECT_EQ(section_of("workers.threads"), "workers");
  EXPECT_EQ(key_of("workers.threads"), "threads");
}

TEST(Config, KnowsWhichSettingsNameFiles) {
  EXPECT_TRUE(names_file("/var/log/shop.log"));
  EXPECT_TRUE(names_file("./-"));
  EXPECT_FALSE(names_file("-"));
  EXPECT_FALSE(names_file("off"));
  EXPECT_FALSE(names_file(""));
}

}  // namespace
}  // namespace serval::config
