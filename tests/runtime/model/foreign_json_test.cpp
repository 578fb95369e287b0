/// JSON from outside: the one reader of it, and model files that ask for more than they are.

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "runtime/model/json.hpp"
#include "runtime/model/model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/safetensors_writer.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::foreign_json_test {

namespace {

std::string complaint(const std::string& text, const JsonLimits& limits = {}) {
    try {
        read_json(text, limits);
        return "";
    } catch (const JsonFault& fault) {
        return fault.what();
    }
}

/// The error of reading a model file; "" if there is none.
std::string complaint_about(const std::string& file) {
    try {
        read_model_file(file);
        return "";
    } catch (const ModelError& error) {
        return error.what();
    }
}

std::string repeated(const std::string& text, std::size_t times) {
    std::string all;
    for (std::size_t k = 0; k < times; ++k) all += text;
    return all;
}

std::string text_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A header with the good metadata, and what each tensor's place in it says.
std::string header_of(std::size_t tensors, const std::function<std::string(std::size_t)>& entry_of) {
    const JsonValue good = read_json(ModelFile{}.header().dump());
    std::string header = "{\"__metadata__\":" + good.find("__metadata__")->text();
    for (std::size_t k = 0; k < tensors; ++k) header += "," + entry_of(k);
    return header + "}";
}

std::string empty_tensor(std::size_t k) {
    return fmt::format(R"("{}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})", k);
}

/// A model file of `tensors` tensors that share `floats` numbers.
std::string model_of(std::size_t tensors, std::size_t floats) {
    const std::size_t each = floats / tensors;
    const std::string header = header_of(tensors, [&](std::size_t k) {
        return fmt::format(R"("{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})", k, each,
                           4 * each * k, 4 * each * (k + 1));
    });
    return text_of(safetensors(header, std::vector<float>(each * tensors, 0.5f)));
}

std::string file_of(const std::string& header) {
    return text_of(safetensors(header, {}));
}

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// A number of bytes from /proc/self/status.
double status_bytes(const std::string& key) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (double kib = 0.; word == key + ":" && status >> kib) return kib * 1024.;
    return 0.;
}

/// Takes what earlier tests have left in the heap, so that whatever comes is new.
void use_up_free_memory() {
    const auto taken_from_system = [] {
        const struct mallinfo2 info = mallinfo2();
        return info.arena + info.hblkhd;
    };
    for (const std::size_t size : {std::size_t{1} << 20, std::size_t{1} << 16, std::size_t{1} << 13})
        for (const std::size_t before = taken_from_system(); taken_from_system() == before;)
            if (std::malloc(size) == nullptr) return;
}

}  // namespace

TEST_CASE("json: a tree holds what the text says, in its order") {
    const JsonValue read = read_json(R"( {"b": [1, -2, 2.5, 1e300, true, null, "\u00e9"], "a": {}} )");
    CHECK(read.text() == R"({"b":[1,-2,2.5,1e+300,true,null,"é"],"a":{}})");
    CHECK(read.sorted_text() == R"({"a":{},"b":[1,-2,2.5,1e+300,true,null,"é"]})");
    CHECK(read.indented_text(2) ==
          "{\n  \"b\": [\n    1,\n    -2,\n    2.5,\n    1e+300,\n    true,\n    null,\n    \"é\"\n  ],\n"
          "  \"a\": {}\n}");
    const auto& list = *read.find("b")->as<JsonValue::List>();
    CHECK(list[0].whole() == std::uint64_t{1});
    CHECK_FALSE(list[1].whole());
    CHECK_FALSE(list[2].whole());
    CHECK(list[1].number() == -2.);
    CHECK(list[5].is_null());
    CHECK_FALSE(read.has("c"));
    CHECK_FALSE(read_json("18446744073709551616").whole());  // 2^64 is a real number
    CHECK(JsonValue(std::nan("")).text() == "null");
    CHECK(JsonValue("\xff").text() == "\"\xef\xbf\xbd\"");
    CHECK(read_json("3").is_number());
}

TEST_CASE("json: what exceeds a limit is refused, and a key twice, anywhere") {
    const JsonLimits few{.depth = 3, .values = 8, .string_bytes = 20};
    CHECK(complaint(R"([[["a"]]])", few).empty());
    CHECK(complaint(R"([[[["a"]]]])", few) == "nests deeper than 3 levels");
    CHECK(complaint(repeated("[", 2'000'000), few) == "nests deeper than 3 levels");
    CHECK(complaint("[1,2,3,4,5,6,7]", few).empty());
    CHECK(complaint("[1,2,3,4,5,6,7,8]", few) == "holds more than 8 values; no more are read");
    CHECK(complaint("\"12345678901234567890\"", few).empty());
    CHECK(complaint("[\"123456789012345678901\"]", few) ==
          "byte 1: a string of more than 20 bytes; no more are read");
    CHECK(complaint("[\"" + repeated("\\\"", 20) + "\"]", few).find("more than 20") != std::string::npos);
    CHECK(complaint(R"({"a":1,"b":{"c":1,"c":2}})") == "\"c\" is there twice");
    CHECK(complaint(R"({"a":1,"\u0061":2})") == "\"a\" is there twice");
    for (const char* bad : {"", "{", "[1,", "\"a", "nul", "1e999", "[1] 2", "{\"a\":\"\xff\"}", "{\"a\" 1}"})
        CHECK(complaint(bad).find("not valid JSON at byte ") == 0);
}

TEST_CASE("json: members of a large object come one by one, each under the limits") {
    const std::string text = "{" + repeated("\"a\":1,", 0) + "\"x\":[1,2,3],\"y\":[4,5,6]}";
    const JsonLimits few{.values = 4};
    std::string seen;
    const auto take = [&](std::string&& key, JsonValue&& value) { seen += key + value.text() + ";"; };
    CHECK(read_json_members(text, few, take));
    CHECK(seen == "x[1,2,3];y[4,5,6];");
    CHECK_FALSE(read_json_members("[1]", few, take));
    CHECK_FALSE(read_json_members("1", few, take));
    CHECK_THROWS_AS(read_json_members(R"({"x":1,"x":2})", few, take), JsonFault);
    CHECK_THROWS_AS(read_json_members(R"({"x":[1,2,3,4]})", few, take), JsonFault);
    const auto stop = [](std::string&&, JsonValue&&) { throw std::runtime_error("enough"); };
    CHECK_THROWS_WITH(read_json_members(text, few, stop), "enough");
}

TEST_CASE("json: reading takes time in proportion to the text") {
    const auto seconds_for = [](std::size_t members) {
        const std::string header = header_of(members, empty_tensor);
        const double begin = cpu_seconds();
        read_json_members(header, {}, [](std::string&&, JsonValue&&) {});
        return cpu_seconds() - begin;
    };
    seconds_for(1'000);
    const double small = seconds_for(8'000), large = seconds_for(64'000);
    INFO(small << " s and " << large << " s");
    CHECK(large < 24. * small + 0.01);  // 64 times, where it is quadratic
}

TEST_CASE("model: 65,536 tensors are read in half a second, and each is found") {
    const Bytes bytes = safetensors(header_of(65'536, empty_tensor), {});
    const double begin = cpu_seconds();
    const auto model = read_model_bytes(bytes, "many.safetensors");
    for (std::size_t k = 0; k < 65'536; ++k) REQUIRE(model->find(std::to_string(k)) != nullptr);
    const std::vector<std::string> notes = model->notes_on_extra({});
    const double seconds = cpu_seconds() - begin;
    WARN(fmt::format("65,536 tensors: {:.3f} s", seconds));
    if (realtime_guard() == RealtimeGuard::in_process) CHECK(seconds < 0.5);  // the sanitizers are slower
    CHECK(model->find("65536") == nullptr);
    REQUIRE(notes.size() == 11);
    CHECK(notes.back() == "65526 more extra tensors ignored");
    const Bytes more = safetensors(header_of(65'537, empty_tensor), {});
    CHECK_THROWS_WITH(read_model_bytes(more, "m"), "m: it lists more than 65536 tensors; no more are read");
}

TEST_CASE("model: up to 64 MB are judged within their time, and four times their size and 64 MB") {
    if (realtime_guard() == RealtimeGuard::none) return;  // a sanitizer takes memory and time of its own
    constexpr std::size_t mb = 1'000'000;
    struct Case {
        const char* what;
        std::string content, says;
    };
    const auto with_metadata = [](const std::string& more) {
        std::string header = ModelFile{}.header().dump();
        header.insert(header.find("\"__metadata__\":{") + 16, more + ",");
        return text_of(safetensors(header, ModelFile{}.data()));
    };
    std::string many_keys = "{\"__metadata__\":{\"\":\"\"";
    for (int k = 0; k < 1'400'000; ++k) many_keys += fmt::format(",\"{:x}\":\"\"", k);
    const std::vector<Case> cases{
        {"one tensor of 64 MB", model_of(1, 16 * mb), ""},
        {"65,536 tensors of 64 MB", model_of(65'536, 16 * mb), ""},
        {"1.4 million keys in the metadata", file_of(many_keys + "}}"), "\"__metadata__\": holds more than"},
        {"a text of 4 MB in brackets", with_metadata("\"author\":\"" + repeated("[", 4 * mb) + "\""),
         "a string of more than"},
        {"a string of 16 MB without end", file_of("{\"a\":\"" + repeated("x", 16 * mb)),
         "a string of more than"},
        {"1 MB of control characters", file_of("{\"a\":\"" + repeated("\x01", mb)), "not valid JSON"},
        {"brackets alone", file_of(repeated("[", 16 * mb)), "no JSON object"},
        {"brackets in an object", file_of("{\"a\":" + repeated("[", 16 * mb)), "nests deeper than"},
        {"8 million numbers", file_of("{\"a\":[" + repeated("0,", 8 * mb - 10) + "0]}"), "holds more than"},
        {"16 texts of 1 MB", with_metadata([&] {
             std::string texts;
             for (int k = 0; k < 15; ++k)
                 texts += fmt::format("{}\"t{}\":\"{}\"", k ? "," : "", k, repeated("x", mb));
             return texts;
         }()),
         ""},
    };
    const TemporaryFolder folder;
    for (const Case& each : cases) {
        const std::string file = folder.write("a.safetensors", each.content);
        const auto size = static_cast<double>(each.content.size());
        const double most_bytes = 4. * size + 64. * 1024. * 1024., most_s = 0.5 + size / 100e6;
        const auto judge = [&] {
            malloc_trim(0);                                 // what earlier tests have left
            std::ofstream("/proc/self/clear_refs") << "5";  // the peak begins anew
            const double bytes_before = status_bytes("VmRSS"), begin = cpu_seconds();
            const std::string said = complaint_about(file);
            const double seconds = cpu_seconds() - begin;
            const double bytes = status_bytes("VmHWM") - bytes_before;
            std::fprintf(stderr, "%s (%.1f MB): %.2f s of %.2f, %.0f MB of %.0f: %.100s\n", each.what,
                         size / 1e6, seconds, most_s, bytes / 1e6, most_bytes / 1e6, said.c_str());
            const bool is_as_said = each.says.empty() ? said.empty() : has(said, each.says);
            if (!is_as_said || seconds > most_s || bytes > most_bytes) _exit(1);
        };
        End end;
        for (int tries = 3; tries > 0; --tries)  // a core that others load as well is slower
            if (end = in_child(judge); end.peaceful()) break;
        WARN(end.said);
        CHECK(end.peaceful());
    }
}

TEST_CASE("model: with any address space below what it needs, a file is refused and nothing crashes") {
    if (realtime_guard() == RealtimeGuard::none) return;  // a sanitizer takes memory and time of its own
    const TemporaryFolder folder;
    const std::string file = folder.write("a.safetensors", model_of(2'000, 500'000));
    int refused = 0, read = 0;
    for (int step = 0; step < 64; ++step) {
        const End end = in_child([&] {
            use_up_free_memory();
            const auto limit = static_cast<rlim_t>(status_bytes("VmSize")) + static_cast<rlim_t>(step << 17);
            const rlimit space{limit, limit};
            setrlimit(RLIMIT_AS, &space);
            try {
                read_model_file(file);
            } catch (const std::bad_alloc&) {
                std::fputs("refused", stderr);
            }
        });
        INFO(step << ": " << end.said);
        CHECK(end.peaceful());
        ++(end.said == "refused" ? refused : read);
    }
    WARN(fmt::format("{} refused, {} read", refused, read));
    CHECK(refused > 3);
    CHECK(read > 3);
}

}  // namespace gainstage::test::foreign_json_test
