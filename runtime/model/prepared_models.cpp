#include "runtime/model/prepared_models.hpp"

#include "runtime/model/model.hpp"

namespace gainstage {

namespace {

std::size_t weight_bytes(const Model& model) {
    std::size_t bytes = 0;
    for (const Tensor& tensor : model.tensors) bytes += tensor.data.size() * sizeof(float);
    return bytes;
}

}  // namespace

std::shared_ptr<const Prepared> PreparedModels::get(const NodeType& type, const Model& model,
                                                    double sample_rate_hz) {
    const std::lock_guard lock(mutex_);
    std::erase_if(all_, [](const Known& known) { return known.prepared.expired(); });
    Key key{type.prepare, model.content_hash, sample_rate_hz, type.level()};
    std::shared_ptr<const Prepared> prepared = find_for(key, model.sample_rate_hz);
    if (!prepared) {
        prepared = type.prepare(model, sample_rate_hz);
        key.sample_rate_hz = prepared->facts().sample_rate_hz;
        all_.push_back({std::move(key), prepared});
    }
    keep(prepared, model);
    return prepared;
}

/// A preparation for the model's rate serves every device if the model plays at no other rate.
std::shared_ptr<const Prepared> PreparedModels::find_for(Key key, double model_rate_hz) const {
    if (auto prepared = find(key)) return prepared;
    key.sample_rate_hz = model_rate_hz;
    auto prepared = find(key);
    return prepared && !prepared->facts().plays_at_any_rate ? prepared : nullptr;
}

std::shared_ptr<const Prepared> PreparedModels::find(const Key& key) const {
    for (const Known& known : all_)
        if (known.key == key) return known.prepared.lock();
    return nullptr;
}

/// Moves it to the front, and drops what is beyond the limits.
void PreparedModels::keep(const std::shared_ptr<const Prepared>& prepared, const Model& model) {
    kept_.remove_if([&](const Kept& kept) { return kept.prepared == prepared; });
    kept_.push_front({prepared, weight_bytes(model)});
    std::size_t count = 0, bytes = 0;
    kept_.remove_if([&](const Kept& kept) {
        bytes += kept.bytes;
        return ++count > most_kept || bytes > most_kept_bytes;
    });
}

}  // namespace gainstage
