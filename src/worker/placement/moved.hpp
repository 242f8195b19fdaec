#pragma once

#include "base/time.hpp"
#include "http/session.hpp"
#include "ipc/lobby.hpp"
#include "net/peer.hpp"

/// What a connection that moves to another worker brings along (ipc/lobby.hpp). Pure.
namespace serval::worker::placement {

ipc::Guest guest_of(const http::History& history, const net::Peer& peer);

/// What a guest claims, made such that one can calculate with it: no time lies in the future or more than a year back,
/// and no number of requests near the largest int.
http::History history_of(const ipc::Guest& guest, TimePoint now);
net::Peer peer_of(const ipc::Guest& guest);

}  // namespace serval::worker::placement
