#include "worker/crash_report.hpp"

#include "ipc/reports.hpp"
#include "stack/capture.hpp"

namespace serval::worker {

namespace {

struct LastWords {
  ipc::Channel* channel = nullptr;
  ipc::Packet packet;
};
LastWords g_last_words;

void report_crash(const stack::Crash& crash) noexcept {
  const ipc::CrashReport report{
      .signal = crash.signal, .sender = crash.sender, .fault_address = crash.fault_address, .frames = crash.frames};
  ipc::put_report(g_last_words.packet, report);
  g_last_words.channel->send(g_last_words.packet);
}

}  // namespace

void report_crash_to(ipc::Channel& channel, const ipc::Packet& packet) {
  g_last_words = {.channel = &channel, .packet = packet};
  stack::on_crash(report_crash);
}

}  // namespace serval::worker
