#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "ipc/packet.hpp"
#include "stack/capture.hpp"

/// What some messages carry instead of a text: plain structs without pointers, which also a signal handler can fill in
/// and send.
namespace serval::ipc {

/// Copies what fits; always terminated. Async-signal-safe.
template <std::size_t kSize>
void put_text(char (&into)[kSize], std::string_view text) {
  const std::size_t size = text.size() < kSize ? text.size() : kSize - 1;
  std::memcpy(into, text.data(), size);
  into[size] = '\0';
}

/// Never reads past the end, whatever the bytes are.
template <std::size_t kSize>
std::string_view get_text(const char (&from)[kSize]) {
  return {from, ::strnlen(from, kSize)};
}

/// What TimedOut carries: a handler ran past its deadline. Its client has been answered.
struct TimeoutReport {
  std::int64_t age_ms = 0;  ///< since the handler began
  stack::Frames frames;     ///< none if the thread did not answer
  char method[24] = {};
  char target[700] = {};
  char request_id[132] = {};
  char peer[64] = {};
};

/// What Crashed carries: the process is about to die of a signal.
struct CrashReport {
  std::int32_t signal = 0;
  std::int32_t sender = 0;          ///< pid, if another process sent the signal
  std::uint64_t fault_address = 0;
  stack::Frames frames;
};

/// What Stack carries: where a thread is.
struct StackReport {
  std::int32_t has_loop = 0;  ///< it runs the worker's I/O loop
  stack::Frames frames;       ///< none if it did not answer
};

/// What TakeProfile carries.
struct ProfileOrder {
  std::uint64_t offset = 0;  ///< where the region begins, and how large it is
  std::uint64_t size = 0;
  std::int64_t length_ms = 0;
  std::int32_t hz = 0;
  std::int32_t cpu = 0;  ///< 1: samples of CPU time
};

template <class Plain>
void put_plain(Packet& packet, const Plain& plain) {
  static_assert(std::is_trivially_copyable_v<Plain> && sizeof(Plain) <= sizeof packet.text);
  std::memcpy(packet.text, &plain, sizeof plain);
  packet.text_size = sizeof plain;
}

/// False if the packet carries something else.
template <class Plain>
bool get_plain(const Packet& packet, Plain& plain) {
  static_assert(std::is_trivially_copyable_v<Plain> && sizeof(Plain) <= sizeof packet.text);
  if (packet.text_size != sizeof plain) return false;
  std::memcpy(&plain, packet.text, sizeof plain);
  return true;
}

template <class Report>
void put_report(Packet& packet, const Report& report) {
  put_plain(packet, report);
}

/// False if the packet carries something else.
template <class Report>
bool get_report(const Packet& packet, Report& report) {
  if (!get_plain(packet, report)) return false;
  if (report.frames.count < 0 || report.frames.count > stack::kMaxFrames) report.frames.count = 0;
  return true;
}

}  // namespace serval::ipc
