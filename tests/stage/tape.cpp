#include "tests/stage/tape.hpp"

#include <jack/midiport.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "tests/stage/program.hpp"

namespace gainstage::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

Tape::Tape(int plays, int records) {
    jack_set_info_function([](const char*) {});
    jack_set_error_function([](const char*) {});
    const std::string name = "tape-" + std::to_string(getpid());
    client_ = jack_client_open(name.c_str(), JackNoStartServer, nullptr);
    if (!client_) throw std::runtime_error("the tape finds no JACK server");
    const auto audio_port = [&](const char* way, int number, JackPortFlags flags) {
        return jack_port_register(client_, (way + std::to_string(number)).c_str(), JACK_DEFAULT_AUDIO_TYPE,
                                  flags, 0);
    };
    for (int k = 0; k < plays; ++k) out_.push_back(audio_port("play", k, JackPortIsOutput));
    for (int k = 0; k < records; ++k) in_.push_back(audio_port("record", k, JackPortIsInput));
    midi_ = jack_port_register(client_, "midi", JACK_DEFAULT_MIDI_TYPE, JackPortIsOutput, 0);
    jack_set_process_callback(
        client_, [](jack_nframes_t frames, void* self) { return static_cast<Tape*>(self)->process(frames); },
        this);
    jack_set_xrun_callback(
        client_, [](void* self) { return ++static_cast<Tape*>(self)->xruns_, 0; }, this);
    jack_activate(client_);
}

Tape::~Tape() {
    jack_client_close(client_);
}

// -------- JACK's thread

int Tape::process(jack_nframes_t frames) {
    ++cycles_;
    void* const midi = jack_port_get_buffer(midi_, frames);
    jack_midi_clear_buffer(midi);
    const bool rolls = rolls_.load(std::memory_order_acquire);
    const std::size_t at = position_.load(std::memory_order_relaxed);
    for (std::size_t c = 0; c < out_.size(); ++c) {
        float* const out = static_cast<float*>(jack_port_get_buffer(out_[c], frames));
        for (std::size_t k = 0; k < frames; ++k)
            out[k] = rolls && at + k < to_play_[c].size() ? to_play_[c][at + k] : 0.f;
    }
    if (!rolls) return 0;
    const std::size_t count = std::min<std::size_t>(frames, recorded_[0].size() - at);
    for (std::size_t c = 0; c < in_.size(); ++c)
        std::copy_n(static_cast<const float*>(jack_port_get_buffer(in_[c], frames)), count,
                    recorded_[c].begin() + static_cast<std::ptrdiff_t>(at));
    if (count == frames) play_midi(frames);
    position_.store(at + count, std::memory_order_release);
    return 0;
}

void Tape::play_midi(jack_nframes_t frames) {
    void* const buffer = jack_port_get_buffer(midi_, frames);
    const std::size_t at = position_.load(std::memory_order_relaxed);
    for (; next_midi_ < midi_to_play_.size() && midi_to_play_[next_midi_].at < at + frames; ++next_midi_) {
        const TapeMidi& message = midi_to_play_[next_midi_];
        unsent_ += jack_midi_event_write(buffer, static_cast<jack_nframes_t>(message.at - at),
                                         message.bytes.data(), message.bytes.size()) != 0;
    }
}

// -------- the test's thread

void Tape::connect_ports(const std::string& from, const std::string& to) {
    // A client's ports exist before it takes connections.
    for (const auto end = Clock::now() + patience; jack_connect(client_, from.c_str(), to.c_str()) != 0;) {
        if (Clock::now() > end) throw std::runtime_error("can't connect " + from + " to " + to);
        std::this_thread::sleep_for(5ms);
    }
}

void Tape::wait_for_cycles(int count) const {
    const auto end = Clock::now() + patience;
    for (const int begin = cycles_; cycles_ < begin + count; std::this_thread::sleep_for(1ms))
        if (Clock::now() > end) throw std::runtime_error("the server stands still");
}

void Tape::connect(const std::string& program) {
    for (std::size_t c = 0; c < out_.size(); ++c)
        connect_ports(jack_port_name(out_[c]), program + ":in_" + std::to_string(c + 1));
    for (std::size_t c = 0; c < in_.size(); ++c)
        connect_ports(program + ":out_" + std::to_string(c + 1), jack_port_name(in_[c]));
    wait_for_cycles(4);
}

void Tape::connect_midi(const std::string& port) {
    connect_ports(jack_port_name(midi_), port);
}

void Tape::start(const Sound& sound, int frames, std::vector<TapeMidi> midi) {
    to_play_ = sound;
    to_play_.resize(out_.size());
    recorded_.assign(std::max<std::size_t>(in_.size(), 1), silence(frames));
    midi_to_play_ = std::move(midi);
    rolls_.store(true, std::memory_order_release);
}

void Tape::freewheel(bool on) {
    if (jack_set_freewheel(client_, on) != 0) throw std::runtime_error("the server does not freewheel");
    if (on) wait_for_cycles(4);
}

void Tape::wait_for(int frames) const {
    for (const auto end = Clock::now() + patience; this->frames() < frames;) {
        if (Clock::now() > end)
            throw std::runtime_error("the tape stands still at frame " + std::to_string(this->frames()));
        std::this_thread::sleep_for(2ms);
    }
}

Sound Tape::recorded() const {
    return cut(recorded_, 0, frames());
}

}  // namespace gainstage::test
