#pragma once
/// Reference checkpoints in their authors' layouts with their expected output, if they lie beside the
/// repository (../shared/reference). The tests import them by tools/import_model, play them and compare.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/node_runner.hpp"

namespace gainstage::test {

/// One reference: a checkpoint, an input, and the output of a float64 model of the formulas.
struct Reference {
    std::string name;                    ///< "s4d/dssm-c32-n4-tanh"
    std::shared_ptr<const Model> model;  ///< as imported
    Sound input;                         ///< mono, at the model's rate
    std::vector<double> expected;        ///< as long as the input; without the latency of a stream
    std::vector<std::pair<std::string, float>> start;  ///< knobs from the first sample on
    std::vector<Move> moves;                           ///< later steps of knobs, unsmoothed
    double tolerance = 0.;                             ///< the largest error that the reference allows
    int latency_samples = 0;                           ///< of a stream
    nlohmann::json fixture;                            ///< all of fixture.json
};

/// Imports the checkpoint of ../shared/reference/NAME with `tools/import_model FAMILY ... --config facts`.
/// Prints a line "skipped: ..." and returns nothing if the reference or a Python library (`needs`: its
/// module) is absent. Fails the test if the importer fails. Takes the knobs in the fixture's units and order.
std::optional<Reference> import_reference(const std::string& name, const std::string& family,
                                          const nlohmann::json& facts = nlohmann::json::object(),
                                          const std::string& needs = "torch");

/// Distance between a node's output and the reference.
struct Parity {
    double max_error = 0., rms_error = 0.;
    std::string broken;  ///< "" if blocks of 1, 16, 37, 64 and 512 give the same bits
};

/// Plays the reference with unsmoothed knobs. `valid_from`: the first sample that counts.
Parity parity_of(const NodeType&, const Reference&, std::size_t valid_from = 0);

/// Exit status of an importer, and all that it printed on both streams.
struct Imported {
    int status = 0;
    std::string said;
};
Imported run_importer(const std::string& family, const std::string& checkpoint, const std::string& output,
                      const nlohmann::json& facts = nlohmann::json::object());

}  // namespace gainstage::test
