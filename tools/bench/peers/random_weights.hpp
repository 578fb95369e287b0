#pragma once
/// Weights for the models of other engines. The cost does not depend on their values.

#include <random>
#include <vector>

using Matrix = std::vector<std::vector<float>>;

inline std::vector<float> random_vector(std::size_t size, float most) {
    static std::mt19937 random{1};
    std::uniform_real_distribution<float> value{-most, most};
    std::vector<float> made(size);
    for (float& x : made) x = value(random);
    return made;
}

inline Matrix random_matrix(std::size_t rows, std::size_t columns, float most) {
    Matrix made(rows);
    for (auto& row : made) row = random_vector(columns, most);
    return made;
}
