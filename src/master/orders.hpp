#pragma once

#include <vector>

#include "ipc/messages.hpp"
#include "master/children.hpp"
#include "master/generations.hpp"
#include "master/tell.hpp"
#include "supervisor/actions.hpp"

namespace serval::master {

/// Tells molds and workers what the supervisor wants of them. Never waits: one whose channel is full is reported as
/// deaf, and replaced. A process that is not there, or not any more, is no error: its exit tells the rest. Borrows all;
/// one thread.
class Orders {
 public:
  Orders(const Children& children, const Generations& generations, Tell tell)
      : children_(children), generations_(generations), tell_(std::move(tell)) {}

  void perform(const supervisor::StopMold& action);
  void perform(const supervisor::ReopenMold& action);
  void perform(const supervisor::DrainWorker& action);
  void perform(const supervisor::ReopenWorker& action);
  void perform(const supervisor::PauseWorker& action);
  void perform(const supervisor::ResumeWorker& action);

 private:
  void send(int slot, const ipc::ToWorker& message, const std::vector<int>& fds = {});

  const Children& children_;
  const Generations& generations_;
  const Tell tell_;
};

}  // namespace serval::master
