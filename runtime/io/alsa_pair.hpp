#pragma once
/// Both directions of a card, played in step. Only for the files of this folder that are ALSA's door.

#include <atomic>
#include <memory>

#include "runtime/io/alsa_pcm.hpp"
#include "runtime/io/choose_device.hpp"

namespace gainstage {

/// What went wrong, and which directions said so.
struct AlsaFault {
    int error = 0;  ///< a negative errno; 0: nothing went wrong
    bool at_input = false, at_output = false;
    explicit operator bool() const noexcept { return error != 0; }
};

/// The output begins with blocks of silence, as many as were asked for, and gets one block for each that is
/// read. So a sound that comes in goes out after that many blocks, and none is added. One direction may be
/// missing.
class AlsaPair {
public:
    /// Opens and sets up what the device was chosen for. Throws DeviceError.
    AlsaPair(const ChosenDevice&, const AudioRequest&);

    int rate_hz() const noexcept { return rate_hz_; }
    int block_frames() const noexcept { return block_frames_; }
    /// Of silence at the beginning; without an output, the blocks that fit into the input's buffer.
    int periods() const noexcept { return (out_ ? out_ : in_)->periods(); }

    // Audio thread.
    /// From the beginning, whatever it was doing.
    AlsaFault start() noexcept;
    void stop() noexcept;
    /// Waits for the next block, and reads it where there is an input.
    AlsaFault read(const std::atomic<bool>& end) noexcept;
    AlsaFault write(const std::atomic<bool>& end) noexcept;
    /// After the machine slept: waits until the card is awake.
    void wake(const std::atomic<bool>& end) noexcept;

    // Between read() and write(): what was read, and what will be written.
    void take(float* const* out, int channels) noexcept GAINSTAGE_REALTIME;
    void put(const float* const* in, int channels) noexcept GAINSTAGE_REALTIME;

private:
    void refuse_two_cards(const ChosenDevice&) const;
    int common_block(int wanted_frames) const;
    bool all_offer(int block_frames) const;
    AlsaFault at_input(int error) const noexcept;
    AlsaFault at_output(int error) const noexcept;

    std::unique_ptr<AlsaPcm> in_, out_;
    int rate_hz_ = 0, block_frames_ = 0;
    bool linked_ = false;  // they start and stop as one
};

}  // namespace gainstage
