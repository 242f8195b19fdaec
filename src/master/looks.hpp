#pragma once

#include "master/app_file.hpp"
#include "master/children.hpp"
#include "master/generations.hpp"
#include "master/tell.hpp"
#include "master/worker_memory.hpp"
#include "scoreboard/memory.hpp"
#include "supervisor/actions.hpp"

namespace serval::master {

/// Looks at workers, at what generations have answered, and at the app's file when the supervisor wants to know. Borrows all; one thread.
class Looks {
 public:
  struct Parts {
    const Children& children;
    const Generations& generations;
    WorkerMemory& memory;
    const scoreboard::Memory& scoreboard;
  };
  Looks(Parts parts, Tell tell) : parts_(parts), tell_(std::move(tell)) {}

  void perform(const supervisor::LookAtWorkers& action);
  void perform(const supervisor::LookAtGenerations& action);
  void perform(const supervisor::InspectApp& action);

 private:
  const Parts parts_;
  const Tell tell_;
  AppFile tried_app_;  ///< the last one that has been loaded anew because the app crashed over and over
};

}  // namespace serval::master
