#include "runtime/signals.h"

#include <charconv>
#include <csignal>
#include <string>
#include <tuple>

#include "base/text.h"

namespace podium::runtime {
namespace {

using wire::cri::Signal;

struct Known {
  const char* name;
  int number;
};
// In the order of CRI's enumeration, from SIGABRT on.
constexpr Known kSignals[] = {
    {"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"BUS", SIGBUS},       {"CHLD", SIGCHLD},
    {"CLD", SIGCHLD},  {"CONT", SIGCONT}, {"FPE", SIGFPE},       {"HUP", SIGHUP},
    {"ILL", SIGILL},   {"INT", SIGINT},   {"IO", SIGIO},         {"IOT", SIGABRT},
    {"KILL", SIGKILL}, {"PIPE", SIGPIPE}, {"POLL", SIGPOLL},     {"PROF", SIGPROF},
    {"PWR", SIGPWR},   {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV},     {"STKFLT", SIGSTKFLT},
    {"STOP", SIGSTOP}, {"SYS", SIGSYS},   {"TERM", SIGTERM},     {"TRAP", SIGTRAP},
    {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},
    {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH},
    {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},
};
// The kernel's, which a container's libc may count differently but runtimes do not.
constexpr int kRtMin = 34;
constexpr int kRtMax = 64;

}  // namespace

int SignalNumber(Signal signal) {
  const int value = static_cast<int>(signal);
  if (value <= 0 || value > static_cast<int>(Signal::kSigrtmax)) return 0;
  if (value < static_cast<int>(Signal::kSigrtmin)) return kSignals[value - 1].number;
  // SIGRTMIN+n up to +15, then SIGRTMAX-14 and up.
  return kRtMin + (value - static_cast<int>(Signal::kSigrtmin));
}

int ParseSignal(std::string_view text) {
  int number = 0;
  const char* end = text.data() + text.size();
  if (const auto [at, error] = std::from_chars(text.data(), end, number);
      error == std::errc() && at == end) {
    return number > 0 && number <= kRtMax ? number : 0;
  }
  std::string name = UpperCase(text);
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (const Known& known : kSignals) {
    if (name == known.name) return known.number;
  }
  for (const auto& [prefix, base, sign] :
       {std::tuple{"RTMIN", kRtMin, 1}, std::tuple{"RTMAX", kRtMax, -1}}) {
    if (!name.starts_with(prefix)) continue;
    std::string_view rest = std::string_view(name).substr(5);
    if (rest.empty()) return base;
    if (rest.front() != (sign > 0 ? '+' : '-')) return 0;
    rest.remove_prefix(1);
    int offset = 0;
    const auto [at, error] = std::from_chars(rest.data(), rest.data() + rest.size(), offset);
    const int found = base + sign * offset;
    if (error != std::errc() || at != rest.data() + rest.size() || offset > kRtMax - kRtMin) {
      return 0;
    }
    return found;
  }
  return 0;
}

}  // namespace podium::runtime
