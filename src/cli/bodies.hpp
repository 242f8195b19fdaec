#pragma once

#include "cli/invocation.hpp"

/// The bodies of the subcommands, by which their table (cli/commands.cpp) calls them: each in the file of its name, or
/// in the one that is named here. A body returns the exit code. Nothing here includes the table, since some bodies read
/// it.
namespace serval::cli {

int run(const Invocation& invocation);
int check(const Invocation& invocation);
/// `serval config [--origin]`
int show_config(const Invocation& invocation);
int top(const Invocation& invocation);
/// Returns ok or app_failed, whatever is wrong: probes know no other codes.
int healthcheck(const Invocation& invocation);
/// `serval list`: the servers of this machine.
int list(const Invocation& invocation);
/// Follows the log until a signal ends the process where it is asked to.
int logs(const Invocation& invocation);
int version(const Invocation& invocation);
/// `serval help [COMMAND|signals]`
int help(const Invocation& invocation);

// In order.cpp: commands to a running server (control/commands.hpp). Each returns when its effect is there, or says why
// it is not.

/// The one that Invocation::command names, as its row there says.
int order(const Invocation& invocation);
/// Waits for the server's end besides.
int stop(const Invocation& invocation);

/// `serval exec [--program NAME] COMMAND...`, in exec.cpp: what the command exits with.
int exec(const Invocation& invocation);

/// `serval init --from-...`: prints a configuration.
int init(const Invocation& invocation);

/// `serval task NAME [ARGUMENT...]`, in task.cpp: what the task returns.
int task(const Invocation& invocation);

/// `serval profile [SLOT]`
int profile(const Invocation& invocation);

// In internal.cpp: serval starts itself with them, and their first word is the number of a descriptor.

/// `serval mold FD`: reads the ipc::Heritage behind FD and is a mold until told to leave, or a worker after a fork.
int mold(const Invocation& invocation);
/// `serval once FD TASK [ARGUMENT...]`: loads the app and runs that task of it.
int once(const Invocation& invocation);
/// `serval admin FD`: reads the ipc::Heritage behind FD and answers those who watch the server.
int admin(const Invocation& invocation);
/// `serval adopt FD [check]`
int adopt(const Invocation& invocation);
/// `serval read FD`
int read_config(const Invocation& invocation);
/// `serval stack FD`
int stack(const Invocation& invocation);
/// `serval draw FD`
int draw(const Invocation& invocation);

/// `serval guard`, in guard.cpp: returns when standard input has ended and nothing is left to kill.
int guard(const Invocation& invocation);
/// `serval probe ADDRESS [PATH]`, in probe.cpp: returns when it has succeeded.
int probe(const Invocation& invocation);

/// The hidden `serval document sample | man TEMPLATE`: the sample file, or a manual page whose lines @NAME@ are filled
/// in from the tables.
int document(const Invocation& invocation);

}  // namespace serval::cli
