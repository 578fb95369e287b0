#include "runtime/graph/knob_list.hpp"

#include <utility>

namespace gainstage {

namespace {

std::vector<ParamSpec> with_extras(std::vector<ParamSpec> specs) {
    specs.push_back({.name = "bypass", .unit = "", .min = 0.f, .max = 1.f, .start = 0.f});
    specs.push_back({.name = "mute", .unit = "", .min = 0.f, .max = 1.f, .start = 0.f});
    return specs;
}

}  // namespace

KnobList::KnobList(std::vector<ParamSpec> own)
    : list_(std::make_shared<const std::vector<ParamSpec>>(with_extras(std::move(own)))) {}

const KnobList::List& KnobList::no_knobs() {
    static const auto list = std::make_shared<const std::vector<ParamSpec>>(with_extras({}));
    return list;
}

int KnobList::index_of(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < size(); ++i)
        if ((*list_)[i].name == name) return static_cast<int>(i);
    return -1;
}

}  // namespace gainstage
