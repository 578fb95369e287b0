#include "runtime/model/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include "runtime/foreign_bytes.hpp"
#include "runtime/model/json.hpp"
#include "runtime/problem_list.hpp"

namespace gainstage {

namespace {

/// One tensor's entry in the header, checked as far as possible without the data.
struct Entry {
    std::string name;
    std::vector<std::int64_t> shape;
    std::uint64_t elements = 0, bytes_each = 0, begin = 0, end = 0;
};

/// Reads little-endian on every machine.
template <class Word>
Word load(const std::byte* at) {
    Word word = 0;
    for (std::size_t i = 0; i < sizeof(Word); ++i) word |= static_cast<Word>(at[i]) << (8 * i);
    return word;
}

class Parser {
public:
    Parser(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

    Safetensors parse() {
        const std::string_view header = find_header();
        std::vector<Entry> entries;
        const auto take = [&](std::string&& name, JsonValue&& value) {
            if (name == "__metadata__") return read_metadata(std::move(value));
            if (entries.size() == max_model_tensors)
                refuse("it lists more than {} tensors; no more are read", max_model_tensors);
            entries.push_back(read_entry(std::move(name), value));
        };
        try {
            if (!read_json_members(header, {}, take))
                refuse("its header is no JSON object, so this is no safetensors file");
        } catch (const JsonFault& fault) {
            refuse("header: {}", fault.what());
        }
        check_tiling(entries);
        result_.tensors.reserve(entries.size());
        for (Entry& entry : entries) result_.tensors.push_back(read_tensor(std::move(entry)));
        return std::move(result_);
    }

private:
    template <class... Args>
    [[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) const {
        throw ModelError(fmt::format("{}: {}", file_, fmt::format(text, std::forward<Args>(args)...)));
    }

    void refuse_foreign() const {
        constexpr std::size_t head_bytes = 4096;
        const auto* text = reinterpret_cast<const char*>(bytes_.data());
        const std::string_view head{text, std::min(bytes_.size(), head_bytes)};
        for (const std::string& known : {model_of_others(head), impostor(head)})
            if (!known.empty()) refuse("{}", known);
        if (const std::string sound = sound_or_midi(head); !sound.empty())
            refuse("{}; expected a model (.safetensors)", sound);
        if (no_text(head).empty()) refuse("{}", text_in_place_of_a_model(head));
    }

    /// Sets data_, too.
    std::string_view find_header() {
        if (bytes_.size() > max_model_file_bytes)
            refuse("{} bytes long; at most {} are read", bytes_.size(), max_model_file_bytes);
        if (bytes_.size() < 8)
            refuse(
                "{} bytes long, which is no safetensors file (it starts with an 8-byte header length); "
                "is it still being written?",
                bytes_.size());
        const auto length = load<std::uint64_t>(bytes_.data());
        if (length > max_model_header_bytes) refuse_foreign();
        if (length > max_model_header_bytes)
            refuse("its header claims {} bytes; at most {} are read, so this is hardly a safetensors file",
                   length, max_model_header_bytes);
        if (length > bytes_.size() - 8)
            refuse("its header claims {} bytes, but only {} follow; the file is cut short", length,
                   bytes_.size() - 8);
        data_ = bytes_.subspan(8 + static_cast<std::size_t>(length));
        return {reinterpret_cast<const char*>(bytes_.data() + 8), static_cast<std::size_t>(length)};
    }

    void read_metadata(JsonValue&& metadata) {
        auto* members = metadata.as<JsonValue::Object>();
        if (!members) refuse("__metadata__: expected an object of strings");
        for (JsonValue::Member& member : *members) {
            auto* text = member.value.as<std::string>();
            if (!text)
                refuse("__metadata__: {}: expected a string, found {}", in_quotes(member.key),
                       member.value.kind());
            result_.metadata.emplace_back(std::move(member.key), std::move(*text));
        }
        std::sort(result_.metadata.begin(), result_.metadata.end());
    }

    Entry read_entry(std::string name_given, const JsonValue& value) const {
        Entry entry;
        entry.name = std::move(name_given);
        const std::string& name = entry.name;
        const auto* dtype = part<std::string>(value, "dtype");
        const auto* shape = part<JsonValue::List>(value, "shape");
        const auto* offsets = part<JsonValue::List>(value, "data_offsets");
        if (!dtype || !shape || !offsets || offsets->size() != 2)
            refuse("tensor {}: expected dtype, shape and two data_offsets", in_quotes(name));
        if (*dtype != "F32" && *dtype != "F64")
            refuse("tensor {}: dtype {} is not read; expected F32 or F64", in_quotes(name),
                   in_quotes(*dtype));
        entry.bytes_each = *dtype == "F32" ? 4 : 8;
        read_shape(entry, *shape);
        entry.begin = whole_number(name, "data_offsets", offsets->front());
        entry.end = whole_number(name, "data_offsets", offsets->back());
        if (entry.begin > entry.end || entry.end > data_.size())
            refuse(
                "tensor {}: data_offsets [{}, {}] lie outside the {} bytes of data; the file is cut short or "
                "damaged",
                in_quotes(name), entry.begin, entry.end, data_.size());
        // elements <= data_.size() here, so the product cannot overflow
        if (entry.end - entry.begin != entry.elements * entry.bytes_each)
            refuse("tensor {}: shape [{}] of {} needs {} bytes, but its data_offsets hold {}",
                   in_quotes(name), fmt::join(entry.shape, ", "), *dtype, entry.elements * entry.bytes_each,
                   entry.end - entry.begin);
        return entry;
    }

    template <class T>
    static const T* part(const JsonValue& object, const char* key) {
        const JsonValue* found = object.find(key);
        return found ? found->as<T>() : nullptr;
    }

    void read_shape(Entry& entry, const JsonValue::List& shape) const {
        if (shape.size() > max_tensor_dimensions)
            refuse("tensor {}: {} dimensions; at most {} are read", in_quotes(entry.name), shape.size(),
                   max_tensor_dimensions);
        entry.elements = 1;
        for (const JsonValue& size : shape) {
            const std::uint64_t length = whole_number(entry.name, "shape", size);
            // Division instead of multiplication, so that nothing can overflow. (0 rows of anything are 0.)
            if (length > data_.size() || (length > 0 && entry.elements > data_.size() / length))
                refuse("tensor {}: a shape of {} holds more numbers than the file's {} bytes of data",
                       in_quotes(entry.name), JsonValue(shape).text(), data_.size());
            entry.elements *= length;
            entry.shape.push_back(static_cast<std::int64_t>(length));
        }
    }

    std::uint64_t whole_number(const std::string& name, const char* key, const JsonValue& value) const {
        const auto number = value.whole();
        if (!number)
            refuse("tensor {}: {}: expected whole numbers from 0 up, found {}", in_quotes(name), key,
                   in_quotes(value.text()));
        return *number;
    }

    /// Sorts by place. Refuses gaps, overlaps and left-over bytes, as the format demands. This also catches a
    /// file that is being rewritten.
    void check_tiling(std::vector<Entry>& entries) const {
        // By name at last: empty tensors lie in one place.
        std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
            return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
        });
        std::uint64_t reached = 0;
        for (const Entry& entry : entries) {
            if (entry.begin < reached)
                refuse("tensor {}: its data overlaps that of another tensor", in_quotes(entry.name));
            if (entry.begin > reached)
                refuse("bytes {} to {} of the data belong to no tensor", reached, entry.begin);
            reached = entry.end;
        }
        if (reached != data_.size())
            refuse("bytes {} to {} of the data belong to no tensor", reached, data_.size());
    }

    Tensor read_tensor(Entry&& entry) const {
        Tensor tensor{.name = std::move(entry.name), .shape = std::move(entry.shape), .data = {}};
        tensor.data.resize(static_cast<std::size_t>(entry.elements));
        const std::byte* at = data_.data() + entry.begin;
        for (std::size_t i = 0; i < tensor.data.size(); ++i, at += entry.bytes_each) {
            const double value = entry.bytes_each == 4 ? std::bit_cast<float>(load<std::uint32_t>(at))
                                                       : std::bit_cast<double>(load<std::uint64_t>(at));
            if (!(std::abs(value) <= std::numeric_limits<float>::max()))  // NaN too
                refuse("tensor {}: element {} of {} is {}; weights must be finite 32-bit numbers",
                       in_quotes(tensor.name), i, tensor.data.size(), value);
            tensor.data[i] = static_cast<float>(value);
        }
        return tensor;
    }

    const std::span<const std::byte> bytes_;
    const std::string& file_;
    std::span<const std::byte> data_;
    Safetensors result_;
};

}  // namespace

Safetensors parse_safetensors(std::span<const std::byte> bytes, const std::string& file) {
    return Parser(bytes, file).parse();
}

}  // namespace gainstage
