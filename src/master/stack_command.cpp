#include "master/stack_command.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/exit_code.hpp"

namespace serval::master {

WorkerStacks::Hooks ways_to_workers(const Children& children) {
  return {.send =
              [&children](const WorkerStacks::Worker& worker, const ipc::ToWorker& message) {
                return children.find_worker(worker.slot)->line->send(ipc::encode(message));
              },
          .layout = [&children](
                        const auto& worker) { return children.layout_of(worker.slot, worker.generation, worker.pid); }};
}

void answer_stacks(WorkerStacks& stacks, const Children& children, std::optional<int> slot,
                   const control::Responder& responder) {
  std::vector<WorkerStacks::Worker> asked;
  for (const auto& [seat, worker] : children.workers()) {
    if (worker->pid != 0 && (!slot || *slot == worker->known_as))
      asked.push_back({seat, worker->known_as, worker->generation, worker->pid});
  }
  if (asked.empty())
    return responder.refuse(slot ? "no worker in slot " + std::to_string(*slot) : "there is no worker",
                            exit_code::app_failed);
  responder.progress("asking " + std::to_string(asked.size()) + (asked.size() == 1 ? " worker" : " workers"));
  stacks.ask(asked, [responder](boost::json::object result) { responder.finish(std::move(result)); });
}

}  // namespace serval::master
