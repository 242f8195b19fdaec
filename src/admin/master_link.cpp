#include "admin/master_link.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/parse.hpp>
#include <string>
#include <utility>

#include "base/overloaded.hpp"
#include "ipc/messages.hpp"
#include "os/memory_file.hpp"

namespace serval::admin {
namespace {

using namespace std::chrono_literals;

/// Between two questions.
constexpr Duration kInterval = 20ms;
/// A master that is only busy has answered by then. Kubernetes' probes have a second in all.
constexpr Duration kPatience = 500ms;

Status parse(const std::vector<UniqueFd>& files) {
  if (files.empty()) return nullptr;
  const auto text = os::read_memory_file(files.front().get(), "the status");
  if (!text) return nullptr;
  boost::system::error_code error;
  const auto value = boost::json::parse(*text, error);
  if (error || !value.is_object()) return nullptr;
  return std::make_shared<const boost::json::object>(value.get_object());
}

}  // namespace

MasterLink::MasterLink(boost::asio::io_context& io, ipc::Channel channel, Hooks hooks)
    : io_(io), channel_(std::move(channel)), hooks_(std::move(hooks)), descriptor_(io, channel_.in_fd()), timer_(io) {
  listen();
}

/// The descriptor is the channel's.
MasterLink::~MasterLink() { descriptor_.release(); }

void MasterLink::ask(Done done) {
  for_next_.push_back({std::move(done), Clock::now()});
  ask_if_due();
  arm();
}

void MasterLink::ask_if_due() {
  if (in_flight_ || for_next_.empty() || Clock::now() < asked_ + kInterval) return;
  in_flight_ = channel_.send(ipc::encode<ipc::FromAdmin>(ipc::AskStatus{++question_}));
  if (!in_flight_) return;
  asked_ = Clock::now();
  for_this_ = std::exchange(for_next_, {});
}

void MasterLink::arm() {
  if (for_this_.empty() && for_next_.empty()) {
    timer_.cancel();
    return;
  }
  TimePoint due = TimePoint::max();
  for (const auto* all : {&for_this_, &for_next_}) {
    for (const Waiting& one : *all) due = std::min(due, one.since + kPatience);
  }
  if (!in_flight_) due = std::min(due, asked_ + kInterval);
  timer_.expires_at(due);
  timer_.async_wait([this](const auto& error) {
    if (!error) on_timer();
  });
}

void MasterLink::on_timer() {
  std::vector<Waiting> late;
  const TimePoint now = Clock::now();
  for (auto* all : {&for_this_, &for_next_}) {
    const auto patient = std::stable_partition(all->begin(), all->end(),
                                               [now](const Waiting& one) { return now < one.since + kPatience; });
    std::move(patient, all->end(), std::back_inserter(late));
    all->erase(patient, all->end());
  }
  tell(late, nullptr);
  ask_if_due();
  arm();
}

void MasterLink::tell(std::vector<Waiting>& all, const Status& status) {
  for (const Waiting& one : std::exchange(all, {})) one.done(status);
}

void MasterLink::listen() {
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const auto& error) {
    if (!error) on_readable();
  });
}

void MasterLink::on_readable() {
  for (;;) {
    ipc::Channel::Received received;
    switch (channel_.receive(received)) {
      case ipc::Channel::State::empty: return listen();
      case ipc::Channel::State::malformed: continue;
      case ipc::Channel::State::closed:
        tell(for_this_, nullptr);
        tell(for_next_, nullptr);
        return hooks_.on_closed();
      case ipc::Channel::State::received: break;
    }
    on_message(std::move(received));
  }
}

void MasterLink::on_message(ipc::Channel::Received received) {
  const auto message = ipc::decode<ipc::ToAdmin>(received.packet);
  if (!message) return;
  std::visit(Overloaded{
                 [&](const ipc::Status& status) { on_status(status.question, received.fds); },
                 [&](const ipc::Reopen&) {
                   if (!received.fds.empty()) hooks_.on_reopen(std::move(received.fds.front()));
                   channel_.send(ipc::encode<ipc::FromAdmin>(ipc::Reopened{}));
                 },
             },
             *message);
}

/// Also the answer to a question for which nobody waits any more: the master is well again.
void MasterLink::on_status(std::uint32_t question, const std::vector<UniqueFd>& files) {
  if (question != question_) return;
  in_flight_ = false;
  tell(for_this_, parse(files));
  ask_if_due();
  arm();
}

}  // namespace serval::admin
