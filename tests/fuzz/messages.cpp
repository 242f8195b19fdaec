// What a mold or a worker writes into its pipe to the master: packets of any size. None is read beyond its end, and
// what a report says is bounded.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/log_text.hpp"
#include "fuzz.hpp"
#include "ipc/channel.hpp"
#include "ipc/reports.hpp"
#include "master/line_splitter.hpp"

namespace serval::fuzz {
namespace {

using State = ipc::Channel::State;

template <class Report>
void check_frames(const ipc::Message& message) {
  Report report;
  if (!ipc::get_report(message, report)) return;
  SERVAL_CHECK(report.frames.count >= 0 && report.frames.count <= stack::kMaxFrames);
  ipc::Message again;
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

void check(const ipc::Message& message) {
  const std::string text = ipc::text_of(message);
  SERVAL_CHECK(text.size() <= sizeof message.text && text.size() <= message.text_size);
  SERVAL_CHECK(ipc::text_of(ipc::with_text(message, text)) == text);
  check_logged(text);
  check_frames<ipc::TimeoutReport>(message);
  check_frames<ipc::CrashReport>(message);
  check_frames<ipc::StackReport>(message);
  ipc::TimeoutReport timeout;
  if (!ipc::get_report(message, timeout)) return;
  SERVAL_CHECK(ipc::get_text(timeout.method).size() <= sizeof timeout.method);
  SERVAL_CHECK(ipc::get_text(timeout.target).size() <= sizeof timeout.target);
  SERVAL_CHECK(ipc::get_text(timeout.request_id).size() <= sizeof timeout.request_id);
  SERVAL_CHECK(ipc::get_text(timeout.peer).size() <= sizeof timeout.peer);
  check_logged(ipc::get_text(timeout.target));
}

/// What the app prints comes through a pipe, too: the same lines however it is cut.
void check_output(std::string_view bytes) {
  const auto lines_of = [bytes](const std::vector<std::size_t>& cuts) {
    std::vector<std::string> lines;
    const auto sink = [&lines](std::string_view line) {
      SERVAL_CHECK(line.size() <= master::LineSplitter::kLongest && line.find('\n') == std::string_view::npos);
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
  const std::string_view packet = bytes.substr(0, 4096);  // PIPE_BUF: what a pipe takes whole
  ipc::Channel::Received received;
  if (!packet.empty()) {
    SERVAL_CHECK(::write(app.out_fd(), packet.data(), packet.size()) == static_cast<ssize_t>(packet.size()));
    const State state = master.receive(received);
    SERVAL_CHECK(state == (packet.size() == sizeof(ipc::Message) ? State::received : State::malformed));
  }
  SERVAL_CHECK(master.receive(received) == State::empty);

  ipc::Message message;  // most inputs are shorter than a message: as one whose rest is zero
  std::memcpy(static_cast<void*>(&message), packet.data(), std::min(packet.size(), sizeof message));
  check(message);
}

}  // namespace serval::fuzz
