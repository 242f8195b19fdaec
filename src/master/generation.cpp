#include "master/generation.hpp"

#include <utility>

#include "config/load.hpp"

namespace serval::master {

Result<Configs> configs_of(const Handover& handover) {
  Configs configs;
  for (const GenerationRecord& record : handover.generations) {
    auto config = config::from_text(record.config);
    if (!config)
      return Error{"the configuration of generation " + std::to_string(record.number) +
                   " is not for this version: " + config.error()};
    config->from_variables = record.from_variables;
    configs[record.number] = std::make_shared<const config::Config>(std::move(*config));
  }
  return configs;
}

GenerationMap generations_of(const Handover& handover, const Configs& configs) {
  std::vector<std::shared_ptr<LogFiles>> logs;
  for (const LogFilesRecord& record : handover.logs) logs.push_back(std::make_shared<LogFiles>(record));
  Listeners listeners;
  for (const ListenerRecord& record : handover.listeners) listeners.push_back(std::make_shared<Listener>(record));
  GenerationMap generations;
  for (const GenerationRecord& record : handover.generations) {
    Generation& generation = generations[record.number];
    generation.config = configs.at(record.number);
    generation.build = record.build;
    generation.config_file = record.config_file;
    generation.logs = logs.at(static_cast<std::size_t>(record.logs));
    for (const int index : record.listeners)
      generation.listeners.push_back(listeners.at(static_cast<std::size_t>(index)));
    for (const auto& [program, indices] : record.program_listeners) {
      for (const int index : indices)
        generation.program_listeners[program].push_back(listeners.at(static_cast<std::size_t>(index)));
    }
  }
  return generations;
}

}  // namespace serval::master
