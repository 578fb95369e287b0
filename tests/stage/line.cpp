#include "tests/stage/line.hpp"

#include <jack/midiport.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "tests/stage/program.hpp"

namespace gainstage::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

jack_client_t* line_client(const char* end) {
    jack_set_info_function([](const char*) {});
    jack_set_error_function([](const char*) {});
    const std::string name = end + std::to_string(getpid());
    jack_client_t* const client = jack_client_open(name.c_str(), JackNoStartServer, nullptr);
    if (!client) throw std::runtime_error("the line finds no JACK server");
    return client;
}

template <class IsSo>
void wait_until(IsSo is_so, const char* trouble) {
    for (const auto end = Clock::now() + 3 * patience; !is_so(); std::this_thread::sleep_for(1ms))
        if (Clock::now() > end) throw std::runtime_error(trouble);
}

/// A client's ports exist before it takes connections.
void connect_soon(jack_client_t* client, const std::string& from, const std::string& to) {
    const auto is_connected = [&] {
        const int status = jack_connect(client, from.c_str(), to.c_str());
        return status == 0 || status == EEXIST;
    };
    wait_until(is_connected, "the line can't be connected");
}

}  // namespace

Line::Line() : source_(line_client("source-")), sink_(line_client("sink-")) {
    out_ = jack_port_register(source_, "out", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput, 0);
    midi_ = jack_port_register(source_, "midi", JACK_DEFAULT_MIDI_TYPE, JackPortIsOutput, 0);
    in_ = jack_port_register(sink_, "in", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    jack_set_process_callback(
        source_, [](jack_nframes_t frames, void* self) { return static_cast<Line*>(self)->send(frames); },
        this);
    jack_set_process_callback(
        sink_, [](jack_nframes_t frames, void* self) { return static_cast<Line*>(self)->record(frames); },
        this);
    jack_set_xrun_callback(
        sink_, [](void* self) { return ++static_cast<Line*>(self)->xruns_, 0; }, this);
    jack_activate(source_);
    jack_activate(sink_);
}

Line::~Line() {
    jack_client_close(sink_);
    jack_client_close(source_);
}

// JACK's threads

int Line::send(jack_nframes_t frames) {
    void* const midi = jack_port_get_buffer(midi_, frames);
    jack_midi_clear_buffer(midi);
    float* const out = static_cast<float*>(jack_port_get_buffer(out_, frames));
    std::fill_n(out, frames, 0.f);
    if (!rolls_.load(std::memory_order_acquire)) return 0;
    const std::size_t at = sent_;
    if (at < sound_.size())
        std::copy_n(sound_.begin() + static_cast<std::ptrdiff_t>(at),
                    std::min<std::size_t>(frames, sound_.size() - at), out);
    send_midi(at, frames);
    sent_ += frames;
    cycle_begin_.store(at, std::memory_order_release);
    return 0;
}

void Line::send_midi(std::size_t at, jack_nframes_t frames) {
    void* const buffer = jack_port_get_buffer(midi_, frames);
    for (; next_midi_ < midi_to_send_.size() && midi_to_send_[next_midi_].at < at + frames; ++next_midi_) {
        const TapeMidi& message = midi_to_send_[next_midi_];
        jack_midi_event_write(buffer, static_cast<jack_nframes_t>(message.at - at), message.bytes.data(),
                              message.bytes.size());
    }
}

int Line::record(jack_nframes_t frames) {
    ++cycles_;
    const float* const in = static_cast<const float*>(jack_port_get_buffer(in_, frames));
    const std::size_t at = cycle_begin_.load(std::memory_order_acquire);
    if (at == before_start) return 0;
    const std::size_t until = recorded_until_.load(std::memory_order_relaxed);
    if (at != until) ++gaps_;
    if (at < recorded_.size())
        std::copy_n(in, std::min<std::size_t>(frames, recorded_.size() - at),
                    recorded_.begin() + static_cast<std::ptrdiff_t>(at));
    recorded_until_.store(at + frames, std::memory_order_release);
    return 0;
}

// The test's thread

void Line::connect(const std::string& in, const std::string& out) {
    connect_soon(source_, jack_port_name(out_), in);
    connect_soon(sink_, out, jack_port_name(in_));
    wait_for_cycles(4);
}

void Line::connect_midi(const std::string& port) {
    connect_soon(source_, jack_port_name(midi_), port);
    wait_for_cycles(4);
}

void Line::wait_for_cycles(int count) const {
    wait_until([this, begin = cycles_.load(), count] { return cycles_ >= begin + count; },
               "the server stands still");
}

void Line::freewheel(bool on) const {
    if (jack_set_freewheel(source_, on) != 0) throw std::runtime_error("the server does not freewheel");
    wait_for_cycles(4);
}

void Line::start(Channel sound, int frames, std::vector<TapeMidi> midi) {
    sound_ = std::move(sound);
    recorded_ = silence(frames);
    midi_to_send_ = std::move(midi);
    xruns_ = 0;
    rolls_.store(true, std::memory_order_release);
}

void Line::wait_for(int frames) const {
    wait_until([&] { return this->frames() >= frames; }, "the line stands still");
}

Channel Line::recorded() const {
    // What the line records meanwhile is left out.
    const std::size_t until = std::min(recorded_.size(), recorded_until_.load(std::memory_order_acquire));
    return {recorded_.begin(), recorded_.begin() + static_cast<std::ptrdiff_t>(until)};
}

}  // namespace gainstage::test
