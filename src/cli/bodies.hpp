#pragma once

#include "cli/invocation.hpp"

/// The bodies of the subcommands, by which their table (cli/commands.cpp) calls them: each in the file of its name, or in the one that is named here.
/// A body returns the exit code. Nothing here includes the table, since some bodies read it.
namespace serval::cli {

int run(const Invocation& invocation);
int check(const Invocation& invocation);
/// `serval config [--origin]`
int show_config(const Invocation& invocation);
int status(const Invocation& invocation);
/// In status.cpp.
int stacks(const Invocation& invocation);
/// Returns ok or app_failed, whatever is wrong: probes know no other codes.
int healthcheck(const Invocation& invocation);
int version(const Invocation& invocation);
/// `serval help [COMMAND|signals]`
int help(const Invocation& invocation);

// In order.cpp: they change what a running server does. Each returns when that is done, or says why it is not.

int reload(const Invocation& invocation);
int stop(const Invocation& invocation);
int scale(const Invocation& invocation);
int recycle(const Invocation& invocation);
int upgrade(const Invocation& invocation);
int reopen(const Invocation& invocation);
int drain(const Invocation& invocation);
int undrain(const Invocation& invocation);
int pause(const Invocation& invocation);
int resume(const Invocation& invocation);

// In internal.cpp: serval starts itself with them, and their first word is the number of a descriptor.

/// `serval mold FD`: reads the ipc::Heritage behind FD and is a mold until told to leave, or a worker after a fork.
int mold(const Invocation& invocation);
/// `serval adopt FD [check]`
int adopt(const Invocation& invocation);
/// `serval read FD`
int read_config(const Invocation& invocation);
/// `serval stack FD`
int stack(const Invocation& invocation);

/// The hidden `serval document sample | man TEMPLATE`: the sample file, or a manual page whose lines @NAME@ are filled in from the tables.
int document(const Invocation& invocation);

}  // namespace serval::cli
