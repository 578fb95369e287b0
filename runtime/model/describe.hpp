#pragma once
/// From a container's strings to a Model's fields. Only runtime/model sees this header.

#include "runtime/model/model.hpp"
#include "runtime/model/safetensors.hpp"

namespace gainstage {

/// Takes over the tensors and checks every key of `__metadata__`. Throws ModelError that names file, key,
/// what was found and what was expected.
void describe(Model& model, Safetensors&& contents);

}  // namespace gainstage
