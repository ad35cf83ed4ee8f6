// logind and systemd on a bus of a test's own, as far as a node asks them
// (org.freedesktop.login1(5), org.freedesktop.systemd1(5)). The bus is that of
// DBUS_SYSTEM_BUS_ADDRESS.
//
//   fake_logind CONFIGURATION-FOLDER
//
// Commands come on standard input, a line each: "down" and "up" are sent as PrepareForShutdown.
// What it sees is a line of standard output each: "ready", "lock WHAT WHO WHY MODE", "released",
// "reload UNIT WHO SIGNAL".
#include <fcntl.h>
#include <poll.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace {

using podium::UniqueFd;

constexpr const char* kPath = "/org/freedesktop/login1";
constexpr const char* kInterface = "org.freedesktop.login1.Manager";

struct State {
  std::string folder;
  uint64_t delay = 5'000'000;   // microseconds; logind's default
  std::vector<UniqueFd> locks;  // our ends: what the holder's end was closed for is readable
};

void Say(const std::string& line) { std::cout << line << std::endl; }

void ReadConfiguration(State* state) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(state->folder, error)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  const std::string key = "InhibitDelayMaxSec=";
  for (const std::string& file : files) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with(key)) state->delay = std::stoull(line.substr(key.size())) * 1'000'000;
    }
  }
}

int Inhibit(sd_bus_message* message, void* data, sd_bus_error* /*error*/) {
  auto* state = static_cast<State*>(data);
  std::array<const char*, 4> words{};
  int result = sd_bus_message_read(message, "ssss", &words[0], &words[1], &words[2], &words[3]);
  if (result < 0) return result;
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return -errno;
  state->locks.emplace_back(ends[0]);
  const UniqueFd given(ends[1]);
  std::string line = "lock";
  for (const char* word : words) line += std::string(" ") + word;
  Say(line);
  return sd_bus_reply_method_return(message, "h", given.get());
}

int KillUnit(sd_bus_message* message, void* data, sd_bus_error* /*error*/) {
  const char* unit = nullptr;
  const char* who = nullptr;
  int32_t signal = 0;
  const int result = sd_bus_message_read(message, "ssi", &unit, &who, &signal);
  if (result < 0) return result;
  Say(std::string("reload ") + unit + " " + who + " " + std::to_string(signal));
  ReadConfiguration(static_cast<State*>(data));
  return sd_bus_reply_method_return(message, "");
}

int Delay(sd_bus* /*bus*/, const char* /*path*/, const char* /*interface*/,
          const char* /*property*/, sd_bus_message* reply, void* data, sd_bus_error* /*error*/) {
  return sd_bus_message_append(reply, "t", static_cast<State*>(data)->delay);
}

const sd_bus_vtable kLogin[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Inhibit", "ssss", "h", Inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("InhibitDelayMaxUSec", "t", Delay, 0, 0),
    SD_BUS_SIGNAL("PrepareForShutdown", "b", 0),
    SD_BUS_VTABLE_END,
};
const sd_bus_vtable kSystemd[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("KillUnit", "ssi", "", KillUnit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

void TellReleased(State* state) {
  std::erase_if(state->locks, [](const UniqueFd& lock) {
    pollfd end{lock.get(), POLLIN, 0};
    const bool released = poll(&end, 1, 0) > 0 && (end.revents & POLLHUP) != 0;
    if (released) Say("released");
    return released;
  });
}

int Serve(sd_bus* bus, State* state) {
  while (true) {
    int result = 0;
    while ((result = sd_bus_process(bus, nullptr)) > 0) {
    }
    if (result < 0) return result;
    std::vector<pollfd> fds = {{sd_bus_get_fd(bus), static_cast<short>(sd_bus_get_events(bus)), 0},
                               {STDIN_FILENO, POLLIN, 0}};
    for (const UniqueFd& lock : state->locks) fds.push_back({lock.get(), 0, 0});
    if (poll(fds.data(), fds.size(), -1) < 0) return -errno;
    TellReleased(state);
    if (fds[1].revents == 0) continue;
    std::string line;
    if (!std::getline(std::cin, line)) return 0;
    result = sd_bus_emit_signal(bus, kPath, kInterface, "PrepareForShutdown", "b",
                                static_cast<int>(line == "down"));
    if (result < 0) return result;
  }
}

int Run(State* state) {
  ReadConfiguration(state);
  sd_bus* bus = nullptr;
  int result = sd_bus_open_system(&bus);
  if (result < 0) return result;
  result = sd_bus_add_object_vtable(bus, nullptr, kPath, kInterface, kLogin, state);
  if (result < 0) return result;
  result = sd_bus_add_object_vtable(bus, nullptr, "/org/freedesktop/systemd1",
                                    "org.freedesktop.systemd1.Manager", kSystemd, state);
  if (result < 0) return result;
  for (const char* name : {"org.freedesktop.login1", "org.freedesktop.systemd1"}) {
    result = sd_bus_request_name(bus, name, 0);
    if (result < 0) return result;
  }
  Say("ready");
  result = Serve(bus, state);
  sd_bus_flush_close_unref(bus);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  State state{.folder = argv[1], .locks = {}};
  const int result = Run(&state);
  if (result < 0) std::cerr << "fake_logind: " << -result << '\n';
  return result < 0 ? 1 : 0;
}
