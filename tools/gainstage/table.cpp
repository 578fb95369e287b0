#include "tools/gainstage/table.hpp"

#include <algorithm>
#include <utility>

#include "runtime/plain_text.hpp"

namespace gainstage {

namespace {

/// In characters on the screen: UTF-8 may take several bytes for one.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

void Table::add(Row row) {
    for (std::string& cell : row) cell = plain_line(cell);
    rows_.push_back(std::move(row));
}

std::string Table::text(const std::string& indent) const {
    std::vector<std::size_t> widths(rows_[0].size(), 0);
    for (std::size_t r = 1; r < rows_.size(); ++r)
        for (std::size_t c = 0; c < widths.size(); ++c)
            widths[c] = std::max(widths[c], width_of(rows_[r][c]));
    for (std::size_t c = 0; c < widths.size(); ++c)
        if (widths[c] > 0) widths[c] = std::max(widths[c], width_of(rows_[0][c]));
    std::string all;
    for (const Row& row : rows_) {
        std::string line = indent;
        for (std::size_t c = 0; c < widths.size(); ++c)
            if (widths[c] > 0) line += row[c] + std::string(widths[c] - width_of(row[c]) + 2, ' ');
        line.erase(line.find_last_not_of(' ') + 1);
        if (!line.empty()) all += line + "\n";
    }
    return all;
}

}  // namespace gainstage
