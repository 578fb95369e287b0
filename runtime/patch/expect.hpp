#pragma once
/// Single values of a patch: each is read, or the one thing that is wrong with it is reported.

#include <optional>

#include "runtime/patch/toml_value.hpp"

namespace gainstage {

/// Reads the values of one table. Messages put the table's name before every key ("midi.", or "nodes.ID."
/// with the id of a node).
class Expect {
public:
    /// Both texts must outlive it.
    Expect(std::string_view table, ProblemList& problems, std::string_view id = {})
        : table_(table), id_(id), problems_(problems) {}

    /// Null: it is none. The entry owns it.
    const std::string* text(const TomlEntry&) const;
    /// Whole numbers count as numbers; nan and inf do not.
    std::optional<double> number(const TomlEntry&, double min, double max, std::string_view unit) const;
    std::optional<double> any_number(const TomlEntry&) const;
    std::optional<int> whole_number(const TomlEntry&, int min, int max) const;
    /// The position of the text among `names`.
    std::optional<std::size_t> choice(const TomlEntry&, const Names& names) const;

    std::string key(const TomlEntry&) const;
    void error(const TomlEntry& entry, std::string message) const {
        problems_.error(entry.place, key(entry), std::move(message));
    }
    void unknown_key(const TomlEntry&, std::string_view cause, const Names& keys) const;

private:
    std::string_view table_, id_;
    ProblemList& problems_;
};

}  // namespace gainstage
