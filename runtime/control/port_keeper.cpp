#include "runtime/control/port_keeper.hpp"

#include <utility>

namespace gainstage {

PortKeeper::PortKeeper(Open open, Inbox& inbox)
    : open_(std::move(open)), inbox_(inbox), worker_("gainstage-midi") {}

PortKeeper::~PortKeeper() {
    try {
        worker_.run([this] { port_.reset(); });
    } catch (const std::bad_alloc&) {  // closed by the destructor of its pointer, on this thread
    }
}

void PortKeeper::open(const std::string& name, MidiQueue& queue, std::function<void(const Failure&)> done) {
    worker_.run([this, name, &queue, done = std::move(done)]() mutable {
        Failure failure = failure_of(sysexits::no_device, [&] { port_ = open_(name, queue); });
        inbox_.bring([this, done = std::move(done), failure = std::move(failure), port = port_.get()] {
            shown_ = port;
            done(failure);
        });
    });
}

}  // namespace gainstage
