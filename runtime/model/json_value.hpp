#pragma once
/// A small JSON document in memory: one that was read, or one that is about to be written. nlohmann's own
/// tree allocates in its destructor, so without memory it ends the program; this one only frees.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/not_trivial.hpp"

namespace gainstage {

/// Any thread. Its destructor and its moves neither allocate nor throw; whatever copies or adds throws
/// std::bad_alloc where there is no memory.
class JsonValue {
public:
    struct Member;
    using List = std::vector<JsonValue>;
    using Object = std::vector<Member>;  ///< in the order of the text, or in which keys were added

    JsonValue() noexcept = default;  ///< null
    template <std::same_as<bool> Bool>
    JsonValue(Bool value) noexcept;
    template <std::signed_integral Whole>
    JsonValue(Whole value) noexcept;
    template <std::unsigned_integral Whole>
    requires(!std::same_as<Whole, bool>) JsonValue(Whole value)
    noexcept;
    JsonValue(double value) noexcept;  ///< not finite: written as null
    JsonValue(std::string value) noexcept;
    JsonValue(std::string_view value);
    JsonValue(const char* value);
    JsonValue(List value) noexcept;
    JsonValue(Object value) noexcept;
    /// An object of these members.
    JsonValue(std::initializer_list<Member> members);
    template <class Part>
    JsonValue(const std::vector<Part>& parts);

    JsonValue(const JsonValue&);
    JsonValue(JsonValue&&) noexcept;
    JsonValue& operator=(const JsonValue&);
    JsonValue& operator=(JsonValue&&) noexcept;
    ~JsonValue();

    /// Null if it is of another kind.
    template <class T>
    const T* as() const noexcept {
        return std::get_if<T>(&value_);
    }
    template <class T>
    T* as() noexcept {
        return std::get_if<T>(&value_);
    }
    bool is_null() const noexcept { return value_.index() == 0; }
    bool is_number() const noexcept;
    /// Any number, as a double.
    std::optional<double> number() const noexcept;
    /// A number that is written without a sign, point or exponent, and fits.
    std::optional<std::uint64_t> whole() const noexcept;
    /// "null", "boolean", "number", "string", "array" or "object".
    const char* kind() const noexcept;

    /// A member of an object; null if there is none, or this is no object.
    const JsonValue* find(std::string_view key) const noexcept;
    bool has(std::string_view key) const noexcept { return find(key) != nullptr; }
    /// The same, added if it is not there. REQUIRES: an object, or null, which becomes one.
    JsonValue& operator[](std::string_view key);
    /// Adds to a list. REQUIRES: a list, or null, which becomes one.
    void push_back(JsonValue part);

    /// As JSON text, in one line without white space. Bytes that are not UTF-8 are replaced.
    std::string text() const;
    /// The same with the keys of every object sorted: equal for equal content.
    std::string sorted_text() const;
    /// The same in lines, each level indented by this many spaces more than the one around it.
    std::string indented_text(int spaces) const;

private:
    std::variant<NotTrivial, bool, std::int64_t, std::uint64_t, double, std::string, List, Object> value_;
};

struct JsonValue::Member {
    std::string key;
    JsonValue value;
};

// Below Member, because a compiler may want to see the whole of what value_ holds.
template <std::same_as<bool> Bool>
JsonValue::JsonValue(Bool value) noexcept : value_(value) {}
template <std::signed_integral Whole>
JsonValue::JsonValue(Whole value) noexcept : value_(std::int64_t{value}) {}
template <std::unsigned_integral Whole>
requires(!std::same_as<Whole, bool>) JsonValue::JsonValue(Whole value)
noexcept : value_(std::uint64_t{value}) {}
template <class Part>
JsonValue::JsonValue(const std::vector<Part>& parts) : value_(List(parts.begin(), parts.end())) {}

}  // namespace gainstage
