#pragma once
/// The simplest honest form of each family: Eigen matrices of any size, compiled for any machine, without
/// tricks. `gainstage-lab bench --all` compares the nodes with these. They ignore knobs.

#include <Eigen/Core>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/model/model.hpp"

namespace gainstage::plain {

using Matrix = Eigen::MatrixXf;
using Vector = Eigen::VectorXf;
using Array = Eigen::ArrayXf;

/// Longest block of a twin.
inline constexpr int max_frames = 512;

class Twin {
public:
    virtual ~Twin() = default;
    virtual void play(const float* in, float* out, int frames) = 0;
};

std::unique_ptr<Twin> make_ed_lstm(const Model&);
std::unique_ptr<Twin> make_grey_box(const Model&);
std::unique_ptr<Twin> make_gru(const Model&);
std::unique_ptr<Twin> make_lstm(const Model&);
std::unique_ptr<Twin> make_s4d(const Model&);
std::unique_ptr<Twin> make_s6(const Model&);
std::unique_ptr<Twin> make_tcn(const Model&);

/// `name` is taken by value, so that the compiler cannot take the returned reference for one to it.
inline const Tensor& tensor(const Model& model, std::string_view name) {
    const Tensor* found = model.find(name);
    if (!found) throw ModelError(std::string(name) + " is missing");
    return *found;
}
/// A matrix: the first dimension by all others.
inline Matrix matrix(const Model& model, const std::string& name) {
    using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Tensor& t = tensor(model, name);
    const auto rows = static_cast<Eigen::Index>(t.shape.at(0));
    return Eigen::Map<const RowMajor>(t.data.data(), rows, static_cast<Eigen::Index>(t.data.size()) / rows);
}
inline Vector vector(const Model& model, const std::string& name) {
    const Tensor& t = tensor(model, name);
    return Eigen::Map<const Vector>(t.data.data(), static_cast<Eigen::Index>(t.data.size()));
}

}  // namespace gainstage::plain
