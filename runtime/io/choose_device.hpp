#pragma once
/// Which of the devices that are there did the player mean? Never another one.

#include <optional>
#include <stdexcept>
#include <string>

#include "runtime/io/audio_devices.hpp"
#include "runtime/io/port_connection.hpp"

namespace gainstage {

/// What the player asks for.
struct AudioRequest {
    std::string api = {};        ///< empty: the first one that has such a device, in the order of the list
    std::string device = {};     ///< part of a name, capitals don't matter; empty: the API's default
    std::string in_device = {};  ///< the same for the input alone, where it is another device
    int in_channels = 0, out_channels = 2;  ///< not both 0
    int rate_hz = 0;                        ///< 0: the device's own
    int block_frames = 128;
    int periods = 0;  ///< ALSA: blocks between input and output, at least 2; 0: 3 for USB, else 2
    std::string stream_name = "gainstage";  ///< JACK: the name of the client
    bool connect = true;                    ///< JACK: to the device's ports
    /// JACK: what to connect instead, as soon as the other ports are there: what AudioStream::connections()
    /// told of an earlier stream.
    std::optional<PortConnections> connections = {};
    int midi_ports = 0;  ///< that StreamMidi::open() may be asked for
    int priority = 70;   ///< SCHED_FIFO or SCHED_RR; 0: as every other thread
};

/// No such device, or it can't do what was asked: the message names what is there. Exit code 69.
struct DeviceError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct ChosenDevice {
    const AudioDeviceInfo* in = nullptr;   ///< null: no input channels were asked for
    const AudioDeviceInfo* out = nullptr;  ///< null: no output channels
    int rate_hz = 0;

    /// By which the stream is called. REQUIRES: one of them.
    const AudioDeviceInfo& device() const { return *(out ? out : in); }
};

/// Is there one that the player may mean, for each way that he asks for?
bool has_device(const AudioDevices& devices, const AudioRequest&);
/// Throws DeviceError; `devices` must outlive the result.
ChosenDevice choose_device(const AudioDevices& devices, const AudioRequest&);

/// True: one of the devices may be meant by this part of a name.
bool is_called(const std::string& part, const AudioDevices&);

/// In small letters (ASCII): names are compared so.
std::string lower(std::string text);
/// One line per device, for messages.
std::string describe(const AudioDevices&);

}  // namespace gainstage
