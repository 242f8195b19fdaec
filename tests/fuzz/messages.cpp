// What a mold or a worker writes into its pipe to the master: packets of any size. None is read beyond its end, and
// what a report says is bounded.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/log_text.hpp"
#include "fuzz.hpp"
#include "ipc/channel.hpp"
#include "ipc/messages.hpp"
#include "master/line_splitter.hpp"

namespace serval::fuzz {
namespace {

using State = ipc::Channel::State;

template <class Report>
void check_frames(const ipc::Packet& packet) {
  Report report;
  if (!ipc::get_report(packet, report)) return;
  SERVAL_CHECK(report.frames.count >= 0 && report.frames.count <= stack::kMaxFrames);
  ipc::Packet again;
  ipc::put_report(again, report);
  Report same;
  SERVAL_CHECK(ipc::get_report(again, same) && std::memcmp(&same, &report, sizeof same) == 0);
}

/// As a line of the log has it, in both formats: one line, whatever it is.
void check_logged(std::string_view text) {
  const log::Field fields[] = {{"text", text}};
  for (const log::Format format : {log::Format::text, log::Format::json}) {
    const std::string shown = log::render(format, text, fields);
    SERVAL_CHECK(std::ranges::none_of(shown, is_control));
  }
}

void check(const ipc::Packet& packet) {
  const std::string text = ipc::text_of(packet);
  SERVAL_CHECK(text.size() <= sizeof packet.text && text.size() <= packet.text_size);
  SERVAL_CHECK(ipc::text_of(ipc::with_text(packet, text)) == text);
  check_logged(text);
  check_frames<ipc::TimeoutReport>(packet);
  check_frames<ipc::CrashReport>(packet);
  check_frames<ipc::StackReport>(packet);
  ipc::TimeoutReport timeout;
  if (!ipc::get_report(packet, timeout)) return;
  SERVAL_CHECK(ipc::get_text(timeout.method).size() <= sizeof timeout.method);
  SERVAL_CHECK(ipc::get_text(timeout.target).size() <= sizeof timeout.target);
  SERVAL_CHECK(ipc::get_text(timeout.request_id).size() <= sizeof timeout.request_id);
  SERVAL_CHECK(ipc::get_text(timeout.peer).size() <= sizeof timeout.peer);
  check_logged(ipc::get_text(timeout.target));
}

/// What has been understood says the same when it is said again.
template <class Direction>
void check_decoded(const ipc::Packet& packet) {
  const auto message = ipc::decode<Direction>(packet);
  if (!message) return;
  const ipc::Packet again = ipc::encode(*message);
  SERVAL_CHECK(again.tag == packet.tag);
  const auto same = ipc::decode<Direction>(again);
  SERVAL_CHECK(same && same->index() == message->index());
}

/// What the app prints comes through a pipe, too: the same lines however it is cut.
void check_output(std::string_view bytes) {
  const auto lines_of = [bytes](const std::vector<std::size_t>& cuts) {
    std::vector<std::string> lines;
    const auto sink = [&lines](std::string_view line) {
      SERVAL_CHECK(line.size() <= master::LineSplitter::kMaxLineBytes && line.find('\n') == std::string_view::npos);
      lines.emplace_back(line);
    };
    master::LineSplitter splitter;
    std::size_t at = 0;
    for (const std::size_t cut : cuts) {
      splitter.feed(bytes.substr(at, cut - at), sink);
      at = cut;
    }
    splitter.end(sink);
    return lines;
  };
  std::mt19937 random = random_of(bytes);
  SERVAL_CHECK(lines_of(random_cuts(bytes.size(), random)) == lines_of({bytes.size()}));
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  static auto ends = std::move(ipc::Channel::pair().value());
  auto& [master, app] = ends;
  check_output(bytes);
  const std::string_view written = bytes.substr(0, 4096);  // PIPE_BUF: what a pipe takes whole
  ipc::Channel::Received received;
  if (!written.empty()) {
    SERVAL_CHECK(::write(app.out_fd(), written.data(), written.size()) == static_cast<ssize_t>(written.size()));
    const State state = master.receive(received);
    SERVAL_CHECK(state == (written.size() == sizeof(ipc::Packet) ? State::received : State::malformed));
  }
  SERVAL_CHECK(master.receive(received) == State::empty);

  ipc::Packet packet;  // most inputs are shorter than a packet: as one whose rest is zero
  std::memcpy(static_cast<void*>(&packet), written.data(), std::min(written.size(), sizeof packet));
  check(packet);
  check_decoded<ipc::FromAdmin>(packet);
  check_decoded<ipc::FromMold>(packet);
  check_decoded<ipc::FromWorker>(packet);
}

}  // namespace serval::fuzz
