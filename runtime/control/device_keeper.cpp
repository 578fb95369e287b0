#include "runtime/control/device_keeper.hpp"

#include <utility>

#include "runtime/control/failure.hpp"

namespace gainstage {

DeviceKeeper::DeviceKeeper(Open open, Inbox& inbox)
    : open_(std::move(open)), inbox_(inbox), worker_("gainstage-audio") {}

DeviceKeeper::~DeviceKeeper() {
    worker_.run([this] { stream_.reset(); });
}

void DeviceKeeper::open(const AudioRequest& request, Done done) {
    worker_.run([this, request, done = std::move(done)] {
        const std::string error = failure_of([&] { stream_ = open_(request); });
        inbox_.bring([this, done, error, stream = stream_.get()] {
            shown_ = stream;
            if (stream) format_ = stream->format();
            done(error);
        });
    });
}

void DeviceKeeper::start(AudioCallback callback, void* context, Done done) {
    worker_.run([this, callback, context, done = std::move(done)] {
        const std::string error = failure_of([&] { stream_->start(callback, context); });
        inbox_.bring([done, error] { done(error); });
    });
}

void DeviceKeeper::close(std::function<void(bool)> done) {
    shown_ = nullptr;
    worker_.run([this, done = std::move(done)] {
        if (stream_) stream_->stop();
        const bool was_given_up = stream_ && stream_->was_given_up();
        inbox_.bring([done, was_given_up] { done(was_given_up); });
        stream_.reset();
    });
}

}  // namespace gainstage
