#pragma once
/// Single values of a patch, each with the one complaint that it may earn.

#include <optional>

#include "runtime/patch/toml_value.hpp"

namespace gainstage {

/// Reads the values of one table; `path` is put before every key in messages ("midi.").
class Expect {
public:
    Expect(std::string path, ProblemList& problems) : path_(std::move(path)), problems_(problems) {}

    std::optional<std::string> text(const TomlEntry&) const;
    /// Whole numbers count as numbers; nan and inf do not.
    std::optional<double> number(const TomlEntry&, double min, double max, std::string_view unit) const;
    std::optional<double> any_number(const TomlEntry&) const;
    std::optional<int> whole_number(const TomlEntry&, int min, int max) const;
    /// The position of the text among `names`.
    std::optional<std::size_t> choice(const TomlEntry&, const Names& names) const;

    std::string key(const TomlEntry& entry) const { return path_ + shown(entry.key); }
    void error(const TomlEntry& entry, std::string message) const {
        problems_.error(entry.place, key(entry), std::move(message));
    }
    void unknown_key(const TomlEntry&, std::string_view cause, const Names& keys) const;

private:
    std::string path_;
    ProblemList& problems_;
};

}  // namespace gainstage
