#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "config/config.hpp"
#include "control/meant.hpp"
#include "control/server.hpp"
#include "master/control_socket.hpp"
#include "master/handover.hpp"
#include "master/reload_plan.hpp"
#include "master/status_maker.hpp"
#include "master/worker_profiles.hpp"
#include "scoreboard/memory.hpp"
#include "supervisor/supervisor.hpp"

namespace serval::master {

/// What commands have the master do.
struct Operations {
  std::function<const config::Config&()> config;  ///< in force
  std::function<control::ConfigFile()> config_file;  ///< where that came from
  std::function<void(supervisor::Event)> tell;
  std::function<void(const std::string& by, ReloadDone done)> reload;
  std::function<void(const std::string& by, ReloadDone done)> roll_back;
  std::function<std::string()> reopen_logs;  ///< why not all of them; empty: all
  std::function<void(const std::string& by)> upgrade;
  std::function<void()> upgrade_if_possible;  ///< an answer has been given
  std::function<bool()> admin_reopening;  ///< the admin process has not swapped its log yet
  std::function<std::string()> admin_address;
  std::function<control::CodeReading(int generation)> code;
  std::function<std::vector<control::ListenerReading>()> listeners;
  std::function<std::vector<control::ProgramReading>(bool memory)> programs;
  std::function<std::uint64_t()> lost_program_lines;  ///< by the files of programs' output
  std::function<void()> client_gone;  ///< or has got its answer
  std::function<void(const WorkerProfiles::Settings& settings, const control::Responder& responder)> profile;
  /// Answers as WorkerStacks says.
  std::function<void(std::optional<int> slot, const control::Responder& responder)> stacks;
};

/// What each command to the running server does. One thread, that of the io_context.
class Control {
 public:
  /// Listens as ControlSocket does, and throws what it throws. Borrows all but the operations.
  Control(boost::asio::io_context& io, const config::Config& config, const supervisor::Supervisor& supervisor,
          const scoreboard::Memory& scoreboard, Operations operations);
  /// Goes on with what an earlier version of serval in this process had open, and tells the clients that wait for the
  /// upgrade that it is done.
  Control(boost::asio::io_context& io, const ControlRecord& record, TimePoint begun,
          const supervisor::Supervisor& supervisor, const scoreboard::Memory& scoreboard, Operations operations);
  ControlRecord record() const;
  TimePoint begun() const { return begun_; }
  /// A client waits for an answer that is no upgrade's: only this process can give it.
  bool owes_answers() const;
  void look_after_socket() { socket_.look_after(); }
  /// To all clients that wait for the upgrade.
  void upgrade_refused(const std::string& why);

  /// What the admin process is told, as JSON.
  std::string status_for_admin();

  /// The supervisor has handled an event, or something else has changed: answers commands whose effect is there by now.
  void look_again();

 private:
  /// A command whose answer waits for what it has set going.
  struct Waiting {
    std::function<bool(const supervisor::Snapshot&)> done;
    boost::json::object result;
    control::Responder responder;
    /// Why it will not come to that; empty: it may yet.
    std::function<std::string(const supervisor::Snapshot&)> hopeless = {};
  };

  void status(const boost::json::object& arguments, const control::Responder& responder);
  void reload(const boost::json::object& arguments, const control::Responder& responder);
  void roll_back(const control::Responder& responder);
  void stop(const boost::json::object& arguments, const control::Responder& responder);
  void scale(const boost::json::object& arguments, const control::Responder& responder);
  void recycle(const boost::json::object& arguments, const control::Responder& responder);
  void reopen(const control::Responder& responder);
  void upgrade(const control::Responder& responder);
  void serve();
  void perform(const control::Command& command, const boost::json::object& arguments,
               const control::Responder& responder);
  void start(const boost::json::object& arguments, const control::Responder& responder);
  // In program_commands.cpp: those of one program.
  static std::string program_in(const boost::json::object& arguments);  ///< empty: the command is not about one
  void order_program(supervisor::ProgramOrdered::Order order, const std::string& name, const std::string& by,
                     const control::Responder& responder);
  void scale_program(const std::string& name, const boost::json::object& arguments,
                     const control::Responder& responder);
  void await_program(const std::string& name, boost::json::object result, const control::Responder& responder);
  void await_programs(boost::json::object result, const control::Responder& responder);
  void drain(bool on, const control::Responder& responder);
  void pause(const control::Responder& responder);
  void resume(const control::Responder& responder);
  void stacks(const boost::json::object& arguments, const control::Responder& responder) const;
  void profile(const boost::json::object& arguments, const control::Responder& responder) const;

  const supervisor::Supervisor& supervisor_;
  const scoreboard::Memory& scoreboard_;
  Operations operations_;
  std::vector<Waiting> waiting_;
  std::vector<control::Responder> upgrade_waiters_;
  TimePoint begun_ = Clock::now();
  StatusMaker status_{{.supervisor = supervisor_,
                       .scoreboard = scoreboard_,
                       .begun = begun_,
                       .config = operations_.config,
                       .code = operations_.code,
                       .listeners = operations_.listeners,
                       .programs = operations_.programs,
                       .admin_address = operations_.admin_address,
                       .config_file = [this] { return operations_.config_file().path; },
                       .lost_program_lines = operations_.lost_program_lines}};
  ControlSocket socket_;
};

}  // namespace serval::master
