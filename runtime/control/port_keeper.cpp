#include "runtime/control/port_keeper.hpp"

#include <exception>
#include <utility>

namespace gainstage {

PortKeeper::PortKeeper(Open open, Inbox& inbox)
    : open_(std::move(open)), inbox_(inbox), worker_("gainstage-midi") {}

PortKeeper::~PortKeeper() {
    worker_.run([this] { port_.reset(); });
}

void PortKeeper::open(const std::string& name, MidiQueue& queue,
                      std::function<void(const std::string&)> done) {
    worker_.run([this, name, &queue, done = std::move(done)] {
        std::string error;
        try {
            port_ = open_(name, queue);
        } catch (const std::exception& cause) {
            error = cause.what();
        } catch (...) {
            error = "the library behind it failed without a reason";
        }
        inbox_.bring([this, done, error, port = port_.get()] {
            shown_ = port;
            done(error);
        });
    });
}

}  // namespace gainstage
