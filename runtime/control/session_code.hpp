#pragma once
/// The exit codes that a session ends with, after sysexits.h.

namespace gainstage::session_code {

inline constexpr int no_device = 69;     ///< no such audio device or MIDI port, or it is gone
inline constexpr int internal = 70;      ///< a fault of ours
inline constexpr int cannot_write = 73;  ///< the log or the recording is not whole
inline constexpr int environment = 78;   ///< the machine lacks something

}  // namespace gainstage::session_code
