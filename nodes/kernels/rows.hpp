#pragma once
/// How sound lies in memory inside the models.

namespace gainstage {

/// Inside the models sound lies in rows: one frame a row, its channels side by side, padded to whole vectors
/// with zeros. So a frame's arithmetic never depends on how many frames come with it.
inline constexpr int vector_channels = 16;
/// Channels of a row, padding included.
constexpr int padded(int channels) noexcept {
    return (channels + vector_channels - 1) / vector_channels * vector_channels;
}

}  // namespace gainstage
