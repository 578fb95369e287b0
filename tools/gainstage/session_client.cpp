#include "tools/gainstage/session_client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/control/session_socket.hpp"
#include "runtime/model/json.hpp"
#include "runtime/system_reason.hpp"

namespace gainstage {

namespace {

using Clock = std::chrono::steady_clock;

/// False: not before `end`.
bool wait_for(int socket, short events, Clock::time_point end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    pollfd waited{.fd = socket, .events = events, .revents = 0};
    return poll(&waited, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) > 0;
}

void send_all(int socket, std::string_view text, Clock::time_point end) {
    while (!text.empty()) {
        if (!wait_for(socket, POLLOUT, end)) throw NoAnswer("the session does not answer in time");
        const ssize_t count = ::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
        // A session that sends us away has said why before it closed.
        if (count < 0 && (errno == EPIPE || errno == ECONNRESET)) return;
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            throw NoAnswer(fmt::format("the session is gone ({})", system_reason(errno)));
    }
}

/// Without its end. A patch of a thousand nodes gives some megabytes.
std::string receive_line(int socket, Clock::time_point end) {
    constexpr std::size_t longest = std::size_t{64} << 20;
    std::string text;
    std::array<char, 65'536> bytes;
    while (text.size() < longest) {
        if (!wait_for(socket, POLLIN, end)) throw NoAnswer("the session does not answer in time");
        const ssize_t count = recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count <= 0) throw NoAnswer("the session has ended without an answer");
        text.append(bytes.data(), static_cast<std::size_t>(count));
        if (const std::size_t line = text.find('\n'); line != std::string::npos) return text.substr(0, line);
    }
    throw NoAnswer("the session's answer has no end");
}

}  // namespace

std::string meant_session(const std::string& given) {
    if (!given.empty()) return given;
    const std::vector<std::string> there = living_sessions();
    return there.size() == 1 ? there.front() : usual_session;
}

std::string ask_session(const std::string& session, const std::string& line, std::chrono::milliseconds wait) {
    const auto end = Clock::now() + wait;
    const Descriptor socket = connect_to_session(session);
    send_all(socket.get(), line + "\n", end);
    return receive_line(socket.get(), end);
}

JsonValue read_answer(const std::string& answer) {
    try {
        return read_json(answer, {.values = std::size_t{1} << 22});
    } catch (const JsonFault& fault) {
        throw NoAnswer(fmt::format("the session's answer is no JSON: {}", fault.what()));
    }
}

std::string text_in(const JsonValue& answer, const char* key) {
    const JsonValue* found = answer.find(key);
    const std::string* text = found ? found->as<std::string>() : nullptr;
    return text ? *text : std::string();
}

}  // namespace gainstage
