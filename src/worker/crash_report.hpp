#pragma once

#include "ipc/channel.hpp"
#include "ipc/packet.hpp"

namespace serval::worker {

/// From here on a deadly signal tells the master where its thread is: a report is put into `packet`, an encoded
/// ipc::Crashed with the name of the sender, and sent. All that the handler needs is made before. `channel` lives until
/// the process ends.
void report_crash_to(ipc::Channel& channel, const ipc::Packet& packet);

}  // namespace serval::worker
