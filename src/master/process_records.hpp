#pragma once

#include "ipc/channel.hpp"
#include "master/app_file.hpp"
#include "master/children.hpp"
#include "master/handover.hpp"
#include "master/processes.hpp"

/// Molds and workers as records of a handover, and back. What is made of a record owns its descriptors: once each.
namespace serval::master {

ProcessRecord record_of(const MoldProcess& mold);
/// `worker` has been forked.
ProcessRecord record_of(const WorkerProcess& worker);
void record(const Children& children, Handover& handover);

ipc::Channel channel_of(const ProcessRecord& record);
/// Our ends alone; without any if its output is not captured.
OutputPipes pipes_of(const ProcessRecord& record);
AppFile app_file_of(const ProcessRecord& record);

}  // namespace serval::master
