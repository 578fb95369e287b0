#pragma once
/// Checkpoints in their authors' layouts with what they should play, where they lie beside the repository
/// (../shared/reference): imported by tools/import, played, compared.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/node_runner.hpp"

namespace gainstage::test {

/// One folder of references: a checkpoint, an input, and the output of a float64 model of the formulas.
struct Reference {
    std::string name;                    ///< "s4d/dssm-c32-n4-tanh"
    std::shared_ptr<const Model> model;  ///< as imported
    Sound input;                         ///< mono, at the model's rate
    std::vector<double> expected;        ///< as long as the input, without the latency of a stream
    std::vector<std::pair<std::string, float>> start;  ///< knobs from the first sample on
    std::vector<Move> moves;                           ///< later steps of knobs, unsmoothed
    double tolerance = 0.;                             ///< the largest error that the reference allows
    int latency_samples = 0;                           ///< of a stream
    nlohmann::json fixture;                            ///< all that fixture.json says
};

/// Imports the checkpoint of ../shared/reference/NAME with `import_model.py FAMILY ... --config facts`.
/// Nothing, after a line "skipped: ...", where the references or a Python library (`needs`: its module) are
/// absent. A failing importer is a failed test. Knobs are taken to have the fixture's units and order.
std::optional<Reference> import_reference(const std::string& name, const std::string& family,
                                          const nlohmann::json& facts = nlohmann::json::object(),
                                          const std::string& needs = "torch");

/// How far from the reference a node plays it.
struct Parity {
    double max_error = 0., rms_error = 0.;
    std::string broken;  ///< "" if blocks of 1, 16, 37, 64 and 512 give the same bits
};

/// Plays it with unsmoothed knobs. `valid_from`: first sample that counts.
Parity parity_of(const NodeType&, const Reference&, std::size_t valid_from = 0);

/// Runs the importer of FAMILY; its exit status, and what it said, both streams.
struct Imported {
    int status = 0;
    std::string said;
};
Imported run_importer(const std::string& family, const std::string& checkpoint, const std::string& output,
                      const nlohmann::json& facts = nlohmann::json::object());

}  // namespace gainstage::test
