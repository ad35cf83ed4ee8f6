#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "node/shutdown/logind.h"

namespace podium::node {
namespace {

constexpr const char* kLibrary = "libsystemd.so.0";
constexpr const char* kLogin = "org.freedesktop.login1";
constexpr const char* kLoginPath = "/org/freedesktop/login1";
constexpr const char* kLoginManager = "org.freedesktop.login1.Manager";

// What is called of the library. Its errors begin as zeros, as SD_BUS_ERROR_NULL does, which is no
// C++.
struct SdBus {
  decltype(&sd_bus_open_system) open_system = nullptr;
  decltype(&sd_bus_flush_close_unref) close = nullptr;
  decltype(&sd_bus_get_property_trivial) get_property = nullptr;
  decltype(&sd_bus_call_method) call_method = nullptr;
  decltype(&sd_bus_match_signal) match_signal = nullptr;
  decltype(&sd_bus_message_read) read = nullptr;
  decltype(&sd_bus_message_unref) unref = nullptr;
  decltype(&sd_bus_error_free) free_error = nullptr;
  decltype(&sd_bus_process) process = nullptr;
  decltype(&sd_bus_get_fd) get_fd = nullptr;
  decltype(&sd_bus_get_events) get_events = nullptr;
};

template <class Function>
bool Find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

// It stays loaded: what it keeps for threads would not survive being unloaded.
Result<SdBus> LoadSdBus() {
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* why = dlerror();  // NOLINT(concurrency-mt-unsafe): of this thread, in glibc
    return Error(Code::kUnavailable, std::string("no logind: ") + (why ? why : kLibrary));
  }
  SdBus bus;
  const bool all = Find(library, "sd_bus_open_system", &bus.open_system) &&
                   Find(library, "sd_bus_flush_close_unref", &bus.close) &&
                   Find(library, "sd_bus_get_property_trivial", &bus.get_property) &&
                   Find(library, "sd_bus_call_method", &bus.call_method) &&
                   Find(library, "sd_bus_match_signal", &bus.match_signal) &&
                   Find(library, "sd_bus_message_read", &bus.read) &&
                   Find(library, "sd_bus_message_unref", &bus.unref) &&
                   Find(library, "sd_bus_error_free", &bus.free_error) &&
                   Find(library, "sd_bus_process", &bus.process) &&
                   Find(library, "sd_bus_get_fd", &bus.get_fd) &&
                   Find(library, "sd_bus_get_events", &bus.get_events);
  if (!all) return Error(Code::kUnavailable, std::string(kLibrary) + " has no sd-bus");
  return bus;
}

class SdBusLogind : public Logind {
 public:
  SdBusLogind(const SdBus& lib, sd_bus* bus) : lib_(lib), bus_(bus) {}
  ~SdBusLogind() override { lib_.close(bus_); }

  Result<void> Subscribe() {
    const int result = lib_.match_signal(bus_, nullptr, kLogin, kLoginPath, kLoginManager,
                                         "PrepareForShutdown", &SdBusLogind::OnSignal, this);
    if (result < 0) return Error::FromErrno(-result, "PrepareForShutdown of logind");
    return {};
  }

  Result<std::chrono::microseconds> InhibitDelayMax() override {
    uint64_t delay = 0;
    sd_bus_error error{};
    const int result = lib_.get_property(bus_, kLogin, kLoginPath, kLoginManager,
                                         "InhibitDelayMaxUSec", &error, 't', &delay);
    TRY_VOID(Check("failed reading InhibitDelayMaxUSec property from logind", result, &error));
    return std::chrono::microseconds(static_cast<int64_t>(std::min<uint64_t>(delay, INT64_MAX)));
  }

  Result<void> Reload() override {
    sd_bus_error error{};
    const int result =
        lib_.call_method(bus_, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                         "org.freedesktop.systemd1.Manager", "KillUnit", &error, nullptr, "ssi",
                         "systemd-logind.service", "all", static_cast<int32_t>(SIGHUP));
    return Check("unable to reload logind conf", result, &error);
  }

  Result<UniqueFd> InhibitShutdown() override {
    sd_bus_error error{};
    sd_bus_message* reply = nullptr;
    int result = lib_.call_method(bus_, kLogin, kLoginPath, kLoginManager, "Inhibit", &error,
                                  &reply, "ssss", "shutdown", "podium",
                                  "podium ends its pods before the machine goes down", "delay");
    int borrowed = -1;
    if (result >= 0) result = lib_.read(reply, "h", &borrowed);
    // The message has the descriptor for as long as it is there.
    UniqueFd lock(result >= 0 ? fcntl(borrowed, F_DUPFD_CLOEXEC, 3) : -1);
    if (result >= 0 && !lock) result = -errno;
    lib_.unref(reply);
    TRY_VOID(Check("failed creating systemd inhibitor", result, &error));
    return lock;
  }

  Result<std::optional<bool>> NextShutdown(int wake) override {
    while (true) {
      const int result = lib_.process(bus_, nullptr);
      if (result < 0) return Error::FromErrno(-result, "logind");
      if (!told_.empty()) {
        const bool told = told_.front();
        told_.pop_front();
        return std::optional(told);
      }
      if (result > 0) continue;
      std::array<pollfd, 2> fds{
          pollfd{lib_.get_fd(bus_), static_cast<short>(lib_.get_events(bus_)), 0},
          pollfd{wake, POLLIN, 0}};
      if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) {
        return Error::FromErrno(errno, "poll");
      }
      if (fds[1].revents != 0) return std::optional<bool>();
    }
  }

 private:
  Result<void> Check(const char* what, int result, sd_bus_error* error) const {
    if (result >= 0) return {};
    const std::string why = error->message ? error->message : "";
    lib_.free_error(error);
    if (why.empty()) return Error::FromErrno(-result, what);
    return Error(Code::kUnavailable, std::string(what) + ": " + why);
  }

  static int OnSignal(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    auto* logind = static_cast<SdBusLogind*>(self);
    int begins = 0;
    if (logind->lib_.read(message, "b", &begins) > 0) logind->told_.push_back(begins != 0);
    return 0;
  }

  const SdBus lib_;
  sd_bus* const bus_;
  std::deque<bool> told_;
};

}  // namespace

Result<std::unique_ptr<Logind>> ConnectLogind() {
  TRY(const SdBus lib, LoadSdBus());
  sd_bus* bus = nullptr;
  const int result = lib.open_system(&bus);
  if (result < 0) return Error::FromErrno(-result, "no logind: the system's bus");
  auto logind = std::make_unique<SdBusLogind>(lib, bus);
  TRY_VOID(logind->Subscribe());
  return std::unique_ptr<Logind>(std::move(logind));
}

}  // namespace podium::node
