#include "master/listeners.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/address.hpp"
#include "base/log.hpp"
#include "master/listen_plan.hpp"
#include "master/stored_listeners.hpp"

namespace serval::master {
namespace {

Result<os::Listening> take_passed(std::vector<os::NamedSocket>& passed, const std::string& name) {
  const auto found = std::find_if(passed.begin(), passed.end(),
                                  [&name](const os::NamedSocket& socket) { return socket.name == name; });
  if (found == passed.end()) {
    return Error{"cannot listen on fd:" + name +
                 ": systemd passed no socket of this name at the start (FileDescriptorName= in the socket unit)"};
  }
  UniqueFd fd = std::move(found->fd);
  passed.erase(found);
  return os::adopt(std::move(fd), name);
}

Result<void> give_access(const os::Listening& listening, const os::FileAccess& access) {
  return listening.socket_file.empty() ? Result<void>() : os::set_file_access(listening.socket_file, access);
}

/// A socket is [::] with or without IPv4 for good.
bool takes_what_it_should(const Address& address, int fd, const config::Server& config) {
  return address.host != "::" || os::takes_ipv4(fd) != only_v6(address, config.bind);
}

Result<os::Listening> open_one(const std::string& bind, const Address& address, const config::Server& config,
                               std::vector<os::NamedSocket>& passed) {
  if (address.kind == Address::Kind::systemd) return take_passed(passed, address.name);
  const auto access = file_access(address, config);
  if (!access) return Error{"cannot listen on " + address.text() + ": " + access.error()};
  if (auto stored = take_stored(passed, bind, address);
      stored && takes_what_it_should(address, stored->fd.get(), config)) {
    if (const auto set = give_access(*stored, *access); !set)
      return Error{"cannot listen on " + address.text() + ": " + set.error()};
    return std::move(*stored);
  }
  return os::listen_on(address, config.backlog, *access, only_v6(address, config.bind));
}

/// One that is open already, at this place; whatever else is said of its file.
bool is_at(const Listener& listener, const std::string& bind, const Address& address) {
  if (listener.bind() == bind) return true;
  const auto other = Address::parse(listener.bind());
  return address.kind == Address::Kind::unix_path && other && other->same_place(address);
}

bool has(const Listeners& listeners, const std::shared_ptr<Listener>& one) {
  return std::find(listeners.begin(), listeners.end(), one) != listeners.end();
}

/// The one of ours that has this port, if any.
const Listener* one_in_the_way(const Listeners& listeners, const Address& address) {
  const auto found = std::find_if(listeners.begin(), listeners.end(), [&](const auto& one) {
    const auto other = Address::parse(one->address());
    return one->open() && other && address.kind == Address::Kind::tcp && address.overlap(*other) != Overlap::none;
  });
  return found == listeners.end() ? nullptr : found->get();
}

void store_new_ones(const Listeners& listeners) {
  int room = os::fd_store_size();
  for (const auto& listener : listeners) {
    if (listener->passed() || room-- <= 0) continue;
    if (!listener->stored()) listener->store();
  }
}

}  // namespace

os::Listening listening_of(const ListenerRecord& record) {
  os::Listening listening;
  listening.fd.reset(record.fd);
  listening.address = record.address;
  listening.local = record.local;
  listening.socket_file = record.socket_file;
  listening.file_device = static_cast<dev_t>(record.file_device);
  listening.file_inode = static_cast<ino_t>(record.file_inode);
  return listening;
}

ListenerRecord record_of(const os::Listening& listening, const std::string& bind) {
  return {bind,
          listening.address,
          listening.fd.get(),
          listening.local,
          listening.socket_file,
          listening.file_device,
          listening.file_inode,
          ""};
}

ListenerRecord Listener::record() const {
  ListenerRecord record = record_of(listening_, bind_);
  record.stored_as = stored_as_;
  return record;
}

/// listen(2) on a socket that listens already changes this alone.
void Listener::use_backlog(int backlog) const {
  if (!passed()) ::listen(listening_.fd.get(), backlog);
}

/// One that is still open here was never served, or its server failed: no client waits for it.
Listener::~Listener() {
  take_from_store();
  os::remove_socket_file(listening_);
}

Result<void> Listener::give(const os::FileAccess& access) const { return give_access(listening_, access); }

void Listener::store() {
  std::string name = stored_name(bind_, listening_);
  if (os::store_fd(name, listening_.fd.get())) stored_as_ = std::move(name);
}

void Listener::take_from_store() {
  if (stored()) os::forget_fd(stored_as_);
  stored_as_.clear();
}

void Listener::leave() {
  if (!stored()) return refuse();
  stored_as_.clear();
  listening_.socket_file.clear();
  listening_.fd.reset();
}

void Listener::refuse() {
  if (!open()) return;
  take_from_store();
  if (!passed()) {
    if (const auto done = os::refuse_new_connections(listening_.fd.get()); !done)
      log::warning("connections may still come in", {{"why", done.error()}});
  }
  os::remove_socket_file(listening_);
  listening_.fd.reset();
}

Result<Listeners> open_listeners(const config::Server& config, const Listeners& open,
                                 std::vector<os::NamedSocket>& passed) {
  Listeners result;
  for (const std::string& bind : config.bind) {
    const auto address = Address::parse(bind);
    if (!address) return Error{address.error()};
    const auto same = std::find_if(open.begin(), open.end(), [&](const auto& one) {
      return one->open() && one->reachable() && !has(result, one) && is_at(*one, bind, *address);
    });
    if (same != open.end()) {
      // The other way round is told by the IPv4 address that finds its port taken.
      if (!takes_what_it_should(*address, (*same)->inherited().fd, config) && !only_v6(*address, config.bind)) {
        return Error{"cannot listen on " + address->text() +
                     " for IPv4 as well: a reload cannot change that of an open socket; restart the server for it"};
      }
      const auto access = file_access(*address, config);
      const auto set = access ? (*same)->give(*access) : Error{access.error()};
      if (!set) return Error{"cannot listen on " + address->text() + ": " + set.error()};
      result.push_back(*same);
      continue;
    }
    auto listening = open_one(bind, *address, config, passed);
    if (!listening) {
      const auto* ours = one_in_the_way(open, *address);
      if (ours == nullptr) return Error{listening.error()};
      return Error{"cannot listen on " + address->text() + ": this server has that port already, as " + ours->bind() +
                   ", and a reload cannot put one in the place of the other without refusing connections; restart the "
                   "server for it"};
    }
    result.push_back(std::make_shared<Listener>(bind, std::move(*listening)));
    log::info("listening", {{"address", result.back()->address()}});
  }
  for (const auto& listener : result) listener->use_backlog(config.backlog);
  store_new_ones(result);
  return result;
}

void put_back(const Listeners& listeners, const config::Server& config) {
  for (const auto& listener : listeners) {
    if (!listener->open()) continue;
    listener->use_backlog(config.backlog);
    const auto address = Address::parse(listener->bind());
    const auto access = address ? file_access(*address, config) : Result<os::FileAccess>(Error{address.error()});
    const auto set = access ? listener->give(*access) : Result<void>(Error{access.error()});
    if (!set) log::warning("an address is not as it was", {{"address", listener->address()}, {"why", set.error()}});
  }
}

std::vector<ipc::Listener> inherited(const Listeners& listeners) {
  std::vector<ipc::Listener> result;
  for (const auto& listener : listeners) {
    if (listener->open()) result.push_back(listener->inherited());
  }
  return result;
}

void refuse_all_but(const Listeners& kept, const Listeners& listeners) {
  for (const auto& listener : listeners) {
    if (!listener->open() || has(kept, listener)) continue;
    log::info("no longer listening", {{"address", listener->address()}});
    listener->refuse();
  }
}

control::ListenerReading Listener::reading() const {
  const auto queue = os::accept_queue(listening_.fd.get());
  if (!queue) return {listening_.address};
  return {listening_.address, queue->waiting, queue->limit};
}

std::vector<control::ListenerReading> readings_of(const Listeners& listeners) {
  std::vector<control::ListenerReading> result;
  for (auto one = listeners.begin(); one != listeners.end(); ++one) {
    if ((*one)->open() && std::find(listeners.begin(), one, *one) == one) result.push_back((*one)->reading());
  }
  return result;
}

void leave_all(const Listeners& listeners) {
  for (const auto& listener : listeners) listener->leave();
}

}  // namespace serval::master
