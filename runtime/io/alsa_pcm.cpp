#include "runtime/io/alsa_pcm.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <new>
#include <utility>

#include "runtime/io/choose_device.hpp"

namespace gainstage {

namespace {

/// A wait is never longer, so that a card which stands still can be stopped.
constexpr int longest_wait_ms = 100;

struct CardFormat {
    SampleFormat ours;
    snd_pcm_format_t alsas;
};
/// The best one first.
constexpr std::array<CardFormat, 5> formats{CardFormat{SampleFormat::f32, SND_PCM_FORMAT_FLOAT},
                                            CardFormat{SampleFormat::s32, SND_PCM_FORMAT_S32},
                                            CardFormat{SampleFormat::s24, SND_PCM_FORMAT_S24},
                                            CardFormat{SampleFormat::s24_packed, SND_PCM_FORMAT_S24_3LE},
                                            CardFormat{SampleFormat::s16, SND_PCM_FORMAT_S16}};

void doze_ns(std::int64_t nanoseconds) noexcept {
    const timespec time{.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000),
                        .tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000)};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

}  // namespace

std::string why_not_opened(int error) {
    std::string text = snd_strerror(error);
    if (error == -EBUSY)
        text += "; another program uses it: end that one, or play through its server (PipeWire: --api jack)";
    if (error == -EACCES)
        text += "; join the group that may: sudo usermod -aG audio $USER, then log in again";
    return text;
}

// ------------------------ opened

AlsaPcm::AlsaPcm(const AudioDeviceInfo& device, snd_pcm_stream_t stream, int channels, int rate_hz)
    : name_(device.name), address_(device.address), stream_(stream) {
    snd_pcm_t* opened = nullptr;
    // It never blocks: not for a card that is in use, and later not in a transfer.
    if (const int error = snd_pcm_open(&opened, address_.c_str(), stream, SND_PCM_NONBLOCK); error < 0)
        fail("does not open: " + why_not_opened(error));
    pcm_.reset(opened);
    params_ = empty_params();
    if (const int error = snd_pcm_hw_params_any(handle(), params_.get()); error < 0)
        fail(fmt::format("does not say what it can do: {}", snd_strerror(error)));
    choose_access();
    choose_format();
    choose_channels(channels);
    choose_rate(rate_hz);
}

void AlsaPcm::fail(const std::string& cause) const {
    throw DeviceError(
        fmt::format("audio device \"{}\" (alsa, {}) {}", name_, is_input() ? "input" : "output", cause));
}

/// ALSA's plug converts what a card can't do.
std::string AlsaPcm::through_plug() const {
    return fmt::format("try --api alsa --device {}{}",
                       address_.starts_with("hw:") ? "plug" : "plug:", address_);
}

AlsaPcm::Params AlsaPcm::empty_params() {
    snd_pcm_hw_params_t* params = nullptr;
    if (snd_pcm_hw_params_malloc(&params) < 0) throw std::bad_alloc();
    return Params(params);
}

AlsaPcm::Params AlsaPcm::copy_of_params() const {
    Params copy = empty_params();
    snd_pcm_hw_params_copy(copy.get(), params_.get());
    return copy;
}

/// On a copy, because what fails leaves nothing that can be relied on.
template <class Set>
bool AlsaPcm::narrowed(Set set) {
    Params copy = copy_of_params();
    if (set(handle(), copy.get()) < 0) return false;
    params_ = std::move(copy);
    return true;
}

void AlsaPcm::choose_access() {
    for (const bool interleaved : {true, false}) {
        const auto access = interleaved ? SND_PCM_ACCESS_RW_INTERLEAVED : SND_PCM_ACCESS_RW_NONINTERLEAVED;
        interleaved_ = interleaved;
        if (narrowed(
                [=](auto* pcm, auto* params) { return snd_pcm_hw_params_set_access(pcm, params, access); }))
            return;
    }
    fail("can only be mapped into memory; " + through_plug());
}

void AlsaPcm::choose_format() {
    for (const CardFormat& one : formats) {
        format_ = one.ours;
        if (narrowed([&](auto* pcm, auto* params) {
                return snd_pcm_hw_params_set_format(pcm, params, one.alsas);
            }))
            return;
    }
    fail("has no format of 16, 24 or 32 bits; " + through_plug());
}

/// The fewest that are enough: some cards have one number of channels alone.
void AlsaPcm::choose_channels(int wanted) {
    auto channels = static_cast<unsigned>(wanted);
    if (!narrowed([&](auto* pcm, auto* params) {
            const int error = snd_pcm_hw_params_set_channels_min(pcm, params, &channels);
            return error < 0 ? error : snd_pcm_hw_params_set_channels_first(pcm, params, &channels);
        }))
        fail(fmt::format("has no {} channels", wanted));
    channels_ = static_cast<int>(channels);
}

void AlsaPcm::choose_rate(int rate_hz) {
    rate_hz_ = rate_hz;
    if (!narrowed([=](auto* pcm, auto* params) {
            return snd_pcm_hw_params_set_rate(pcm, params, static_cast<unsigned>(rate_hz), 0);
        }))
        fail(
            fmt::format("does not run at {} Hz with {} channels; choose another --rate", rate_hz, channels_));
}

int AlsaPcm::card() const {
    snd_pcm_info_t* info = nullptr;
    snd_pcm_info_alloca(&info);
    return snd_pcm_info(handle(), info) < 0 ? -1 : snd_pcm_info_get_card(info);
}

// ------------------------ set up

bool AlsaPcm::offers_block(int frames) const {
    const Params copy = copy_of_params();
    return snd_pcm_hw_params_test_period_size(handle(), copy.get(), static_cast<snd_pcm_uframes_t>(frames),
                                              0) == 0;
}

int AlsaPcm::nearest_block(int frames) const {
    const Params copy = copy_of_params();
    auto nearest = static_cast<snd_pcm_uframes_t>(frames);
    int direction = 0;
    if (snd_pcm_hw_params_set_period_size_near(handle(), copy.get(), &nearest, &direction) < 0) return 0;
    return static_cast<int>(nearest);
}

void AlsaPcm::set_up(int block_frames, int periods) {
    block_frames_ = block_frames;
    const auto block = static_cast<snd_pcm_uframes_t>(block_frames);
    snd_pcm_uframes_t buffer = block * static_cast<snd_pcm_uframes_t>(periods);
    if (!narrowed([=](auto* pcm, auto* params) {
            return snd_pcm_hw_params_set_period_size(pcm, params, block, 0);
        }))
        fail(fmt::format("has no blocks of {} frames", block_frames));
    if (!narrowed([&](auto* pcm, auto* params) {
            const int error = snd_pcm_hw_params_set_buffer_size_min(pcm, params, &buffer);
            return error < 0 ? error : snd_pcm_hw_params_set_buffer_size_first(pcm, params, &buffer);
        }))
        narrowed([&](auto* pcm, auto* params) {
            return snd_pcm_hw_params_set_buffer_size_last(pcm, params, &buffer);
        });
    if (const int error = snd_pcm_hw_params(handle(), params_.get()); error < 0)
        fail(fmt::format("does not take blocks of {} frames at {} Hz: {}", block_frames, rate_hz_,
                         snd_strerror(error)));
    if (snd_pcm_hw_params_get_buffer_size(params_.get(), &buffer) < 0 || buffer < 2 * block)
        fail(fmt::format("has a buffer of {} frames, and two blocks of {} must fit; choose a smaller --block",
                         buffer, block_frames));
    periods_ = std::min(periods, static_cast<int>(buffer / block));
    set_wake_up();
    make_block();
}

/// It wakes us for a block, and starts when it is told to.
void AlsaPcm::set_wake_up() {
    snd_pcm_sw_params_t* params = nullptr;
    snd_pcm_sw_params_alloca(&params);
    snd_pcm_uframes_t boundary = 0;
    int error = snd_pcm_sw_params_current(handle(), params);
    if (error >= 0) error = snd_pcm_sw_params_get_boundary(params, &boundary);
    if (error >= 0) error = snd_pcm_sw_params_set_start_threshold(handle(), params, boundary);
    if (error >= 0)
        error =
            snd_pcm_sw_params_set_avail_min(handle(), params, static_cast<snd_pcm_uframes_t>(block_frames_));
    if (error >= 0) error = snd_pcm_sw_params(handle(), params);
    if (error < 0) fail(fmt::format("can't be set up: {}", snd_strerror(error)));
}

void AlsaPcm::make_block() {
    block_.assign(static_cast<std::size_t>(bytes_of(format_)) * channels_ * block_frames_, std::byte{0});
    parts_.assign(interleaved_ ? 1 : channels_, nullptr);
}

// ------------------------ playing

int AlsaPcm::prepare() noexcept {
    return snd_pcm_prepare(handle());
}

/// The card says when a block is there. Some plugins wake too early: then we sleep for half of what is
/// missing.
int AlsaPcm::await_block(const std::atomic<bool>& end) noexcept {
    for (;;) {
        if (end.load(std::memory_order_relaxed)) return -ECANCELED;
        snd_pcm_sframes_t ready = snd_pcm_avail(handle());
        if (ready >= 0 && ready < block_frames_) {
            const int woken = poll_once();
            if (woken < 0) return woken;
            ready = snd_pcm_avail(handle());
            if (woken > 0 && ready >= 0 && ready < block_frames_) doze(block_frames_ - ready);
        }
        if (ready < 0) return static_cast<int>(ready);
        if (ready >= block_frames_) return 0;
    }
}

/// Not snd_pcm_wait(), which polls a plugin without an end as long as that has nothing to say. Returns 0 when
/// nobody woke us, 1 when somebody did.
int AlsaPcm::poll_once() noexcept {
    std::array<pollfd, 16> waited{};
    const int count = snd_pcm_poll_descriptors(handle(), waited.data(), waited.size());
    if (count < 0) return count;
    const int woken = ::poll(waited.data(), static_cast<nfds_t>(count), longest_wait_ms);
    if (woken <= 0) return woken == 0 || errno == EINTR ? 0 : -errno;
    unsigned short events = 0;
    if (const int error =
            snd_pcm_poll_descriptors_revents(handle(), waited.data(), static_cast<unsigned>(count), &events);
        error < 0)
        return error;
    return (events & (POLLERR | POLLNVAL)) != 0 ? error_of_state() : 1;
}

int AlsaPcm::error_of_state() const noexcept {
    switch (snd_pcm_state(handle())) {
        case SND_PCM_STATE_XRUN:
            return -EPIPE;
        case SND_PCM_STATE_SUSPENDED:
            return -ESTRPIPE;
        case SND_PCM_STATE_DISCONNECTED:
            return -ENODEV;
        default:
            return -EIO;
    }
}

void AlsaPcm::doze(snd_pcm_sframes_t missing_frames) const noexcept {
    doze_ns(std::int64_t{missing_frames} * 500'000'000 / rate_hz_);
}

/// In the block, as the card has it.
std::byte* AlsaPcm::channel(int c) noexcept {
    return block_.data() +
           static_cast<std::ptrdiff_t>(c) * bytes_of(format_) * (interleaved_ ? 1 : block_frames_);
}

snd_pcm_sframes_t AlsaPcm::transfer(int done, int frames) noexcept {
    const auto count = static_cast<snd_pcm_uframes_t>(frames);
    for (std::size_t c = 0; c < parts_.size(); ++c)
        parts_[c] = channel(static_cast<int>(c)) + static_cast<std::ptrdiff_t>(done) * step();
    if (interleaved_)
        return is_input() ? snd_pcm_readi(handle(), parts_.front(), count)
                          : snd_pcm_writei(handle(), parts_.front(), count);
    return is_input() ? snd_pcm_readn(handle(), parts_.data(), count)
                      : snd_pcm_writen(handle(), parts_.data(), count);
}

/// Most cards take a block at once.
int AlsaPcm::move_block(const std::atomic<bool>& end) noexcept {
    for (int done = 0; done < block_frames_;) {
        if (end.load(std::memory_order_relaxed)) return -ECANCELED;
        const snd_pcm_sframes_t moved = transfer(done, block_frames_ - done);
        if (moved < 0 && moved != -EAGAIN) return static_cast<int>(moved);
        if (moved <= 0)
            doze(block_frames_ - done);
        else
            done += static_cast<int>(moved);
    }
    return 0;
}

int AlsaPcm::read_block(const std::atomic<bool>& end) noexcept {
    const int error = await_block(end);
    return error < 0 ? error : move_block(end);
}

int AlsaPcm::write_block(const std::atomic<bool>& end) noexcept {
    const int error = await_block(end);
    return error < 0 ? error : move_block(end);
}

int AlsaPcm::write_silence() noexcept {
    std::fill(block_.begin(), block_.end(), std::byte{0});
    for (int done = 0; done < block_frames_;) {
        const snd_pcm_sframes_t moved = transfer(done, block_frames_ - done);
        if (moved <= 0) return moved < 0 ? static_cast<int>(moved) : -EIO;
        done += static_cast<int>(moved);
    }
    return 0;
}

int AlsaPcm::wake(const std::atomic<bool>& end) noexcept {
    int error = 0;
    while ((error = snd_pcm_resume(handle())) == -EAGAIN && !end.load(std::memory_order_relaxed))
        doze_ns(50'000'000);
    return error;
}

void AlsaPcm::take(float* const* out, int channels) noexcept GAINSTAGE_REALTIME {
    for (int c = 0; c < channels; ++c) decode(format_, channel(c), step(), out[c], block_frames_);
}

void AlsaPcm::put(const float* const* in, int channels) noexcept GAINSTAGE_REALTIME {
    for (int c = 0; c < channels; ++c) encode(format_, in[c], channel(c), step(), block_frames_);
}

}  // namespace gainstage
