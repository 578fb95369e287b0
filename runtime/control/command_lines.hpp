#pragma once
/// Cuts the bytes that come through a door into lines.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gainstage {

/// Lines end in LF or CR LF. Holds at most what add() was given and the beginning of a line, so a stranger
/// who sends no line end fills nothing. One thread.
class CommandLines {
public:
    static constexpr std::size_t longest = 4'096;  ///< bytes of a line, without its end

    void add(std::string_view bytes);

    struct Line {
        std::string text = {};     ///< without its end; empty where it is too long
        bool is_too_long = false;  ///< it was passed over
    };
    /// The next line; nothing: it is not there yet.
    std::optional<Line> next();
    /// Bytes of a line wait whose end has not come.
    bool is_in_a_line() const noexcept { return is_too_long_ || begin_ < bytes_.size(); }

private:
    std::string bytes_;
    std::size_t begin_ = 0, looked_at_ = 0;  // of the line that is being read; how far it has no end
    bool is_too_long_ = false;
};

}  // namespace gainstage
