#pragma once
/// An alternative that makes a std::variant safe to copy where there is no memory.

namespace gainstage {

/// libstdc++ takes a variant for one that always holds something if each alternative is trivial, or a string,
/// vector or the like. When a copy of such a variant throws, it destroys what was never made, and the program
/// crashes. One alternative like this among them, used or not, prevents that.
struct NotTrivial {
    NotTrivial() noexcept {}
    NotTrivial(const NotTrivial&) noexcept {}
    NotTrivial& operator=(const NotTrivial&) noexcept { return *this; }
    bool operator==(const NotTrivial&) const noexcept { return true; }
};

}  // namespace gainstage
