#pragma once
/// The exit codes of our programs, after sysexits.h: the one list of them. Errors carry the code that they
/// end a program with.

namespace gainstage::sysexits {

inline constexpr int ok = 0;
inline constexpr int usage = 64;      ///< the command line
inline constexpr int bad_data = 65;   ///< a file that is there and holds something else or something wrong
inline constexpr int not_found = 66;  ///< a file that is not there, is no file (a folder), or can't be read
inline constexpr int no_device = 69;  ///< no such audio device or MIDI port, or it is gone
inline constexpr int internal = 70;   ///< a fault of ours
inline constexpr int cannot_write = 73;  ///< an output is not whole
inline constexpr int environment = 78;   ///< the machine lacks something

}  // namespace gainstage::sysexits
