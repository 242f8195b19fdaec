#include "ipc/messages.hpp"

#include <utility>

namespace serval::ipc {
namespace {

/// Flag of TimedOut.
constexpr std::uint32_t kMayReturn = 1;
/// Flag of Drain.
constexpr std::uint32_t kOthersTakeOver = 1;

// Where each message has its fields in the packet. Reading fails if a report is no report.

template <class Message>
requires std::is_empty_v<Message>
void write(Packet&, const Message&) {}
template <class Message>
requires std::is_empty_v<Message>
bool read(const Packet&, Message&) { return true; }

void write(Packet& packet, const Fork& fork) {
  packet.slot = fork.slot;
  packet.generation = fork.generation;
  packet.number = fork.pause;
  packet.limit = fork.max_requests;
  packet.known_as = fork.known_as;
}
bool read(const Packet& packet, Fork& fork) {
  fork = {packet.slot, packet.generation, packet.number, packet.limit, packet.known_as};
  return true;
}

void write(Packet& packet, const Forked& forked) {
  packet.slot = forked.slot;
  packet.pid = forked.pid;
}
bool read(const Packet& packet, Forked& forked) {
  forked = {packet.slot, packet.pid};
  return true;
}

void write(Packet& packet, const ForkFailed& failed) {
  packet.slot = failed.slot;
  packet = with_text(packet, failed.why);
}
bool read(const Packet& packet, ForkFailed& failed) {
  failed = {packet.slot, text_of(packet)};
  return true;
}

void write(Packet& packet, const TaskForked& forked) {
  packet.number = forked.id;
  packet.pid = forked.pid;
}
bool read(const Packet& packet, TaskForked& forked) {
  forked = {packet.number, packet.pid};
  return true;
}

template <class Message>
concept OneText =
    std::is_same_v<Message, Loaded> || std::is_same_v<Message, Registers> || std::is_same_v<Message, LoadFailed> ||
    std::is_same_v<Message, BootFailed> || std::is_same_v<Message, WantsReplacement>;
void write(Packet& packet, const OneText auto& message) {
  const auto& [text] = message;
  packet = with_text(packet, text);
}
bool read(const Packet& packet, OneText auto& message) {
  message = {text_of(packet)};
  return true;
}

template <class Message>
concept OneNumber = std::is_same_v<Message, Pause> || std::is_same_v<Message, Paused> ||
    std::is_same_v<Message, Status> || std::is_same_v<Message, AskStatus> || std::is_same_v<Message, AskStacks> ||
    std::is_same_v<Message, StacksEnd> || std::is_same_v<Message, EndProfile> || std::is_same_v<Message, ForkTask>;
void write(Packet& packet, const OneNumber auto& message) {
  const auto& [number] = message;
  packet.number = number;
}
bool read(const Packet& packet, OneNumber auto& message) {
  message = {packet.number};
  return true;
}

void write(Packet& packet, const Drain& drain) { packet.number = drain.others_take_over ? kOthersTakeOver : 0; }
bool read(const Packet& packet, Drain& drain) {
  drain.others_take_over = (packet.number & kOthersTakeOver) != 0;
  return true;
}

void write(Packet& packet, const TimedOut& timed_out) {
  packet.number = timed_out.may_return ? kMayReturn : 0;
  if (timed_out.report) put_report(packet, *timed_out.report);
}
bool read(const Packet& packet, TimedOut& timed_out) {
  timed_out.may_return = (packet.number & kMayReturn) != 0;
  return packet.text_size == 0 || get_report(packet, timed_out.report.emplace());
}

void write(Packet& packet, const Crashed& crashed) {
  packet.pid = crashed.pid;
  put_report(packet, crashed.report);
}
bool read(const Packet& packet, Crashed& crashed) {
  crashed.pid = packet.pid;
  return get_report(packet, crashed.report);
}

void write(Packet& packet, const Stack& stack) {
  packet.number = stack.question;
  put_report(packet, stack.report);
}
bool read(const Packet& packet, Stack& stack) {
  stack.question = packet.number;
  return get_report(packet, stack.report);
}

void write(Packet& packet, const TakeProfile& take) {
  packet.number = take.number;
  put_plain(packet, take.order);
}
bool read(const Packet& packet, TakeProfile& take) {
  take.number = packet.number;
  return get_plain(packet, take.order);
}

template <class Message>
concept NumberAndText = std::is_same_v<Message, ProfileEnded> || std::is_same_v<Message, TaskForkFailed>;
void write(Packet& packet, const NumberAndText auto& message) {
  const auto& [number, text] = message;
  packet.number = number;
  packet = with_text(packet, text);
}
bool read(const Packet& packet, NumberAndText auto& message) {
  message = {packet.number, text_of(packet)};
  return true;
}

/// True if `packet` is this message; false goes on to the next one of its direction.
template <class Message, class Direction>
bool read_as(const Packet& packet, std::optional<Direction>& result) {
  if (packet.tag != Message::kTag) return false;
  Message message;
  if (read(packet, message)) result.emplace(std::move(message));
  return true;
}

template <class... Messages>
void read_any(const Packet& packet, std::optional<std::variant<Messages...>>& result) {
  static_cast<void>((read_as<Messages>(packet, result) || ...));
}

}  // namespace

template <class Direction>
Packet encode(const Direction& message) {
  return std::visit(
      []<class Message>(const Message& one) {
        Packet packet{.tag = Message::kTag};
        write(packet, one);
        return packet;
      },
      message);
}

template <class Direction>
std::optional<Direction> decode(const Packet& packet) {
  std::optional<Direction> result;
  read_any(packet, result);
  return result;
}

template Packet encode(const ToMold&);
template Packet encode(const ToAdmin&);
template Packet encode(const FromAdmin&);
template Packet encode(const FromMold&);
template Packet encode(const ToWorker&);
template Packet encode(const FromWorker&);
template std::optional<ToMold> decode(const Packet&);
template std::optional<ToAdmin> decode(const Packet&);
template std::optional<FromAdmin> decode(const Packet&);
template std::optional<FromMold> decode(const Packet&);
template std::optional<ToWorker> decode(const Packet&);
template std::optional<FromWorker> decode(const Packet&);

}  // namespace serval::ipc
