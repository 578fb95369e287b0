#include "runtime/control/command_lines.hpp"

#include <algorithm>
#include <utility>

namespace gainstage {

void CommandLines::add(std::string_view bytes) {
    bytes_.erase(0, begin_);
    looked_at_ -= begin_;
    begin_ = 0;
    bytes_ += bytes;
}

std::optional<CommandLines::Line> CommandLines::next() {
    const std::size_t end = bytes_.find('\n', looked_at_);
    const std::size_t length = std::min(end, bytes_.size()) - begin_;
    const bool has_return = end != std::string::npos && length > 0 && bytes_[end - 1] == '\r';
    const std::size_t most = end == std::string::npos ? longest + 1 : longest;  // a CR may be the last byte
    if (length - has_return > most) {
        is_too_long_ = true;
        begin_ = std::min(end, bytes_.size());
    }
    if (end == std::string::npos) {
        looked_at_ = bytes_.size();
        return std::nullopt;
    }
    Line line{.is_too_long = std::exchange(is_too_long_, false)};
    if (!line.is_too_long) line.text = bytes_.substr(begin_, length - has_return);
    begin_ = looked_at_ = end + 1;
    return line;
}

}  // namespace gainstage
