#include "runtime/model/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "runtime/model/model.hpp"
#include "runtime/problem_list.hpp"

namespace gainstage {

namespace {

[[noreturn]] void refuse_twice(const std::string& key) {
    throw JsonFault(fmt::format("{} is there twice", in_quotes(key)));
}

/// The parser copies a string several times into the message of an error, so it gets no long one.
void refuse_long_strings(std::string_view text, std::size_t most) {
    constexpr std::size_t outside = std::string_view::npos;
    std::size_t begin = outside;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (begin == outside) {
            if (text[at] == '"') begin = at;
        } else if (text[at] == '"') {
            begin = outside;
        } else if (at - begin > most) {
            throw JsonFault(
                fmt::format("byte {}: a string of more than {} bytes; no more are read", begin, most));
        } else if (text[at] == '\\') {
            ++at;
        }
    }
}

/// Builds a tree from the parser's events, or the members of the outermost object one by one.
class TreeBuilder {
public:
    using Take = std::function<void(std::string&& key, JsonValue&& value)>;

    TreeBuilder(const JsonLimits& limits, const Take* take) : limits_(limits), take_(take) {}

    JsonValue take_root() { return std::move(root_); }
    bool is_object() const { return is_object_; }

    // What the parser calls; false ends the parsing.
    bool null() { return add({}); }
    bool boolean(bool value) { return add(value); }
    bool number_integer(std::int64_t value) { return add(value); }
    bool number_unsigned(std::uint64_t value) { return add(value); }
    bool number_float(double value, const std::string&) { return add(value); }
    bool string(std::string& value) { return add(std::move(value)); }
    bool binary(std::vector<std::uint8_t>&) { return false; }  // not in a text
    bool start_object(std::size_t) { return open(JsonValue::Object()); }
    bool start_array(std::size_t) { return open(JsonValue::List()); }
    bool key(std::string& key) {
        if (is_streamed() && !seen_.insert(key).second) refuse_twice(key);
        keys_.back() = std::move(key);
        return true;
    }
    bool end_object() {
        if (!is_streamed()) refuse_keys_twice(*open_.back().as<JsonValue::Object>());
        return close();
    }
    bool end_array() { return close(); }
    template <class Error>
    bool parse_error(std::size_t byte, const std::string&, const Error& error) {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: CAUSE"
        const std::string_view whole = error.what();
        const std::size_t column = whole.find(": ");
        throw JsonFault(fmt::format("not valid JSON at byte {}: {}", byte,
                                    shown(column == whole.npos ? whole : whole.substr(column + 2))));
    }

private:
    /// The parts of the outermost object are given away, not kept.
    bool is_streamed() const { return take_ && open_.size() == 1; }

    bool open(JsonValue container) {
        if (open_.size() >= static_cast<std::size_t>(limits_.depth))
            throw JsonFault(fmt::format("{}nests deeper than {} levels", place(), limits_.depth));
        if (open_.empty() && !check_root(container)) return false;
        if (!open_.empty() || !take_) count();
        open_.push_back(std::move(container));
        keys_.emplace_back();
        return true;
    }

    bool close() {
        JsonValue value = std::move(open_.back());
        open_.pop_back();
        keys_.pop_back();
        return put(std::move(value));
    }

    bool add(JsonValue value) {
        if (open_.empty() && !check_root(value)) return false;
        count();
        return put(std::move(value));
    }

    bool put(JsonValue&& value) {
        if (open_.empty()) {
            root_ = std::move(value);
        } else if (is_streamed()) {
            (*take_)(std::move(keys_.back()), std::move(value));
            count_ = 0;
        } else if (auto* object = open_.back().as<JsonValue::Object>()) {
            object->push_back({std::move(keys_.back()), std::move(value)});
        } else {
            open_.back().as<JsonValue::List>()->push_back(std::move(value));
        }
        return true;
    }

    bool check_root(const JsonValue& root) {
        is_object_ = root.as<JsonValue::Object>() != nullptr;
        return is_object_ || !take_;
    }

    void count() {
        if (++count_ > limits_.values)
            throw JsonFault(
                fmt::format("{}holds more than {} values; no more are read", place(), limits_.values));
    }

    std::string place() const { return take_ && !keys_.empty() ? in_quotes(keys_.front()) + ": " : ""; }

    static void refuse_keys_twice(const JsonValue::Object& object) {
        std::vector<const std::string*> keys;
        for (const JsonValue::Member& member : object) keys.push_back(&member.key);
        std::sort(keys.begin(), keys.end(), [](auto* a, auto* b) { return *a < *b; });
        const auto twice =
            std::adjacent_find(keys.begin(), keys.end(), [](auto* a, auto* b) { return *a == *b; });
        if (twice != keys.end()) refuse_twice(**twice);
    }

    const JsonLimits limits_;
    const Take* const take_;
    std::vector<JsonValue> open_;    // from the outermost to the innermost
    std::vector<std::string> keys_;  // of each: the key whose value comes next
    std::set<std::string> seen_;     // keys of the outermost object
    std::size_t count_ = 0;
    JsonValue root_;
    bool is_object_ = false;
};

void build(std::string_view text, TreeBuilder& builder, const JsonLimits& limits) {
    refuse_long_strings(text, limits.string_bytes);
    nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
}

}  // namespace

JsonValue read_json(std::string_view text, const JsonLimits& limits) {
    TreeBuilder builder(limits, nullptr);
    build(text, builder, limits);
    return builder.take_root();
}

bool read_json_members(std::string_view text, const JsonLimits& limits,
                       const std::function<void(std::string&& key, JsonValue&& value)>& take) {
    TreeBuilder builder(limits, &take);
    build(text, builder, limits);
    return builder.is_object();
}

JsonValue parse_json(std::string_view text, const std::string& where) {
    try {
        return read_json(text);
    } catch (const JsonFault& fault) {
        throw ModelError(fmt::format("{}: {}", where, fault.what()));
    }
}

}  // namespace gainstage
