#include "runtime/model/json_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

namespace gainstage {

static_assert(std::is_nothrow_destructible_v<JsonValue> && std::is_nothrow_move_constructible_v<JsonValue> &&
              std::is_nothrow_move_assignable_v<JsonValue>);

namespace {

/// Writes a value into one growing text.
class JsonText {
public:
    JsonText(bool sorts, int spaces) : sorts_(sorts), spaces_(spaces) {}

    void add(const JsonValue& value, int level = 0) {
        if (const auto* object = value.as<JsonValue::Object>()) return add_object(*object, level);
        if (const auto* list = value.as<JsonValue::List>()) return add_list(*list, level);
        if (const auto* text = value.as<std::string>()) return add_text(*text);
        if (const auto* on = value.as<bool>()) {
            text_ += *on ? "true" : "false";
        } else if (const auto* whole = value.as<std::int64_t>()) {
            fmt::format_to(std::back_inserter(text_), "{}", *whole);
        } else if (const auto* natural = value.as<std::uint64_t>()) {
            fmt::format_to(std::back_inserter(text_), "{}", *natural);
        } else if (const auto* number = value.as<double>()) {
            text_ += nlohmann::json(*number).dump();  // the shortest that reads back the same
        } else {
            text_ += "null";
        }
    }
    std::string take() { return std::move(text_); }

private:
    void add_object(const JsonValue::Object& object, int level) {
        std::vector<const JsonValue::Member*> members;
        for (const JsonValue::Member& member : object) members.push_back(&member);
        if (sorts_)
            std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->key < b->key; });
        enclose('{', '}', members.size(), level, [&](std::size_t k) {
            add_text(members[k]->key);
            text_ += spaces_ < 0 ? ":" : ": ";
            add(members[k]->value, level + 1);
        });
    }

    void add_list(const JsonValue::List& list, int level) {
        enclose('[', ']', list.size(), level, [&](std::size_t k) { add(list[k], level + 1); });
    }

    template <class AddPart>
    void enclose(char begin, char end, std::size_t count, int level, const AddPart& add_part) {
        text_ += begin;
        for (std::size_t k = 0; k < count; ++k) {
            if (k > 0) text_ += ',';
            break_line(level + 1);
            add_part(k);
        }
        if (count > 0) break_line(level);
        text_ += end;
    }

    void break_line(int level) {
        if (spaces_ < 0) return;
        text_ += '\n';
        text_.append(static_cast<std::size_t>(level * spaces_), ' ');
    }

    void add_text(const std::string& text) {
        text_ += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }

    const bool sorts_;
    const int spaces_;  // -1: all in one line
    std::string text_;
};

}  // namespace

JsonValue::JsonValue(double value) noexcept : value_(value) {}
JsonValue::JsonValue(std::string value) noexcept : value_(std::move(value)) {}
JsonValue::JsonValue(std::string_view value) : value_(std::string(value)) {}
JsonValue::JsonValue(const char* value) : value_(std::string(value)) {}
JsonValue::JsonValue(List value) noexcept : value_(std::move(value)) {}
JsonValue::JsonValue(Object value) noexcept : value_(std::move(value)) {}
JsonValue::JsonValue(std::initializer_list<Member> members) : value_(Object(members)) {}
JsonValue::JsonValue(const JsonValue&) = default;
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue&) = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;
JsonValue::~JsonValue() = default;

bool JsonValue::is_number() const noexcept {
    return number().has_value();
}

std::optional<double> JsonValue::number() const noexcept {
    if (const auto* whole = as<std::int64_t>()) return static_cast<double>(*whole);
    if (const auto* natural = as<std::uint64_t>()) return static_cast<double>(*natural);
    if (const auto* real = as<double>()) return *real;
    return std::nullopt;
}

std::optional<std::uint64_t> JsonValue::whole() const noexcept {
    if (const auto* natural = as<std::uint64_t>()) return *natural;
    return std::nullopt;
}

const char* JsonValue::kind() const noexcept {
    if (is_number()) return "number";
    if (as<bool>()) return "boolean";
    if (as<std::string>()) return "string";
    if (as<List>()) return "array";
    return as<Object>() ? "object" : "null";
}

const JsonValue* JsonValue::find(std::string_view key) const noexcept {
    const auto* object = as<Object>();
    if (!object) return nullptr;
    const auto at =
        std::find_if(object->begin(), object->end(), [&](const Member& member) { return member.key == key; });
    return at == object->end() ? nullptr : &at->value;
}

JsonValue& JsonValue::operator[](std::string_view key) {
    if (is_null()) value_ = Object();
    auto& object = std::get<Object>(value_);
    const auto at =
        std::find_if(object.begin(), object.end(), [&](const Member& member) { return member.key == key; });
    if (at != object.end()) return at->value;
    object.push_back({std::string(key), {}});
    return object.back().value;
}

void JsonValue::push_back(JsonValue part) {
    if (is_null()) value_ = List();
    std::get<List>(value_).push_back(std::move(part));
}

std::string JsonValue::text() const {
    JsonText text(false, -1);
    text.add(*this);
    return text.take();
}

std::string JsonValue::sorted_text() const {
    JsonText text(true, -1);
    text.add(*this);
    return text.take();
}

std::string JsonValue::indented_text(int spaces) const {
    JsonText text(false, spaces);
    text.add(*this);
    return text.take();
}

}  // namespace gainstage
