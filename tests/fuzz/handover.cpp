// What one version of serval hands over to another one: JSON in a memory file. Any text gives a state to go on with or
// an error; what is written comes back.
#include "master/handover.hpp"

#include "fuzz.hpp"
#include "master/adoption_proof.hpp"
#include "os/memory_file.hpp"

namespace serval::fuzz {
namespace {

Result<master::Handover> read(std::string_view text) {
  const UniqueFd fd = std::move(os::make_memory_file("fuzz", "a text", text).value());
  return master::read_handover(fd.get());
}

std::string text_of(const master::Handover& handover) {
  const UniqueFd fd = std::move(master::write_handover(handover).value());
  return os::read_memory_file(fd.get(), "it").value();
}

void check_sound(const master::Handover& handover) {
  SERVAL_CHECK(handover.protocol == master::kHandoverProtocol && !handover.arguments.empty());
  for (const master::GenerationRecord& generation : handover.generations) {
    SERVAL_CHECK(generation.logs >= 0 && static_cast<std::size_t>(generation.logs) < handover.logs.size());
    for (const int listener : generation.listeners) {
      SERVAL_CHECK(listener >= 0 && static_cast<std::size_t>(listener) < handover.listeners.size());
    }
  }
  for (const int fd : handover.fds()) SERVAL_CHECK(fd != -1);
  const std::string text = text_of(handover);
  const auto again = read(text);
  SERVAL_CHECK(again.has_value());
  SERVAL_CHECK(again->supervisor == handover.supervisor && text_of(*again) == text);
}

/// The least that can be gone on with, with these bytes wherever they may stand.
master::Handover minimal(const std::string& any) {
  master::Handover handover;
  handover.protocol = master::kHandoverProtocol;
  handover.arguments = {any};
  handover.working_directory = any;
  handover.supervisor.reload_failure = any;
  handover.supervisor.molds = {{.generation = 1}};
  handover.supervisor.slots = {{.why = any}};
  handover.logs = {{.file = any}};
  handover.listeners = {{.bind = any, .socket_file = any}};
  handover.generations = {{.number = 1, .config = {{"app.library", any}}, .listeners = {0}, .config_file = any}};
  handover.control.unheard = {{.fd = 7, .read = any}};
  return handover;
}

}  // namespace

void fuzz_one(std::string_view bytes) {
  if (const auto handover = read(bytes)) check_sound(*handover);
  const master::Handover mine = minimal(std::string(bytes));
  const auto again = read(text_of(mine));
  SERVAL_CHECK(again.has_value());
  SERVAL_CHECK(again->arguments == mine.arguments && again->supervisor == mine.supervisor);
  SERVAL_CHECK(again->control.unheard[0].read == mine.control.unheard[0].read);

  const auto version = master::version_in_proof(bytes, 2, "0123");
  if (version) SERVAL_CHECK(master::adoption_proof(*version, 2, "0123") == bytes);
}

}  // namespace serval::fuzz
