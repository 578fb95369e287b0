#pragma once
/// Turns a container's strings into a Model's fields. Only runtime/model includes this header.

#include "runtime/model/model.hpp"
#include "runtime/model/safetensors.hpp"

namespace gainstage {

/// Takes over the tensors and checks every key of `__metadata__`. Throws a ModelError with the file, the key,
/// what was found and what was expected.
void describe(Model& model, Safetensors&& contents);

}  // namespace gainstage
