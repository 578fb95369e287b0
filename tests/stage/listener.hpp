#pragma once
/// A JACK client that hears one MIDI port and, in the same period, the sound that tells which sample it is.

#include <jack/jack.h>
#include <jack/midiport.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace gainstage::test {

/// Its input "sound" hears numbered samples (1, 2, 3 ...), so each message has the number of its sample.
/// Ports "sound" and "midi" of the client name().
class Listener {
public:
    struct Message {
        std::uint64_t at = 0;  ///< counted from 0; of the period's first sample where nothing is connected
        std::vector<std::uint8_t> bytes;
    };

    Listener() : messages_(10'000) {
        const std::string name = "listener-" + std::to_string(getpid());
        client_ = jack_client_open(name.c_str(), JackNoStartServer, nullptr);
        if (!client_) throw std::runtime_error("the listener finds no JACK server");
        sound_ = jack_port_register(client_, "sound", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
        midi_ = jack_port_register(client_, "midi", JACK_DEFAULT_MIDI_TYPE, JackPortIsInput, 0);
        jack_set_process_callback(
            client_,
            [](jack_nframes_t frames, void* self) { return static_cast<Listener*>(self)->listen(frames); },
            this);
        jack_activate(client_);
    }
    ~Listener() { jack_client_close(client_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    std::string name() const { return jack_get_client_name(client_); }
    jack_client_t* client() const { return client_; }
    int count() const { return count_.load(std::memory_order_acquire); }
    const Message& message(int k) const { return messages_[k]; }

private:
    int listen(jack_nframes_t frames) {
        const auto* sound = static_cast<const float*>(jack_port_get_buffer(sound_, frames));
        void* const midi = jack_port_get_buffer(midi_, frames);
        const auto begin = sound[0] > 0.f ? static_cast<std::uint64_t>(sound[0]) - 1 : 0;
        jack_midi_event_t event{};
        for (std::uint32_t k = 0; jack_midi_event_get(&event, midi, k) == 0; ++k) {
            const int at = count_.load(std::memory_order_relaxed);
            if (at == static_cast<int>(messages_.size())) return 0;
            messages_[at] = {begin + event.time, {event.buffer, event.buffer + event.size}};
            count_.store(at + 1, std::memory_order_release);
        }
        return 0;
    }

    jack_client_t* client_ = nullptr;
    jack_port_t *sound_ = nullptr, *midi_ = nullptr;
    std::vector<Message> messages_;
    std::atomic<int> count_{0};
};

}  // namespace gainstage::test
