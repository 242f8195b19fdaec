#include "master/watch.hpp"

#include <utility>

namespace serval::master {

Watch::Watch(boost::asio::io_context& io, int fd, std::function<void()> on_readable)
    : descriptor_(io, fd), on_readable_(std::make_shared<std::function<void()>>(std::move(on_readable))) {
  arm();
}

Watch::~Watch() { descriptor_.release(); }

void Watch::arm() {
  descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                         [this, alive = std::weak_ptr(on_readable_)](const auto& error) {
                           const auto call = alive.lock();
                           if (!call || error) return;
                           (*call)();
                           if (call.use_count() > 1) arm();  // else the call has destroyed us
                         });
}

}  // namespace serval::master
