#pragma once
/// Asks a session that runs in another process.

#include <chrono>
#include <stdexcept>
#include <string>

#include "runtime/model/json_value.hpp"

namespace gainstage {

/// The session is gone, or does not answer.
struct NoAnswer : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The session that is meant: the name that was given; without one the usual session, or the only one that
/// runs.
std::string meant_session(const std::string& given);

/// Sends one line, without its end; returns the answer, without its own. Throws NoSocket, NoAnswer.
std::string ask_session(const std::string& session, const std::string& line, std::chrono::milliseconds wait);

/// The answer as a document. Throws NoAnswer if it is none.
JsonValue read_answer(const std::string& answer);
/// A text of it; "": it has none of this name.
std::string text_in(const JsonValue& answer, const char* key);

}  // namespace gainstage
