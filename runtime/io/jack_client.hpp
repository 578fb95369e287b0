#pragma once
/// The program as a client of a JACK server: its ports, and the callback of a period. Only for the files of
/// this folder that see libjack.

#include <jack/jack.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/io/audio_stream.hpp"
#include "runtime/io/choose_device.hpp"
#include "runtime/io/due_midi.hpp"
#include "runtime/io/jack_connections.hpp"
#include "runtime/io/jack_ports.hpp"
#include "runtime/io/patience.hpp"

namespace gainstage {

/// Shared with threads that call libjack, for one that hangs keeps its part. Plays through one callback;
/// whoever gives it must outlive it, or shut() the gate.
class JackClient final : public StreamMidi, public std::enable_shared_from_this<JackClient> {
public:
    explicit JackClient(const AudioRequest&);
    /// First the client, whose threads use the rest.
    ~JackClient() override { client_.reset(); }
    JackClient(const JackClient&) = delete;
    JackClient& operator=(const JackClient&) = delete;

    // on threads that may wait for the server
    AudioFormat open(const std::string& in_device, const std::string& out_device);
    void start();
    void stop();
    void close();
    void recompute_latencies();
    MidiPorts find_ports(unsigned long flags);
    MidiPortInfo open_midi_port(int number, const std::string& name);
    MidiPortInfo open_midi_output(int number, const std::string& name);
    /// Looks, where something has changed.
    PortConnections connections();

    /// Control thread, while no callback comes. What start() then does late finds the gate as shut() left it.
    void prepare(AudioCallback, void* context);

    // any thread
    void shut() noexcept { gate_->shut(); }
    bool is_alive() const noexcept { return !is_over_.load(std::memory_order_acquire); }
    /// Of the device, in and out.
    int device_latency() const noexcept { return capture_latency_.load() + playback_latency_.load(); }
    int period() const noexcept { return period_.load(std::memory_order_relaxed); }
    /// True: connections() has something new to tell.
    bool connections_changed() const noexcept { return connections_.has_changed(); }
    bool freewheels() const noexcept { return freewheels_.load(std::memory_order_relaxed); }
    void set_latency(int samples) noexcept { latency_.store(samples, std::memory_order_relaxed); }

    // StreamMidi
    MidiPorts ports() override;
    std::unique_ptr<MidiPort> open(int number, const std::string& name) override;
    MidiPorts destinations() override;
    std::unique_ptr<MidiOutput> open_output(int number, const std::string& name) override;

private:
    class Heard;
    class Sender;
    struct MidiIn {
        std::atomic<jack_port_t*> port{nullptr};
        std::atomic<std::uint64_t> received{0}, dropped{0};
        std::string source = {};  // to be connected
    };
    /// Once it is there its buffer must be cleared in every period, so its port stays.
    struct MidiOut {
        std::atomic<jack_port_t*> port{nullptr};
        DueMidiQueue queue = {};
        std::string destination = {};  // to be connected
    };
    struct OwnName {
        std::string name;
        bool is_virtual = false;
    };

    void set_callbacks();
    MidiPorts ask_for_ports(unsigned long flags);
    static OwnName own_name(const std::string& asked, const char* usual, int number);
    std::vector<jack_port_t*> own_ports() const;
    jack_port_t* add_port(const std::string& name, const char* type, unsigned long flags);
    void connect(const std::string& from, const std::string& to);
    void connect_device();
    void connect_midi(const MidiIn&);
    void connect_midi(const MidiOut&);
    int worst_latency(const std::vector<std::string>& ports, std::size_t used,
                      jack_latency_callback_mode_t) const;
    AudioFormat open_ports(const std::string& in_device, const std::string& out_device);
    void check_open() const;

    // JACK's threads
    static int on_process(jack_nframes_t frames, void* self);
    void process(int frames) noexcept;
    AudioBlock fetch(int frames) noexcept GAINSTAGE_REALTIME;
    int fetch_midi(int frames) noexcept GAINSTAGE_REALTIME;
    void send_midi(int frames, bool is_open) noexcept GAINSTAGE_REALTIME;
    void send_due(MidiOut&, void* buffer, int frames) noexcept GAINSTAGE_REALTIME;
    void tell_latency(jack_latency_callback_mode_t) noexcept;

    const AudioRequest request_;
    std::vector<std::string> captures_, playbacks_;  // of the device

    std::mutex mutex_;  // of the calls of libjack; its own threads never take it
    JackConnections connections_;
    JackHandle client_;
    bool is_active_ = false;

    // fixed from open() on
    std::vector<jack_port_t*> in_ports_, out_ports_;
    // from prepare() on
    std::optional<CallbackGate> gate_{std::in_place};
    AudioCallback callback_ = nullptr;
    void* context_ = nullptr;

    // the audio thread
    std::vector<const float*> in_;
    std::vector<float*> out_;
    std::vector<MidiIn> midi_;
    std::vector<BlockMidi> events_;
    std::vector<MidiOut> midi_out_;
    std::uint64_t played_ = 0;  // samples of the stream, this period's too

    std::atomic<int> period_{0}, latency_{0};
    std::atomic<int> capture_latency_{0}, playback_latency_{0};  // of what is connected
    std::atomic<bool> is_over_{false}, freewheels_{false}, xrun_{false}, sends_{false};
};

}  // namespace gainstage
