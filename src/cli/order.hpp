#pragma once

#include "cli/commands.hpp"

namespace serval::cli {

// The bodies of the commands that change what a running server does. Each returns when that is done, or says why it is not.

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

}  // namespace serval::cli
