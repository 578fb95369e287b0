/// How often a weight file is prepared on its way from a patch to sound, and what stays of it afterwards.

#include "nodes/all_nodes.hpp"
#include "runtime/engine/offline_stream.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/heap.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::prepared_test {

namespace {

/// How many files were prepared since it was asked last.
class Preparations {
public:
    int take() {
        const std::uint64_t before = std::exchange(made_, Prepared::counts().made);
        return static_cast<int>(made_ - before);
    }

private:
    std::uint64_t made_ = Prepared::counts().made;
};

/// One stream whose patch and weight files lie in a folder, loaded as a session loads them.
class Stage {
public:
    explicit Stage(double rate_hz = 48'000., std::shared_ptr<PreparedModels> prepared = nullptr)
        : loader_(all_nodes(), rate_hz, std::move(prepared)),
          stream_({.sample_rate_hz = rate_hz, .max_frames = frames, .midi_ports = 0}, loader_) {
        engine().listen([this](const EngineNews& news) { heard_.push_back(news.kind); });
    }

    std::string file(const std::string& name) const { return folder_.path() / name; }
    void put(const std::string& name, const ModelFile& parts) {
        save(folder_, name, parts);
        loader_.forget(file(name));
    }
    Graph load(const std::string& text) {
        folder_.write("p.toml", text);
        Resolved resolved = loader_.load(file("p.toml"));
        REQUIRE(resolved.graph);
        return std::move(*resolved.graph);
    }
    /// Plays the patch from now on; returns when it does.
    void play(const std::string& text) {
        engine().play(load(text));
        engine().tick();
        REQUIRE(engine().refusal().empty());
        block();
        while (engine().changing()) block();
    }
    void block(float amplitude = 0.5f) {
        for (int k = 0; k < frames; ++k) in_[k] = k % 50 < 25 ? amplitude : -amplitude;
        const float* in[] = {in_.data()};
        float* out[] = {out_.data()};
        stream_.process(in, 1, out, 1, frames);
    }
    void blocks(int count) {
        for (int k = 0; k < count; ++k) block();
    }

    Engine& engine() { return stream_.engine(); }
    bool has_heard(EngineNews::Kind kind) const {
        return std::find(heard_.begin(), heard_.end(), kind) != heard_.end();
    }
    void forget_news() { heard_ = {}; }

private:
    static constexpr int frames = 64;
    TemporaryFolder folder_;
    PatchLoader loader_;
    OfflineStream stream_;
    std::vector<EngineNews::Kind> heard_;
    Channel in_ = silence(frames), out_ = silence(frames);
};

/// 57 ms of memory, so that a newcomer is warmed at once.
ModelFile short_opto() {
    ModelFile opto = model_parts(source_dir() + "/models/opto-textbook.safetensors");
    tensor_of(opto, "detector.tau_s").data = {0.002f, 0.005f};
    return remembering(opto, 2'744);
}

std::string one_box(const Stage& stage) {
    return patch("\"in -> box -> out\"", grey_box("box", stage.file("a.safetensors")));
}

}  // namespace

TEST_CASE("prepared: a start prepares each file once, however many nodes play it") {
    Stage stage;
    stage.put("a.safetensors", short_opto());
    stage.put("b.safetensors", louder(short_opto(), -3.));
    Preparations preparations;
    stage.play(
        patch("\"in -> one -> two -> three -> out\"", grey_box("one", stage.file("a.safetensors")) +
                                                          grey_box("two", stage.file("b.safetensors")) +
                                                          grey_box("three", stage.file("a.safetensors"))));
    CHECK(preparations.take() == 2);
    CHECK(Prepared::counts().alive >= 2);
}

TEST_CASE("prepared: a patch that is read before the rate is known prepares nothing") {
    Stage stage;
    stage.put("a.safetensors", short_opto());
    stage.play(one_box(stage));
    Preparations preparations;
    const Resolved first = PatchLoader(all_nodes(), 0.).load(stage.file("p.toml"));
    REQUIRE(first.graph);
    CHECK(first.graph->nodes.at(2).model);
    CHECK_FALSE(first.graph->nodes.at(2).prepared);
    CHECK(preparations.take() == 0);
}

TEST_CASE("prepared: a model behind a resampler is prepared once, for its own rate") {
    Stage stage(44'100.);
    stage.put("a.safetensors", model_parts(source_dir() + "/tests/data/grey_box-rnn-gru-hard.safetensors"));
    Preparations preparations;
    stage.play(one_box(stage));
    CHECK(preparations.take() == 1);
    const GraphNode& box = stage.engine().playing()->graph.nodes.at(2);
    CHECK(box.prepared->facts().sample_rate_hz == 48'000.);
}

TEST_CASE("prepared: a reload prepares a changed file once, an unchanged or known one not at all") {
    Stage stage;
    stage.put("a.safetensors", short_opto());
    stage.play(one_box(stage));
    Preparations preparations;
    stage.put("a.safetensors", louder(short_opto(), -3.));
    stage.play(one_box(stage));
    CHECK(preparations.take() == 1);
    CHECK(stage.engine().counts().swaps == 1);
    stage.play(one_box(stage));
    CHECK(preparations.take() == 0);
    stage.put("a.safetensors", short_opto());  // back to the first one
    stage.play(one_box(stage));
    CHECK(preparations.take() == 0);
    CHECK(stage.engine().counts().swaps == 2);
}

TEST_CASE("prepared: streams that share their preparations prepare a file once for all of them") {
    const auto shared = std::make_shared<PreparedModels>();
    Stage one(48'000., shared), two(48'000., shared), other_rate(44'100., shared);
    Preparations preparations;
    for (Stage* stage : {&one, &two}) {
        stage->put("a.safetensors", short_opto());
        stage->play(one_box(*stage));
    }
    CHECK(preparations.take() == 1);
    other_rate.put("a.safetensors", short_opto());  // which plays at any rate by itself
    other_rate.play(one_box(other_rate));
    CHECK(preparations.take() == 1);
}

TEST_CASE("prepared: streams at different rates share a model that knows one rate only") {
    const auto shared = std::make_shared<PreparedModels>();
    Stage one(48'000., shared), two(44'100., shared), three(96'000., shared);
    Preparations preparations;
    for (Stage* stage : {&two, &one, &three}) {
        stage->put("a.safetensors",
                   model_parts(source_dir() + "/tests/data/grey_box-rnn-gru-hard.safetensors"));
        stage->play(one_box(*stage));
    }
    CHECK(preparations.take() == 1);
}

TEST_CASE("prepared: an edit that warms copies of what plays, or doubles an instance, prepares nothing") {
    Stage stage;
    stage.put("a.safetensors", short_opto());
    const std::string one = grey_box("one", stage.file("a.safetensors"), "peak_reduction = 20.0"),
                      two = grey_box("two", stage.file("a.safetensors"), "peak_reduction = 60.0"),
                      three = grey_box("three", stage.file("a.safetensors"), "peak_reduction = 40.0");
    stage.play(patch("\"in -> one -> two -> out\"", one + two));
    stage.blocks(200);
    Preparations preparations;
    // The newcomer hears what copies of `one` and `two` make of the past.
    stage.play(patch("\"in -> one -> two -> three -> out\"", one + two + three));
    CHECK(preparations.take() == 0);
    // Survivors in reversed order.
    const auto before = stage.engine().playing()->slots;
    stage.play(patch("\"in -> two -> one -> three -> out\"", one + two + three));
    CHECK(preparations.take() == 0);
    const auto& after = stage.engine().playing()->slots;
    const auto lives_on = [&](const std::shared_ptr<Slot>& slot) {
        return std::find(before.begin(), before.end(), slot) != before.end();
    };
    CHECK(std::count_if(after.begin(), after.end(), lives_on) < static_cast<int>(after.size()));
}

TEST_CASE("prepared: a model that returns from quarantine is not prepared again") {
    Stage stage;
    stage.put("a.safetensors", short_opto());
    stage.play(one_box(stage));
    stage.blocks(100);
    stage.forget_news();
    Preparations preparations;
    stage.block(1'000.f);  // far above the ceiling, on both sides of the model
    stage.blocks(300);
    REQUIRE(stage.has_heard(EngineNews::Kind::tripped));
    REQUIRE(stage.has_heard(EngineNews::Kind::returned));
    CHECK(preparations.take() == 0);
}

TEST_CASE("prepared: a file that can't be prepared is refused where its node is built, by the file's words") {
    Stage stage;
    ModelFile broken = short_opto();
    tensor_of(broken, "detector.tau_s").data = {-1.f, 0.005f};
    stage.put("a.safetensors", broken);
    const Graph graph = stage.load(one_box(stage));
    CHECK_FALSE(graph.nodes.at(2).prepared);
    stage.engine().play(graph);
    stage.engine().tick();
    const Problems problems = stage.engine().refusal();
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].key == "nodes.box");
    CHECK(problems[0].exit_code == 65);
    check_says(problems[0].message, "tensor \"detector.tau_s\" holds -1; expected seconds above 0");
}

TEST_CASE("prepared: instances of one file share its weights, and the last of them frees them") {
    const auto model = read_model_file(source_dir() + "/models/opto-textbook.safetensors");
    const NodeType& type = *type_that_plays(all_nodes(), model->architecture);
    const NodeConfig config{.model = model};
    const Setup setup = setup_of(type, config, params_of(type, model.get()));
    std::weak_ptr<const Prepared> prepared;
    std::unique_ptr<Node> second;
    {
        const auto made = prepared_of(type, config);
        prepared = made;
        const std::unique_ptr<Node> first = made->make(setup);
        second = made->make(setup);
        CHECK(prepared.use_count() == 3);
    }
    CHECK(prepared.use_count() == 1);
    second.reset();
    CHECK(prepared.expired());
}

TEST_CASE("prepared: of files that nobody plays the latest few stay, and no more bytes than they may") {
    PreparedModels models;
    const auto alive = [] { return static_cast<std::size_t>(Prepared::counts().alive); };
    const std::size_t before = alive();
    const NodeType& type = *type_that_plays(all_nodes(), "grey_box");
    const auto model = [](int k) { return louder(short_opto(), -0.01 * k).read(); };
    for (int k = 0; k < 20; ++k) models.get(type, *model(k), 48'000.);
    CHECK(alive() - before == PreparedModels::most_kept);
    Preparations preparations;
    for (std::size_t k = 0; k < PreparedModels::most_kept; ++k)
        models.get(type, *model(19 - static_cast<int>(k)), 48'000.);
    CHECK(preparations.take() == 0);
    models.get(type, *model(0), 48'000.);
    CHECK(preparations.take() == 1);
    // One tensor as large as all that may stay: it is not kept, and neither is what was asked for before it.
    ModelFile large = louder(short_opto(), -1.);
    const auto floats = static_cast<std::int64_t>(PreparedModels::most_kept_bytes / sizeof(float));
    large.tensors.push_back({"ignored", {floats}, std::vector<float>(floats)});
    models.get(type, *large.read(), 48'000.);
    CHECK(alive() == before);
}

TEST_CASE("prepared: two thousand reloads of ever new files leave no file, no weights and no memory behind") {
    const bool watched = realtime_guard() == RealtimeGuard::in_process;  // the others are too slow for all
    const int reloads = watched ? 2'000 : 200;
    Stage stage;
    ModelFile parts = short_opto();
    parts.tensors.push_back({"ballast", {25'000}, std::vector<float>(25'000, 1.f)});  // 100 kB of a file
    const std::string text =
        patch("\"in -> box -> out\"", grey_box("box", stage.file("a.safetensors")), "fade_ms = 1.0\n");
    std::vector<std::weak_ptr<const Model>> models;
    const auto reload = [&](int k) {
        parts.tensors.back().data[0] = static_cast<float>(k);
        stage.put("a.safetensors", louder(parts, -0.001 * k));
        stage.play(text);
        std::erase_if(models, [](const auto& m) { return m.expired(); });  // a weak one keeps a little memory
        models.push_back(stage.engine().playing()->graph.nodes.at(2).model);
        stage.forget_news();
    };
    const std::uint64_t alive_before = Prepared::counts().alive;
    Preparations preparations;
    for (int k = 0; k < 50; ++k) reload(k);
    const std::size_t heap = heap_in_use();
    for (int k = 50; k < reloads; ++k) reload(k);
    CHECK(preparations.take() == reloads);
    CHECK(stage.engine().counts().swaps == static_cast<std::uint64_t>(reloads - 1));
    CHECK(Prepared::counts().alive - alive_before <= PreparedModels::most_kept + 1);
    const auto alive =
        std::count_if(models.begin(), models.end(), [](const auto& m) { return !m.expired(); });
    CHECK(alive <= 3);  // the one that plays, and the one before it
    // half of one file; 2,000 of them are 200 MB
    INFO("heap grew by " << static_cast<std::int64_t>(heap_in_use() - heap) << " bytes");
    CHECK(heap_in_use() < heap + 50'000);
}

}  // namespace gainstage::test::prepared_test
