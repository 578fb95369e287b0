#pragma once
/// The memory layout of sound inside the models.

namespace gainstage {

/// Sound lies in rows: one frame a row, its channels side by side, padded with zeros to a multiple of this.
/// So the arithmetic of a frame never depends on how many frames come with it.
inline constexpr int vector_channels = 16;
/// Channels of a row, padding included.
constexpr int padded(int channels) noexcept {
    return (channels + vector_channels - 1) / vector_channels * vector_channels;
}

}  // namespace gainstage
