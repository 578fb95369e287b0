#pragma once
/// Text in columns.

#include <string>
#include <vector>

namespace gainstage {

class Table {
public:
    using Row = std::vector<std::string>;

    explicit Table(Row heading) : rows_{std::move(heading)} {}
    /// Cells are cleaned: they may hold text of strangers.
    void add(Row row);
    bool empty() const { return rows_.size() == 1; }
    /// Columns as wide as they need to be; columns and lines without content, and spaces at the end of a
    /// line, are left out.
    std::string text(const std::string& indent = "") const;

private:
    std::vector<Row> rows_;
};

}  // namespace gainstage
