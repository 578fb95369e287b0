#include "runtime/control/device_keeper.hpp"

#include <utility>

namespace gainstage {

DeviceKeeper::DeviceKeeper(Open open, Inbox& inbox)
    : open_(std::move(open)), inbox_(inbox), worker_("gainstage-audio") {}

DeviceKeeper::~DeviceKeeper() {
    try {
        worker_.run([this] { stream_.reset(); });
    } catch (const std::bad_alloc&) {  // closed by the destructor of its pointer, on this thread
    }
}

void DeviceKeeper::open(const AudioRequest& request, Done done) {
    worker_.run([this, request, done = std::move(done)]() mutable {
        Failure failure = failure_of(sysexits::no_device, [&] { stream_ = open_(request); });
        inbox_.bring([this, done = std::move(done), failure = std::move(failure), stream = stream_.get()] {
            shown_ = stream;
            if (stream) format_ = stream->format();
            done(failure);
        });
    });
}

void DeviceKeeper::start(AudioCallback callback, void* context, Done done) {
    worker_.run([this, callback, context, done = std::move(done)]() mutable {
        Failure failure = failure_of(sysexits::no_device, [&] { stream_->start(callback, context); });
        inbox_.bring([done = std::move(done), failure = std::move(failure)] { done(failure); });
    });
}

void DeviceKeeper::declare_latency(int samples) {
    worker_.run([this, samples] {
        // What can't be told to others is no fault of the music.
        static_cast<void>(failure_of(sysexits::no_device, [&] {
            if (stream_) stream_->declare_latency(samples);
        }));
    });
}

void DeviceKeeper::close(std::function<void(bool)> done) {
    worker_.run([this, done = std::move(done)]() mutable {
        if (stream_) stream_->stop();
        const bool was_given_up = stream_ && stream_->was_given_up();
        inbox_.bring([done = std::move(done), was_given_up] { done(was_given_up); });
        stream_.reset();
    });
    shown_ = nullptr;
}

}  // namespace gainstage
