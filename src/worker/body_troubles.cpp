#include "worker/body_troubles.hpp"

#include <string_view>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "server/body_spool.hpp"

namespace serval::worker {
namespace {

struct Row {
  BodyTroubles::Kind kind;
  log::Level level;
  std::string_view sentence;
};
constexpr Row kTroubles[] = {
    {BodyTroubles::Kind::no_file, log::Level::warning, "request body stays in memory: no temporary file"},
    {BodyTroubles::Kind::not_written, log::Level::error, "request body lost: cannot write the temporary file"},
    {BodyTroubles::Kind::not_mapped, log::Level::error, "request body lost: cannot map the temporary file"},
};

constexpr std::size_t index_of(BodyTroubles::Kind kind) { return static_cast<std::size_t>(kind); }
static_assert(index_of(kTroubles[1].kind) == 1 && index_of(kTroubles[2].kind) == 2);

}  // namespace

BodyTroubles::BodyTroubles(boost::asio::io_context& io)
    : lines_{FloodLine(io, [this](std::uint64_t count) { return say(Kind::no_file, count); }),
             FloodLine(io, [this](std::uint64_t count) { return say(Kind::not_written, count); }),
             FloodLine(io, [this](std::uint64_t count) { return say(Kind::not_mapped, count); })} {}

void BodyTroubles::add(Kind kind, int error) {
  errors_[index_of(kind)] = error;
  lines_[index_of(kind)].add();
}

void BodyTroubles::finish() {
  for (FloodLine& line : lines_) line.finish();
}

bool BodyTroubles::say(Kind kind, std::uint64_t count) const {
  const Row& row = kTroubles[index_of(kind)];
  return log::write(
      row.level, row.sentence,
      {{"folder", server::temporary_folder()}, {"error", errno_text(errors_[index_of(kind)])}, {"count", count}});
}

}  // namespace serval::worker
